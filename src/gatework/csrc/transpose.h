// Squares of numbers, transposed in registers.
#pragma once

#include "vector.h"

namespace gatework::GATEWORK_ISA {

// Where bit `Distance` of the lane says which of two vectors comes: the blocks of a pair of rows, exchanged.
template <int Distance, bool IsLower, class V, int... Lanes>
GATEWORK_INLINE V exchanged(V a, V b, std::integer_sequence<int, Lanes...>) {
  constexpr int from_a = IsLower ? Distance : 0, from_b = IsLower ? V::lanes : V::lanes - Distance;
  return {__builtin_shufflevector(a.raw, b.raw, (Lanes & Distance ? Lanes + from_b : Lanes + from_a)...)};
}

// Turns `Count` vectors, each square of `Count` lanes by itself, by halves of blocks.
template <int Count, class V, int Distance = Count / 2>
GATEWORK_INLINE void transpose(V* rows) {
  constexpr auto lanes = std::make_integer_sequence<int, V::lanes>();
#pragma GCC unroll 16
  for (int k = 0; k < Count; ++k) {
    if (k & Distance) continue;
    const V a = rows[k], b = rows[k + Distance];
    rows[k] = exchanged<Distance, false>(a, b, lanes);
    rows[k + Distance] = exchanged<Distance, true>(a, b, lanes);
  }
  if constexpr (Distance > 1) transpose<Count, V, Distance / 2>(rows);
}

// A vector of blocks of `Count` numbers each: `load(from + k * apart)` for its k-th.
template <int Count, class V, class Load>
GATEWORK_INLINE V load_blocks(const typename V::T* from, int64_t apart, const Load& load) {
  if constexpr (V::lanes == Count) {
    return load(from);
  } else {
    using Half = Vector<typename V::T, V::lanes / 2>;
    const typename V::T* const upper = from + Half::lanes / Count * apart;
    return joined(load_blocks<Count, Half>(from, apart, load), load_blocks<Count, Half>(upper, apart, load));
  }
}

// The inverse of load_blocks: `store(block, to + k * apart)`.
template <int Count, class V, class Store>
GATEWORK_INLINE void store_blocks(V v, typename V::T* to, int64_t apart, const Store& store) {
  if constexpr (V::lanes == Count) {
    store(v, to);
  } else {
    store_blocks<Count>(lower_half(v), to, apart, store);
    store_blocks<Count>(upper_half(v), to + V::lanes / 2 / Count * apart, apart, store);
  }
}

}  // namespace gatework::GATEWORK_ISA
