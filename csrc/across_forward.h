// The forward pass of a scan across sequences; across.h has the contract.
#pragma once

#include "across.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class ForwardAcross {
  using T = typename V::T;
  using C = Columns<Cell>;
  static constexpr int accumulators = Cell::accumulators;

 public:
  static int64_t scratch(const Layout& layout) {
    const int64_t columns = layout.input + (2 * accumulators + Cell::states + Cell::named) * layout.hidden;
    return static_cast<int64_t>(sizeof(T)) * V::lanes * columns;
  }

  ForwardAcross(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch)
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
    trace = memory;
  }

  void run() {
    add_biases();
    const Layout& layout = p.layout;
    for (int64_t group = first; group < last; group += V::lanes) {
      for (int s = 0; s < Cell::states; ++s) load_turned<V>(at(p.initial[s], group * hidden), hidden, state[s]);
      for (int64_t k = 0; k < layout.steps; ++k) {
        const int64_t t = layout.reverse ? layout.steps - 1 - k : k, row = t * layout.batch + group;
        load_turned<V>(at(p.x, row * input), input, x);
        products();
        for (int64_t unit = 0; unit < hidden; ++unit) cell((group * layout.steps + t * V::lanes) * hidden, unit);
        store_turned<V>(state[0], hidden, at(p.output, row * hidden));
        for (int k = 0; k < Cell::named; ++k) {
          if (p.named[k]) store_turned<V>(trace + k * hidden * V::lanes, hidden, at(p.named[k], row * hidden));
        }
      }
      for (int s = 0; s < Cell::states; ++s) store_turned<V>(state[s], hidden, at(p.final[s], group * hidden));
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

  // One step of one unit of all sequences of the group; `step` is where this one begins in a plane.
  GATEWORK_INLINE void cell(int64_t step, int64_t unit) {
    V accumulator[accumulators], previous[Cell::states], next[Cell::states], kept[Cell::kept + 1], named[Cell::named];
    V vectors[Cell::units + 1];
    const int64_t place = step + unit * V::lanes;
    broadcast_vectors<Cell>(p.weights.unit, hidden, unit, vectors);
#pragma GCC unroll 8
    for (int a = 0; a < accumulators; ++a) accumulator[a] = V::load(z + (a * hidden + unit) * V::lanes);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      previous[s] = V::load(state[s] + unit * V::lanes);
      if (p.planes.previous[s]) previous[s].store(at(p.planes.previous[s], place));
    }
    Cell::template forward<V>(accumulator, previous, vectors, next, kept, named);
#pragma GCC unroll 4
    for (int s = 0; s < Cell::states; ++s) {
      next[s].store(state[s] + unit * V::lanes);
      if (p.planes.next[s]) next[s].store(at(p.planes.next[s], place));
    }
    if (Cell::kept > 0 && p.planes.values) {
      T* const to = at(p.planes.values, place * Cell::kept);
#pragma GCC unroll 16
      for (int k = 0; k < Cell::kept; ++k) kept[k].store(to + k * V::lanes);
    }
    for (int k = 0; k < Cell::named; ++k) {
      if (p.named[k]) named[k].store(trace + (k * hidden + unit) * V::lanes);
    }
  }

  const ForwardArguments& p;
  const int64_t input, hidden, first, last;
  T *z, *biases;  // (accumulators, hidden, lanes)
  T* x;           // (input, lanes); state[0] follows it, so that one product may read both
  T* trace;       // (named, hidden, lanes)
  T* state[Cell::states];
};

}  // namespace gatework::GATEWORK_ISA
