// Products of factors rounded to bfloat16 on tile registers (AMX), where the processor has them.
//
// A tile of gemm.h is up to 32 rows, two registers of 16, by up to four vectors of 16 units. A step of 32 elements of
// depth takes one register of `a` for every 16 rows, and of the panel, whose pairs lie as the processor wants them, one
// for every vector: 16 pairs of depth by 16 units. Each is used for all that it meets: there are four registers of
// sums, so tall tiles go through the panel by two vectors at a time. Rows of `a` that end within a step are copied to
// where zeros follow, and panels are filled up with zeros, so that all steps are alike.
#pragma once

#include <type_traits>

#include "gemm.h"
#include "tile_registers.h"
#include "transpose.h"

namespace gatework::GATEWORK_ISA {

template <class V_>
struct AmxBfloat16 : Bfloat16<V_> {
  using V = V_;
  using T = typename V::T;
  using Element = bfloat16;
  static constexpr bool is_on_tile_registers = true;
  static constexpr int tile_rows = 16, most_rows = 2 * tile_rows;
  static constexpr int64_t slice_multiple = 32;
  static_assert(V::lanes == 16, "a row of a tile register is a vector");

  static constexpr int tallest(int) { return most_rows; }
  static GATEWORK_INLINE int64_t groups(int64_t depth) {
    return (depth + slice_multiple - 1) / slice_multiple * tile_rows;
  }

  // The thread's tile registers have a shape of this scan's while it lives.
  class Session {
   public:
    Session() = default;
    ~Session() {
      if (shaped_rows != 0) release_tiles();
      shaped_rows = 0;
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
  };

  static void multiply(int rows, int columns, const Product<AmxBfloat16>& p) {
    alignas(64) Element ends[max_segments][most_rows * slice_multiple];
    for (int s = 0; s < p.segment_count; ++s) copy_ends(p.segments[s], rows, ends[s]);
    shape(rows);
    in_columns(rows, columns, [&](auto tiles, auto width, int column) {
      multiply_columns<decltype(tiles)::value, decltype(width)::value>(p, columns, column, ends);
    });
  }

  // Turns each square of 16 groups by 16 columns, in place; the rows of groups are `stride` apart, `columns` is a whole
  // number of such squares.
  static void turn(T* a, int64_t stride, int64_t groups, int64_t columns) {
    for (T* const end = a + groups * stride; a != end; a += V::lanes * stride) {
      for (int64_t column = 0; column < columns; column += V::lanes) {
        V square[V::lanes];
#pragma GCC unroll 16
        for (int k = 0; k < V::lanes; ++k) square[k] = V::load(a + k * stride + column);
        transpose<V::lanes>(square);
#pragma GCC unroll 16
        for (int k = 0; k < V::lanes; ++k) square[k].store(a + k * stride + column);
      }
    }
  }

  // z (32 x columns) = a.T * b over `groups` groups of both, a whole number of slice_multiples: a from a column of
  // turn() on where a square begins, b a panel.
  static void multiply_transposed(int columns, const T* a, int64_t stride, const T* b, int64_t groups, T* z) {
    shape(most_rows);
    const Rows transposed = {a, stride * bytes, tile_rows * stride * bytes, tile_rows * bytes};
    in_columns(most_rows, columns, [&](auto tiles, auto width, int column) {
      constexpr int t = decltype(tiles)::value, w = decltype(width)::value;
      each_sum<t, w>([](auto sum, int64_t, int64_t) GATEWORK_INLINED { clear_tile<decltype(sum)::value>(); });
      add_steps<t, w>(transposed, groups / tile_rows, b + column * V::lanes, columns * V::lanes);
      store_sums<t, w>(z + column * V::lanes, columns * V::lanes);
    });
  }

 private:
  template <int N>
  using Constant = std::integral_constant<int, N>;
  static constexpr int64_t row_bytes = slice_multiple * static_cast<int64_t>(sizeof(Element));
  static constexpr int64_t bytes = static_cast<int64_t>(sizeof(T));

  // How many rows the thread's registers are shaped for; 0 before the first product of a scan.
  static inline thread_local int shaped_rows = 0;

  // Registers 0 to 3 are sums, 4 and 5 are a's, 6 and 7 the panel's.
  template <int Tiles>
  static constexpr int sum_of(int tile, int column) {
    return Tiles == 1 ? column : 2 * tile + column;
  }

  static void shape(int rows) {
    if (rows == shaped_rows) return;
    shaped_rows = rows;
    TileShape next;
    const auto upper = static_cast<uint8_t>(rows < tile_rows ? rows : tile_rows);
    const auto lower = rows > tile_rows ? static_cast<uint8_t>(rows - tile_rows) : upper;
    for (int k = 0; k < 8; ++k) {
      const bool is_lower = k == 2 || k == 3 || k == 5;
      next.row_bytes[k] = row_bytes;
      next.rows[k] = k >= 6 ? tile_rows : is_lower ? lower : upper;
    }
    set_tile_shape(next);
  }

  // The elements of each row behind the last whole slice_multiple, and zeros.
  static void copy_ends(const Segment<Element>& segment, int rows, Element* to) {
    const int64_t count = segment.depth % slice_multiple;
    if (count == 0) return;
    const Element* from = segment.a + (segment.depth - count);
    const auto mask = static_cast<__mmask32>((uint64_t{1} << count) - 1);
    for (int r = 0; r < rows; ++r) {
      _mm512_store_si512(to + r * slice_multiple, _mm512_maskz_loadu_epi16(mask, from + r * segment.lda));
    }
  }

  // Calls add(tiles of rows, width, first column) until all columns had their turn.
  template <class Add>
  static GATEWORK_INLINE void in_columns(int rows, int columns, const Add& add) {
    if (rows > tile_rows) {
      int column = 0;
      for (; column + 1 < columns; column += 2) add(Constant<2>(), Constant<2>(), column);
      if (column < columns) add(Constant<2>(), Constant<1>(), column);
    } else if (columns == 4) {
      add(Constant<1>(), Constant<4>(), 0);
    } else if (columns == 3) {
      add(Constant<1>(), Constant<3>(), 0);
    } else if (columns == 2) {
      add(Constant<1>(), Constant<2>(), 0);
    } else {
      add(Constant<1>(), Constant<1>(), 0);
    }
  }

  // Calls body(k) for each k < Count, a constant.
  template <class Body, int... K>
  static GATEWORK_INLINE void each(std::integer_sequence<int, K...>, const Body& body) {
    (body(Constant<K>()), ...);
  }
  template <int Count, class Body>
  static GATEWORK_INLINE void each(const Body& body) {
    each(std::make_integer_sequence<int, Count>(), body);
  }

  // The sums of `Width` vectors of columns from `column` on; the panel has `columns`.
  template <int Tiles, int Width>
  static void multiply_columns(const Product<AmxBfloat16>& p, int columns, int column,
                               const Element (&ends)[max_segments][most_rows * slice_multiple]) {
    each_sum<Tiles, Width>([&](auto sum, int64_t row, int64_t vector) GATEWORK_INLINED {
      const T* from = p.start + row * p.start_stride + (column + vector) * V::lanes;
      load_tile<decltype(sum)::value>(from, p.start_stride * bytes);
    });
    const T* panel = p.panel + column * V::lanes;
    const int64_t panel_stride = columns * V::lanes;
    for (int s = 0; s < p.segment_count; ++s) {
      const Segment<Element>& segment = p.segments[s];
      const int64_t steps = segment.depth / slice_multiple, end = segment.depth % slice_multiple;
      const Rows rows = {segment.a, segment.lda * 2, 2 * slice_multiple, segment.lda * 2 * tile_rows};
      panel = add_steps<Tiles, Width>(rows, steps, panel, panel_stride);
      if (end == 0) continue;
      panel = add_steps<Tiles, Width>({ends[s], row_bytes, 0, row_bytes * tile_rows}, 1, panel, panel_stride);
    }
    store_sums<Tiles, Width>(p.z + column * V::lanes, p.z_stride);
  }

  // Calls use(register, first row, vector) for each register of sums.
  template <int Tiles, int Width, class Use>
  static GATEWORK_INLINE void each_sum(const Use& use) {
    each<Tiles * Width>([&](auto k) GATEWORK_INLINED {
      constexpr int tile = decltype(k)::value / Width, vector = decltype(k)::value % Width;
      use(Constant<sum_of<Tiles>(tile, vector)>(), tile * tile_rows, vector);
    });
  }

  template <int Tiles, int Width>
  static GATEWORK_INLINE void store_sums(T* z, int64_t z_stride) {
    each_sum<Tiles, Width>([&](auto sum, int64_t row, int64_t vector) GATEWORK_INLINED {
      store_tile<decltype(sum)::value>(z + row * z_stride + vector * V::lanes, z_stride * bytes);
    });
  }

  // Pairs of depth, row by row: how far apart, in bytes, rows are, steps of depth, and one tile of rows and the next.
  struct Rows {
    const void* at;
    int64_t stride, to_step, to_tile;
  };

  // Adds `steps` steps of depth; gives where the panel goes on.
  template <int Tiles, int Width>
  static GATEWORK_INLINE const T* add_steps(const Rows& rows, int64_t steps, const T* panel, int64_t panel_stride) {
    const char* a = static_cast<const char*>(rows.at);
    for (int64_t k = 0; k < steps; ++k) {
      each<Tiles>([&](auto tile) GATEWORK_INLINED {
        load_tile<4 + decltype(tile)::value>(a + decltype(tile)::value * rows.to_tile, rows.stride);
      });
      each<Width>([&](auto c) GATEWORK_INLINED {
        constexpr int vector = decltype(c)::value, b = 6 + vector % 2;
        load_tile<b>(panel + vector * V::lanes, panel_stride * bytes);
        each<Tiles>([&](auto t) GATEWORK_INLINED {
          constexpr int tile = decltype(t)::value;
          multiply_tiles<sum_of<Tiles>(tile, vector), 4 + tile, b>();
        });
      });
      a += rows.to_step;
      panel += tile_rows * panel_stride;
    }
    return panel;
  }
};

}  // namespace gatework::GATEWORK_ISA
