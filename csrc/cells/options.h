// clang-format off
// What acts around a cell at a step, and its derivative.
// Generated from src/gatework/cells/options.py by `make cells`: change its functions, not this file.
struct BeforeStep {
  // The h that the recurrent product sees.
  template <class V>
  GATEWORK_INLINE static V forward(V h, V mask) {
    const V t2 = h * mask;                                              // return h * mask
    return t2;
  }

  // From the derivative of what it sees to that of h.
  template <class V>
  GATEWORK_INLINE static V backward(V mask, V d) {
    const V t2 = d * mask;                                              // return h * mask
    return t2;
  }
};

struct LayerNorm {
  // Normalises `count` values in place, and returns one over their standard deviation.
  template <class V>
  GATEWORK_CALLED static typename V::T forward(typename V::T* values, int64_t count) {
    using T = typename V::T;
    V sum_of_t0 = V::constant(0);
    for (int64_t k = 0; k < count; k += V::lanes) {
      const V values_k = load_units<V>(values + k, count - k);
      sum_of_t0 = sum_of_t0 + values_k;
    }
    const T t0 = total_of(sum_of_t0) / static_cast<T>(count);           // centred = values - apply("mean", values)
    V sum_of_t3 = V::constant(0);
    for (int64_t k = 0; k < count; k += V::lanes) {
      const V values_k = load_units<V>(values + k, count - k);
      const V t1 = values_k - V::broadcast(t0);                         // centred = values - apply("mean", values)
      store_units(t1, values + k, count - k);
      const V kept = load_units<V>(values + k, count - k);
      const V t2 = kept * kept;                                         // scale = apply("rsqrt", apply("mean", centred * centred) + EPSILON)
      sum_of_t3 = sum_of_t3 + t2;
    }
    const T t3 = total_of(sum_of_t3) / static_cast<T>(count);           // scale = apply("rsqrt", apply("mean", centred * centred) + EPSILON)
    const T t5 = t3 + static_cast<T>(1e-05);                            // scale = apply("rsqrt", apply("mean", centred * centred) + EPSILON)
    const T t6 = static_cast<T>(1) / static_cast<T>(__builtin_sqrt(t5));// scale = apply("rsqrt", apply("mean", centred * centred) + EPSILON)
    for (int64_t k = 0; k < count; k += V::lanes) {
      const V values_k = load_units<V>(values + k, count - k);
      const V t7 = values_k * V::broadcast(t6);                         // return centred * scale, scale
      store_units(t7, values + k, count - k);
    }
    return t6;
  }

  // From the derivative for the normalised values, in place, to that for the values themselves.
  template <class V>
  GATEWORK_CALLED static void backward(typename V::T* d, const typename V::T* normalised, typename V::T scale, int64_t count) {
    using T = typename V::T;
    V sum_of_t0 = V::constant(0);
    V sum_of_t3 = V::constant(0);
    for (int64_t k = 0; k < count; k += V::lanes) {
      const V normalised_k = load_units<V>(normalised + k, count - k);
      const V d_k = load_units<V>(d + k, count - k);
      sum_of_t0 = sum_of_t0 + d_k;
      const V t2 = d_k * normalised_k;
      sum_of_t3 = sum_of_t3 + t2;
    }
    const T t0 = total_of(sum_of_t0) / static_cast<T>(count);
    const T t3 = total_of(sum_of_t3) / static_cast<T>(count);
    for (int64_t k = 0; k < count; k += V::lanes) {
      const V normalised_k = load_units<V>(normalised + k, count - k);
      const V d_k = load_units<V>(d + k, count - k);
      const V t1 = d_k - V::broadcast(t0);
      const V t4 = normalised_k * V::broadcast(t3);
      const V t5 = t1 - t4;
      const V t6 = t5 * V::broadcast(scale);
      store_units(t6, d + k, count - k);
    }
  }

  // Normalised values with their gain and bias.
  template <class V>
  GATEWORK_INLINE static V scaled(V normalised, V gain, V bias) {
    const V t3 = normalised * gain;                                     // return normalised * gain + bias
    const V t4 = t3 + bias;                                             // return normalised * gain + bias
    return t4;
  }

  // From the derivative of these to those of their parts.
  template <class V>
  GATEWORK_INLINE static void scaled_backward(V normalised, V gain, V d, V& d_gain, V& d_bias, V& d_normalised) {
    const V t3 = d * normalised;                                        // return normalised * gain + bias
    const V t4 = d * gain;                                              // return normalised * gain + bias
    d_gain = t3;
    d_bias = d;
    d_normalised = t4;
  }
};

struct AfterStep {
  // `option` holds the number of each option, for each unit; a state without one has the neutral number.
  template <class V>
  GATEWORK_INLINE static V forward(V previous, V next, const V* option) {
    const V t4 = option[zoneout] * previous;                            // return share * previous + (1 - share) * new
    const V t6 = V::constant(1.0) - option[zoneout];                    // return share * previous + (1 - share) * new
    const auto t7 = next > option[clip];                                // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t8 = -option[clip];                                         // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const auto t9 = t8 > next;                                          // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t10 = select(t9, t8, next);                                 // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t11 = select(t7, option[clip], t10);                        // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t12 = t6 * t11;                                             // return share * previous + (1 - share) * new
    const V t13 = t4 + t12;                                             // return share * previous + (1 - share) * new
    return t13;
  }

  // From the derivative of the state that is carried on to those of the previous and of the new state.
  template <class V>
  GATEWORK_INLINE static void backward([[maybe_unused]] V next, const V* option, V d, V& d_previous, V& d_next) {
    const V t4 = d * option[zoneout];                                   // return share * previous + (1 - share) * new
    const V t5 = -option[clip];                                         // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const auto t6 = t5 > next;                                          // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const auto t8 = next > option[clip];                                // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t10 = V::constant(1.0) - option[zoneout];                   // return share * previous + (1 - share) * new
    const V t11 = d * t10;                                              // return share * previous + (1 - share) * new
    const V t12 = select(t8, V::constant(0.0), t11);                    // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t13 = select(t6, V::constant(0.0), t12);                    // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    d_previous = t4;
    d_next = t13;
  }
};
