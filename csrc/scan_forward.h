// The forward pass of the scan; scan.h has the contract.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class ForwardScan {
  using T = typename V::T;
  static constexpr int accumulators = Cell::accumulators;
  static constexpr int gates = count_true(Cell::recurrent_product, accumulators);
  static constexpr int inputs = count_true(Cell::input_product, accumulators);
  static constexpr int most_blocks = blocks_per_panel(gates);
  static_assert(gates >= 1 && gates <= max_columns, "a panel holds the vectors of all gates");

 public:
  static int64_t scratch(const Layout& layout, int64_t rows) {
    const int64_t hidden = round_up(layout.hidden, V::lanes), output = round_up(layout.output, V::lanes);
    return static_cast<int64_t>(sizeof(T)) * (rows * (2 * output + Cell::states * hidden) + tile_vectors * V::lanes);
  }

  ForwardScan(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : p(arguments),
        hidden(arguments.layout.hidden),
        output(arguments.layout.output),
        stride(round_up(hidden, V::lanes)),
        output_stride(round_up(output, V::lanes)),
        first(first),
        last(last) {
    const int64_t rows = last - first;
    T* memory = static_cast<T*>(scratch);
    z = memory;
    memory += tile_vectors * V::lanes;
    h_now = memory;
    h_next = memory += rows * output_stride;
    memory += rows * output_stride;
    for (int s = 0; s < Cell::states; ++s) {
      state[s] = memory;
      memory += rows * stride;
    }
  }

  void run() {
    start();
    const Layout& layout = p.layout;
    for (int64_t k = 0; k < layout.steps; ++k) {
      const int64_t t = layout.reverse ? layout.steps - 1 - k : k;
      const Step step = step_at(layout, t, first, last);
      if (step.active == 0) continue;
      units(step);
      if (p.projection) project(step);
      const bool is_last = k + 1 == layout.steps;
      const int64_t go_on = is_last ? 0 : layout.reverse ? step.active : active_rows(layout, t + 1, first, last);
      if (go_on < step.active) finish(go_on, step.active);
      T* swap = h_now;
      h_now = h_next;
      h_next = swap;
    }
  }

 private:
  void start() {
    const int64_t rows = last - first;
    for (int s = 0; s < Cell::states; ++s) {
      const int64_t width = s == 0 ? output : hidden;
      const T* from = static_cast<const T*>(p.initial[s]) + first * width;
      T* final = static_cast<T*>(p.final[s]) + first * width;
      copy_rows<T>(final, width, from, width, rows, width);
      if (s > 0) copy_rows<T>(state[s], stride, from, width, rows, width);
      if (s == 0) copy_rows<T>(h_now, output_stride, from, width, rows, width);
      if (s == 0) copy_rows<T>(h_next, output_stride, from, width, rows, width);
    }
  }

  // The sequences [from, to) of this slice have made their last step.
  void finish(int64_t from, int64_t to) {
    copy_rows<T>(static_cast<T*>(p.final[0]) + (first + from) * output, output, h_next + from * output_stride,
                 output_stride, to - from, output);
    for (int s = 1; s < Cell::states; ++s) {
      copy_rows<T>(static_cast<T*>(p.final[s]) + (first + from) * hidden, hidden, state[s] + from * stride, stride,
                   to - from, hidden);
    }
  }

  void units(const Step& step) {
    const int64_t blocks = stride / V::lanes;
    const T* panel = static_cast<const T*>(p.recurrent);
    if (p.previous[0]) {
      copy_rows<T>(static_cast<T*>(p.previous[0]) + step.row * output, output, h_now, output_stride, step.active,
                   output);
    }
    for (int64_t block = 0; block < blocks; block += most_blocks) {
      const int count = static_cast<int>(blocks - block < most_blocks ? blocks - block : most_blocks);
      const int columns = count * gates;
      const Tiles tiles = split_rows(step.active, tallest(columns));
      int64_t r = 0;
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
        fill(step.row + r, height, block, count);
        multiply<V>(height, columns, z, h_now + r * output_stride, output_stride, panel, output);
        for (int k = 0; k < height; ++k) {
          for (int c = 0; c < count; ++c) {
            cell(step.row + r + k, r + k, (block + c) * V::lanes, z + (k * columns + c * gates) * V::lanes);
          }
        }
        r += height;
      }
      panel += output * columns * V::lanes;
    }
  }

  // Puts what the accumulators start from into the tile.
  GATEWORK_INLINE void fill(int64_t row, int height, int64_t block, int count) {
    const T* x_product = static_cast<const T*>(p.x_product);
    const T* bias = static_cast<const T*>(p.recurrent_bias);
    T* to = z;
    for (int r = 0; r < height; ++r) {
      const T* from = x_product + (row + r) * inputs * hidden;
      for (int c = 0; c < count; ++c) {
        const int64_t unit = (block + c) * V::lanes;
        int input = 0, gate = 0;
        for (int a = 0; a < accumulators; ++a) {
          if (Cell::recurrent_product[a]) {
            const T* source = Cell::input_product[a] ? from + input * hidden : bias + gate * hidden;
            load_units<V>(source + unit, hidden - unit).store(to);
            to += V::lanes;
            ++gate;
          }
          input += Cell::input_product[a];
        }
      }
    }
  }

  // One step of one row's units from `unit` on; `sums` has the recurrent accumulators.
  GATEWORK_INLINE void cell(int64_t row, int64_t r, int64_t unit, const T* sums) {
    const int64_t count = hidden - unit;
    V accumulator[accumulators], previous[Cell::states], next[Cell::states], kept[Cell::kept + 1], named[Cell::named];
    int input = 0;
#pragma GCC unroll 8
    for (int a = 0; a < accumulators; ++a) {
      if (Cell::recurrent_product[a]) {
        accumulator[a] = V::load(sums);
        sums += V::lanes;
      } else {
        const T* from = static_cast<const T*>(p.x_product) + (row * inputs + input) * hidden + unit;
        accumulator[a] = load_units<V>(from, count);
      }
      input += Cell::input_product[a];
    }
    previous[0] = p.projection ? V::constant(0) : V::load(h_now + r * output_stride + unit);
#pragma GCC unroll 4
    for (int s = 1; s < Cell::states; ++s) {
      previous[s] = V::load(state[s] + r * stride + unit);
      if (p.previous[s]) store_units(previous[s], static_cast<T*>(p.previous[s]) + row * hidden + unit, count);
    }
    Cell::template forward<V>(accumulator, previous, next, kept, named);
    if (p.projection) {
      next[0].store(state[0] + r * stride + unit);
    } else {
      next[0].store(h_next + r * output_stride + unit);
      store_units(next[0], static_cast<T*>(p.output) + row * hidden + unit, count);
    }
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      if (s > 0) next[s].store(state[s] + r * stride + unit);
      if (p.next[s]) store_units(next[s], static_cast<T*>(p.next[s]) + row * hidden + unit, count);
    }
    if (Cell::kept > 0 && p.kept) {
      T* to = static_cast<T*>(p.kept) + row * Cell::kept * hidden + unit;
#pragma GCC unroll 16
      for (int k = 0; k < Cell::kept; ++k) store_units(kept[k], to + k * hidden, count);
    }
    if (p.named) {
      const int64_t rows = total_rows();
      for (int k = 0; k < Cell::named; ++k) {
        store_units(named[k], static_cast<T*>(p.named) + (k * rows + row) * hidden + unit, count);
      }
    }
  }

  void project(const Step& step) {
    T* out = static_cast<T*>(p.output) + step.row * output;
    product_of_rows<V>(
        h_next, output_stride, step.active, output, hidden, static_cast<const T*>(p.projection), false, z,
        [&](int height, int columns, T* tile, int64_t row, const T* panel) {
          multiply<V>(height, columns, tile, state[0] + row * stride, stride, panel, hidden);
        },
        [&](int64_t row, int64_t unit, V sum) { store_units(sum, out + row * output + unit, output - unit); });
  }

  GATEWORK_INLINE int64_t total_rows() const {
    const Layout& layout = p.layout;
    const int64_t t = layout.steps - 1;
    return layout.offsets ? layout.offsets[t] + layout.batch_sizes[t] : layout.steps * layout.batch;
  }

  const ForwardArguments& p;
  const int64_t hidden, output, stride, output_stride, first, last;
  T *z, *h_now, *h_next;
  T* state[Cell::states];  // state[0] is h before its projection
};

}  // namespace gatework::GATEWORK_ISA
