// The forward pass of one layer in one direction on bytes: weights rounded once, the input and h row by row as they
// come, sums exact, and the gates in float as everywhere.
//
// The input product of some steps is made at once, so that the weights are read once for all of them; of a single
// sequence, half the work is done so. Every row is computed alone: what else is in the batch changes nothing, to the
// last bit.
#pragma once

#include "../scan.h"
#include "panels.h"
#include "quantized.h"

namespace gatework::GATEWORK_ISA {

template <class Cell>
class ByteScan {
  using V = Floats;
  using C = Columns<Cell>;
  static constexpr int64_t lanes = V::lanes;
  static constexpr int accumulators = Cell::accumulators, inputs = C::inputs, gates = C::gates;
  static constexpr int blocks_per_panel = C::widest < max_columns ? max_columns / C::widest : 1;
  static constexpr int64_t rows_at_once = 24;
  using InputPanels = BytePanels<inputs, blocks_per_panel>;
  using RecurrentPanels = BytePanels<gates, blocks_per_panel>;

 public:
  static int64_t panels(int64_t input, int64_t hidden) {
    return 4 * (round_up(hidden, lanes) * accumulators + InputPanels::size(input, hidden) +
                RecurrentPanels::size(hidden, hidden));
  }

  static void pack(const quantized::Weights& w, void* memory) {
    pack_biases(w, static_cast<float*>(memory));
    int32_t* const panel = static_cast<int32_t*>(memory) + round_up(w.hidden, lanes) * accumulators;
    InputPanels::pack({w.weight_ih, w.scale_ih, w.input}, w.hidden, panel);
    if constexpr (gates > 0) {
      RecurrentPanels::pack({w.weight_hh, w.scale_hh, w.hidden}, w.hidden,
                            panel + InputPanels::size(w.input, w.hidden));
    }
  }

  // For `rows` sequences, and for fewer: the last slice of a batch may have less, and then more steps at once.
  static int64_t scratch(const Layout& layout, int64_t rows) {
    const int64_t slots = rows < rows_at_once ? rows_at_once : rows, hidden = round_up(layout.hidden, lanes);
    const int64_t numbers = tile_sums + slots * (hidden * accumulators + 1) + rows * (hidden * Cell::states + 1);
    return aligned(4 * numbers) + aligned(slots * row_bytes(layout.input)) + aligned(rows * row_bytes(layout.hidden));
  }

  ByteScan(const quantized::Arguments& arguments, int64_t first, int64_t last, void* memory)
      : p(arguments),
        input(p.layout.input),
        hidden(p.layout.hidden),
        stride(round_up(hidden, lanes)),
        blocks(stride / lanes),
        first(first),
        last(last),
        biases(static_cast<const float*>(p.panels)),
        input_panels(static_cast<const int32_t*>(p.panels) + stride * accumulators),
        recurrent_panels(input_panels + InputPanels::size(input, hidden)) {
    const int64_t rows = last - first, slots = slots_of(rows);
    sums = static_cast<int32_t*>(memory);
    z = static_cast<float*>(memory) + tile_sums;
    float* after = z + slots * stride * accumulators;
    for (int s = 0; s < Cell::states; ++s, after += rows * stride) state[s] = after;
    x_worth = after;
    h_worth = x_worth + slots;
    const int64_t numbers = tile_sums + slots * (stride * accumulators + 1) + rows * (stride * Cell::states + 1);
    x_bytes = static_cast<uint8_t*>(memory) + aligned(4 * numbers);
    h_bytes = x_bytes + aligned(slots * row_bytes(input));
  }

  void run() {
    start();
    const int64_t steps = p.layout.steps, at_once = slots_of(last - first) / (last - first);
    for (int64_t k = 0; k < steps; k += at_once) {
      const int64_t end = k + at_once < steps ? k + at_once : steps;
      ByteScan(*this).read_inputs(k, end);
      int64_t slot = 0;
      for (int64_t now = k; now < end; ++now) {
        const Step step = step_of(now);
        // Nothing can point into a copy, so its members need not be read again after each store.
        if (step.active) ByteScan(*this).advance(step, slot);
        slot += step.active;
      }
    }
    for (int s = 0; s < Cell::states; ++s) {
      copy_rows<float>(p.final[s] + first * hidden, hidden, state[s], stride, last - first, hidden);
    }
  }

 private:
  static constexpr int64_t tile_sums = max_rows * max_columns * lanes;

  static int64_t aligned(int64_t bytes) { return round_up(bytes, 64); }

  // How many rows' input products there is room for: whole steps of so many sequences, at least one.
  static int64_t slots_of(int64_t rows) { return rows < rows_at_once ? rows_at_once / rows * rows : rows; }

  static void pack_biases(const quantized::Weights& w, float* to) {
    for (int64_t unit = 0; unit < round_up(w.hidden, lanes); ++unit) {
      const bool is_unit = unit < w.hidden;
      int64_t in = 0, gate = 0;
      for (int a = 0; a < accumulators; ++a) {
        float bias = 0;
        if (Cell::input_product[a] && w.bias_ih && is_unit) bias += w.bias_ih[in * w.hidden + unit];
        if (Cell::recurrent_product[a] && w.bias_hh && is_unit) bias += w.bias_hh[gate * w.hidden + unit];
        in += Cell::input_product[a];
        gate += Cell::recurrent_product[a];
        to[(unit / lanes * accumulators + a) * lanes + unit % lanes] = bias;
      }
    }
  }

  Step step_of(int64_t k) const {
    return step_at(p.layout, p.layout.reverse ? p.layout.steps - 1 - k : k, first, last);
  }

  void start() {
    for (int s = 0; s < Cell::states; ++s) {
      const float* from = p.initial[s] ? p.initial[s] + first * hidden : nullptr;
      __builtin_memset(state[s], 0, static_cast<size_t>((last - first) * stride) * sizeof(float));
      copy_rows<float>(state[s], stride, from, hidden, last - first, hidden);
    }
    round_states(last - first);
  }

  void round_states(int64_t rows) const {
    if constexpr (gates > 0) {
      for (int64_t r = 0; r < rows; ++r) {
        h_worth[r] = to_bytes(state[0] + r * stride, hidden, h_bytes + r * row_bytes(hidden));
      }
    }
  }

  // Calls use(row, block, sums) with the sums of each row and block with one matrix, the columns of a block side by
  // side.
  template <int Gates, class Use>
  GATEWORK_INLINE void each_product(const int32_t* panels, const uint8_t* bytes, int64_t width, int64_t rows,
                                    const Use& use) const {
    using Panels = BytePanels<Gates, blocks_per_panel>;
    for (int64_t block = 0; block < blocks; block += blocks_per_panel) {
      const int64_t left = blocks - block;
      const int count = static_cast<int>(left < blocks_per_panel ? left : blocks_per_panel), columns = count * Gates;
      const PanelView panel = Panels::view(panels, width, block, count);
      const Tiles tiles = split_rows(rows, tallest(columns));
      int64_t row = 0;
      for (int64_t tile = 0; tile < tiles.count; ++tile) {
        const int height = static_cast<int>(tiles.height + (tile < tiles.larger));
        const int64_t apart = row_bytes(width);
        tile_function<V, MultiplyBytes>(
            height, columns)({bytes + row * apart, apart, groups_of(width), panel.start, panel.weights, sums});
        for (int r = 0; r < height; ++r) {
          for (int c = 0; c < count; ++c) {
            use(row + r, block + c, sums + (r * columns + c * Gates) * lanes, panel.scales + c * Gates * lanes);
          }
        }
        row += height;
      }
    }
  }

  static GATEWORK_INLINE V to_number(const int32_t* sums, const float* scales, V worth) {
    return V{__builtin_convertvector(load_sums(sums), V::Raw)} * (V::load(scales) * worth);
  }

  // The input products of the steps [from, to), each row's accumulators with their biases.
  void read_inputs(int64_t from, int64_t to) const {
    int64_t rows = 0;
    for (int64_t k = from; k < to; ++k) {
      const Step step = step_of(k);
      for (int64_t r = 0; r < step.active; ++r, ++rows) {
        x_worth[rows] = to_bytes(p.x + (step.row + r) * input, input, x_bytes + rows * row_bytes(input));
      }
    }
    each_product<inputs>(input_panels, x_bytes, input, rows,
                         [&](int64_t row, int64_t block, const int32_t* sum, const float* scales) GATEWORK_INLINED {
                           const V worth = V::broadcast(x_worth[row]);
                           float* const target = z + (row * blocks + block) * accumulators * lanes;
                           const float* const bias = biases + block * accumulators * lanes;
                           int in = 0;
#pragma GCC unroll 8
                           for (int a = 0; a < accumulators; ++a) {
                             V value = V::load(bias + a * lanes);
                             if (Cell::input_product[a])
                               value = value + to_number(sum + in * lanes, scales + in * lanes, worth);
                             value.store(target + a * lanes);
                             in += Cell::input_product[a];
                           }
                         });
  }

  // One step, whose input products begin at `slot`.
  void advance(const Step& step, int64_t slot) const {
    if constexpr (gates > 0) {
      each_product<gates>(recurrent_panels, h_bytes, hidden, step.active,
                          [&](int64_t r, int64_t block, const int32_t* sum, const float* scales) GATEWORK_INLINED {
                            const V worth = V::broadcast(h_worth[r]);
                            const float* const from = z + ((slot + r) * blocks + block) * accumulators * lanes;
                            V accumulator[accumulators];
                            int gate = 0;
#pragma GCC unroll 8
                            for (int a = 0; a < accumulators; ++a) {
                              accumulator[a] = V::load(from + a * lanes);
                              if (Cell::recurrent_product[a]) {
                                accumulator[a] =
                                    accumulator[a] + to_number(sum + gate * lanes, scales + gate * lanes, worth);
                              }
                              gate += Cell::recurrent_product[a];
                            }
                            cell(step.row + r, r, block * lanes, accumulator);
                          });
    } else {
      for (int64_t r = 0; r < step.active; ++r) {
        for (int64_t block = 0; block < blocks; ++block) {
          V accumulator[accumulators];
          const float* const from = z + ((slot + r) * blocks + block) * accumulators * lanes;
          for (int a = 0; a < accumulators; ++a) accumulator[a] = V::load(from + a * lanes);
          cell(step.row + r, r, block * lanes, accumulator);
        }
      }
    }
    round_states(step.active);
  }

  GATEWORK_INLINE void cell(int64_t row, int64_t r, int64_t unit, const V* accumulator) const {
    V previous[Cell::states], next[Cell::states], saved[Cell::saved + 1], trace[Cell::traced];
    V vectors[Cell::units + 1];
    load_vectors<Cell>(p.unit, hidden, unit, vectors);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) previous[s] = V::load(state[s] + r * stride + unit);
    Cell::template forward<V>(accumulator, previous, vectors, next, saved, trace);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) next[s].store(state[s] + r * stride + unit);
    store_units(next[0], p.output + row * hidden + unit, hidden - unit);
  }

  const quantized::Arguments p;
  const int64_t input, hidden, stride, blocks, first, last;
  const float* biases;
  const int32_t *input_panels, *recurrent_panels;
  int32_t* sums;               // of one tile
  float* z;                    // the accumulators of the rows that are read, before the recurrent product
  float* state[Cell::states];  // those of sequences that have ended stay
  float *x_worth, *h_worth;    // of the bytes of each row
  uint8_t *x_bytes, *h_bytes;
};

}  // namespace gatework::GATEWORK_ISA
