// The order in which weights are read by the kernels: panels of vectors that lie together for each k, padded with 0.
#pragma once

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

template <int count>
struct Flags {
  bool at[count];

  constexpr explicit Flags(unsigned bits) : at{} {
    for (int k = 0; k < count; ++k) at[k] = bits >> k & 1;
  }
  constexpr operator const bool*() const { return at; }
};

constexpr unsigned bits_of(const bool* flags, int count) {
  unsigned bits = 0;
  for (int k = 0; k < count; ++k) bits |= flags[k] ? 1u << k : 0u;
  return bits;
}

// Which products feed the accumulators of a cell: all that panels and gradients of weights depend on, so that cells
// that are alike in it share the code for them.
template <int accumulators_, unsigned input_bits, unsigned recurrent_bits>
struct Feeds {
  static constexpr int accumulators = accumulators_;
  static constexpr Flags<accumulators> input_product{input_bits}, recurrent_product{recurrent_bits};
};

template <class Cell>
using FeedsOf = Feeds<Cell::accumulators, bits_of(Cell::input_product, Cell::accumulators),
                      bits_of(Cell::recurrent_product, Cell::accumulators)>;

// A panel of the forward pass, for `count` blocks of units: one vector of biases for each column, then the rows of W,
// then those of U.
template <class Cell, class O>
struct ForwardPanels {
  using V = typename O::V;
  using T = typename O::T;
  using C = Columns<Cell>;
  static_assert(C::inputs <= max_columns && C::gates <= max_columns, "a tile holds what one product feeds");

  static int64_t elements(int64_t input, int64_t hidden, int64_t output) {
    return round_up(hidden, V::lanes) * (C::accumulators + O::groups(input) * C::inputs + O::groups(output) * C::gates);
  }

  static int64_t panel_elements(int64_t input, int64_t output, int64_t count) {
    return count * V::lanes * (C::accumulators + O::groups(input) * C::inputs + O::groups(output) * C::gates);
  }

  static void pack(int64_t input, int64_t hidden, int64_t output, const T* w_ih, const T* w_hh, const T* b_ih,
                   const T* b_hh, T* to) {
    const int64_t blocks = round_up(hidden, V::lanes) / V::lanes;
    for (int64_t first = 0; first < blocks; first += C::blocks_per_panel) {
      const int64_t left = blocks - first;
      const int64_t count = left < C::blocks_per_panel ? left : C::blocks_per_panel;
      T* w = to + count * C::accumulators * V::lanes;
      T* u = w + O::groups(input) * count * C::inputs * V::lanes;
      for (int64_t block = 0; block < count; ++block) {
        const int64_t unit = (first + block) * V::lanes;
        int in = 0, gate = 0;
        for (int a = 0; a < C::accumulators; ++a) {
          const int64_t column = block * C::accumulators + C::of(a);
          T* bias = to + column * V::lanes;
          for (int64_t lane = 0; lane < V::lanes; ++lane) {
            const bool is_unit = unit + lane < hidden;
            const T b = b_ih && is_unit && Cell::input_product[a] ? b_ih[in * hidden + unit + lane] : 0;
            bias[lane] = b + (b_hh && is_unit && Cell::recurrent_product[a] ? b_hh[gate * hidden + unit + lane] : 0);
          }
          if (Cell::input_product[a]) {
            const int64_t place = block * C::inputs + C::of(a);
            pack_block<O>(w_ih + in * hidden * input, input, 1, unit, hidden, input, w + place * V::lanes,
                          count * C::inputs * V::lanes);
          }
          if (Cell::recurrent_product[a]) {
            const int64_t place = block * C::gates + C::of(a) - C::first_gate;
            pack_block<O>(w_hh + gate * hidden * output, output, 1, unit, hidden, output, u + place * V::lanes,
                          count * C::gates * V::lanes);
          }
          in += Cell::input_product[a];
          gate += Cell::recurrent_product[a];
        }
      }
      to += panel_elements(input, output, count);
    }
  }
};

}  // namespace gatework::GATEWORK_ISA
