// The cross-entropy of a linear layer over many columns, and its gradients along with it.
//
// Some rows at a time, enough to pay for reading the weights once more: their logits (rows x columns) are a product
// with the packed weights, become probabilities and then derivatives, and are multiplied with the weights again, which
// gives the gradient of x. The derivatives of a whole block of rows are kept, group by group of rows, for one product
// with x that gives the weights' gradient. Factors are those of the operands O, sums are floats.
#pragma once

#include "../activations.h"
#include "../pack.h"
#include "../transpose.h"
#include "softmax.h"

namespace gatework::GATEWORK_ISA {

template <class O>
class CrossEntropy {
  using V = typename O::V;
  using T = typename O::T;
  using Element = typename O::Element;
  using Arguments = softmax::Arguments;
  static constexpr int64_t lanes = V::lanes, panel_width = max_columns * lanes;
  // Rows at a time, and columns of which the derivatives of a block lie together: multiples of all heights of tiles.
  static constexpr int64_t chunk_rows = O::is_rounded ? 24 : 96, strip = 48;
  // Groups of a panel at a time, for a product along the columns: what stays in the first caches.
  static constexpr int64_t depth_groups = 256;

 public:
  static int64_t shared_bytes(const Arguments& a) { return CrossEntropy(a, nullptr, nullptr).shared_size; }
  static int64_t own_bytes(const Arguments& a) { return CrossEntropy(a, nullptr, nullptr).own_size; }

  static int64_t parts(const Arguments& a, softmax::Phase phase) {
    if (phase == softmax::Phase::pack) return count_of(a.columns, panel_width);
    return phase == softmax::Phase::rows ? count_of(a.block, chunk_rows) : count_of(a.columns, strip);
  }

  static void run(const Arguments& a, softmax::Phase phase, int64_t first_row, int64_t part, void* shared, void* own) {
    const CrossEntropy it(a, shared, own);
    if (phase == softmax::Phase::pack) return it.pack(part);
    const int64_t left = a.rows - first_row, there = left < a.block ? left : a.block;
    if (phase == softmax::Phase::columns) return it.add_columns(part, there, first_row == 0);
    const int64_t from = part * chunk_rows, count = there - from < chunk_rows ? there - from : chunk_rows;
    if (count > 0) it.take_rows(first_row, from, count);
  }

 private:
  static int64_t count_of(int64_t size, int64_t each) { return (size + each - 1) / each; }

  // Places in memory that is handed out piece by piece, each from the beginning of a line on.
  struct Places {
    char* from;
    int64_t used = 0;
    template <class What>
    What* take(int64_t count) {
      What* const place = from ? reinterpret_cast<What*>(from + used) : nullptr;
      used += round_up(count * static_cast<int64_t>(sizeof(What)), 64);
      return place;
    }
  };

  CrossEntropy(const Arguments& arguments, void* shared, void* own)
      : a(arguments),
        wide_features(round_up(a.features, O::group * lanes)),
        wide_columns(round_up(a.columns, lanes)),
        feature_groups(O::groups(a.features)),
        column_groups(O::groups(a.columns)),
        row_groups(O::groups(a.block)) {
    const int64_t wide_units = round_up(a.features, lanes), chunks = count_of(a.block, chunk_rows);
    Places all{static_cast<char*>(shared)};
    forward_panels = all.template take<T>(feature_groups * wide_columns);
    starts = all.template take<T>(wide_columns);
    backward_panels = all.template take<T>(a.d_x ? column_groups * wide_units : 0);
    x_panels = all.template take<T>(a.d_weight ? row_groups * wide_units : 0);
    strips = all.template take<T>(a.d_weight ? row_groups * count_of(a.columns, strip) * strip : 0);
    bias_sums = all.template take<T>(a.d_bias ? chunks * wide_columns : 0);
    shared_size = all.used;
    Places mine{static_cast<char*>(own)};
    elements = mine.template take<Element>((chunk_rows > lanes ? chunk_rows : lanes) * wide_features);
    logits = mine.template take<T>(chunk_rows * wide_columns);
    // Derivatives that are not rounded take the place of the logits.
    if constexpr (O::is_rounded) {
      slopes = mine.template take<Element>(chunk_rows * wide_columns + lanes);
    } else {
      slopes = logits;
    }
    sums = mine.template take<T>(chunk_rows * wide_units);
    own_size = mine.used;
  }

  static const T* zeros() {
    alignas(64) static const T none[panel_width] = {};
    return none;
  }

  // Rounds rows to elements, zeros behind their end and behind the last row.
  void round_rows(const T* from, int64_t width, int64_t count, int64_t height, int64_t stride, Element* to) const {
    for (int64_t r = 0; r < height; ++r) {
      for (int64_t k = 0; k < stride; k += lanes) {
        const int64_t left = r < count ? width - k : 0;
        O::store(left > 0 ? load_units<V>(from + r * width + k, left) : V::constant(0), to + r * stride + k);
      }
    }
  }

  // The vectors of the panel that begins at a column.
  static int columns_at(int64_t column, int64_t wide) {
    const int64_t left = (wide - column) / lanes;
    return static_cast<int>(left < max_columns ? left : max_columns);
  }

  // Writes a group of rows, of which `there` exist, into panels along the units.
  void put_group(const Element* rows, int64_t there, int64_t groups, int64_t group, T* panels) const {
    const Element* each[2] = {rows, rows + (O::group - 1) * wide_features};
    const int64_t wide = round_up(a.features, lanes);
    for (int64_t unit = 0; unit < wide; unit += panel_width) {
      const int columns = columns_at(unit, wide);
      T* const to = panels + unit * groups + group * columns * lanes;
      for (int c = 0; c < columns; ++c) O::gather(each, there, unit + c * lanes, lanes).store(to + c * lanes);
    }
  }

  // The panel of some columns for the logits, and their groups in the panels for the gradient of x.
  void pack(int64_t part) const {
    const int64_t column = part * panel_width;
    const int columns = columns_at(column, wide_columns);
    T* const panel = forward_panels + column * feature_groups;
    for (int c = 0; c < columns; ++c) {
      const int64_t first = column + c * lanes, count = a.columns - first < lanes ? a.columns - first : lanes;
      round_rows(a.weight + first * a.features, a.features, count, lanes, wide_features, elements);
      for (int64_t lane = 0; lane < lanes; ++lane) {
        starts[first + lane] = a.bias && lane < count ? a.bias[first + lane] : 0;
      }
      turn(panel + c * lanes, columns * lanes);
      if (!a.d_x) continue;
      for (int64_t r = 0; r < count; r += O::group) {
        const int64_t there = count - r < O::group ? count - r : O::group;
        put_group(elements + r * wide_features, there, column_groups, (first + r) / O::group, backward_panels);
      }
    }
  }

  // Puts the groups of `lanes` rows of elements side by side, those of each place in a vector.
  void turn(T* to, int64_t stride) const {
    const T* const from = reinterpret_cast<const T*>(elements);
    const int64_t wide = wide_features / O::group;
    for (int64_t group = 0; group < feature_groups; group += lanes) {
      V square[lanes];
      for (int64_t lane = 0; lane < lanes; ++lane) square[lane] = V::load(from + lane * wide + group);
      transpose<V::lanes>(square);
      const int64_t left = feature_groups - group;
      for (int64_t k = 0; k < (left < lanes ? left : lanes); ++k) square[k].store(to + (group + k) * stride);
    }
  }

  // Losses and derivatives of some rows of a block.
  void take_rows(int64_t first_row, int64_t from, int64_t count) const {
    const int64_t row = first_row + from;
    round_rows(a.x + row * a.features, a.features, count, round_up(count, O::group), wide_features, elements);
    multiply_panels(elements, wide_features, feature_groups, feature_groups, count, forward_panels, wide_columns,
                    starts, logits);
    const bool is_followed = a.d_x || a.d_weight || a.d_bias;
    T* const bias = a.d_bias ? bias_sums + from / chunk_rows * wide_columns : nullptr;
    for (int64_t k = 0; bias && k < wide_columns; k += lanes) V::constant(0).store(bias + k);
    for (int64_t r = 0; r < count; ++r) {
      T* const l = logits + r * wide_columns;
      const T all = take_row(row + r, l);
      if (is_followed) give_slopes(row + r, all, l, slopes + r * wide_columns, bias);
    }
    if (!a.d_x && !a.d_weight) return;
    if (a.d_x) give_rows(row, count);
    if (!a.d_weight) return;
    for (int64_t r = 0; r < count; r += O::group) keep_group(r, count - r < O::group ? count - r : O::group, from + r);
  }

  // z (count x wide) = the product of rows of elements with the panels, a part of their groups at a time, and `start`
  // in every row, unless it is null.
  void multiply_panels(const Element* rows, int64_t stride, int64_t groups, int64_t at_once, int64_t count,
                       const T* panels, int64_t wide, const T* start, T* z) const {
    for (int64_t group = 0; group < groups; group += at_once) {
      const int64_t depth = groups - group < at_once ? groups - group : at_once;
      for (int64_t column = 0; column < wide; column += panel_width) {
        const int columns = columns_at(column, wide);
        const T* const panel = panels + column * groups + group * columns * lanes;
        const Tiles tiles = split_rows(count, O::tallest(columns));
        int64_t r = 0;
        for (int64_t k = 0; k < tiles.count; ++k) {
          const int64_t height = tiles.height + (k < tiles.larger);
          const Segment<Element> segment = {rows + r * stride + group * O::group, stride, depth * O::group};
          T* const to = z + r * wide + column;
          const T* const before = group ? to : start ? start + column : zeros();
          multiply<O>(static_cast<int>(height), columns, {before, group ? wide : 0, to, wide, &segment, 1, panel});
          r += height;
        }
      }
    }
  }

  // The loss of a row; its logits become powers of e, whose sum is returned.
  T take_row(int64_t row, T* l) const {
    const int64_t whole = a.columns / lanes * lanes, rest = a.columns - whole;
    const T lowest = -__builtin_inff();
    for (int64_t k = a.columns; k < wide_columns; ++k) l[k] = lowest;
    V most = V::constant(lowest), total = V::constant(0);
    for (int64_t k = 0; k < whole; k += lanes) {
      const V logit = V::load(l + k);
      most = maximum(logit, most);
      total = total + logit;
    }
    if (rest) {
      most = maximum(V::load(l + whole), most);
      total = total + V::load(l + whole, static_cast<int>(rest));
    }
    T largest = most.raw[0];
    for (int64_t lane = 1; lane < lanes; ++lane) largest = most.raw[lane] > largest ? most.raw[lane] : largest;
    const T of_right = l[a.right[row]];
    V sum = V::constant(0);
    for (int64_t k = 0; k < wide_columns; k += lanes) {
      const V e = exp(V::load(l + k) - V::broadcast(largest));
      e.store(l + k);
      sum = sum + e;
    }
    const T all = sum_of(sum), of_all = a.smoothing != 0 ? a.smoothing * sum_of(total) / static_cast<T>(a.columns) : 0;
    a.losses[row] = largest + __builtin_logf(all) - (1 - a.smoothing) * of_right - of_all;
    return all;
  }

  // The derivatives by the logits of a row, from its powers of e and their sum; `bias`, where there is one, receives
  // them too.
  void give_slopes(int64_t row, T all, const T* l, Element* to, T* bias) const {
    const int64_t right = a.right[row], begin = right / lanes * lanes;
    const V factor = V::broadcast(a.scale / all);
    const V share = V::broadcast(a.scale * a.smoothing / static_cast<T>(a.columns));
    const V before = bias ? V::load(bias + begin) : V::constant(0);
    alignas(64) T with_right[lanes];
    (V::load(l + begin) * factor - share).store(with_right);
    with_right[right - begin] -= a.scale * (1 - a.smoothing);
    for (int64_t k = 0; k < wide_columns; k += lanes) {
      const V slope = V::load(l + k) * factor - share;
      O::store(slope, to + k);
      if (bias) (V::load(bias + k) + slope).store(bias + k);
    }
    const V slope = V::load(with_right);
    O::store(slope, to + begin);
    if (bias) (before + slope).store(bias + begin);
  }

  void give_rows(int64_t row, int64_t count) const {
    const int64_t wide = round_up(a.features, lanes);
    multiply_panels(slopes, wide_columns, column_groups, depth_groups, count, backward_panels, wide, nullptr, sums);
    for (int64_t r = 0; r < count; ++r) {
      for (int64_t k = 0; k < a.features; k += lanes) {
        store_units(V::load(sums + r * wide + k), a.d_x + (row + r) * a.features + k, a.features - k);
      }
    }
  }

  // Keeps a group of rows of derivatives and of x for the gradient of the weights.
  void keep_group(int64_t r, int64_t there, int64_t place) const {
    const int64_t group = place / O::group;
    put_group(elements + r * wide_features, there, row_groups, group, x_panels);
    const Element* const each[2] = {slopes + r * wide_columns, slopes + (r + O::group - 1) * wide_columns};
    for (int64_t column = 0; column < wide_columns; column += lanes) {
      T* const to = strips + column / strip * strip * row_groups + group * strip + column % strip;
      O::gather(each, there, column, lanes).store(to);
    }
  }

  // What the rows of a block give to the gradients of a strip of columns.
  void add_columns(int64_t part, int64_t rows, bool is_first) const {
    const int64_t first = part * strip, count = a.columns - first < strip ? a.columns - first : strip;
    if (a.d_bias) add_biases(first, count, rows, is_first);
    if (!a.d_weight) return;
    const int64_t wide = round_up(a.features, lanes), groups = O::groups(rows);
    for (int64_t unit = 0; unit < wide; unit += panel_width) {
      const int columns = columns_at(unit, wide);
      const Tiles tiles = split_rows(count, O::tallest(columns));
      int64_t column = 0;
      for (int64_t k = 0; k < tiles.count; ++k) {
        const int64_t height = tiles.height + (k < tiles.larger);
        alignas(64) T z[max_rows * panel_width];
        tile_function<O, MultiplyTransposed>(static_cast<int>(height), columns)(
            strips + first * row_groups + column, strip, x_panels + unit * row_groups, columns * lanes, groups, z);
        for (int64_t r = 0; r < height; ++r) {
          add(z + r * columns * lanes, a.features - unit, columns * lanes,
              a.d_weight + (first + column + r) * a.features + unit, is_first);
        }
        column += height;
      }
    }
  }

  static void add(const T* from, int64_t left, int64_t most, T* to, bool is_first) {
    for (int64_t k = 0; k < (left < most ? left : most); k += lanes) {
      const V value = V::load(from + k);
      store_units(is_first ? value : value + load_units<V>(to + k, left - k), to + k, left - k);
    }
  }

  void add_biases(int64_t first, int64_t count, int64_t rows, bool is_first) const {
    for (int64_t k = first; k < first + count; ++k) {
      T sum = is_first ? 0 : a.d_bias[k];
      for (int64_t chunk = 0; chunk < count_of(rows, chunk_rows); ++chunk) sum += bias_sums[chunk * wide_columns + k];
      a.d_bias[k] = sum;
    }
  }

  const Arguments& a;
  const int64_t wide_features, wide_columns, feature_groups, column_groups, row_groups;
  T *forward_panels, *starts, *backward_panels, *x_panels, *strips, *bias_sums;
  Element *elements, *slopes;
  T *logits, *sums;
  int64_t shared_size, own_size;
};

}  // namespace gatework::GATEWORK_ISA
