// The only loop over time: one layer in one direction, forward and backward, for any cell.
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

constexpr int count_true(const bool* flags, int end) {
  int count = 0;
  for (int k = 0; k < end; ++k) count += flags[k];
  return count;
}

constexpr int tile_vectors = max_rows * max_columns;

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

template <class V>
GATEWORK_INLINE V load_units(const typename V::T* from, int64_t count) {
  return count >= V::lanes ? V::load(from) : V::load(from, static_cast<int>(count));
}

template <class V>
GATEWORK_INLINE void store_units(V value, typename V::T* to, int64_t count) {
  if (count >= V::lanes) {
    value.store(to);
  } else {
    value.store(to, static_cast<int>(count));
  }
}

// Copies `rows` rows of `width` elements; `from` may be null, which means 0.
template <class T>
GATEWORK_INLINE void copy_rows(T* to, int64_t to_stride, const T* from, int64_t from_stride, int64_t rows,
                               int64_t width) {
  for (int64_t r = 0; r < rows; ++r) {
    if (from) {
      __builtin_memcpy(to + r * to_stride, from + r * from_stride, static_cast<size_t>(width) * sizeof(T));
    } else {
      __builtin_memset(to + r * to_stride, 0, static_cast<size_t>(width) * sizeof(T));
    }
  }
}

// to (rows, width) = [start +] a (rows, depth) * panels packed with one gate; `to` has a stride that is a multiple of
// the lanes and is the start when `adds`. `after` is told which columns of which row were written.
template <class V, class Product, class After>
GATEWORK_INLINE void product_of_rows(typename V::T* to, int64_t to_stride, int64_t rows, int64_t width, int64_t depth,
                                     const typename V::T* panels, bool adds, typename V::T* z, const Product& product,
                                     const After& after) {
  using T = typename V::T;
  const int64_t blocks = round_up(width, V::lanes) / V::lanes;
  for (int64_t first = 0; first < blocks; first += max_columns) {
    const int columns = static_cast<int>(blocks - first < max_columns ? blocks - first : max_columns);
    const Tiles tiles = split_rows(rows, tallest(columns));
    int64_t row = 0;
    for (int64_t tile = 0; tile < tiles.count; ++tile) {
      const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
      T* target = to + row * to_stride + first * V::lanes;
      for (int r = 0; r < height; ++r) {
        for (int c = 0; c < columns; ++c) {
          const V start = adds ? V::load(target + r * to_stride + c * V::lanes) : V::constant(0);
          start.store(z + (r * columns + c) * V::lanes);
        }
      }
      product(height, columns, z, row, panels);
      for (int r = 0; r < height; ++r) {
        for (int c = 0; c < columns; ++c) {
          const V sum = V::load(z + (r * columns + c) * V::lanes);
          sum.store(target + r * to_stride + c * V::lanes);
          after(row + r, (first + c) * V::lanes, sum);
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
