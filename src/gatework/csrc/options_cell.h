// What acts around the cell at one step of a row: the single step (step.h) and the scan (options_forward.h) share it.
#pragma once

#include "options.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class OptionsCell {
  using T = typename V::T;
  using C = Columns<Cell>;

 public:
  OptionsCell(const StepOptions& options, int64_t hidden, bool is_projected)
      : options(options), hidden(hidden), is_projected(is_projected) {}

  GATEWORK_INLINE void start(int64_t time) {
    for (int s = 0; s < Cell::states; ++s) after[s] = StateOptions<V>(options, s, time);
  }

  // The accumulators of some units under layer norm: the input product of the row as it is added, and the normalised
  // recurrent one with its gain and bias.
  GATEWORK_INLINE void accumulate(const T* product, const T* normalised, int64_t unit, V* accumulator) const {
    const int64_t count = hidden - unit;
    for (int a = 0; a < C::accumulators; ++a) {
      V sum = V::constant(0);
      if (Cell::input_product[a])
        sum = load_units<V>(product + C::count(Cell::input_product, a) * hidden + unit, count);
      if (Cell::recurrent_product[a]) {
        const int64_t at = C::count(Cell::recurrent_product, a) * hidden + unit;
        sum = sum + scaled(load_units<V>(normalised + at, count), options.gain, options.bias, at, count);
      }
      accumulator[a] = sum;
    }
  }

  // The states that stand in a tanh, normalised over the units of a row, (normalised, hidden); one over the standard
  // deviations go to `scale`, unless it is null. `load_previous(unit, previous)` gives the states before the step.
  template <class LoadPrevious>
  GATEWORK_INLINE void normalise_states(const T* product, const T* normalised, const void* learnt, T* states, T* scale,
                                        const LoadPrevious& load_previous) const {
    if constexpr (Cell::normalised > 0) {
      for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
        V accumulator[C::accumulators], previous[Cell::states], vectors[Cell::units + 1], inner[Cell::normalised];
        accumulate(product, normalised, unit, accumulator);
        load_vectors<Cell>(learnt, hidden, unit, vectors);
        load_previous(unit, previous);
        Cell::template inner<V>(accumulator, previous, vectors, inner);
        for (int n = 0; n < Cell::normalised; ++n) store_units(inner[n], states + n * hidden + unit, hidden - unit);
      }
      for (int n = 0; n < Cell::normalised; ++n) {
        const T found = normalise<V>(states + n * hidden, hidden);
        if (scale) scale[n] = found;
      }
    }
  }

  // One step of the units from `unit` on; `normalised` has the row's normalised states. Fills `carried`, the states
  // that are carried on.
  GATEWORK_INLINE void advance(int64_t sequence, int64_t unit, [[maybe_unused]] const T* normalised,
                               const V* accumulator, const V* previous, const V* vectors, V* next, V* saved, V* trace,
                               V* carried) const {
    if constexpr (Cell::normalised > 0) {
      const int64_t count = hidden - unit;
      V results[Cell::normalised];
      for (int n = 0; n < Cell::normalised; ++n) {
        const int64_t at = n * hidden + unit;
        results[n] = scaled(load_units<V>(normalised + at, count), options.state_gain, options.state_bias, at, count);
      }
      Cell::template forward<V>(accumulator, previous, vectors, results, next, saved, trace);
    } else {
      Cell::template forward<V>(accumulator, previous, vectors, next, saved, trace);
    }
    for (int s = 0; s < Cell::states; ++s) {
      carried[s] = next[s];
      if (s == 0 && is_projected) continue;
      carried[s] = after[s].forward(previous[s], next[s], sequence * hidden + unit);
      trace[Cell::traced_state[s]] = carried[s];
    }
  }

  const StepOptions& options;
  const int64_t hidden;
  const bool is_projected;
  StateOptions<V> after[Cell::states];
};

}  // namespace gatework::GATEWORK_ISA
