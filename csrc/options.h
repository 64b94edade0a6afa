// What the scans and the step with something around the cell are made of: masks by counters, and the generated
// equations of what acts around the cell (cells/options.h) on addresses.
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

// The sum of all lanes.
template <class V>
GATEWORK_INLINE typename V::T total_of(V v) {
  typename V::T lanes[V::lanes], total = 0;
  v.store(lanes);
  for (int k = 0; k < V::lanes; ++k) total += lanes[k];
  return total;
}

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

// Normalised numbers with their gain and, where there is one, their bias, at the place `at` of both.
template <class V>
GATEWORK_INLINE V scaled(V normalised, const void* gain, const void* bias, int64_t at, int64_t count) {
  using T = typename V::T;
  // Unlike 0, -0 changes no number it is added to.
  const V added = bias ? load_units<V>(static_cast<const T*>(bias) + at, count) : V::constant(-0.0);
  return LayerNorm::scaled(normalised, load_units<V>(static_cast<const T*>(gain) + at, count), added);
}

// Elements of the h that the recurrent product sees under a mask.
template <class V>
GATEWORK_INLINE void mask_row(const typename V::T* h, const typename V::T* mask, typename V::T* to, int64_t count) {
  for (int64_t k = 0; k < count; k += V::lanes) {
    const V seen = BeforeStep::forward(load_units<V>(h + k, count - k), load_units<V>(mask + k, count - k));
    store_units(seen, to + k, count - k);
  }
}

// What the gain and the bias receive from normalised values, added to theirs; gives what the values receive.
template <class V>
GATEWORK_INLINE V scaled_backward(V normalised, V d, const void* gain, typename V::T* d_gain, typename V::T* d_bias,
                                  int64_t at, int64_t count) {
  V gain_part, bias_part, d_normalised;
  const V factor = load_units<V>(static_cast<const typename V::T*>(gain) + at, count);
  LayerNorm::scaled_backward(normalised, factor, d, gain_part, bias_part, d_normalised);
  store_units(load_units<V>(d_gain + at, count) + gain_part, d_gain + at, count);
  store_units(load_units<V>(d_bias + at, count) + bias_part, d_bias + at, count);
  return d_normalised;
}

}  // namespace gatework::GATEWORK_ISA
