// clang-format off
// What acts on a state after the step of a cell, and its derivative.
// Generated from src/gatework/cells/options.py by `make cells`: change its functions, not this file.
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
  GATEWORK_INLINE static void backward([[maybe_unused]] V next, const V* option, V d_carried, V& d_previous,
                                       V& d_next) {
    const V t4 = d_carried * option[zoneout];                           // return share * previous + (1 - share) * new
    const V t5 = -option[clip];                                         // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const auto t6 = t5 > next;                                          // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const auto t8 = next > option[clip];                                // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t10 = V::constant(1.0) - option[zoneout];                   // return share * previous + (1 - share) * new
    const V t11 = d_carried * t10;                                      // return share * previous + (1 - share) * new
    const V t12 = select(t8, V::constant(0.0), t11);                    // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    const V t13 = select(t6, V::constant(0.0), t12);                    // return torch.where(new > limit, limit, torch.where(-limit > new, -limit, new))
    d_previous = t4;
    d_next = t13;
  }
};
