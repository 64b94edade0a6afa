// The forward pass of a scan with sequences in the lanes; batch_lanes.h has the contract.
#pragma once

#include "batch_lanes.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class BatchLanesForward {
  using T = typename V::T;
  using C = Columns<Cell>;
  static constexpr int accumulators = Cell::accumulators;

 public:
  static int64_t scratch(const Layout& layout) {
    const int64_t columns = layout.input + (2 * accumulators + Cell::states + Cell::traced) * layout.hidden;
    return static_cast<int64_t>(sizeof(T)) * V::lanes * columns;
  }

  BatchLanesForward(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch)
      : p(arguments), input(p.layout.input), hidden(p.layout.hidden), first(first), last(last) {
    T* memory = static_cast<T*>(scratch);
    z = memory;
    biases = memory += accumulators * hidden * V::lanes;
    x = memory += accumulators * hidden * V::lanes;
    memory += input * V::lanes;
    for (int s = 0; s < Cell::states; ++s) {
      state[s] = memory;
      memory += hidden * V::lanes;
    }
    traced_block = memory;
  }

  void run() {
    add_biases();
    const Layout& layout = p.layout;
    for (int64_t group = first; group < last; group += V::lanes) {
      for (int s = 0; s < Cell::states; ++s) load_transposed<V>(at(p.initial[s], group * hidden), hidden, state[s]);
      for (int64_t k = 0; k < layout.steps; ++k) {
        const int64_t t = layout.reverse ? layout.steps - 1 - k : k, row = t * layout.batch + group;
        load_transposed<V>(at(p.x, row * input), input, x);
        products();
        units((group * layout.steps + t * V::lanes) * hidden);
        store_transposed<V>(state[0], hidden, at(p.output, row * hidden));
        for (int k = 0; k < Cell::traced; ++k) {
          if (p.trace[k])
            store_transposed<V>(traced_block + k * hidden * V::lanes, hidden, at(p.trace[k], row * hidden));
        }
      }
      for (int s = 0; s < Cell::states; ++s) store_transposed<V>(state[s], hidden, at(p.final[s], group * hidden));
    }
  }

 private:
  static GATEWORK_INLINE const T* at(const void* base, int64_t offset) { return static_cast<const T*>(base) + offset; }
  static GATEWORK_INLINE T* at(void* base, int64_t offset) { return static_cast<T*>(base) + offset; }

  void add_biases() {
    for (int a = 0; a < accumulators; ++a) {
      const int64_t in = C::count(Cell::input_product, a) * hidden,
                    gate = C::count(Cell::recurrent_product, a) * hidden;
      for (int64_t unit = 0; unit < hidden; ++unit) {
        T sum = p.weights.bias_ih && Cell::input_product[a] ? at(p.weights.bias_ih, in)[unit] : 0;
        sum += p.weights.bias_hh && Cell::recurrent_product[a] ? at(p.weights.bias_hh, gate)[unit] : 0;
        V::broadcast(sum).store(biases + (a * hidden + unit) * V::lanes);
      }
    }
  }

  // Both products and the biases, for runs of accumulators that the same products feed.
  void products() {
    for (int a = 0; a < accumulators;) {
      int end = a + 1;
      while (end < accumulators && C::kind(end) == C::kind(a)) ++end;
      const T* w = at(p.weights.weight_ih, C::count(Cell::input_product, a) * hidden * input);
      const T* u = at(p.weights.weight_hh, C::count(Cell::recurrent_product, a) * hidden * hidden);
      const int kind = C::kind(a);
      const Tiles tiles = split_rows((end - a) * hidden, tallest(1));
      for (int64_t tile = 0, row = 0; tile < tiles.count; ++tile) {
        const int64_t height = tiles.height + (tile < tiles.larger), place = (a * hidden + row) * V::lanes;
        const Segment<T> segments[] = {{w + row * input, input, input}, {u + row * hidden, hidden, hidden}};
        multiply<Exact<V>>(static_cast<int>(height), 1,
                           {biases + place, V::lanes, z + place, V::lanes, segments + (kind == 2), kind == 1 ? 2 : 1,
                            kind == 2 ? state[0] : x});
        row += height;
      }
      a = end;
    }
  }

  // One step of all units of all sequences of the group; `step` is where this one begins in a plane.
  GATEWORK_INLINE void units(int64_t step) {
    int64_t unit = 0;
    if (vector_registers == 32) {
      for (; unit + 2 <= hidden; unit += 2) cell<UnrolledPair<V>>(step, unit);
    }
    for (; unit < hidden; ++unit) cell<V>(step, unit);
  }

  // The same of the units that W has vectors for.
  template <class W>
  GATEWORK_INLINE void cell(int64_t step, int64_t unit) {
    W accumulator[accumulators], previous[Cell::states], next[Cell::states], saved[Cell::saved + 1],
        trace[Cell::traced];
    W vectors[Cell::units + 1];
    const int64_t place = step + unit * V::lanes;
    const auto load = [](const T* from) GATEWORK_INLINED {
      return load_each<W>([=](int k) { return V::load(from + k * V::lanes); });
    };
    const auto store = [](const W& w, T* to, int64_t apart)
                           GATEWORK_INLINED { store_each(w, [=](V v, int k) { v.store(to + k * apart * V::lanes); }); };
    broadcast_vectors<Cell, V>(p.weights.unit, hidden, unit, vectors);
#pragma GCC unroll 8
    for (int a = 0; a < accumulators; ++a) accumulator[a] = load(z + (a * hidden + unit) * V::lanes);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      previous[s] = load(state[s] + unit * V::lanes);
      if (p.planes.previous[s]) store(previous[s], at(p.planes.previous[s], place), 1);
    }
    Cell::template forward<W>(accumulator, previous, vectors, next, saved, trace);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      store(next[s], state[s] + unit * V::lanes, 1);
      if (p.planes.next[s]) store(next[s], at(p.planes.next[s], place), 1);
    }
    if (Cell::saved > 0 && p.planes.values) {
      T* const to = at(p.planes.values, place * Cell::saved);
#pragma GCC unroll 16
      for (int k = 0; k < Cell::saved; ++k) store(saved[k], to + k * V::lanes, Cell::saved);
    }
    for (int k = 0; k < Cell::traced; ++k) {
      if (p.trace[k]) store(trace[k], traced_block + (k * hidden + unit) * V::lanes, 1);
    }
  }

  const ForwardArguments& p;
  const int64_t input, hidden, first, last;
  T *z, *biases;    // (accumulators, hidden, lanes)
  T* x;             // (input, lanes); state[0] follows it, so that one product may read both
  T* traced_block;  // (traced, hidden, lanes)
  T* state[Cell::states];
};

}  // namespace gatework::GATEWORK_ISA
