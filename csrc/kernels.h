// The kernels of a cell, compiled for one instruction set.
#pragma once

#include <type_traits>

#include "batch_lanes.h"
#include "options_backward.h"
#include "options_forward.h"
#include "scan.h"
#include "step.h"
#include "unit_halves.h"
#if defined(__AMX_BF16__)
#include "amx.h"
#endif

namespace gatework::GATEWORK_ISA {

// What products are made of whose factors are rounded to bfloat16.
#if defined(__AMX_BF16__)
template <class V>
using RoundedOperands = AmxBfloat16<V>;
#else
template <class V>
using RoundedOperands = Bfloat16<V>;
#endif

#include "cells/all.h"

// The panels of a pass and the memory that they take.
template <class O>
struct Packing {
  using V = typename O::V;
  using T = typename O::T;

  static GATEWORK_CALLED int64_t forward_bytes(const Feeds& feeds, const ForwardArguments& a);
  static GATEWORK_CALLED int64_t backward_bytes(const Feeds& feeds, const BackwardArguments& a);
  static GATEWORK_CALLED Panels pack_forward(const Feeds& feeds, const ForwardArguments& a, void* memory);
  static GATEWORK_CALLED Panels pack_backward(const Feeds& feeds, const BackwardArguments& a, void* memory);

 private:
  static const T* at(const void* address) { return static_cast<const T*>(address); }
  static constexpr int64_t bytes(int64_t elements) { return elements * static_cast<int64_t>(sizeof(T)); }

  // What the panels take; those of the projection have `width` columns.
  static int64_t projection_elements(const Weights& w, int64_t width) {
    return w.projection ? O::groups(w.hidden + w.output - width) * round_up(width, V::lanes) : 0;
  }
  static int64_t recurrent_elements(const Feeds& feeds, const Weights& w) {
    return feeds.gates * O::groups(w.hidden) * round_up(w.output, V::lanes);
  }
};

template <class O>
int64_t Packing<O>::forward_bytes(const Feeds& feeds, const ForwardArguments& a) {
  const Weights& w = a.weights;
  return bytes(ForwardPanels<O>::elements(feeds, w.input, w.hidden, w.output) + projection_elements(w, w.output));
}

template <class O>
int64_t Packing<O>::backward_bytes(const Feeds& feeds, const BackwardArguments& a) {
  const Weights& w = a.weights;
  const int64_t input = a.d_x ? feeds.inputs * O::groups(w.hidden) * round_up(w.input, V::lanes) : 0;
  return bytes(recurrent_elements(feeds, w) + input + projection_elements(w, w.hidden));
}

template <class O>
Panels Packing<O>::pack_forward(const Feeds& feeds, const ForwardArguments& a, void* memory) {
  const Weights& w = a.weights;
  T* const projection = static_cast<T*>(memory);
  T* const weights = projection + projection_elements(w, w.output);
  ForwardPanels<O>::pack(feeds, w, weights);
  if (w.projection) pack_matrix<O>(at(w.projection), 1, w.hidden, 1, w.output, w.hidden, projection);
  return {weights, projection};
}

template <class O>
Panels Packing<O>::pack_backward(const Feeds& feeds, const BackwardArguments& a, void* memory) {
  const Weights& w = a.weights;
  T* const projection = static_cast<T*>(memory);
  T* const weights = projection + projection_elements(w, w.hidden);
  pack_matrix<O>(at(w.weight_hh), feeds.gates, w.hidden, w.output, w.output, 1, weights);
  if (a.d_x) {
    T* const input = weights + recurrent_elements(feeds, w);
    pack_matrix<O>(at(w.weight_ih), feeds.inputs, w.hidden, w.input, w.input, 1, input);
  }
  if (w.projection) pack_matrix<O>(at(w.projection), 1, w.output, w.hidden, w.hidden, 1, projection);
  return {weights, projection};
}

// `has_options`: whether it takes what acts around the cell; a plain scan does not, and is faster for it.
template <class Cell, class O, bool has_options = false>
struct KernelOf {
  using V = typename O::V;
  using T = typename O::T;
  using Forward = std::conditional_t<has_options, OptionsForward<Cell, V>, ForwardScan<Cell, O>>;
  using Backward = std::conditional_t<has_options, OptionsBackward<Cell, V>, BackwardScan<Cell, O>>;
  using Step = std::conditional_t<has_options, OptionsStep<Cell, V>, SingleStep<Cell, V>>;

  static int64_t slice_multiple(const Layout& layout, const Weights& w) {
    return runs_in_batch_lanes(layout, w) ? V::lanes : 1;
  }

  static int64_t forward_panels(const ForwardArguments& a) {
    return runs_in_batch_lanes(a.layout, a.weights) ? 0 : Packing<O>::forward_bytes(feeds_of<Cell>, a);
  }

  static int64_t backward_panels(const BackwardArguments& a) {
    return runs_in_batch_lanes(a.layout, a.weights) ? 0 : Packing<O>::backward_bytes(feeds_of<Cell>, a);
  }

  static Panels pack_forward(const ForwardArguments& a, void* memory) {
    if (runs_in_batch_lanes(a.layout, a.weights)) return {};
    return Packing<O>::pack_forward(feeds_of<Cell>, a, memory);
  }

  static Panels pack_backward(const BackwardArguments& a, void* memory) {
    if (runs_in_batch_lanes(a.layout, a.weights)) return {};
    return Packing<O>::pack_backward(feeds_of<Cell>, a, memory);
  }

  static int64_t forward_scratch(const ForwardArguments& a, int64_t rows) {
    if constexpr (has_batch_lanes) {
      if (runs_in_batch_lanes(a.layout, a.weights)) return BatchLanesForward<Cell, V>::scratch(a.layout);
    }
    return Forward::scratch(a.layout, rows);
  }

  static int64_t backward_scratch(const BackwardArguments& a, int64_t rows) {
    if constexpr (has_batch_lanes) {
      if (runs_in_batch_lanes(a.layout, a.weights)) return BatchLanesBackward<Cell, V>::scratch(a.layout);
    }
    return Backward::scratch(a.layout, rows);
  }

  static void forward(const ForwardArguments& a, int64_t first, int64_t last, void* scratch) {
    if constexpr (has_batch_lanes) {
      if (runs_in_batch_lanes(a.layout, a.weights)) return BatchLanesForward<Cell, V>(a, first, last, scratch).run();
    }
    if constexpr (has_halves) {
      if (a.exchange) return Halves::run(a, scratch);
    }
    [[maybe_unused]] const typename O::Session session{};
    Forward(a, first, last, scratch).run();
  }

  static void backward(const BackwardArguments& a, int64_t first, int64_t last, void* scratch) {
    if constexpr (has_batch_lanes) {
      if (runs_in_batch_lanes(a.layout, a.weights)) return BatchLanesBackward<Cell, V>(a, first, last, scratch).run();
    }
    [[maybe_unused]] const typename O::Session session{};
    Backward(a, first, last, scratch).run();
  }

  using Halves = UnitHalves<Cell, O>;
  static constexpr bool has_halves = !has_options && Halves::is_possible;

  static constexpr Kernel kernel() {
    int64_t (*exchange_bytes)(const Layout&) = nullptr;
    void (*assist)(const ForwardArguments*, Exchange&) = nullptr;
    if constexpr (has_halves) {
      exchange_bytes = Halves::bytes;
      assist = Halves::assist;
    }
    return {sizeof(T) == sizeof(double),
            O::is_rounded,
            Cell::accumulators,
            Cell::states,
            Cell::saved,
            Cell::traced,
            Cell::units,
            Cell::normalised,
            Cell::input_product,
            Cell::recurrent_product,
            Cell::reads_previous,
            Cell::reads_next,
            Cell::names,
            slice_multiple,
            forward_panels,
            backward_panels,
            pack_forward,
            pack_backward,
            forward_scratch,
            backward_scratch,
            forward,
            backward,
            exchange_bytes,
            assist,
            Step::scratch,
            Step::run};
  }

 private:
  // Scans with sequences in the lanes know nothing around the cell, and no rounded factors.
  static constexpr bool has_batch_lanes = !has_options && !O::is_rounded;
  static bool runs_in_batch_lanes(const Layout& layout, const Weights& w) {
    return has_batch_lanes && fills_batch_lanes<V>(layout, w);
  }
};

}  // namespace gatework::GATEWORK_ISA
