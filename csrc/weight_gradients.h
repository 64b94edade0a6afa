// The gradients of W, U and their biases, added up while the backward scan goes:
//
//   dW = dA.T x    dU = dA.T h_previous    db = dA.T 1
//
// The scan puts the derivatives of the accumulators of each step into a block of rows; when the block is full, its
// products are added while it is still in the cache. The rows of the block are an odd number of cache lines apart, so
// that reading down a column uses all of the cache. The columns of x and of h are copied side by side into panels, so
// that small sizes waste few lanes. Each slice of the batch has its own gradients; dispatch.cpp adds them up.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class WeightGradients {
  using T = typename V::T;
  using C = Columns<Cell>;
  static constexpr int64_t panel_width = max_columns * V::lanes;
  static constexpr int64_t tile_height = tallest(max_columns);

 public:
  // Rows of a block: enough to pay for reading and writing the gradients once.
  static int64_t block_rows(const Layout& layout, int64_t slice_rows) {
    const bool is_large = layout.hidden * C::accumulators * (layout.input + layout.output) > (1 << 19);
    const int64_t rows = is_large ? 1024 : 256;
    return slice_rows > rows ? slice_rows : rows;
  }

  // How far apart the rows of a block are.
  static int64_t block_stride(const Layout& layout) {
    constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(T));
    return (round_up(C::accumulators * layout.hidden, line) / line | 1) * line;
  }

  static int64_t scratch(const Layout& layout, int64_t slice_rows) {
    const int64_t rows = block_rows(layout, slice_rows);
    return static_cast<int64_t>(sizeof(T)) * (rows * (block_stride(layout) + panel_width) + tile_vectors * V::lanes) +
           static_cast<int64_t>(2 * sizeof(T*)) * rows;
  }

  WeightGradients(const BackwardArguments& p, int64_t slice_rows, void* memory)
      : layout(p.layout),
        capacity(block_rows(layout, slice_rows)),
        stride(block_stride(layout)),
        d_w(static_cast<T*>(p.d_weight_ih)),
        d_u(static_cast<T*>(p.d_weight_hh)),
        d_b(static_cast<T*>(p.d_bias_ih)),
        d_b_hh(static_cast<T*>(p.d_bias_hh)),
        x_width(d_w ? layout.input : 0),
        width(x_width + (d_u ? layout.output : 0)) {
    z = static_cast<T*>(memory);
    panel = z + tile_vectors * V::lanes;
    block = panel + capacity * panel_width;
    x_rows = reinterpret_cast<const T**>(block + capacity * stride);
    h_rows = x_rows + capacity;
    clear();
  }

  // The place for the derivatives of `rows` more rows, `stride` apart, each (accumulators, hidden).
  T* reserve(int64_t rows) {
    if (used + rows > capacity) flush();
    return block + used * stride;
  }

  // How many rows are in the block, fewer than block_rows().
  int64_t rows() const { return used; }

  // Tells what the products saw at the next reserved row.
  void append(const T* x, const T* h) {
    x_rows[used] = x;
    h_rows[used++] = h;
  }

  // Adds the products of all rows so far.
  void flush() {
    if (used == 0) return;
    if (d_b || d_b_hh) add_biases();
    if (width > 0) {
      for (int64_t column = 0; column < width; column += panel_width) {
        pack_panel(column);
        multiply_panel(column);
      }
    }
    used = 0;
  }

 private:
  void clear() {
    const auto inputs = static_cast<size_t>(C::inputs * layout.hidden), size = sizeof(T);
    const auto gates = static_cast<size_t>(C::gates * layout.hidden);
    if (d_w) __builtin_memset(d_w, 0, inputs * static_cast<size_t>(layout.input) * size);
    if (d_u) __builtin_memset(d_u, 0, gates * static_cast<size_t>(layout.output) * size);
    if (d_b) __builtin_memset(d_b, 0, inputs * size);
    if (d_b_hh) __builtin_memset(d_b_hh, 0, gates * size);
  }

  void add_biases() {
    for (int a = 0; a < C::accumulators; ++a) {
      T* const b = d_b && Cell::input_product[a] ? d_b + C::count(Cell::input_product, a) * layout.hidden : nullptr;
      T* const b_hh = d_b_hh && Cell::recurrent_product[a]
                          ? d_b_hh + C::count(Cell::recurrent_product, a) * layout.hidden
                          : nullptr;
      for (int64_t unit = 0; unit < layout.hidden; unit += V::lanes) {
        const int64_t count = layout.hidden - unit;
        const T* from = block + a * layout.hidden + unit;
        V sum = V::constant(0);
        for (int64_t k = 0; k < used; ++k) sum = sum + load_units<V>(from + k * stride, count);
        if (b) store_units(load_units<V>(b + unit, count) + sum, b + unit, count);
        if (b_hh) store_units(load_units<V>(b_hh + unit, count) + sum, b_hh + unit, count);
      }
    }
  }

  // Calls tile(accumulator, first unit, units) for each tile of units.
  template <class Tile>
  GATEWORK_INLINE void each_tile(const Tile& tile) {
    const Tiles tiles = split_rows(layout.hidden, tile_height);
    for (int a = 0; a < C::accumulators; ++a) {
      int64_t unit = 0;
      for (int64_t k = 0; k < tiles.count; ++k) {
        const int64_t height = tiles.height + (k < tiles.larger);
        tile(a, unit, height);
        unit += height;
      }
    }
  }

  // Copies the columns [column, column + panel_width) of x and h side by side.
  void pack_panel(int64_t column) {
    const int64_t end = column + panel_width;
    const bool is_in_x = end <= x_width, is_in_h = column >= x_width && end <= width;
    if (is_in_x || is_in_h) {
      const T* const* rows = is_in_x ? x_rows : h_rows;
      const int64_t offset = is_in_x ? column : column - x_width;
      for (int64_t k = 0; k < used; ++k) {
        for (int c = 0; c < max_columns; ++c) {
          V::load(rows[k] + offset + c * V::lanes).store(panel + k * panel_width + c * V::lanes);
        }
      }
      return;
    }
    const int64_t panel_stride = panel_columns(column) * V::lanes;
    for (int64_t k = 0; k < used; ++k) {
      T* to = panel + k * panel_stride;
      int64_t c = column;
      for (; c < x_width && c < end; ++c) *to++ = x_rows[k][c];
      for (; c < width && c < end; ++c) *to++ = h_rows[k][c - x_width];
      for (; c < column + panel_stride; ++c) *to++ = 0;
    }
  }

  // How many vectors the panel has that begins at `column`.
  GATEWORK_INLINE int panel_columns(int64_t column) const {
    const int64_t left = round_up(width - column, V::lanes) / V::lanes;
    return static_cast<int>(left < max_columns ? left : max_columns);
  }

  void multiply_panel(int64_t column) {
    const int columns = panel_columns(column);
    each_tile([&](int a, int64_t unit, int64_t height) {
      if (!Cell::input_product[a] && column + panel_width <= x_width) return;
      if (!Cell::recurrent_product[a] && column >= x_width) return;
      const T* from = block + a * layout.hidden + unit;
      tile_function<V, MultiplyTransposed>(static_cast<int>(height), columns)(from, stride, panel, columns * V::lanes,
                                                                              used, z);
      const int64_t in = C::count(Cell::input_product, a) * layout.hidden + unit;
      const int64_t gate = C::count(Cell::recurrent_product, a) * layout.hidden + unit;
      T* w = Cell::input_product[a] ? d_w + in * layout.input : nullptr;
      T* u = Cell::recurrent_product[a] ? d_u + gate * layout.output : nullptr;
      for (int64_t r = 0; r < height; ++r) {
        for (int c = 0; c < columns; ++c) {
          add(w, u, column + c * V::lanes, z + (r * columns + c) * V::lanes);
        }
        w += w ? layout.input : 0;
        u += u ? layout.output : 0;
      }
    });
  }

  // Adds a vector of sums to a row of dW and of dU, from `column` of x and h on; a row may be null.
  GATEWORK_INLINE void add(T* w, T* u, int64_t column, const T* sums) {
    const bool is_in_x = column + V::lanes <= x_width, is_in_h = column >= x_width && column + V::lanes <= width;
    if (is_in_x || is_in_h) {
      T* to = is_in_x ? w : u;
      if (!to) return;
      to += is_in_x ? column : column - x_width;
      (V::load(to) + V::load(sums)).store(to);
      return;
    }
    for (int64_t lane = 0; lane < V::lanes && column < width; ++lane, ++column) {
      T* to = column < x_width ? w : u;
      if (to) to[column < x_width ? column : column - x_width] += sums[lane];
    }
  }

  const Layout& layout;
  const int64_t capacity;

 public:
  const int64_t stride;

 private:
  T *const d_w, *const d_u, *const d_b, *const d_b_hh;
  const int64_t x_width, width;  // the columns of x, and of x and h, that are multiplied with
  T *z, *panel, *block;
  const T **x_rows, **h_rows;
  int64_t used = 0;
};

}  // namespace gatework::GATEWORK_ISA
