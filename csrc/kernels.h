// The table of kernels of one instruction set; each isa/*.cpp includes this once.
#pragma once

#include <type_traits>

#include "around_backward.h"
#include "around_forward.h"
#include "scan.h"
#include "step.h"

namespace gatework::GATEWORK_ISA {

#include "cells/all.h"

// `is_around`: whether it takes what acts around the cell; a plain scan does not, and is faster for it.
template <class Cell, class V, bool is_around = false>
struct KernelOf {
  using T = typename V::T;
  using C = Columns<Cell>;
  using Forward = std::conditional_t<is_around, AroundForward<Cell, V>, ForwardScan<Cell, V>>;
  using Backward = std::conditional_t<is_around, AroundBackward<Cell, V>, BackwardScan<Cell, V>>;

  static PackedSize packed_size(const Weights& w) {
    const auto size = static_cast<int64_t>(sizeof(T));
    const int64_t output = round_up(w.output, V::lanes), input = round_up(w.input, V::lanes);
    const int64_t wide = round_up(w.hidden, V::lanes);
    const int64_t forwards = w.hidden * output, backwards = w.output * wide;
    return {size * ForwardPanels<Cell, V>::elements(w.input, w.hidden, w.output),
            size * w.hidden * (C::gates * output + C::inputs * input),
            w.projection ? size * (forwards > backwards ? forwards : backwards) : 0};
  }

  static void pack_forward(const Weights& w, void* weights, void* projection) {
    ForwardPanels<Cell, V>::pack(w.input, w.hidden, w.output, at(w.weight_ih), at(w.weight_hh), at(w.bias_ih),
                                 at(w.bias_hh), static_cast<T*>(weights));
    if (w.projection) {
      pack_matrix<V>(at(w.projection), w.hidden, 1, w.output, w.hidden, static_cast<T*>(projection));
    }
  }

  static void pack_backward(const Weights& w, bool with_input, void* weights, void* projection) {
    T* to = static_cast<T*>(weights);
    pack_matrix<V>(at(w.weight_hh), C::gates * w.hidden, w.output, w.output, 1, to);
    if (with_input) {
      to += C::gates * w.hidden * round_up(w.output, V::lanes);
      pack_matrix<V>(at(w.weight_ih), C::inputs * w.hidden, w.input, w.input, 1, to);
    }
    if (w.projection) {
      pack_matrix<V>(at(w.projection), w.output, w.hidden, w.hidden, 1, static_cast<T*>(projection));
    }
  }

  static void forward(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch) {
    Forward(arguments, first, last, scratch).run();
  }

  static void backward(const BackwardArguments& arguments, int64_t first, int64_t last, void* scratch) {
    Backward(arguments, first, last, scratch).run();
  }

  static constexpr Kernel kernel() {
    return {sizeof(T) == sizeof(double),
            Cell::accumulators,
            Cell::states,
            Cell::kept,
            Cell::named,
            Cell::units,
            Cell::normals,
            Cell::input_product,
            Cell::recurrent_product,
            Cell::reads_previous,
            Cell::reads_next,
            Cell::names,
            packed_size,
            pack_forward,
            pack_backward,
            Forward::scratch,
            Backward::scratch,
            forward,
            backward,
            single_step()};
  }

 private:
  static constexpr void (*single_step())(const StepArguments&) {
    if constexpr (is_around) {
      return nullptr;
    } else {
      return SingleStep<Cell, V>::run;
    }
  }

  static const T* at(const void* address) { return static_cast<const T*>(address); }
};

}  // namespace gatework::GATEWORK_ISA
