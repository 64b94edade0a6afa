// Matrix products of a few rows with a packed panel, held in registers.
//
// A panel is what pack.h writes: for each k, `columns` vectors of factors that lie together. A tile is `rows` x
// `columns` vectors of sums. It starts from `start` and ends in `z`, both row-major with their own strides, aligned to
// a vector; they may be the same tile. `a` is row-major; nothing else overlaps. What factors are, and how many of them
// one k is, is said by the operands `O` (operands.h).
#pragma once

#include "operands.h"

namespace gatework::GATEWORK_ISA {

constexpr int max_segments = 4;

// `depth` columns of a matrix, one row of it for each row of the tile.
template <class Element>
struct Segment {
  const Element* a;
  int64_t lda;
  int64_t depth;
};

// The sum over all segments; the panel has their rows one after the other.
template <class O>
struct Product {
  using T = typename O::T;
  const T* start;
  int64_t start_stride;
  T* z;
  int64_t z_stride;
  const Segment<typename O::Element>* segments;
  int segment_count;
  const T* panel;
};

// Adds to a tile the products of one k: `broadcast(r)` gives the factor of row r for all lanes.
template <class O, int Rows, int Columns, class Broadcast>
GATEWORK_INLINE void add_products(typename O::V (&sum)[Rows][Columns], const typename O::T* panel,
                                  const Broadcast& broadcast) {
  typename O::Factor b[Columns];
#pragma GCC unroll 4
  for (int c = 0; c < Columns; ++c) b[c] = O::factors(panel + c * O::V::lanes);
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
    const typename O::Factor x = broadcast(r);
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) sum[r][c] = O::add_product(sum[r][c], x, b[c]);
  }
}

template <class O, int Rows, int Columns>
void multiply_tile(const Product<O>& p) {
  using V = typename O::V;
  using T = typename O::T;
  V sum[Rows][Columns];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) sum[r][c] = V::load(p.start + r * p.start_stride + c * V::lanes);
  }
  const T* panel = p.panel;
  for (int s = 0; s < p.segment_count; ++s) {
    const auto* a = p.segments[s].a;
    const int64_t lda = p.segments[s].lda, depth = p.segments[s].depth;
    for (const auto* end = a + depth / O::group * O::group; a != end; a += O::group) {
      add_products<O>(sum, panel, [&](int r) { return O::broadcast(a + r * lda); });
      panel += Columns * V::lanes;
    }
    if constexpr (O::group > 1) {
      if (depth % O::group == 0) continue;
      add_products<O>(sum, panel, [&](int r) { return O::broadcast_last(a + r * lda); });
      panel += Columns * V::lanes;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) sum[r][c].store(p.z + r * p.z_stride + c * V::lanes);
  }
}

// Two products at once: that of one row, whose panel is read from far away, and a part of that of a tile, which finds
// in the registers what it needs while the row waits for its panel. Sums are as multiply_tile() makes them of each.
template <class O>
struct ProductBeside {
  Product<O> row;   // one segment of one row
  Product<O> tile;  // one segment; begins and ends in z
};

template <class O, int Rows, int Columns>
void multiply_beside(const ProductBeside<O>& p) {
  using V = typename O::V;
  constexpr int wide = Columns * V::lanes;
  V sum[1][Columns], beside[Rows][Columns];
#pragma GCC unroll 4
  for (int c = 0; c < Columns; ++c) sum[0][c] = V::load(p.row.start + c * V::lanes);
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) beside[r][c] = V::load(p.tile.z + r * p.tile.z_stride + c * V::lanes);
  }
  const auto *a = p.row.segments->a, *b = p.tile.segments->a;
  const auto *u = p.row.panel, *w = p.tile.panel;
  const int64_t depth = p.row.segments->depth, part = p.tile.segments->depth, lda = p.tile.segments->lda;
  const auto *const a_end = a + depth, *const b_end = b + part;
  const auto add_to_tile = [&]() GATEWORK_INLINED {
    add_products<O>(beside, w, [&](int r) { return O::broadcast(b + r * lda); });
    w += wide;
    ++b;
  };
  const auto add_to_row = [&]() GATEWORK_INLINED {
    add_products<O>(sum, u, [&](int) { return O::broadcast(a); });
    u += wide;
    ++a;
  };
  for (int64_t turns = part < depth / Rows ? part : depth / Rows; turns > 0; --turns) {
    add_to_tile();
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) add_to_row();
  }
  while (b != b_end) add_to_tile();
  while (a != a_end) add_to_row();
#pragma GCC unroll 4
  for (int c = 0; c < Columns; ++c) sum[0][c].store(p.row.z + c * V::lanes);
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) beside[r][c].store(p.tile.z + r * p.tile.z_stride + c * V::lanes);
  }
}

// The products of one row with two panels, of one segment each; sums are as multiply_tile() makes them of each.
template <class O, int Columns>
void multiply_both(const Product<O>& p, const Product<O>& q) {
  using V = typename O::V;
  V sum[1][Columns], other[1][Columns];
#pragma GCC unroll 4
  for (int c = 0; c < Columns; ++c) {
    sum[0][c] = V::load(p.start + c * V::lanes);
    other[0][c] = V::load(q.start + c * V::lanes);
  }
  const auto *u = p.panel, *v = q.panel;
  const auto *a = p.segments->a, *const end = a + p.segments->depth;
  for (; a != end; ++a) {
    const auto x = O::broadcast(a);
    add_products<O>(sum, u, [&](int) { return x; });
    add_products<O>(other, v, [&](int) { return x; });
    u += Columns * V::lanes;
    v += Columns * V::lanes;
  }
#pragma GCC unroll 4
  for (int c = 0; c < Columns; ++c) {
    sum[0][c].store(p.z + c * V::lanes);
    other[0][c].store(q.z + c * V::lanes);
  }
}

// z (rows x columns) = a.T * b over `depth` rows of both, each group in the place of a T: a[k * lda + row],
// b[k * ldb + column].
template <class O, int Rows, int Columns>
void multiply_transposed_tile(const typename O::T* a, int64_t lda, const typename O::T* b, int64_t ldb, int64_t depth,
                              typename O::T* z) {
  using V = typename O::V;
  V sum[Rows][Columns];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) sum[r][c] = V::constant(0);
  }
  for (int64_t k = 0; k < depth; ++k) {
    add_products<O>(sum, b, [&](int r) { return O::broadcast(a + r); });
    a += lda;
    b += ldb;
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) sum[r][c].store(z + (r * Columns + c) * V::lanes);
  }
}

// As multiply_transposed_tile, where a is transposed in groups of `lanes`: a[row * lanes + k] for the k of a group,
// whose next one is `to_group` further. With `IsHalf` only the first half of the last column is computed: a vector of
// half the lanes takes half the time where wide ones are executed in halves, and never takes more.
template <class V, int Rows, int Columns, bool IsHalf>
void multiply_transposed_tile(const typename V::T* a, int64_t to_group, const typename V::T* b, int64_t ldb,
                              int64_t depth, typename V::T* z) {
  using Half = Vector<typename V::T, V::lanes / 2>;
  constexpr int whole = IsHalf ? Columns - 1 : Columns, half = whole * V::lanes;
  V sum[Rows][whole + 1];
  Half rest[Rows];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < whole; ++c) sum[r][c] = V::constant(0);
    if (IsHalf) rest[r] = Half::constant(0);
  }
  for (int64_t group = 0; group < depth; group += V::lanes) {
    for (int k = 0; k < V::lanes; ++k) {
      V row[whole + 1];
      Half row_rest;
#pragma GCC unroll 4
      for (int c = 0; c < whole; ++c) row[c] = V::load(b + c * V::lanes);
      if (IsHalf) row_rest = Half::load(b + half);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) {
        const V x = V::broadcast(a[r * V::lanes + k]);
#pragma GCC unroll 4
        for (int c = 0; c < whole; ++c) sum[r][c] = sum[r][c] + x * row[c];
        // Of two broadcasts of one number a compiler makes a load and two shuffles, and those are slow; but with one
        // whole column it can multiply with the number in memory.
        if (IsHalf) rest[r] = rest[r] + (whole > 1 ? lower_half(x) : Half::broadcast(a[r * V::lanes + k])) * row_rest;
      }
      b += ldb;
    }
    a += to_group;
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < whole; ++c) sum[r][c].store(z + (r * Columns + c) * V::lanes);
    if (IsHalf) rest[r].store(z + r * Columns * V::lanes + half);
  }
}

// The functions for tiles of every size, by columns and rows; beyond tallest(columns) that for the tallest ones.
template <class O, template <class, int, int> class Functions, class Places>
struct TileFunctions;
template <class O, template <class, int, int> class Functions, int... Place>
struct TileFunctions<O, Functions, std::integer_sequence<int, Place...>> {
  static constexpr int columns(int place) { return place / max_rows + 1; }
  static constexpr int rows(int place) {
    const int tall = tallest(columns(place));
    return place % max_rows < tall ? place % max_rows + 1 : tall;
  }
  static constexpr decltype(Functions<O, 1, 1>::function) table[] = {
      Functions<O, rows(Place), columns(Place)>::function...};
};

// The function for a tile of that size; 0 < rows <= tallest(columns).
template <class O, template <class, int, int> class Functions>
GATEWORK_INLINE auto tile_function(int rows, int columns) -> decltype(Functions<O, 1, 1>::function) {
  using Places = std::make_integer_sequence<int, max_rows * max_columns>;
  return TileFunctions<O, Functions, Places>::table[(columns - 1) * max_rows + rows - 1];
}

template <class O, int Rows, int Columns>
struct Multiply {
  static constexpr void (*function)(const Product<O>&) = multiply_tile<O, Rows, Columns>;
};

template <class O, int Rows, int Columns>
struct MultiplyTransposed {
  using T = typename O::T;
  static constexpr void (*function)(const T*, int64_t, const T*, int64_t, int64_t,
                                    T*) = multiply_transposed_tile<O, Rows, Columns>;
};

template <bool IsHalf>
struct MultiplyTurned {
  template <class V, int Rows, int Columns>
  struct Tile {
    using T = typename V::T;
    static constexpr void (*function)(const T*, int64_t, const T*, int64_t, int64_t,
                                      T*) = multiply_transposed_tile<V, Rows, Columns, IsHalf>;
  };
};

// 0 < rows <= O::tallest(columns).
template <class O>
GATEWORK_SHARED void multiply(int rows, int columns, const Product<O>& product) {
  if constexpr (O::is_on_tile_registers) {
    O::multiply(rows, columns, product);
  } else {
    tile_function<O, Multiply>(rows, columns)(product);
  }
}

// The rows of a tile beside the product of one row.
constexpr int rows_beside = 5;

template <class O>
GATEWORK_SHARED void multiply_beside(int columns, const ProductBeside<O>& product) {
  static constexpr void (*table[])(const ProductBeside<O>&) = {
      multiply_beside<O, rows_beside, 1>, multiply_beside<O, rows_beside, 2>, multiply_beside<O, rows_beside, 3>,
      multiply_beside<O, rows_beside, 4>};
  table[columns - 1](product);
}

template <class O>
GATEWORK_INLINE void multiply_both(int columns, const Product<O>& p, const Product<O>& q) {
  static constexpr void (*table[])(const Product<O>&, const Product<O>&) = {multiply_both<O, 1>, multiply_both<O, 2>,
                                                                            multiply_both<O, 3>, multiply_both<O, 4>};
  table[columns - 1](p, q);
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
