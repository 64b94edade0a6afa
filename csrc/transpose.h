// A square of as many vectors as a vector has lanes, turned in registers.
#pragma once

#include "vector.h"

namespace gatework::GATEWORK_ISA {

// Where bit `Distance` of the lane says which of two vectors comes: the blocks of a pair of rows, exchanged.
template <int Distance, bool IsLower, class V, int... Lanes>
GATEWORK_INLINE V exchanged(V a, V b, std::integer_sequence<int, Lanes...>) {
  constexpr int from_a = IsLower ? Distance : 0, from_b = IsLower ? V::lanes : V::lanes - Distance;
  return {__builtin_shufflevector(a.raw, b.raw, (Lanes & Distance ? Lanes + from_b : Lanes + from_a)...)};
}

// Turns `lanes` vectors, by halves of blocks.
template <class V, int Distance = V::lanes / 2>
GATEWORK_INLINE void transpose(V* rows) {
  constexpr auto lanes = std::make_integer_sequence<int, V::lanes>();
#pragma GCC unroll 16
  for (int k = 0; k < V::lanes; ++k) {
    if (k & Distance) continue;
    const V a = rows[k], b = rows[k + Distance];
    rows[k] = exchanged<Distance, false>(a, b, lanes);
    rows[k + Distance] = exchanged<Distance, true>(a, b, lanes);
  }
  if constexpr (Distance > 1) transpose<V, Distance / 2>(rows);
}

}  // namespace gatework::GATEWORK_ISA
