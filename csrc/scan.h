// The loop over time: one layer in one direction, forward and backward, for any cell, with units in the lanes;
// batch_lanes.h has the one with sequences in the lanes, for small layers.
//
// A cell (csrc/cells) says how many accumulators and states it has and what one step does to vectors of units; the
// layout, the matrix products, the projection and the storage are here. A call works on the sequences [first, last) of
// a batch and touches only their rows, so several threads may run different sequences of the same call. Scratch memory
// belongs to the caller, is aligned to 64 bytes and need not be cleared.
#pragma once

#include "activations.h"
#include "arguments.h"
#include "gemm.h"
#include "pack.h"

namespace gatework::GATEWORK_ISA {

// The most sums that a product has at once.
template <class O>
constexpr int tile_vectors = O::most_rows * max_columns;

// Which rows of a tensor one step of the sequences [first, last) has.
struct Step {
  int64_t row, active;
};

GATEWORK_INLINE int64_t active_rows(const Layout& layout, int64_t t, int64_t first, int64_t last) {
  const int64_t size = layout.batch_sizes ? layout.batch_sizes[t] : layout.batch;
  const int64_t end = size < last ? size : last;
  return end > first ? end - first : 0;
}

GATEWORK_INLINE Step step_at(const Layout& layout, int64_t t, int64_t first, int64_t last) {
  const int64_t offset = layout.offsets ? layout.offsets[t] : t * layout.batch;
  return {offset + first, active_rows(layout, t, first, last)};
}

// The learnt vectors of a cell, (units, hidden), at the units from `unit` on.
template <class Cell, class V>
GATEWORK_INLINE void load_vectors(const void* vectors, int64_t hidden, int64_t unit, V* to) {
  const auto* from = static_cast<const typename V::T*>(vectors) + unit;
  for (int k = 0; k < Cell::units; ++k) to[k] = load_units<V>(from + k * hidden, hidden - unit);
}

// Copies `rows` rows of `width` elements; `from` may be null, which means 0.
template <class T>
GATEWORK_CALLED void copy_rows(T* to, int64_t to_stride, const T* from, int64_t from_stride, int64_t rows,
                               int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    if (from) {
      __builtin_memcpy(to + r * to_stride, from + r * from_stride, static_cast<size_t>(width) * sizeof(T));
    } else {
      __builtin_memset(to + r * to_stride, 0, static_cast<size_t>(width) * sizeof(T));
    }
  }
}

// Rounds `rows` rows of `width` numbers; `to` has room for whole vectors where its stride has.
template <class O>
GATEWORK_INLINE void round_rows(typename O::Element* to, int64_t to_stride, const typename O::T* from,
                                int64_t from_stride, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < width; ++k) to[r * to_stride + k] = O::element(from[r * from_stride + k]);
  }
}

// The first rows of a product's factors, in parts side by side.
template <class Element>
struct Segments {
  Segment<Element> list[max_segments];
  int count;
};

// Where the rows of a product go, each or null: as numbers and as factors in whole vectors, `stride` apart, and as rows
// of exactly their width.
template <class O>
struct Destination {
  typename O::T* sums;
  typename O::Element* factors;
  int64_t stride;
  typename O::Element* rows;
};

// The product of `rows` rows with a matrix of pack_matrix that has `width` columns and `depth` groups. The sums start
// from `start` (stride 0 where all rows start alike).
template <class O>
GATEWORK_CALLED void multiply_rows(int64_t rows, int64_t width, int64_t depth, const typename O::T* panels,
                                   const typename O::T* start, int64_t start_stride, typename O::T* z,
                                   const Segments<typename O::Element>& factors, const Destination<O>& to) {
  using V = typename O::V;
  const int64_t blocks = round_up(width, V::lanes) / V::lanes;
  for (int64_t first = 0; first < blocks; first += max_columns) {
    const int columns = static_cast<int>(blocks - first < max_columns ? blocks - first : max_columns);
    const Tiles tiles = split_rows(rows, O::tallest(columns));
    int64_t row = 0;
    for (int64_t tile = 0; tile < tiles.count; ++tile) {
      const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
      Segments<typename O::Element> segments = factors;
      for (int s = 0; s < segments.count; ++s) segments.list[s].a += row * segments.list[s].lda;
      const auto* from = start + (start_stride ? row * start_stride + first * V::lanes : 0);
      multiply<O>(height, columns, {from, start_stride, z, columns * V::lanes, segments.list, segments.count, panels});
      for (int64_t r = row; r < row + height; ++r) {
        for (int c = 0; c < columns; ++c) {
          const int64_t unit = (first + c) * V::lanes;
          const V sum = V::load(z + ((r - row) * columns + c) * V::lanes);
          if (to.sums) sum.store(to.sums + r * to.stride + unit);
          if (O::is_rounded && to.factors) O::store(sum, to.factors + r * to.stride + unit);
          if (to.rows) O::store(sum, to.rows + r * width + unit, width - unit);
        }
      }
      row += height;
    }
    panels += depth * columns * V::lanes;
  }
}

}  // namespace gatework::GATEWORK_ISA

#include "scan_backward.h"
#include "scan_forward.h"
