// The products of the rows of a matrix, as it lies in memory, with one vector.
#pragma once

#include "activations.h"

namespace gatework::GATEWORK_ISA {

// to[row] += the products of `Rows` rows of a matrix (rows, width) with a vector.
template <int Rows, class V>
GATEWORK_INLINE void add_some_row_products(const typename V::T* matrix, int64_t width, const typename V::T* vector,
                                           int64_t row, typename V::T* to) {
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

// The same of `count` rows.
template <class V>
GATEWORK_CALLED void add_row_products(const typename V::T* matrix, int64_t width, const typename V::T* vector,
                                      int64_t count, typename V::T* to) {
  constexpr int rows_at_once = 8;
  int64_t row = 0;
  for (; row + rows_at_once <= count; row += rows_at_once) {
    add_some_row_products<rows_at_once, V>(matrix, width, vector, row, to);
  }
  for (; row < count; ++row) add_some_row_products<1, V>(matrix, width, vector, row, to);
}

}  // namespace gatework::GATEWORK_ISA
