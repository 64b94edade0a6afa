// Scans whose lanes hold sequences rather than units: for hidden sizes that would leave many lanes of units idle, as 20
// units do in lanes of 16.
//
// Sequences are taken in groups of one vector, each group by itself through all steps. A block of a tensor with one row
// for each sequence of the group is *transposed* when element (sequence, column) lies at column * lanes + sequence.
// What torch sees is row-major as everywhere; what only the backward pass reads (saved, previous, next) is stored
// transposed, and group by group, all steps of one together: so no core fetches ahead what another one is writing. A
// group's rows must lie together, so the layout is uniform, and the batch is a multiple of the lanes. The weights are
// read as torch has them.
#pragma once

#include <utility>

#include "scan.h"
#include "transpose.h"

namespace gatework::GATEWORK_ISA {

// Whether a scan with these sizes runs with sequences in its lanes.
template <class V>
GATEWORK_INLINE bool fills_batch_lanes(const Layout& layout, const Weights& weights) {
  const bool is_whole = !layout.batch_sizes && layout.batch > 0 && layout.batch % V::lanes == 0;
  return is_whole && !weights.projection && 4 * round_up(layout.hidden, V::lanes) >= 5 * layout.hidden;
}

// How many columns are transposed at a time: rows of few columns need no more, and many take as long at any number.
template <class V>
constexpr int transposed_columns = V::lanes < 4 ? V::lanes : 4;
template <class V>
using TransposedRow = Vector<typename V::T, transposed_columns<V>>;

// Turns a row-major block of `width` columns; `to` has (width, lanes).
template <class V>
GATEWORK_CALLED void load_transposed(const typename V::T* from, int64_t width, typename V::T* to) {
  using Row = TransposedRow<V>;
  const auto turn = [=](int64_t column, int count, const auto& load) GATEWORK_INLINED {
    V columns[Row::lanes];
#pragma GCC unroll 4
    for (int r = 0; r < Row::lanes; ++r) {
      columns[r] = load_blocks<Row::lanes, V>(from + r * width + column, Row::lanes * width, load);
    }
    transpose<Row::lanes>(columns);
#pragma GCC unroll 4
    for (int c = 0; c < count; ++c) columns[c].store(to + (column + c) * V::lanes);
  };
  if (width == 1) {
    V::load(from).store(to);
    return;
  }
  const int rest = static_cast<int>(width % Row::lanes);
  for (int64_t column = 0; column < width - rest; column += Row::lanes) {
    turn(column, Row::lanes, [](const typename V::T* row) GATEWORK_INLINED { return Row::load(row); });
  }
  if (rest) {
    turn(width - rest, rest, [=](const typename V::T* row) GATEWORK_INLINED { return Row::load(row, rest); });
  }
}

// The inverse of load_transposed.
template <class V>
GATEWORK_CALLED void store_transposed(const typename V::T* from, int64_t width, typename V::T* to) {
  using Row = TransposedRow<V>;
  const auto turn = [=](int64_t column, int count, const auto& store) GATEWORK_INLINED {
    V columns[Row::lanes];
#pragma GCC unroll 4
    for (int c = 0; c < Row::lanes; ++c) {
      columns[c] = c < count ? V::load(from + (column + c) * V::lanes) : V::constant(0);
    }
    transpose<Row::lanes>(columns);
#pragma GCC unroll 4
    for (int r = 0; r < Row::lanes; ++r) {
      store_blocks<Row::lanes>(columns[r], to + r * width + column, Row::lanes * width, store);
    }
  };
  if (width == 1) {
    V::load(from).store(to);
    return;
  }
  const int rest = static_cast<int>(width % Row::lanes);
  for (int64_t column = 0; column < width - rest; column += Row::lanes) {
    turn(column, Row::lanes, [](Row row, typename V::T* to) GATEWORK_INLINED { row.store(to); });
  }
  if (rest) {
    turn(width - rest, rest, [=](Row row, typename V::T* to) GATEWORK_INLINED { row.store(to, rest); });
  }
}

// The learnt vectors of a cell at the units that W has vectors for, the same for all sequences.
template <class Cell, class V, class W>
GATEWORK_INLINE void broadcast_vectors(const void* vectors, int64_t hidden, int64_t unit, W* to) {
  for (int k = 0; k < Cell::units; ++k) {
    const auto* const from = static_cast<const typename V::T*>(vectors) + k * hidden + unit;
    to[k] = load_each<W>([=](int next) { return V::broadcast(from[next]); });
  }
}

}  // namespace gatework::GATEWORK_ISA

#include "batch_lanes_backward.h"
#include "batch_lanes_forward.h"
