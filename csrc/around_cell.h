// What acts around the cell at one step of a row: the single step (step.h) and the scan (around_forward.h) share it.
#pragma once

#include "around.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class AroundCell {
  using T = typename V::T;
  using C = Columns<Cell>;

 public:
  AroundCell(const Around& around, int64_t hidden, bool is_projected)
      : around(around), hidden(hidden), is_projected(is_projected) {}

  GATEWORK_INLINE void start(int64_t time) {
    for (int s = 0; s < Cell::states; ++s) zone[s] = Zone<V>(around, s, time);
  }

  // The accumulators of some units under layer norm: the input product of the row as it is added, and the normalised
  // recurrent one with its gain and bias.
  GATEWORK_INLINE void accumulate(const T* product, const T* normal, int64_t unit, V* accumulator) const {
    const int64_t count = hidden - unit;
    for (int a = 0; a < C::accumulators; ++a) {
      V sum = V::constant(0);
      if (Cell::input_product[a])
        sum = load_units<V>(product + C::count(Cell::input_product, a) * hidden + unit, count);
      if (Cell::recurrent_product[a]) {
        const int64_t at = C::count(Cell::recurrent_product, a) * hidden + unit;
        sum = sum + scaled(load_units<V>(normal + at, count), around.gain, around.bias, at, count);
      }
      accumulator[a] = sum;
    }
  }

  // The states that stand in a tanh, normalised over the units of a row, (normals, hidden); one over the standard
  // deviations go to `scale`, unless it is null. `load_previous(unit, previous)` gives the states before the step.
  template <class LoadPrevious>
  GATEWORK_INLINE void normalise_states(const T* product, const T* normal, const void* learnt, T* states, T* scale,
                                        const LoadPrevious& load_previous) const {
    if constexpr (Cell::normals > 0) {
      for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
        V accumulator[C::accumulators], previous[Cell::states], vectors[Cell::units + 1], inner[Cell::normals];
        accumulate(product, normal, unit, accumulator);
        load_vectors<Cell>(learnt, hidden, unit, vectors);
        load_previous(unit, previous);
        Cell::template inner<V>(accumulator, previous, vectors, inner);
        for (int n = 0; n < Cell::normals; ++n) store_units(inner[n], states + n * hidden + unit, hidden - unit);
      }
      for (int n = 0; n < Cell::normals; ++n) {
        const T found = normalise<V>(states + n * hidden, hidden);
        if (scale) scale[n] = found;
      }
    }
  }

  // One step of the units from `unit` on; `normal` has the row's normalised states. Fills `carried`, the states that
  // are carried on.
  GATEWORK_INLINE void advance(int64_t sequence, int64_t unit, [[maybe_unused]] const T* normal, const V* accumulator,
                               const V* previous, const V* vectors, V* next, V* kept, V* named, V* carried) const {
    if constexpr (Cell::normals > 0) {
      const int64_t count = hidden - unit;
      V normals[Cell::normals];
      for (int n = 0; n < Cell::normals; ++n) {
        const int64_t at = n * hidden + unit;
        normals[n] = scaled(load_units<V>(normal + at, count), around.state_gain, around.state_bias, at, count);
      }
      Cell::template forward<V>(accumulator, previous, vectors, normals, next, kept, named);
    } else {
      Cell::template forward<V>(accumulator, previous, vectors, next, kept, named);
    }
    for (int s = 0; s < Cell::states; ++s) {
      carried[s] = next[s];
      if (s == 0 && is_projected) continue;
      if (s == around.clipped) {
        const V limit = V::constant(around.clip);
        carried[s] = next[s].at_most(limit).at_least(-limit);
      }
      carried[s] = zone[s].mixed(previous[s], carried[s], sequence * hidden + unit);
      named[Cell::named_state[s]] = carried[s];
    }
  }

  const Around& around;
  const int64_t hidden;
  const bool is_projected;
  Zone<V> zone[Cell::states];
};

}  // namespace gatework::GATEWORK_ISA
