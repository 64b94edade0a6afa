// What the scans and the step with something around the cell are made of: masks by counters, what acts on a state
// after the step, sums over units.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

// Numbers by the finaliser of SplitMix64 (src/gatework/scan/counter_rng.py, the same numbers).
struct Noise {
  static constexpr uint64_t step = 0x9e3779b97f4a7c15;

  static GATEWORK_INLINE uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // What the numbers of time step `time` start from.
  static GATEWORK_INLINE uint64_t start(uint64_t seed, int64_t time) {
    return mixed(seed + (static_cast<uint64_t>(time) + 1) * step);
  }

  // Which of the elements from `element` on draw a number of 53 bits below a threshold.
  template <class V>
  static GATEWORK_INLINE typename V::Mask is_below(uint64_t threshold, uint64_t start, int64_t element) {
    typename V::Integer lanes[V::lanes];
    for (int lane = 0; lane < V::lanes; ++lane) {
      const auto place = static_cast<uint64_t>(element + lane + 1);
      lanes[lane] = mixed(place * step + start) >> 11 < threshold ? -1 : 0;
    }
    typename V::Mask mask;
    __builtin_memcpy(&mask.bits, lanes, sizeof(lanes));
    return mask;
  }
};

#include "cells/options.h"

// What acts on one state after the step at one time, and the derivative's way back.
template <class V>
class StateOptions {
 public:
  StateOptions(const StepOptions& options, int state, int64_t time)
      : is_on(acts_on(options, state)), reads_new(gatework::reads_new(options, state)), is_random(options.is_random) {
    for (int k = 0; k < state_option_count; ++k) {
      const double value = options.after[k][state];
      number[k] = V::constant(value);
      if (!is_drawn(k)) continue;
      threshold[k] = static_cast<uint64_t>(value * 9007199254740992.0);
      start[k] = is_on ? Noise::start(options.seeds[k][state], time) : 0;
    }
  }

  StateOptions() = default;

  // `element` is the place of the first unit among those of all sequences of the step.
  GATEWORK_INLINE V forward(V previous, V next, int64_t element) const {
    if (!is_on) return next;
    V numbers[state_option_count];
    draw(element, numbers);
    return AfterStep::forward<V>(previous, next, numbers);
  }

  // From the derivative of the carried state to that of the new one, in place, and of the previous one, returned.
  // `next` is what the cell gave, where reads_new.
  GATEWORK_INLINE V backward(V next, V& d, int64_t element) const {
    if (!is_on) return V::constant(0);
    V numbers[state_option_count], d_previous, d_next;
    draw(element, numbers);
    AfterStep::backward<V>(next, numbers, d, d_previous, d_next);
    d = d_next;
    return d_previous;
  }

  bool is_on = false, reads_new = false;

 private:
  GATEWORK_INLINE bool is_drawn(int option) const { return is_random && option_is_drawn[option]; }

  GATEWORK_INLINE void draw(int64_t element, V* numbers) const {
#pragma GCC unroll 4
    for (int k = 0; k < state_option_count; ++k) {
      numbers[k] = number[k];
      if (is_drawn(k)) {
        const auto mask = Noise::is_below<V>(threshold[k], start[k], element);
        numbers[k] = select(mask, V::constant(1), V::constant(0));
      }
    }
  }

  bool is_random = false;
  V number[state_option_count];
  uint64_t threshold[state_option_count] = {}, start[state_option_count] = {};
};

// The sum of all lanes.
template <class V>
GATEWORK_INLINE typename V::T total_of(V v) {
  typename V::T lanes[V::lanes], total = 0;
  v.store(lanes);
  for (int k = 0; k < V::lanes; ++k) total += lanes[k];
  return total;
}

// Normalises `count` numbers in place to mean 0 and variance 1, and returns one over the standard deviation. Source:
// Ba et al. 2016; what is added to the variance is torch's.
template <class V>
GATEWORK_INLINE typename V::T normalise(typename V::T* values, int64_t count) {
  using T = typename V::T;
  V sum = V::constant(0), squares = V::constant(0);
  for (int64_t k = 0; k < count; k += V::lanes) sum = sum + load_units<V>(values + k, count - k);
  const V mean = V::broadcast(total_of(sum) / static_cast<T>(count));
  for (int64_t k = 0; k < count; k += V::lanes) {
    const V centred = load_units<V>(values + k, count - k) - mean;
    store_units(centred, values + k, count - k);
    const V alone = load_units<V>(values + k, count - k);  // 0 beyond the last
    squares = squares + alone * alone;
  }
  const T variance = total_of(squares) / static_cast<T>(count);
  const T scale = static_cast<T>(1) / static_cast<T>(__builtin_sqrt(variance + static_cast<T>(1e-5)));
  for (int64_t k = 0; k < count; k += V::lanes) {
    store_units(load_units<V>(values + k, count - k) * V::broadcast(scale), values + k, count - k);
  }
  return scale;
}

// Normalised numbers with their gain and, where there is one, their bias, at the place `at` of both.
template <class V>
GATEWORK_INLINE V scaled(V normalised, const void* gain, const void* bias, int64_t at, int64_t count) {
  using T = typename V::T;
  const V product = normalised * load_units<V>(static_cast<const T*>(gain) + at, count);
  return bias ? product + load_units<V>(static_cast<const T*>(bias) + at, count) : product;
}

// From the derivative for the normalised numbers, in place, to that for the numbers themselves.
template <class V>
GATEWORK_INLINE void normalise_backward(typename V::T* d, const typename V::T* normalised, typename V::T scale,
                                        int64_t count) {
  using T = typename V::T;
  V sum = V::constant(0), along = V::constant(0);
  for (int64_t k = 0; k < count; k += V::lanes) {
    const V value = load_units<V>(d + k, count - k);
    sum = sum + value;
    along = along + value * load_units<V>(normalised + k, count - k);
  }
  const V mean = V::broadcast(total_of(sum) / static_cast<T>(count));
  const V slope = V::broadcast(total_of(along) / static_cast<T>(count));
  for (int64_t k = 0; k < count; k += V::lanes) {
    const V value = load_units<V>(d + k, count - k) - mean - load_units<V>(normalised + k, count - k) * slope;
    store_units(value * V::broadcast(scale), d + k, count - k);
  }
}

}  // namespace gatework::GATEWORK_ISA
