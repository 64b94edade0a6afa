// One time step of a few sequences with the weights as torch has them: nothing is packed, so a single step costs one
// pass over the weights. For streaming; a whole sequence is faster through scan.h.
#pragma once

#include "activations.h"
#include "arguments.h"
#include "pack.h"
#include "scan.h"

namespace gatework::GATEWORK_ISA {

template <class Cell, class V>
class SingleStep {
  using T = typename V::T;
  using C = Columns<Cell>;
  static constexpr int rows_at_once = 8;

 public:
  static void run(const StepArguments& p) {
    for (int64_t b = 0; b < p.batch; ++b) {
      for (int64_t unit = 0; unit < p.weights.hidden; unit += V::lanes) cell(p, b, unit);
    }
  }

 private:
  GATEWORK_INLINE static const T* at(const void* base, int64_t offset) { return static_cast<const T*>(base) + offset; }

  // to[lane] += the products of rows of a matrix (rows, width) with a vector.
  GATEWORK_INLINE static void add_products(const T* matrix, int64_t width, const T* vector, int64_t count, T* to) {
    int64_t row = 0;
    for (; row + rows_at_once <= count; row += rows_at_once) products<rows_at_once>(matrix, width, vector, row, to);
    for (; row < count; ++row) products<1>(matrix, width, vector, row, to);
  }

  template <int Rows>
  GATEWORK_INLINE static void products(const T* matrix, int64_t width, const T* vector, int64_t row, T* to) {
    V sums[Rows] = {};
    int64_t k = 0;
    for (; k + V::lanes <= width; k += V::lanes) {
      const V x = V::load(vector + k);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) sums[r] = sums[r] + x * V::load(matrix + (row + r) * width + k);
    }
    if (k < width) {
      const int left = static_cast<int>(width - k);
      const V x = V::load(vector + k, left);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r) sums[r] = sums[r] + x * V::load(matrix + (row + r) * width + k, left);
    }
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) to[row + r] += sum_of(sums[r]);
  }

  GATEWORK_INLINE static void cell(const StepArguments& p, int64_t b, int64_t unit) {
    const Weights& w = p.weights;
    const int64_t left = w.hidden - unit, count = left < V::lanes ? left : V::lanes;
    V accumulator[C::accumulators], previous[Cell::states], next[Cell::states], kept[Cell::kept + 1];
    V named[Cell::named], vectors[Cell::units + 1];
    load_vectors<Cell>(w.unit, w.hidden, unit, vectors);
    int64_t in = unit, gate = unit;
    for (int a = 0; a < C::accumulators; ++a) {
      T sums[V::lanes] = {};
      if (Cell::input_product[a]) {
        for (int64_t k = 0; k < count && w.bias_ih; ++k) sums[k] += at(w.bias_ih, in)[k];
        add_products(at(w.weight_ih, in * w.input), w.input, at(p.x, b * w.input), count, sums);
        in += w.hidden;
      }
      if (Cell::recurrent_product[a]) {
        for (int64_t k = 0; k < count && w.bias_hh; ++k) sums[k] += at(w.bias_hh, gate)[k];
        add_products(at(w.weight_hh, gate * w.hidden), w.hidden, at(p.previous[0], b * w.hidden), count, sums);
        gate += w.hidden;
      }
      accumulator[a] = V::load(sums);
    }
    const int64_t offset = b * w.hidden + unit;
    for (int s = 0; s < Cell::states; ++s) {
      previous[s] = V::load(at(p.previous[s], offset), static_cast<int>(count));
    }
    Cell::template forward<V>(accumulator, previous, vectors, next, kept, named);
    for (int s = 0; s < Cell::states; ++s) {
      next[s].store(static_cast<T*>(p.next[s]) + offset, static_cast<int>(count));
    }
    next[0].store(static_cast<T*>(p.output) + offset, static_cast<int>(count));
  }
};

}  // namespace gatework::GATEWORK_ISA
