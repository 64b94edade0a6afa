// Two vectors on which every operation acts one after the other. What a cell computes of one vector is a long chain of
// instructions that wait for each other; of a pair it is two chains, side by side where the processor looks for work.
#pragma once

#include "vector.h"

namespace gatework::GATEWORK_ISA {

template <class V_>
struct UnrolledPair {
  using V = V_;
  using T = typename V::T;

  struct Bits {
    typename V::Bits a, b;

    friend GATEWORK_INLINE Bits operator&(Bits x, Bits y) { return {x.a & y.a, x.b & y.b}; }
    friend GATEWORK_INLINE Bits operator|(Bits x, Bits y) { return {x.a | y.a, x.b | y.b}; }
    friend GATEWORK_INLINE Bits operator^(Bits x, Bits y) { return {x.a ^ y.a, x.b ^ y.b}; }
    friend GATEWORK_INLINE Bits operator+(Bits x, Bits y) { return {x.a + y.a, x.b + y.b}; }
    friend GATEWORK_INLINE Bits operator-(Bits x, Bits y) { return {x.a - y.a, x.b - y.b}; }
    friend GATEWORK_INLINE Bits operator<<(Bits x, int count) { return {x.a << count, x.b << count}; }
    friend GATEWORK_INLINE Bits operator>>(Bits x, int count) { return {x.a >> count, x.b >> count}; }
  };

  struct Mask {
    typename V::Mask a, b;
  };

  V a, b;

  static GATEWORK_INLINE UnrolledPair constant(double value) { return {V::constant(value), V::constant(value)}; }

  GATEWORK_INLINE Bits bits() const { return {a.bits(), b.bits()}; }
  static GATEWORK_INLINE UnrolledPair from_bits(Bits bits) { return {V::from_bits(bits.a), V::from_bits(bits.b)}; }

  friend GATEWORK_INLINE UnrolledPair operator+(UnrolledPair x, UnrolledPair y) { return {x.a + y.a, x.b + y.b}; }
  friend GATEWORK_INLINE UnrolledPair operator-(UnrolledPair x, UnrolledPair y) { return {x.a - y.a, x.b - y.b}; }
  friend GATEWORK_INLINE UnrolledPair operator*(UnrolledPair x, UnrolledPair y) { return {x.a * y.a, x.b * y.b}; }
  friend GATEWORK_INLINE UnrolledPair operator/(UnrolledPair x, UnrolledPair y) { return {x.a / y.a, x.b / y.b}; }
  friend GATEWORK_INLINE UnrolledPair operator-(UnrolledPair x) { return {-x.a, -x.b}; }
  friend GATEWORK_INLINE Mask operator>(UnrolledPair x, UnrolledPair y) { return {x.a > y.a, x.b > y.b}; }
  friend GATEWORK_INLINE Mask operator>=(UnrolledPair x, UnrolledPair y) { return {x.a >= y.a, x.b >= y.b}; }
  friend GATEWORK_INLINE Mask operator==(UnrolledPair x, UnrolledPair y) { return {x.a == y.a, x.b == y.b}; }
  friend GATEWORK_INLINE UnrolledPair select(Mask mask, UnrolledPair x, UnrolledPair y) {
    return {select(mask.a, x.a, y.a), select(mask.b, x.b, y.b)};
  }

  GATEWORK_INLINE UnrolledPair at_most(UnrolledPair limit) const { return {a.at_most(limit.a), b.at_most(limit.b)}; }
  GATEWORK_INLINE UnrolledPair at_least(UnrolledPair limit) const { return {a.at_least(limit.a), b.at_least(limit.b)}; }
};

// How many vectors W is: 1, or 2 for a UnrolledPair.
template <class W>
constexpr int vectors_in = 1;
template <class V>
constexpr int vectors_in<UnrolledPair<V>> = 2;

// `load(k)` for each of the vectors of W, and `store(vector, k)`.
template <class W, class Load>
GATEWORK_INLINE W load_each(const Load& load) {
  if constexpr (vectors_in<W> == 2) {
    return {load(0), load(1)};
  } else {
    return load(0);
  }
}

template <class W, class Store>
GATEWORK_INLINE void store_each(const W& w, const Store& store) {
  if constexpr (vectors_in<W> == 2) {
    store(w.a, 0);
    store(w.b, 1);
  } else {
    store(w, 0);
  }
}

}  // namespace gatework::GATEWORK_ISA
