// The matrix product of a few rows with a packed panel, held in registers.
//
// A panel is what pack.h writes: for each k, `columns` vectors that lie together. A tile is `rows` x `columns` vectors.
// Its sums start from the scratch tile `z` (row-major, contiguous, aligned), take in `depth` products and go back
// there. `a` is row-major with stride `lda`; nothing overlaps.
#pragma once

#include "vector.h"

namespace gatework::GATEWORK_ISA {

constexpr int max_columns = 4;
constexpr int max_rows = 8;

// The tallest tile whose sums, with one row of the panel and one element of `a`, stay in registers.
constexpr int tallest(int columns) {
  if (vector_registers == 32) return columns == 4 ? 6 : max_rows;
  return columns == 4 ? 3 : columns == 3 ? 4 : columns == 2 ? 6 : max_rows;
}

template <class V, int Rows, int Columns>
void multiply_tile(typename V::T* z, const typename V::T* a, int64_t lda, const typename V::T* panel, int64_t depth) {
  V sum[Rows][Columns];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) sum[r][c] = V::load(z + (r * Columns + c) * V::lanes);
  }
  for (int64_t k = 0; k < depth; ++k) {
    V b[Columns];
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) b[c] = V::load(panel + c * V::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const V x = V::broadcast(a[r * lda + k]);
#pragma GCC unroll 4
      for (int c = 0; c < Columns; ++c) sum[r][c] = sum[r][c] + x * b[c];
    }
    panel += Columns * V::lanes;
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) sum[r][c].store(z + (r * Columns + c) * V::lanes);
  }
}

template <class V>
using TileFunction = void (*)(typename V::T*, const typename V::T*, int64_t, const typename V::T*, int64_t);

template <class V, int Rows>
GATEWORK_INLINE TileFunction<V> tile_of_columns(int columns) {
  constexpr TileFunction<V> functions[] = {
      multiply_tile<V, Rows, 1>, Rows <= tallest(2) ? multiply_tile<V, (Rows <= tallest(2) ? Rows : 1), 2> : nullptr,
      Rows <= tallest(3) ? multiply_tile<V, (Rows <= tallest(3) ? Rows : 1), 3> : nullptr,
      Rows <= tallest(4) ? multiply_tile<V, (Rows <= tallest(4) ? Rows : 1), 4> : nullptr};
  return functions[columns - 1];
}

// z += a * panel for `rows` <= tallest(columns) rows.
template <class V>
GATEWORK_INLINE void multiply(int rows, int columns, typename V::T* z, const typename V::T* a, int64_t lda,
                              const typename V::T* panel, int64_t depth) {
  TileFunction<V> function = nullptr;
  switch (rows) {
    case 1:
      function = tile_of_columns<V, 1>(columns);
      break;
    case 2:
      function = tile_of_columns<V, 2>(columns);
      break;
    case 3:
      function = tile_of_columns<V, 3>(columns);
      break;
    case 4:
      function = tile_of_columns<V, 4>(columns);
      break;
    case 5:
      function = tile_of_columns<V, 5>(columns);
      break;
    case 6:
      function = tile_of_columns<V, 6>(columns);
      break;
    case 7:
      function = tile_of_columns<V, 7>(columns);
      break;
    default:
      function = tile_of_columns<V, 8>(columns);
  }
  function(z, a, lda, panel, depth);
}

// Rows in tiles of nearly equal height: `count` tiles, the first `larger` of them one row taller than `height`.
struct Tiles {
  int64_t count, height, larger;
};

GATEWORK_INLINE Tiles split_rows(int64_t rows, int tallest) {
  const int64_t count = (rows + tallest - 1) / tallest;
  return {count, count ? rows / count : 0, count ? rows % count : 0};
}

}  // namespace gatework::GATEWORK_ISA
