// The backward pass of a scan with sequences in the lanes; batch_lanes.h has the contract.
#pragma once

#include "batch_lanes.h"
#include "batch_lanes_gradients.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class BatchLanesBackward {
  using T = typename V::T;
  using C = Columns<Cell>;
  using Gradients = BatchLanesGradients<V>;
  static constexpr int accumulators = Cell::accumulators;

 public:
  static int64_t scratch(const Layout& layout) {
    return static_cast<int64_t>(sizeof(T)) * own_elements(layout) + Gradients::scratch(feeds_of<Cell>, layout);
  }

  BatchLanesBackward(const BackwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : p(arguments),
        input(p.layout.input),
        hidden(p.layout.hidden),
        first(first),
        last(last),
        gradients(feeds_of<Cell>, arguments, static_cast<T*>(scratch) + own_elements(p.layout)) {
    T* memory = static_cast<T*>(scratch);
    const int64_t vectors = hidden * V::lanes;
    zeros = memory;
    T** const blocks[] = {&d_h, &h_previous, &h_next};
    memory += max_rows * V::lanes;
    for (T** block : blocks) {
      *block = memory;
      memory += vectors;
    }
    d_output = d_h;
    for (int s = 0; s < Cell::states; ++s) {
      d_state[s] = memory;
      memory += vectors;
    }
    d_vectors = memory;
    d_x = memory += Cell::units * vectors;
    u = memory += input * V::lanes;
    w = memory + C::gates * hidden * hidden;
    __builtin_memset(zeros, 0, max_rows * V::lanes * sizeof(T));
    __builtin_memset(d_vectors, 0, static_cast<size_t>(Cell::units * vectors) * sizeof(T));
  }

  void run() {
    transpose_weights(Cell::recurrent_product, C::first_gate, p.weights.weight_hh, hidden, C::gates, u);
    if (p.d_x) transpose_weights(Cell::input_product, 0, p.weights.weight_ih, input, C::inputs, w);
    for (int64_t group = first; group < last; group += V::lanes) sequences(group);
    gradients.finish();
    if (p.d_unit) sum_vectors();
  }

 private:
  static int64_t own_elements(const Layout& l) {
    const int64_t vectors = max_rows + (3 + Cell::states + Cell::units) * l.hidden + l.input;
    const int64_t weights = (C::gates * l.hidden + C::inputs * l.input) * l.hidden;
    return vectors * V::lanes + round_up(weights, V::lanes);
  }

  static GATEWORK_INLINE const T* at(const void* base, int64_t offset) { return static_cast<const T*>(base) + offset; }
  static GATEWORK_INLINE T* at(void* base, int64_t offset) { return static_cast<T*>(base) + offset; }

  // to[column][place] = from[row][column], where the rows of the accumulators come in the order of Columns.
  void transpose_weights(const bool* feeds, int first_place, const void* from, int64_t columns, int count, T* to) {
    for (int a = 0; a < accumulators; ++a) {
      if (!feeds[a]) continue;
      const T* rows = at(from, C::count(feeds, a) * hidden * columns);
      T* const column = to + (C::of(a) - first_place) * hidden;
      for (int64_t unit = 0; unit < hidden; ++unit) {
        for (int64_t k = 0; k < columns; ++k) column[k * count * hidden + unit] = rows[unit * columns + k];
      }
    }
  }

  void sequences(int64_t group) {
    const Layout& layout = p.layout;
    for (int s = 0; s < Cell::states; ++s) {
      if (p.d_final[s]) {
        load_transposed<V>(at(p.d_final[s], group * hidden), hidden, d_state[s]);
      } else {
        __builtin_memset(d_state[s], 0, static_cast<size_t>(hidden * V::lanes) * sizeof(T));
      }
    }
    for (int64_t k = 0; k < layout.steps; ++k) {
      const int64_t t = layout.reverse ? k : layout.steps - 1 - k;
      const bool is_first = k + 1 == layout.steps;
      const int64_t row = t * layout.batch + group, before = row + (layout.reverse ? layout.batch : -layout.batch);
      const int64_t transposed = group * layout.steps + t * V::lanes;
      const T* const h = is_first ? at(p.initial[0], group * hidden) : at(p.output, before * hidden);
      load_step(row, transposed, h, k == 0);
      T* const d = gradients.append(at(p.x, row * input), h);
      for (int64_t unit = 0; unit < hidden; ++unit) cell(transposed * hidden, unit, d);
      recur(row, transposed, d);
      T* const swap = h_previous;
      h_previous = h_next;
      h_next = swap;
    }
    for (int s = 0; s < Cell::states; ++s) {
      if (p.d_initial[s]) store_transposed<V>(d_state[s], hidden, at(p.d_initial[s], group * hidden));
    }
  }

  // What the cell reads of row-major tensors, transposed: h of the step before is the next one's new h. `transposed` is
  // the first row of the group's step in a plane.
  GATEWORK_INLINE void load_step(int64_t row, int64_t transposed, const T* h, bool is_last) {
    if (p.is_d_output_between) {
      d_output = at(p.d_output, transposed * hidden);
    } else if (p.d_output) {
      load_transposed<V>(at(p.d_output, row * hidden), hidden, d_h);
    }
    if (Cell::reads_next[0] && is_last) load_transposed<V>(at(p.output, row * hidden), hidden, h_next);
    if (Cell::reads_previous[0] || Cell::reads_next[0]) load_transposed<V>(h, hidden, h_previous);
  }

  // One step of one unit of all sequences of the group; `step` is where this one begins in a plane.
  GATEWORK_INLINE void cell(int64_t step, int64_t unit, T* d) {
    V saved[Cell::saved + 1], previous[Cell::states], next[Cell::states], d_next[Cell::states];
    V d_accumulator[accumulators], d_previous[Cell::states], vectors[Cell::units + 1], d_vector[Cell::units + 1];
    const int64_t place = unit * V::lanes;
    broadcast_vectors<Cell, V>(p.weights.unit, hidden, unit, vectors);
    const T* const from = at(p.planes.values, (step + place) * Cell::saved);
#pragma GCC unroll 16
    for (int k = 0; k < Cell::saved; ++k) saved[k] = V::load(from + k * V::lanes);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      if (Cell::reads_previous[s]) {
        previous[s] = V::load(s == 0 ? h_previous + place : at(p.planes.previous[s], step + place));
      }
      if (Cell::reads_next[s]) next[s] = V::load(s == 0 ? h_next + place : at(p.planes.next[s], step + place));
      d_next[s] = V::load(d_state[s] + place);
    }
    if (p.d_output) d_next[0] = d_next[0] + V::load(d_output + place);
    Cell::template backward<V>(saved, previous, next, vectors, d_next, d_accumulator, d_previous, d_vector);
    for (int k = 0; k < Cell::units; ++k) {
      T* const to = d_vectors + k * hidden * V::lanes + place;
      (V::load(to) + d_vector[k]).store(to);
    }
#pragma GCC unroll 8
    for (int a = 0; a < accumulators; ++a) d_accumulator[a].store(d + C::of(a) * hidden * V::lanes + place);
    if (Cell::carries[0]) d_previous[0].store(d_state[0] + place);
#pragma GCC unroll 4
    for (int s = 1; s < Cell::states; ++s) d_previous[s].store(d_state[s] + place);
  }

  // Adds what reaches the previous h through the recurrent product, and gives what reaches x.
  GATEWORK_INLINE void recur(int64_t row, int64_t transposed, const T* d) {
    multiply_columns(hidden, u, C::gates * hidden, d + C::first_gate * hidden * V::lanes, Cell::carries[0], d_state[0]);
    if (!p.d_x) return;
    T* const to = p.is_d_x_between ? at(p.d_x, transposed * input) : d_x;
    multiply_columns(input, w, C::inputs * hidden, d, false, to);
    if (!p.is_d_x_between) store_transposed<V>(d_x, input, at(p.d_x, row * input));
  }

  // to (columns, lanes) = weights (columns, depth) times d (depth, lanes), on top of what is there or of 0.
  GATEWORK_INLINE void multiply_columns(int64_t columns, const T* weights, int64_t depth, const T* d, bool is_added,
                                        T* to) {
    const Tiles tiles = split_rows(columns, tallest(1));
    for (int64_t tile = 0; tile < tiles.count; ++tile) {
      const int64_t height = tiles.height + (tile < tiles.larger);
      const Segment<T> segment{weights, depth, depth};
      multiply<Exact<V>>(static_cast<int>(height), 1, {is_added ? to : zeros, V::lanes, to, V::lanes, &segment, 1, d});
      weights += height * depth;
      to += height * V::lanes;
    }
  }

  void sum_vectors() {
    for (int64_t k = 0; k < Cell::units * hidden; ++k) at(p.d_unit, 0)[k] = sum_of(V::load(d_vectors + k * V::lanes));
  }

  const BackwardArguments& p;
  const int64_t input, hidden, first, last;
  const T* d_output;  // of the step, transposed
  T *zeros, *d_h, *h_previous, *h_next, *d_x;
  T* d_vectors;  // what the learnt vectors receive, (units, hidden, lanes)
  T *u, *w;      // the transposed weights, (hidden, gates * hidden) and (input, inputs * hidden)
  Gradients gradients;
  T* d_state[Cell::states];
};

}  // namespace gatework::GATEWORK_ISA
