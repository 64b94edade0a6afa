// The gradients of W, U and their biases, once the backward scan has the derivative of every accumulator.
//
//   dW = dA.T x    dU = dA.T h_previous    db = dA.T 1
//
// over all rows. A task owns some units of one accumulator, so tasks write different rows of the gradients and each sum
// is made in the same order whatever the number of threads. Columns that fill no panel are copied side by side, x, h
// and a column of ones, so that small sizes waste no lanes.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class WeightGradients {
  using T = typename V::T;
  using C = Columns<Cell>;
  static constexpr int64_t panel_width = max_columns * V::lanes;
  static constexpr int64_t block_rows = 256;
  static constexpr int64_t units_per_task = 64;
  static constexpr int64_t tail_width = 2 * panel_width + V::lanes;

 public:
  static constexpr int64_t scratch = (block_rows * tail_width + tile_vectors * V::lanes) * sizeof(T);

  static int64_t tasks(const Layout& layout) { return C::accumulators * chunks(layout); }

  WeightGradients(const BackwardArguments& arguments, int64_t task, void* memory)
      : p(arguments),
        input(p.layout.input),
        hidden(p.layout.hidden),
        output(p.layout.output),
        plane(static_cast<int>(task / chunks(p.layout))),
        z(static_cast<T*>(memory)),
        tail(z + tile_vectors * V::lanes) {
    const int64_t chunk = task % chunks(p.layout), count = chunks(p.layout);
    first = hidden * chunk / count;
    last = hidden * (chunk + 1) / count;
    if (Cell::input_product[plane]) {
      const int64_t row = C::count(Cell::input_product, plane) * hidden;
      d_w = offset(p.d_weight_ih, row * input);
      d_b = offset(p.d_bias_ih, row);
    }
    if (Cell::recurrent_product[plane]) {
      const int64_t row = C::count(Cell::recurrent_product, plane) * hidden;
      d_u = offset(p.d_weight_hh, row * output);
      d_b_hh = offset(p.d_bias_hh, row);
    }
    x_tail = d_w ? input % panel_width : 0;
    h_tail = d_u ? output % panel_width : 0;
    has_ones = (x_tail + h_tail) % V::lanes != 0;
  }

  void run() {
    clear();
    const Layout& layout = p.layout;
    const T* h = static_cast<const T*>(p.output);
    const T* initial = static_cast<const T*>(p.initial[0]);
    const int64_t rows = total_rows(layout), batch = layout.batch;
    if (rows == 0) return;
    if (layout.batch_sizes) {
      add_rows(0, rows, static_cast<const T*>(p.previous[0]));
    } else if (layout.reverse) {
      add_rows(0, rows - batch, h + batch * output);
      add_rows(rows - batch, rows, initial);
    } else {
      add_rows(0, batch, initial);
      add_rows(batch, rows, h);
    }
  }

 private:
  static int64_t chunks(const Layout& layout) { return (layout.hidden + units_per_task - 1) / units_per_task; }

  static T* offset(void* base, int64_t elements) { return base ? static_cast<T*>(base) + elements : nullptr; }

  void clear() {
    const size_t units = static_cast<size_t>(last - first), size = sizeof(T);
    if (d_w) __builtin_memset(d_w + first * input, 0, units * static_cast<size_t>(input) * size);
    if (d_u) __builtin_memset(d_u + first * output, 0, units * static_cast<size_t>(output) * size);
    if (d_b) __builtin_memset(d_b + first, 0, units * size);
    if (d_b_hh) __builtin_memset(d_b_hh + first, 0, units * size);
  }

  // Rows [begin, end) of dA; `h` is what the recurrent product saw at row `begin`.
  void add_rows(int64_t begin, int64_t end, const T* h) {
    for (int64_t row = begin; row < end; row += block_rows) {
      const int64_t depth = end - row < block_rows ? end - row : block_rows;
      const T* d = static_cast<const T*>(p.d_accumulator) + row * C::accumulators * hidden + plane * hidden;
      const T* x = static_cast<const T*>(p.x) + row * input;
      const T* h_here = h + (row - begin) * output;
      if (d_w) full_panels(d, depth, x, input, d_w);
      if (d_u) full_panels(d, depth, h_here, output, d_u);
      tail_panels(d, depth, x, h_here);
      if (!has_ones && (d_b || d_b_hh)) sum_columns(d, depth);
    }
  }

  void full_panels(const T* d, int64_t depth, const T* b, int64_t width, T* target) {
    for (int64_t column = 0; column + panel_width <= width; column += panel_width) {
      panel(d, depth, b + column, width, max_columns, [&](int64_t unit, int64_t c, const T* sums) {
        T* to = target + unit * width + column + c;
        (V::load(to) + V::load(sums)).store(to);
      });
    }
  }

  // Copies the columns that fill no panel, x then h then ones, and multiplies those.
  void tail_panels(const T* d, int64_t depth, const T* x, const T* h) {
    const int64_t width = x_tail + h_tail + has_ones, stride = round_up(width, V::lanes);
    if (width == 0) return;
    for (int64_t k = 0; k < depth; ++k) {
      T* to = tail + k * stride;
      for (int64_t c = 0; c < x_tail; ++c) *to++ = x[k * input + input - x_tail + c];
      for (int64_t c = 0; c < h_tail; ++c) *to++ = h[k * output + output - h_tail + c];
      for (int64_t c = x_tail + h_tail; c < stride; ++c) *to++ = 1;
    }
    for (int64_t column = 0; column < stride; column += panel_width) {
      const int64_t left = (stride - column) / V::lanes;
      const int columns = static_cast<int>(left < max_columns ? left : max_columns);
      panel(d, depth, tail + column, stride, columns, [&](int64_t unit, int64_t c, const T* sums) {
        for (int64_t lane = 0; lane < V::lanes; ++lane) add_tail(unit, column + c + lane, sums[lane]);
      });
    }
  }

  GATEWORK_INLINE void add_tail(int64_t unit, int64_t column, T value) {
    if (column < x_tail) {
      d_w[unit * input + input - x_tail + column] += value;
    } else if (column < x_tail + h_tail) {
      d_u[unit * output + output - h_tail + column - x_tail] += value;
    } else if (column == x_tail + h_tail) {
      if (d_b) d_b[unit] += value;
      if (d_b_hh) d_b_hh[unit] += value;
    }
  }

  void sum_columns(const T* d, int64_t depth) {
    for (int64_t unit = first; unit < last; unit += V::lanes) {
      V sum = V::constant(0);
      for (int64_t k = 0; k < depth; ++k) {
        sum = sum + load_units<V>(d + k * C::accumulators * hidden + unit, last - unit);
      }
      T* const targets[] = {d_b, d_b_hh};
      for (T* to : targets) {
        if (to) store_units(load_units<V>(to + unit, last - unit) + sum, to + unit, last - unit);
      }
    }
  }

  // Multiplies this task's units with one panel and gives each vector of sums to `add(unit, column, sums)`.
  template <class Add>
  GATEWORK_INLINE void panel(const T* d, int64_t depth, const T* b, int64_t ldb, int columns, const Add& add) {
    const Tiles tiles = split_rows(last - first, tallest(columns));
    int64_t unit = first;
    for (int64_t tile = 0; tile < tiles.count; ++tile) {
      const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
      tile_function<V, MultiplyTransposed>(height, columns)(d + unit, C::accumulators * hidden, b, ldb, depth, z);
      for (int r = 0; r < height; ++r) {
        for (int c = 0; c < columns; ++c) add(unit + r, c * V::lanes, z + (r * columns + c) * V::lanes);
      }
      unit += height;
    }
  }

  const BackwardArguments& p;
  const int64_t input, hidden, output;
  const int plane;
  T *z, *tail;
  T *d_w = nullptr, *d_u = nullptr, *d_b = nullptr, *d_b_hh = nullptr;
  int64_t first, last, x_tail, h_tail;
  bool has_ones;
};

}  // namespace gatework::GATEWORK_ISA
