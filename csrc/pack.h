// The order in which weights are read by the kernels: panels of vectors that lie together for each k, padded with 0.
#pragma once

#include "arguments.h"
#include "gemm.h"
#include "transpose.h"

namespace gatework::GATEWORK_ISA {

GATEWORK_INLINE int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// What pack_block() does where the numbers of all lanes lie side by side.
template <class O>
GATEWORK_CALLED void pack_rows(const typename O::T* from, int64_t depth, int64_t k_stride, int64_t count,
                               typename O::T* to, int64_t to_k) {
  using V = typename O::V;
  alignas(64) typename O::Element rows[O::group][V::lanes];
  const typename O::Element* const each[2] = {rows[0], rows[O::group - 1]};
  for (int64_t k = 0; k < round_up(depth, O::slice_multiple); k += O::group) {
    for (int64_t e = 0; e < O::group; ++e) {
      O::store(k + e < depth ? load_units<V>(from + (k + e) * k_stride, count) : V::constant(0), rows[e]);
    }
    O::gather(each, O::group, 0, V::lanes).store(to + k / O::group * to_k);
  }
}

// What pack_block() does where those of each lane lie side by side: a square of groups at a time is turned.
template <class O>
GATEWORK_CALLED void pack_columns(const typename O::T* from, int64_t depth, int64_t unit_stride, int64_t count,
                                  typename O::T* to, int64_t to_k) {
  using V = typename O::V;
  const int64_t groups = round_up(depth, O::slice_multiple) / O::group;
  for (int64_t group = 0; group < groups; group += V::lanes) {
    V square[V::lanes];
    for (int64_t lane = 0; lane < V::lanes; ++lane) {
      alignas(64) typename O::Element row[O::group * V::lanes];
      for (int64_t e = 0; e < O::group; ++e) {
        const int64_t k = group * O::group + e * V::lanes;
        O::store(lane < count && k < depth ? load_units<V>(from + lane * unit_stride + k, depth - k) : V::constant(0),
                 row + e * V::lanes);
      }
      square[lane] = V::load(reinterpret_cast<const typename O::T*>(row));
    }
    transpose<V::lanes>(square);
    const int64_t left = groups - group;
    for (int64_t k = 0; k < (left < V::lanes ? left : V::lanes); ++k) square[k].store(to + (group + k) * to_k);
  }
}

// For each group of `depth`, the lanes [unit, unit + lanes); element (k, unit) of the source is at
// k * k_stride + unit * unit_stride, one of which is 1, and units from `units` on are 0, as is k from `depth` to the
// next whole slice_multiple. Groups are `to_k` apart.
template <class O>
GATEWORK_INLINE void pack_block(const typename O::T* from, int64_t depth, int64_t k_stride, int64_t unit, int64_t units,
                                int64_t unit_stride, typename O::T* to, int64_t to_k) {
  from += unit * unit_stride;
  if (unit_stride == 1) return pack_rows<O>(from, depth, k_stride, units - unit, to, to_k);
  pack_columns<O>(from, depth, unit_stride, units - unit, to, to_k);
}

// A matrix (planes * depth, units) in panels of up to max_columns blocks of units; each plane ends with a whole
// slice_multiple.
template <class O>
void pack_matrix(const typename O::T* from, int64_t planes, int64_t depth, int64_t k_stride, int64_t units,
                 int64_t unit_stride, typename O::T* to) {
  using V = typename O::V;
  const int64_t blocks = round_up(units, V::lanes) / V::lanes;
  for (int64_t first = 0; first < blocks; first += max_columns) {
    const int64_t columns = blocks - first < max_columns ? blocks - first : max_columns;
    for (int64_t plane = 0; plane < planes; ++plane) {
      for (int64_t c = 0; c < columns; ++c) {
        pack_block<O>(from + plane * depth * k_stride, depth, k_stride, (first + c) * V::lanes, units, unit_stride,
                      to + c * V::lanes, columns * V::lanes);
      }
      to += O::groups(depth) * columns * V::lanes;
    }
  }
}

// How the accumulators of a cell lie side by side in a tile: those that only the input product feeds, those that both
// feed, those that only the recurrent product feeds. So what each product feeds lies together.
template <class Cell>
struct Columns {
  static constexpr int accumulators = Cell::accumulators;

  static constexpr int count(const bool* flags, int end) {
    int result = 0;
    for (int k = 0; k < end; ++k) result += flags[k];
    return result;
  }

  static constexpr int inputs = count(Cell::input_product, accumulators);
  static constexpr int gates = count(Cell::recurrent_product, accumulators);
  static constexpr int widest = inputs > gates ? inputs : gates;
  static constexpr int first_gate = accumulators - gates;
  // Whether one tile takes both products, or the only one there is.
  static constexpr bool are_shared = inputs == accumulators && (gates == accumulators || gates == 0);
  static constexpr int blocks_per_panel = are_shared && accumulators < max_columns ? max_columns / accumulators : 1;

  static constexpr int kind(int a) { return Cell::input_product[a] ? (Cell::recurrent_product[a] ? 1 : 0) : 2; }

  // The place of accumulator `a` in the tile.
  static constexpr int of(int a) {
    int place = 0;
    for (int b = 0; b < accumulators; ++b) place += kind(b) < kind(a) || (kind(b) == kind(a) && b < a);
    return place;
  }
};

// Which products feed the accumulators of a cell and where these lie: all that panels and gradients of weights depend
// on, so that all cells share the code for them.
constexpr int max_accumulators = 2 * max_columns;
struct Feeds {
  int accumulators, inputs, gates, first_gate, blocks_per_panel;
  bool are_shared;
  // By accumulator: its place in a tile, and among those that each product feeds; -1 where it does not.
  int place[max_accumulators], input[max_accumulators], gate[max_accumulators];
};

template <class Cell>
constexpr Feeds make_feeds() {
  using C = Columns<Cell>;
  static_assert(C::inputs <= max_columns && C::gates <= max_columns, "a tile holds what one product feeds");
  Feeds feeds = {C::accumulators, C::inputs, C::gates, C::first_gate, C::blocks_per_panel, C::are_shared, {}, {}, {}};
  for (int a = 0; a < C::accumulators; ++a) {
    feeds.place[a] = C::of(a);
    feeds.input[a] = Cell::input_product[a] ? C::count(Cell::input_product, a) : -1;
    feeds.gate[a] = Cell::recurrent_product[a] ? C::count(Cell::recurrent_product, a) : -1;
  }
  return feeds;
}
template <class Cell>
constexpr Feeds feeds_of = make_feeds<Cell>();

// A panel of the forward pass, for `count` blocks of units: one vector of biases for each column, then the rows of W,
// then those of U.
template <class O>
struct ForwardPanels {
  using V = typename O::V;
  using T = typename O::T;

  static int64_t elements(const Feeds& feeds, int64_t input, int64_t hidden, int64_t output) {
    return panel_elements(feeds, input, output, round_up(hidden, V::lanes) / V::lanes);
  }

  static int64_t panel_elements(const Feeds& feeds, int64_t input, int64_t output, int64_t count) {
    const int64_t rows = feeds.accumulators + O::groups(input) * feeds.inputs + O::groups(output) * feeds.gates;
    return count * V::lanes * rows;
  }

  static GATEWORK_CALLED void pack(const Feeds& feeds, const Weights& weights, T* to) {
    const int64_t input = weights.input, hidden = weights.hidden, output = weights.output;
    const T *const w_ih = at(weights.weight_ih), *const w_hh = at(weights.weight_hh);
    const int64_t blocks = round_up(hidden, V::lanes) / V::lanes;
    for (int64_t first = 0; first < blocks; first += feeds.blocks_per_panel) {
      const int64_t left = blocks - first;
      const int64_t count = left < feeds.blocks_per_panel ? left : feeds.blocks_per_panel;
      T* w = to + count * feeds.accumulators * V::lanes;
      T* u = w + O::groups(input) * count * feeds.inputs * V::lanes;
      for (int64_t block = 0; block < count; ++block) {
        const int64_t unit = (first + block) * V::lanes;
        for (int a = 0; a < feeds.accumulators; ++a) {
          const int in = feeds.input[a], gate = feeds.gate[a];
          pack_bias(feeds, weights, a, unit, to + (block * feeds.accumulators + feeds.place[a]) * V::lanes);
          if (in >= 0) {
            const int64_t place = block * feeds.inputs + feeds.place[a];
            pack_block<O>(w_ih + in * hidden * input, input, 1, unit, hidden, input, w + place * V::lanes,
                          count * feeds.inputs * V::lanes);
          }
          if (gate >= 0) {
            const int64_t place = block * feeds.gates + feeds.place[a] - feeds.first_gate;
            pack_block<O>(w_hh + gate * hidden * output, output, 1, unit, hidden, output, u + place * V::lanes,
                          count * feeds.gates * V::lanes);
          }
        }
      }
      to += panel_elements(feeds, input, output, count);
    }
  }

 private:
  static const T* at(const void* address) { return static_cast<const T*>(address); }

  static void pack_bias(const Feeds& feeds, const Weights& weights, int a, int64_t unit, T* to) {
    const T* const b_ih = feeds.input[a] < 0 ? nullptr : at(weights.bias_ih);
    const T* const b_hh = feeds.gate[a] < 0 ? nullptr : at(weights.bias_hh);
    for (int64_t lane = 0; lane < V::lanes; ++lane) {
      const bool is_unit = unit + lane < weights.hidden;
      const T b = b_ih && is_unit ? b_ih[feeds.input[a] * weights.hidden + unit + lane] : 0;
      to[lane] = b + (b_hh && is_unit ? b_hh[feeds.gate[a] * weights.hidden + unit + lane] : 0);
    }
  }
};

}  // namespace gatework::GATEWORK_ISA
