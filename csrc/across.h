// Scans whose lanes hold sequences rather than units: for hidden sizes that would leave many lanes of units idle, as 20
// units do in lanes of 16.
//
// Sequences are taken in groups of one vector, each group by itself through all steps. A block of a tensor with one row
// for each sequence of the group is *turned* when element (sequence, column) lies at column * lanes + sequence. What
// torch sees is row-major as everywhere; what only the backward pass reads (kept, previous, next) is stored turned, and
// group by group, all steps of one together: so no core fetches ahead what another one is writing. A group's rows must
// lie together, so the layout is uniform, and the batch is a multiple of the lanes. The weights are read as torch has
// them.
#pragma once

#include <utility>

#include "scan.h"
#include "transpose.h"

namespace gatework::GATEWORK_ISA {

// Whether a scan with these sizes goes across sequences.
template <class V>
GATEWORK_INLINE bool is_across(const Layout& layout, const Weights& weights) {
  const bool is_whole = !layout.batch_sizes && layout.batch > 0 && layout.batch % V::lanes == 0;
  return is_whole && !weights.projection && 4 * round_up(layout.hidden, V::lanes) >= 5 * layout.hidden;
}

// Turns a row-major block of `width` columns; `to` has (width, lanes).
template <class V>
void load_turned(const typename V::T* from, int64_t width, typename V::T* to) {
  if (width == 1) {
    V::load(from).store(to);
    return;
  }
  for (int64_t column = 0; column < width; column += V::lanes) {
    const int64_t count = width - column;
    V rows[V::lanes];
    if (count >= V::lanes) {
#pragma GCC unroll 16
      for (int r = 0; r < V::lanes; ++r) rows[r] = V::load(from + r * width + column);
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < V::lanes; ++r) rows[r] = V::load(from + r * width + column, static_cast<int>(count));
    }
    transpose<V>(rows);
#pragma GCC unroll 16
    for (int r = 0; r < V::lanes; ++r) {
      if (r < count) rows[r].store(to + (column + r) * V::lanes);
    }
  }
}

// The inverse of load_turned.
template <class V>
void store_turned(const typename V::T* from, int64_t width, typename V::T* to) {
  if (width == 1) {
    V::load(from).store(to);
    return;
  }
  for (int64_t column = 0; column < width; column += V::lanes) {
    const int64_t count = width - column;
    V rows[V::lanes];
#pragma GCC unroll 16
    for (int r = 0; r < V::lanes; ++r) {
      rows[r] = r < count ? V::load(from + (column + r) * V::lanes) : V::constant(0);
    }
    transpose<V>(rows);
    if (count >= V::lanes) {
#pragma GCC unroll 16
      for (int r = 0; r < V::lanes; ++r) rows[r].store(to + r * width + column);
    } else {
#pragma GCC unroll 16
      for (int r = 0; r < V::lanes; ++r) rows[r].store(to + r * width + column, static_cast<int>(count));
    }
  }
}

// The learnt vectors of a cell at one unit, the same for all sequences.
template <class Cell, class V>
GATEWORK_INLINE void broadcast_vectors(const void* vectors, int64_t hidden, int64_t unit, V* to) {
  const auto* from = static_cast<const typename V::T*>(vectors) + unit;
  for (int k = 0; k < Cell::units; ++k) to[k] = V::broadcast(from[k * hidden]);
}

}  // namespace gatework::GATEWORK_ISA

#include "across_backward.h"
#include "across_forward.h"
