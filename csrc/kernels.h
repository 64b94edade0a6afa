// The table of kernels of one instruction set; each isa/*.cpp includes this once.
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

#include "cells/all.h"

template <class Cell, class V>
struct KernelOf {
  using T = typename V::T;
  static constexpr int gates = count_true(Cell::recurrent_product, Cell::accumulators);

  static int64_t packed_size(int64_t rows, int64_t columns) {
    return static_cast<int64_t>(sizeof(T)) * rows * round_up(columns, V::lanes);
  }

  static void pack_forward(const Weights& w, void* recurrent, void* projection) {
    pack<V>({gates, w.output, w.hidden, w.hidden * w.output, 1, w.output}, static_cast<const T*>(w.recurrent),
            static_cast<T*>(recurrent));
    if (projection) {
      pack<V>({1, w.hidden, w.output, 0, 1, w.hidden}, static_cast<const T*>(w.projection),
              static_cast<T*>(projection));
    }
  }

  static void pack_backward(const Weights& w, void* recurrent, void* projection) {
    pack<V>({1, gates * w.hidden, w.output, 0, w.output, 1}, static_cast<const T*>(w.recurrent),
            static_cast<T*>(recurrent));
    if (projection) {
      pack<V>({1, w.output, w.hidden, 0, w.hidden, 1}, static_cast<const T*>(w.projection),
              static_cast<T*>(projection));
    }
  }

  static void forward(const ForwardArguments& arguments, int64_t first, int64_t last, void* scratch) {
    ForwardScan<Cell, V>(arguments, first, last, scratch).run();
  }

  static void backward(const BackwardArguments& arguments, int64_t first, int64_t last, void* scratch) {
    BackwardScan<Cell, V>(arguments, first, last, scratch).run();
  }

  static constexpr Kernel kernel() {
    return {Cell::accumulators,
            Cell::states,
            Cell::kept,
            Cell::named,
            Cell::input_product,
            Cell::recurrent_product,
            Cell::reads_previous,
            Cell::reads_next,
            Cell::names,
            packed_size,
            ForwardScan<Cell, V>::scratch,
            BackwardScan<Cell, V>::scratch,
            pack_forward,
            pack_backward,
            forward,
            backward};
  }
};

}  // namespace gatework::GATEWORK_ISA
