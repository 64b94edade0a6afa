// The gradients of W, U and their biases in a scan with sequences in the lanes: as weight_gradients.h, for transposed
// derivatives.
//
// The scan puts the derivatives of a group's step into a block, (accumulators * hidden, lanes), in the order of
// Columns; when the block is full, its products are added to sums as wide as vectors, which only at the end become rows
// of gradients. The columns of x and of h are copied side by side, so that small sizes waste few lanes.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

template <class V>
class BatchLanesGradients {
  using T = typename V::T;
  static constexpr int64_t panel_width = max_columns * V::lanes;
  // Enough to pay for reading and writing the sums once; larger blocks leave the cache.
  static constexpr int64_t block_rows = 256, block_groups = block_rows / V::lanes;

 public:
  static int64_t scratch(const Feeds& feeds, const Layout& layout) {
    const int64_t sums = round_up(layout.input + layout.hidden, V::lanes) + V::lanes;
    const int64_t elements = feeds.accumulators * layout.hidden * (block_rows + sums) + block_rows * panel_width +
                             (max_rows * max_columns + 1) * V::lanes;
    return static_cast<int64_t>(sizeof(T)) * elements + static_cast<int64_t>(2 * sizeof(T*)) * block_groups;
  }

  BatchLanesGradients(const Feeds& feeds, const BackwardArguments& p, void* memory)
      : feeds(feeds),
        p(p),
        input(p.layout.input),
        hidden(p.layout.hidden),
        rows(feeds.accumulators * hidden),
        x_width(p.d_weight_ih ? input : 0),
        width(x_width + (p.d_weight_hh ? hidden : 0)),
        padded(round_up(width, V::lanes)) {
    z = static_cast<T*>(memory);
    panel = z + max_rows * max_columns * V::lanes;
    block = panel + block_rows * panel_width + V::lanes;  // copying a row may write a vector beyond
    biases = block + block_rows * rows;
    sums = biases + rows * V::lanes;
    x_rows = reinterpret_cast<const T**>(sums + rows * round_up(input + hidden, V::lanes));
    h_rows = x_rows + block_groups;
    __builtin_memset(biases, 0, static_cast<size_t>(rows * (V::lanes + padded)) * sizeof(T));
  }

  // The place for the derivatives of one more group; `x` and `h` are what its products saw, row after row.
  T* append(const T* x, const T* h) {
    if (groups == block_groups) flush();
    x_rows[groups] = x;
    h_rows[groups] = h;
    return block + groups++ * rows * V::lanes;
  }

  // Writes the gradients.
  GATEWORK_CALLED void finish();

 private:
  // Adds the products of all groups so far.
  GATEWORK_CALLED void flush();

  void add_biases() {
    for (int64_t row = 0; row < rows; ++row) {
      const T* const from = block + row * V::lanes;
      V sum = V::constant(0);
      for (int64_t k = 0; k < groups; ++k) sum = sum + V::load(from + k * rows * V::lanes);
      (V::load(biases + row * V::lanes) + sum).store(biases + row * V::lanes);
    }
  }

  // Copies the columns [column, column + panel_width) of x and h side by side.
  void pack_panel(int64_t column) {
    const int64_t end = column + panel_width < width ? column + panel_width : width;
    const int64_t from_x = column < x_width ? column : x_width, x_end = end < x_width ? end : x_width;
    const int64_t in_x = x_end - from_x, from_h = column > x_width ? column - x_width : 0, in_h = end - column - in_x;
    const int64_t stride = round_up(end - column, V::lanes);
    T* to = panel;
    for (int64_t k = 0; k < groups; ++k) {
      const T *x = x_rows[k] + from_x, *h = h_rows[k] + from_h;
      for (int r = 0; r < V::lanes; ++r) {
        V::constant(0).store(to + stride - V::lanes);
        copy(x, in_x, to);
        copy(h, in_h, to + in_x);
        x += input;
        h += hidden;
        to += stride;
      }
    }
  }

  // May write up to a vector beyond.
  static GATEWORK_INLINE void copy(const T* from, int64_t count, T* to) {
    int64_t k = 0;
    for (; k + V::lanes <= count; k += V::lanes) V::load(from + k).store(to + k);
    if (k < count) V::load(from + k, static_cast<int>(count - k)).store(to + k);
  }

  void multiply_panel(int64_t column) {
    const int64_t left = (padded - column) / V::lanes, used = width - column;
    const int columns = static_cast<int>(left < max_columns ? left : max_columns);
    // Halves of narrower vectors gain nothing.
    [[maybe_unused]] constexpr bool may_be_half = sizeof(V) == 64;
    [[maybe_unused]] const bool is_half = may_be_half && 2 * (columns * V::lanes - used) >= V::lanes;
    // Only what both the panel's columns and the row's accumulator belong to.
    const int64_t first = column >= x_width ? feeds.first_gate * hidden : 0;
    const int64_t last = column + panel_width <= x_width ? feeds.inputs * hidden : rows;
    const Tiles tiles = split_rows(last - first, tallest(columns));
    int64_t row = first;
    for (int64_t k = 0; k < tiles.count; ++k) {
      const int height = static_cast<int>(tiles.height + (k < tiles.larger));
      const auto tile = is_half ? tile_function<V, MultiplyTurned<may_be_half>::template Tile>(height, columns)
                                : tile_function<V, MultiplyTurned<false>::template Tile>(height, columns);
      tile(block + row * V::lanes, rows * V::lanes, panel, columns * V::lanes, groups * V::lanes, z);
      for (int r = 0; r < height; ++r) {
        T* const to = sums + (row + r) * padded + column;
        for (int64_t c = 0; c < columns * V::lanes; c += V::lanes) {
          (V::load(to + c) + V::load(z + r * columns * V::lanes + c)).store(to + c);
        }
      }
      row += height;
    }
  }

  // The columns [column, column + count) of an accumulator's sums, as rows of a gradient.
  void copy_sums(int64_t row, int64_t column, int64_t count, T* to) const {
    for (int64_t unit = 0; unit < hidden; ++unit) {
      __builtin_memcpy(to + unit * count, sums + (row + unit) * padded + column,
                       static_cast<size_t>(count) * sizeof(T));
    }
  }

  void sum_biases(int64_t row, T* to) const {
    for (int64_t unit = 0; unit < hidden; ++unit) to[unit] = sum_of(V::load(biases + (row + unit) * V::lanes));
  }

  const Feeds& feeds;
  const BackwardArguments& p;
  const int64_t input, hidden, rows;
  const int64_t x_width, width, padded;  // the columns of x, of x and h, that are multiplied with, and in whole vectors
  T *z, *panel, *block;
  T *biases, *sums;  // (rows, lanes) and (rows, padded)
  const T **x_rows, **h_rows;
  int64_t groups = 0;
};

template <class V>
void BatchLanesGradients<V>::finish() {
  flush();
  for (int a = 0; a < feeds.accumulators; ++a) {
    const int64_t from = feeds.place[a] * hidden;
    if (feeds.input[a] >= 0) {
      const int64_t to = feeds.input[a] * hidden;
      if (p.d_weight_ih) copy_sums(from, 0, input, static_cast<T*>(p.d_weight_ih) + to * input);
      if (p.d_bias_ih) sum_biases(from, static_cast<T*>(p.d_bias_ih) + to);
    }
    if (feeds.gate[a] >= 0) {
      const int64_t to = feeds.gate[a] * hidden;
      if (p.d_weight_hh) copy_sums(from, x_width, hidden, static_cast<T*>(p.d_weight_hh) + to * hidden);
      if (p.d_bias_hh) sum_biases(from, static_cast<T*>(p.d_bias_hh) + to);
    }
  }
}

template <class V>
void BatchLanesGradients<V>::flush() {
  if (p.d_bias_ih || p.d_bias_hh) add_biases();
  for (int64_t column = 0; column < width; column += panel_width) {
    pack_panel(column);
    multiply_panel(column);
  }
  groups = 0;
}

}  // namespace gatework::GATEWORK_ISA
