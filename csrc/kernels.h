// The table of kernels of one instruction set; each isa/*.cpp includes this once.
#pragma once

#include "across.h"
#include "scan.h"
#include "step.h"

namespace gatework::GATEWORK_ISA {

#include "cells/all.h"

template <class Cell, class V>
struct KernelOf {
  using T = typename V::T;
  using C = Columns<Cell>;

  static int64_t least_slice(const Layout& layout, const Weights& w) { return is_across<V>(layout, w) ? V::lanes : 1; }

  static int64_t forward_panels(const ForwardArguments& a) {
    const Weights& w = a.weights;
    if (is_across<V>(a.layout, a.weights)) return 0;
    return bytes(ForwardPanels<Cell, V>::elements(w.input, w.hidden, w.output) + projection_elements(w, w.output));
  }

  static int64_t backward_panels(const BackwardArguments& a) {
    const Weights& w = a.weights;
    if (is_across<V>(a.layout, a.weights)) return 0;
    return bytes(recurrent_elements(w) + input_elements(a) + projection_elements(w, w.hidden));
  }

  static Panels pack_forward(const ForwardArguments& a, void* memory) {
    const Weights& w = a.weights;
    if (is_across<V>(a.layout, a.weights)) return {};
    T* const projection = static_cast<T*>(memory);
    T* const weights = projection + projection_elements(w, w.output);
    ForwardPanels<Cell, V>::pack(w.input, w.hidden, w.output, at(w.weight_ih), at(w.weight_hh), at(w.bias_ih),
                                 at(w.bias_hh), weights);
    if (w.projection) pack_matrix<V>(at(w.projection), w.hidden, 1, w.output, w.hidden, projection);
    return {weights, projection};
  }

  static Panels pack_backward(const BackwardArguments& a, void* memory) {
    const Weights& w = a.weights;
    if (is_across<V>(a.layout, a.weights)) return {};
    T* const projection = static_cast<T*>(memory);
    T* const weights = projection + projection_elements(w, w.hidden);
    pack_matrix<V>(at(w.weight_hh), C::gates * w.hidden, w.output, w.output, 1, weights);
    if (a.d_x) {
      pack_matrix<V>(at(w.weight_ih), C::inputs * w.hidden, w.input, w.input, 1, weights + recurrent_elements(w));
    }
    if (w.projection) pack_matrix<V>(at(w.projection), w.output, w.hidden, w.hidden, 1, projection);
    return {weights, projection};
  }

  static int64_t forward_scratch(const ForwardArguments& a, int64_t rows) {
    return is_across<V>(a.layout, a.weights) ? ForwardAcross<Cell, V>::scratch(a.layout)
                                             : ForwardScan<Cell, V>::scratch(a.layout, rows);
  }

  static int64_t backward_scratch(const BackwardArguments& a, int64_t rows) {
    const Layout& layout = a.layout;
    return is_across<V>(layout, a.weights) ? BackwardAcross<Cell, V>::scratch(layout)
                                           : BackwardScan<Cell, V>::scratch(layout, rows);
  }

  static void forward(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch) {
    if (is_across<V>(arguments.layout, arguments.weights)) {
      ForwardAcross<Cell, V>(arguments, first, last, scratch).run();
    } else {
      ForwardScan<Cell, V>(arguments, first, last, scratch).run();
    }
  }

  static void backward(const BackwardArguments& arguments, int64_t first, int64_t last, void* scratch) {
    if (is_across<V>(arguments.layout, arguments.weights)) {
      BackwardAcross<Cell, V>(arguments, first, last, scratch).run();
    } else {
      BackwardScan<Cell, V>(arguments, first, last, scratch).run();
    }
  }

  static constexpr Kernel kernel() {
    return {sizeof(T) == sizeof(double),
            Cell::accumulators,
            Cell::states,
            Cell::kept,
            Cell::named,
            Cell::units,
            Cell::input_product,
            Cell::recurrent_product,
            Cell::reads_previous,
            Cell::reads_next,
            Cell::names,
            least_slice,
            forward_panels,
            backward_panels,
            pack_forward,
            pack_backward,
            forward_scratch,
            backward_scratch,
            forward,
            backward,
            SingleStep<Cell, V>::run};
  }

 private:
  static const T* at(const void* address) { return static_cast<const T*>(address); }
  static constexpr int64_t bytes(int64_t elements) { return elements * static_cast<int64_t>(sizeof(T)); }

  // What the panels take; those of the projection have `width` columns.
  static int64_t projection_elements(const Weights& w, int64_t width) {
    return w.projection ? (w.hidden + w.output - width) * round_up(width, V::lanes) : 0;
  }
  static int64_t recurrent_elements(const Weights& w) { return C::gates * w.hidden * round_up(w.output, V::lanes); }
  static int64_t input_elements(const BackwardArguments& a) {
    return a.d_x ? C::inputs * a.weights.hidden * round_up(a.weights.input, V::lanes) : 0;
  }
};

}  // namespace gatework::GATEWORK_ISA
