// What the scans and the step with something around the cell are made of: masks by counters, zoneout, sums over units.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

// Numbers by the finaliser of SplitMix64 (src/gatework/_noise.py, the same numbers).
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

// The zoneout of one state at one step: how it is mixed from its previous and its new value, and the derivative's way
// back.
template <class V>
class Zone {
 public:
  Zone(const Around& around, int state, int64_t time)
      : is_on(around.zoneout[state] > 0),
        is_random(around.is_random),
        share(V::constant(around.zoneout[state])),
        threshold(static_cast<uint64_t>(around.zoneout[state] * 9007199254740992.0)),
        start(is_on && is_random ? Noise::start(around.zoneout_seed[state], time) : 0) {}

  Zone() = default;

  // `element` is the place of the first unit among those of all sequences of the step.
  GATEWORK_INLINE V mixed(V previous, V next, int64_t element) const {
    if (!is_on) return next;
    if (is_random) return select(kept(element), previous, next);
    return share * previous + (V::constant(1) - share) * next;
  }

  // Splits a derivative into what goes to the previous value, returned, and what goes to the new one.
  GATEWORK_INLINE V split(V& d, int64_t element) const {
    const V whole = d;
    if (!is_on) return V::constant(0);
    if (is_random) {
      const auto mask = kept(element);
      d = select(mask, V::constant(0), whole);
      return select(mask, whole, V::constant(0));
    }
    d = (V::constant(1) - share) * whole;
    return share * whole;
  }

  bool is_on = false;

 private:
  GATEWORK_INLINE typename V::Mask kept(int64_t element) const { return Noise::is_below<V>(threshold, start, element); }

  bool is_random = false;
  V share = V::constant(0);
  uint64_t threshold = 0, start = 0;
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
GATEWORK_INLINE V scaled(V normal, const void* gain, const void* bias, int64_t at, int64_t count) {
  using T = typename V::T;
  const V product = normal * load_units<V>(static_cast<const T*>(gain) + at, count);
  return bias ? product + load_units<V>(static_cast<const T*>(bias) + at, count) : product;
}

// From the derivative for the normalised numbers, in place, to that for the numbers themselves.
template <class V>
GATEWORK_INLINE void normalise_backward(typename V::T* d, const typename V::T* normal, typename V::T scale,
                                        int64_t count) {
  using T = typename V::T;
  V sum = V::constant(0), along = V::constant(0);
  for (int64_t k = 0; k < count; k += V::lanes) {
    const V value = load_units<V>(d + k, count - k);
    sum = sum + value;
    along = along + value * load_units<V>(normal + k, count - k);
  }
  const V mean = V::broadcast(total_of(sum) / static_cast<T>(count));
  const V slope = V::broadcast(total_of(along) / static_cast<T>(count));
  for (int64_t k = 0; k < count; k += V::lanes) {
    const V value = load_units<V>(d + k, count - k) - mean - load_units<V>(normal + k, count - k) * slope;
    store_units(value * V::broadcast(scale), d + k, count - k);
  }
}

}  // namespace gatework::GATEWORK_ISA
