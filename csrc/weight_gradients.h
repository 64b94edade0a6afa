// The gradients of W, U and their biases, added up while the backward scan goes:
//
//   dW = dA.T x    dU = dA.T h_previous    db = dA.T 1
//
// The scan puts the derivatives of the accumulators of each step into a block of rows; when the block is full, its
// products are added while it is still in the cache. Rounded factors lie in pairs of rows then. The rows of the block
// are an odd number of cache lines apart, so that reading down a column uses all of the cache. A large layer's block
// outgrows the second cache, and its rows lie in pages of their own: it is copied into strips of a few columns, one
// row behind the other, before it is read for each panel. The columns of x and of
// h are copied side by side into panels, so that small sizes waste few lanes. Each slice of the batch has its own
// gradients; dispatch.cpp adds them up. A scan with sequences in its lanes has gradients of its own kind
// (batch_lanes_gradients.h).
#pragma once

#include "scan.h"

namespace gatework::GATEWORK_ISA {

template <class O>
class WeightGradients {
  using V = typename O::V;
  using T = typename O::T;
  using Element = typename O::Element;
  static constexpr int64_t panel_width = max_columns * V::lanes;
  static constexpr int64_t tile_height = O::tallest(max_columns);
  static constexpr int64_t strip_tiles = 4, strip = strip_tiles * tile_height;

 public:
  // Rows of a block: enough to pay for reading and writing the gradients once.
  static int64_t block_rows(const Feeds& feeds, const Layout& layout, int64_t slice_rows) {
    const int64_t rows = (is_large(feeds, layout) ? 512 : 256) * O::group;
    return round_up(slice_rows > rows ? slice_rows : rows, O::slice_multiple);
  }

  static GATEWORK_INLINE bool is_large(const Feeds& feeds, const Layout& layout) {
    return layout.hidden * feeds.accumulators * (layout.input + layout.output) > (1 << 19);
  }

  // How far apart the derivatives of two accumulators are in a row.
  static GATEWORK_INLINE int64_t plane(const Layout& layout) { return round_up(layout.hidden, O::slice_multiple); }

  // How far apart the rows of a block are.
  static int64_t block_stride(const Feeds& feeds, const Layout& layout) {
    constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(Element));
    return (round_up(feeds.accumulators * plane(layout), line) / line | 1) * line;
  }

  static int64_t scratch(const Feeds& feeds, const Layout& layout, int64_t slice_rows) {
    const int64_t rows = block_rows(feeds, layout, slice_rows), stride = block_stride(feeds, layout);
    const int64_t elements = rows * (stride + panel_width) + (O::group - 1) * stride;
    const int64_t in_strips =
        has_strips(feeds, layout) ? strip_count(feeds, layout) * rows / O::group * strip + V::lanes : 0;
    return static_cast<int64_t>(sizeof(Element)) * elements +
           static_cast<int64_t>(sizeof(T)) * ((tile_vectors<O> + 1) * V::lanes + in_strips) +
           static_cast<int64_t>(2 * sizeof(Element*)) * rows;
  }

  WeightGradients(const Feeds& feeds, const BackwardArguments& p, int64_t slice_rows, void* memory)
      : feeds(feeds),
        layout(p.layout),
        capacity(block_rows(feeds, layout, slice_rows)),
        stride(block_stride(feeds, layout)),
        d_w(static_cast<T*>(p.d_weight_ih)),
        d_u(static_cast<T*>(p.d_weight_hh)),
        d_b(static_cast<T*>(p.d_bias_ih)),
        d_b_hh(static_cast<T*>(p.d_bias_hh)),
        x_width(d_w ? layout.input : 0),
        width(x_width + (d_u ? layout.output : 0)) {
    z = static_cast<T*>(memory);
    panel = z + tile_vectors<O> * V::lanes;
    // Copying rows into the panel may write a vector beyond.
    block = reinterpret_cast<Element*>(panel + V::lanes) + capacity * panel_width;
    row = block + capacity * stride;
    x_rows = reinterpret_cast<const Element**>(row + (O::group - 1) * stride);
    h_rows = x_rows + capacity;
    strips = has_strips(feeds, layout) ? reinterpret_cast<T*>(h_rows + capacity) : nullptr;
    clear();
  }

  // The place for the derivatives of `rows` more rows, `stride` apart, each (accumulators, hidden).
  Element* reserve(int64_t rows) {
    if (used + rows > capacity) flush();
    return block + used * stride;
  }

  // How many rows are in the block, fewer than block_rows().
  int64_t rows() const { return used; }

  // Tells what the products saw at the next reserved row.
  void append(const Element* x, const Element* h) {
    x_rows[used] = x;
    h_rows[used++] = h;
  }

  // Adds the products of all rows so far.
  GATEWORK_CALLED void flush();

 private:
  void clear() {
    const auto inputs = static_cast<size_t>(feeds.inputs * layout.hidden), size = sizeof(T);
    const auto gates = static_cast<size_t>(feeds.gates * layout.hidden);
    if (d_w) __builtin_memset(d_w, 0, inputs * static_cast<size_t>(layout.input) * size);
    if (d_u) __builtin_memset(d_u, 0, gates * static_cast<size_t>(layout.output) * size);
    if (d_b) __builtin_memset(d_b, 0, inputs * size);
    if (d_b_hh) __builtin_memset(d_b_hh, 0, gates * size);
  }

  void add_biases() {
    for (int a = 0; a < feeds.accumulators; ++a) {
      T* const b = d_b && feeds.input[a] >= 0 ? d_b + feeds.input[a] * layout.hidden : nullptr;
      T* const b_hh = d_b_hh && feeds.gate[a] >= 0 ? d_b_hh + feeds.gate[a] * layout.hidden : nullptr;
      int64_t unit = 0;
      for (; unit + max_columns * V::lanes <= layout.hidden; unit += max_columns * V::lanes) {
        add_sums<max_columns>(a, unit, b, b_hh);
      }
      for (; unit < layout.hidden; unit += V::lanes) add_sums<1>(a, unit, b, b_hh);
    }
  }

  // Adds the sums over all rows for one accumulator to those of `Count` vectors of units: together they take whole
  // lines of the cache.
  template <int Count>
  GATEWORK_INLINE void add_sums(int a, int64_t unit, T* b, T* b_hh) const {
    V sums[Count] = {};
    const Element* from = block + a * plane(layout) + unit;
    for (int64_t k = 0; k < used; ++k) {
#pragma GCC unroll 4
      for (int c = 0; c < Count; ++c) {
        sums[c] = sums[c] + O::load(from + k * stride + c * V::lanes, layout.hidden - unit - c * V::lanes);
      }
    }
    for (int c = 0; c < Count; ++c) {
      const int64_t at = unit + c * V::lanes, count = layout.hidden - at;
      if (b) store_units(load_units<V>(b + at, count) + sums[c], b + at, count);
      if (b_hh) store_units(load_units<V>(b_hh + at, count) + sums[c], b_hh + at, count);
    }
  }

  // Brings the elements of two rows side by side, in place: row by row of pairs, 2 * stride apart. A row without a
  // partner gets zeros.
  void pair_rows() {
    const int64_t wide = feeds.accumulators * plane(layout);
    if (used % 2) __builtin_memset(block + used * stride, 0, static_cast<size_t>(wide) * sizeof(Element));
    for (int64_t k = 0; k < used; k += 2) {
      Element* const even = block + k * stride;
      __builtin_memcpy(row, even, static_cast<size_t>(stride) * sizeof(Element));
      const Element* const rows[] = {row, even + stride};
      // Writing stays behind what is still to be read of the odd row.
      for (int64_t column = 0; column < wide; column += V::lanes) {
        O::gather(rows, 2, column, V::lanes).store(reinterpret_cast<T*>(even) + column);
      }
    }
  }

  // Zeros behind the groups of all rows so far, as far as a product goes.
  GATEWORK_INLINE void fill_up(T* rows, int64_t row_stride) const {
    const int64_t there = (used + O::group - 1) / O::group, missing = O::groups(used) - there;
    if (missing) __builtin_memset(rows + there * row_stride, 0, static_cast<size_t>(missing * row_stride) * sizeof(T));
  }

  // For products on tile registers, which read down the columns of derivatives.
  void turn_pairs() {
    T* const groups = reinterpret_cast<T*>(block);
    fill_up(groups, stride);
    O::turn(groups, stride, O::groups(used), feeds.accumulators * plane(layout));
  }

  static GATEWORK_INLINE bool has_strips(const Feeds& feeds, const Layout& layout) {
    return !O::is_on_tile_registers && is_large(feeds, layout);
  }

  static int64_t strip_count(const Feeds& feeds, const Layout& layout) {
    return (feeds.accumulators * split_rows(layout.hidden, tile_height).count + strip_tiles - 1) / strip_tiles;
  }

  // Where the groups of a tile begin in the strips, `strip` apart.
  GATEWORK_INLINE T* in_strips(int64_t place) const {
    return strips + place / strip_tiles * (capacity / O::group) * strip + place % strip_tiles * tile_height;
  }

  // Copies the groups of all rows, tile by tile, each in whole vectors: what is too much is overwritten by the next
  // tile of the row, and behind the last one by the next row.
  GATEWORK_CALLED void cut_strips() {
    const T* const from = reinterpret_cast<const T*>(block);
    const int64_t groups = O::groups(used);
    int64_t columns[strip_tiles], count = 0, first = 0;
    const auto cut = [&] {
      for (int64_t group = 0; group < groups; ++group) {
        const T* const row_groups = from + group * stride;
        T* const to = in_strips(first) + group * strip;
        for (int64_t k = 0; k < count; ++k) {
          for (int64_t unit = 0; unit < tile_height; unit += V::lanes) {
            V::load(row_groups + columns[k] + unit).store(to + k * tile_height + unit);
          }
        }
      }
      first += count;
      count = 0;
    };
    each_tile([&](int64_t, int a, int64_t unit, int64_t) {
      columns[count++] = a * plane(layout) + unit;
      if (count == strip_tiles) cut();
    });
    if (count) cut();
  }

  // Calls tile(place, accumulator, first unit, units) for each tile of units.
  template <class Tile>
  GATEWORK_INLINE void each_tile(const Tile& tile) {
    const Tiles tiles = split_rows(O::is_on_tile_registers ? plane(layout) : layout.hidden, tile_height);
    for (int a = 0; a < feeds.accumulators; ++a) {
      int64_t unit = 0;
      for (int64_t k = 0; k < tiles.count; ++k) {
        const int64_t height = tiles.height + (k < tiles.larger);
        tile(a * tiles.count + k, a, unit, height);
        unit += height;
      }
    }
  }

  // Copies the columns [column, column + panel_width) of x and h side by side.
  void pack_panel(int64_t column) {
    const int64_t end = column + panel_width;
    const bool is_in_x = end <= x_width, is_in_h = column >= x_width && end <= width;
    if (is_in_x || is_in_h) {
      const Element* const* rows = is_in_x ? x_rows : h_rows;
      const int64_t offset = is_in_x ? column : column - x_width;
      T* to = panel;
      for (int64_t k = 0; k < used; k += O::group) {
        for (int c = 0; c < max_columns; ++c) {
          O::gather(rows + k, used - k, offset + c * V::lanes, V::lanes).store(to + c * V::lanes);
        }
        to += panel_width;
      }
      return;
    }
    const int64_t panel_stride = panel_columns(column) * V::lanes;
    const Parts parts = parts_of(column);
    for (int64_t k = 0; k < used; k += O::group) {
      T* const to = panel + k / O::group * panel_stride;
      V::constant(0).store(to + panel_stride - V::lanes);
      for (int64_t c = 0; c < parts.x; c += V::lanes) {
        O::gather(x_rows + k, used - k, column + c, parts.x - c).store(to + c);
      }
      for (int64_t c = 0; c < parts.h; c += V::lanes) {
        O::gather(h_rows + k, used - k, parts.h_begin + c, parts.h - c).store(to + parts.x + c);
      }
    }
  }

  // How many columns of x and of h the panel from `column` on has, and where those of h begin.
  struct Parts {
    int64_t x, h, h_begin;
  };

  GATEWORK_INLINE Parts parts_of(int64_t column) const {
    const int64_t end = column + panel_width < width ? column + panel_width : width;
    const int64_t x_end = end < x_width ? end : x_width, h_begin = column > x_width ? column : x_width;
    return {x_end > column ? x_end - column : 0, end > h_begin ? end - h_begin : 0, h_begin - x_width};
  }

  // How many vectors the panel has that begins at `column`.
  GATEWORK_INLINE int panel_columns(int64_t column) const {
    const int64_t left = round_up(width - column, V::lanes) / V::lanes;
    return static_cast<int>(left < max_columns ? left : max_columns);
  }

  void multiply_panel(int64_t column) {
    const int columns = panel_columns(column);
    const Parts parts = parts_of(column);
    each_tile([&](int64_t place, int a, int64_t unit, int64_t height) {
      const int rows = static_cast<int>(height);
      if (feeds.input[a] < 0 && column + panel_width <= x_width) return;
      if (feeds.gate[a] < 0 && column >= x_width) return;
      const T* const from = strips ? in_strips(place) : reinterpret_cast<const T*>(block) + a * plane(layout) + unit;
      if constexpr (O::is_on_tile_registers) {
        O::multiply_transposed(columns, from, stride, panel, O::groups(used), z);
      } else {
        tile_function<O, MultiplyTransposed>(rows, columns)(from, strips ? strip : stride, panel, columns * V::lanes,
                                                            O::groups(used), z);
      }
      const int64_t in = feeds.input[a] * layout.hidden + unit;
      const int64_t gate = feeds.gate[a] * layout.hidden + unit;
      for (int64_t r = 0; r < height && unit + r < layout.hidden; ++r) {
        const T* sums = z + r * columns * V::lanes;
        if (feeds.input[a] >= 0 && parts.x) add(sums, parts.x, d_w + (in + r) * layout.input + column);
        if (feeds.gate[a] >= 0 && parts.h) {
          add(sums + parts.x, parts.h, d_u + (gate + r) * layout.output + parts.h_begin);
        }
      }
    });
  }

  static GATEWORK_INLINE void add(const T* sums, int64_t count, T* to) {
    for (int64_t k = 0; k < count; k += V::lanes) {
      store_units(load_units<V>(to + k, count - k) + V::load(sums + k), to + k, count - k);
    }
  }

  const Feeds& feeds;
  const Layout& layout;
  const int64_t capacity;

 public:
  const int64_t stride;

 private:
  T *const d_w, *const d_u, *const d_b, *const d_b_hh;
  const int64_t x_width, width;  // the columns of x, and of x and h, that are multiplied with
  T *z, *panel, *strips;         // groups lie in the place of a T each; there are strips of large layers alone
  Element *block, *row;
  const Element **x_rows, **h_rows;
  int64_t used = 0;
};

template <class O>
void WeightGradients<O>::flush() {
  if (used == 0) return;
  if (d_b || d_b_hh) add_biases();
  if (width > 0) {
    if constexpr (O::is_rounded) pair_rows();
    if constexpr (O::is_on_tile_registers) turn_pairs();
    if (strips) cut_strips();
    for (int64_t column = 0; column < width; column += panel_width) {
      pack_panel(column);
      fill_up(panel, panel_columns(column) * V::lanes);
      multiply_panel(column);
    }
  }
  used = 0;
}

}  // namespace gatework::GATEWORK_ISA
