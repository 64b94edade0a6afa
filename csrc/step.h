// One time step of a few sequences with the weights as torch has them: nothing is packed, so a single step costs one
// pass over the weights. For streaming; a whole sequence is faster through scan.h.
#pragma once

#include "activations.h"
#include "arguments.h"
#include "options_cell.h"
#include "pack.h"
#include "row_products.h"
#include "scan.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class SingleStep {
  using T = typename V::T;
  using C = Columns<Cell>;

 public:
  static int64_t scratch(const StepArguments&) { return 0; }

  static void run(const StepArguments& p, void*) {
    for (int64_t b = 0; b < p.batch; ++b) {
      for (int64_t unit = 0; unit < p.weights.hidden; unit += V::lanes) {
        V accumulator[C::accumulators];
        accumulate(p, b, unit, accumulator);
        cell(p, b, unit, accumulator,
             [](const V* a, const V* previous, const V* vectors, V* next, V* saved, V* trace) GATEWORK_INLINED {
               Cell::template forward<V>(a, previous, vectors, next, saved, trace);
               return next;
             });
      }
    }
  }

 protected:
  GATEWORK_INLINE static const T* at(const void* base, int64_t offset) { return static_cast<const T*>(base) + offset; }

  // Both products of some units of a sequence, and the biases.
  GATEWORK_INLINE static void accumulate(const StepArguments& p, int64_t b, int64_t unit, V* accumulator) {
    const Weights& w = p.weights;
    const int64_t left = w.hidden - unit, count = left < V::lanes ? left : V::lanes;
    int64_t in = unit, gate = unit;
    for (int a = 0; a < C::accumulators; ++a) {
      T sums[V::lanes] = {};
      if (Cell::input_product[a]) {
        for (int64_t k = 0; k < count && w.bias_ih; ++k) sums[k] += at(w.bias_ih, in)[k];
        add_row_products<V>(at(w.weight_ih, in * w.input), w.input, at(p.x, b * w.input), count, sums);
        in += w.hidden;
      }
      if (Cell::recurrent_product[a]) {
        for (int64_t k = 0; k < count && w.bias_hh; ++k) sums[k] += at(w.bias_hh, gate)[k];
        add_row_products<V>(at(w.weight_hh, gate * w.hidden), w.hidden, at(p.previous[0], b * w.hidden), count, sums);
        gate += w.hidden;
      }
      accumulator[a] = V::load(sums);
    }
  }

  GATEWORK_INLINE static void load_previous(const StepArguments& p, int64_t b, int64_t unit, V* previous) {
    for (int s = 0; s < Cell::states; ++s) {
      previous[s] = load_units<V>(at(p.previous[s], b * p.weights.hidden + unit), p.weights.hidden - unit);
    }
  }

  // One step of some units of a sequence. `advance` computes it and gives the states that are carried on.
  template <class Advance>
  GATEWORK_INLINE static void cell(const StepArguments& p, int64_t b, int64_t unit, const V* accumulator,
                                   const Advance& advance) {
    const int64_t hidden = p.weights.hidden, count = hidden - unit, offset = b * hidden + unit;
    V previous[Cell::states], next[Cell::states], saved[Cell::saved + 1], trace[Cell::traced], vectors[Cell::units + 1];
    load_vectors<Cell>(p.weights.unit, hidden, unit, vectors);
    load_previous(p, b, unit, previous);
    const V* carried = advance(accumulator, previous, vectors, next, saved, trace);
    for (int s = 0; s < Cell::states; ++s) store_units(carried[s], static_cast<T*>(p.next[s]) + offset, count);
    store_units(carried[0], static_cast<T*>(p.output) + offset, count);
  }
};

// The same with something around the cell.
template <class Cell, class V>
class OptionsStep : SingleStep<Cell, V> {
  using Base = SingleStep<Cell, V>;
  using T = typename V::T;
  using C = Columns<Cell>;

 public:
  static int64_t scratch(const StepArguments& p) {
    const int64_t rows = C::inputs + C::gates + Cell::normalised;
    return p.options->is_normalised ? static_cast<int64_t>(sizeof(T)) * rows * p.weights.hidden : 0;
  }

  static void run(const StepArguments& p, void* scratch) {
    const int64_t hidden = p.weights.hidden;
    T* const product = static_cast<T*>(scratch);
    T* const normalised = product + C::inputs * hidden;
    T* const states = normalised + C::gates * hidden;
    OptionsCell<Cell, V> options(*p.options, hidden, false);
    options.start(0);
    for (int64_t b = 0; b < p.batch; ++b) {
      if (p.options->is_normalised) {
        normalise_products(p, b, product, normalised);
        options.normalise_states(product, normalised, p.weights.unit, states, nullptr,
                                 [&](int64_t unit, V* previous)
                                     GATEWORK_INLINED { Base::load_previous(p, b, unit, previous); });
      }
      for (int64_t unit = 0; unit < hidden; unit += V::lanes) {
        V accumulator[C::accumulators], carried[Cell::states];
        if (p.options->is_normalised) {
          options.accumulate(product, normalised, unit, accumulator);
        } else {
          Base::accumulate(p, b, unit, accumulator);
        }
        Base::cell(p, b, unit, accumulator,
                   [&](const V* a, const V* previous, const V* vectors, V* next, V* saved, V* trace) GATEWORK_INLINED {
                     options.advance(b, unit, states, a, previous, vectors, next, saved, trace, carried);
                     return static_cast<const V*>(carried);
                   });
      }
    }
  }

 private:
  // Both products of a sequence, normalised; that of the input with its gain and bias.
  static void normalise_products(const StepArguments& p, int64_t b, T* product, T* normalised) {
    const Weights& w = p.weights;
    const int64_t inputs = C::inputs * w.hidden, gates = C::gates * w.hidden;
    __builtin_memset(product, 0, static_cast<size_t>(inputs + gates) * sizeof(T));
    add_row_products<V>(Base::at(w.weight_ih, 0), w.input, Base::at(p.x, b * w.input), inputs, product);
    LayerNorm::forward<V>(product, inputs);
    for (int64_t k = 0; k < inputs; k += V::lanes) {
      const V value = load_units<V>(product + k, inputs - k);
      store_units(scaled(value, p.options->input_gain, w.bias_ih, k, inputs - k), product + k, inputs - k);
    }
    if (C::gates == 0) return;
    add_row_products<V>(Base::at(w.weight_hh, 0), w.hidden, Base::at(p.previous[0], b * w.hidden), gates, normalised);
    LayerNorm::forward<V>(normalised, gates);
  }
};

}  // namespace gatework::GATEWORK_ISA
