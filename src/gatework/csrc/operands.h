// What the matrix products are made of: the numbers of the scan as they are, or rounded to bfloat16.
//
// A scan computes with vectors V of numbers T. The factors of its products, x, the output and their derivatives are
// stored as `Element`; everything else (states, sums, saved values, weights and their gradients) is T. Along the depth
// of a product `group` elements lie together, in the place of one T, and are multiplied and added as one; a panel is
// filled up with zeros to whole multiples of `slice_multiple` elements. A scan holds a `Session` while it multiplies.
#pragma once

#include "vector.h"

namespace gatework::GATEWORK_ISA {

constexpr int max_columns = 4;
constexpr int max_rows = 8;

// The tallest tile whose sums, with one row of the panel and one element of `a`, stay in registers.
constexpr int tallest(int columns) {
  if (vector_registers == 32) return columns == 4 ? 6 : max_rows;
  return columns == 4 ? 3 : columns == 3 ? 4 : columns == 2 ? 6 : max_rows;
}

// What a product needs that is made of vectors: nothing besides them.
struct OnVectors {
  struct Session {};
  static constexpr bool is_on_tile_registers = false;
  static constexpr int most_rows = max_rows;
  static constexpr int tallest(int columns) { return GATEWORK_ISA::tallest(columns); }
};

template <class V>
GATEWORK_INLINE V load_units(const typename V::T* from, int64_t count) {
  return count >= V::lanes ? V::load(from) : V::load(from, static_cast<int>(count));
}

template <class V>
GATEWORK_INLINE void store_units(V value, typename V::T* to, int64_t count) {
  if (count >= V::lanes) {
    value.store(to);
  } else {
    value.store(to, static_cast<int>(count));
  }
}

// The numbers as they are.
template <class V_>
struct Exact : OnVectors {
  using V = V_;
  using T = typename V::T;
  using Element = T;
  using Factor = V;
  static constexpr bool is_rounded = false;
  static constexpr int64_t group = 1, slice_multiple = 1;

  static GATEWORK_INLINE int64_t groups(int64_t depth) { return depth; }
  static GATEWORK_INLINE T element(T value) { return value; }

  // The factors of a row of a panel, and one group of `a` for all lanes.
  static GATEWORK_INLINE Factor factors(const T* panel) { return V::load(panel); }
  static GATEWORK_INLINE Factor broadcast(const Element* a) { return V::broadcast(*a); }
  static GATEWORK_INLINE V add_product(V sum, Factor a, Factor b) { return sum + a * b; }

  static GATEWORK_INLINE V load(const Element* from, int64_t count) { return load_units<V>(from, count); }
  static GATEWORK_INLINE void store(V value, Element* to) { value.store(to); }
  static GATEWORK_INLINE void store(V value, Element* to, int64_t count) { store_units(value, to, count); }

  // The groups of up to a vector of columns in the first rows of `rows`.
  static GATEWORK_INLINE V gather(const Element* const* rows, int64_t, int64_t column, int64_t columns) {
    return load_units<V>(rows[0] + column, columns);
  }
};

// The upper half of a float.
struct bfloat16 {
  uint16_t bits;
};

// Factors rounded to bfloat16, in pairs; sums in float. Where the processor multiplies such pairs it does; elsewhere
// both halves become floats again, with the same result but for the order of the sums.
template <class V_>
struct Bfloat16 : OnVectors {
  using V = V_;
  using T = typename V::T;
  using Element = bfloat16;
  static constexpr bool is_rounded = true;
  static constexpr int64_t group = 2, slice_multiple = 2;
  static_assert(sizeof(T) == group * sizeof(Element), "a pair takes the place of a number");

  static GATEWORK_INLINE int64_t groups(int64_t depth) { return (depth + 1) / 2; }

  // To the nearest, ties to even; NaN stays.
  static GATEWORK_INLINE Element element(T value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    if (value != value) return {static_cast<uint16_t>(bits >> 16 | 64)};
    return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
  }

#if defined(__AVX512BF16__)
  using Factor = V;
  static GATEWORK_INLINE Factor pairs(typename V::Bits bits) { return V::from_bits(bits); }
  static GATEWORK_INLINE V add_product(V sum, Factor a, Factor b) {
    return {(typename V::Raw)_mm512_dpbf16_ps((__m512)sum.raw, (__m512bh)a.raw, (__m512bh)b.raw)};
  }
#else
  struct Factor {
    V even, odd;
  };
  static GATEWORK_INLINE Factor pairs(typename V::Bits bits) {
    return {V::from_bits(bits << 16), V::from_bits(bits & static_cast<int32_t>(0xffff0000))};
  }
  static GATEWORK_INLINE V add_product(V sum, Factor a, Factor b) { return sum + a.odd * b.odd + a.even * b.even; }
#endif

  static GATEWORK_INLINE Factor factors(const T* panel) { return pairs(V::load(panel).bits()); }
  static GATEWORK_INLINE Factor broadcast(const T* a) { return broadcast(reinterpret_cast<const Element*>(a)); }
  static GATEWORK_INLINE Factor broadcast(const Element* a) {
    int32_t pair;
    __builtin_memcpy(&pair, a, sizeof(pair));
    return pairs(pair - typename V::Bits{});
  }
  // The last element of an odd depth; what lies behind it is not read.
  static GATEWORK_INLINE Factor broadcast_last(const Element* a) {
    return pairs(static_cast<int32_t>(a->bits) - typename V::Bits{});
  }

  static GATEWORK_INLINE V load(const Element* from, int64_t count) { return V::from_bits(bits_of(from, count) << 16); }
  static GATEWORK_INLINE void store(V value, Element* to) {
    const Halves halves = rounded(value);
    __builtin_memcpy(to, &halves, sizeof(halves));
  }
  static GATEWORK_INLINE void store(V value, Element* to, int64_t count) {
    if (count >= V::lanes) return store(value, to);
    const Halves halves = rounded(value);
#if defined(__AVX512BW__) && defined(__AVX512VL__)
    _mm256_mask_storeu_epi16(to, static_cast<__mmask16>((1u << count) - 1), (__m256i)halves);
#else
    Element buffer[V::lanes];
    __builtin_memcpy(buffer, &halves, sizeof(halves));
    for (int64_t k = 0; k < count; ++k) to[k] = buffer[k];
#endif
  }

  static GATEWORK_INLINE V gather(const Element* const* rows, int64_t count, int64_t column, int64_t columns) {
    const Halves even = load_halves(rows[0] + column, columns);
    const Halves odd = count > 1 ? load_halves(rows[1] + column, columns) : Halves{};
    return interleaved(even, odd, std::make_integer_sequence<int, 2 * V::lanes>());
  }

 private:
  typedef uint16_t Halves __attribute__((vector_size(sizeof(uint16_t) * V::lanes)));

  static GATEWORK_INLINE typename V::Bits bits_of(const Element* from, int64_t count) {
    return __builtin_convertvector(load_halves(from, count), typename V::Bits);
  }

  template <int... Places>
  static GATEWORK_INLINE V interleaved(Halves even, Halves odd, std::integer_sequence<int, Places...>) {
    const auto pairs = __builtin_shufflevector(even, odd, (Places / 2 + Places % 2 * V::lanes)...);
    V result;
    __builtin_memcpy(&result, &pairs, sizeof(result));
    return result;
  }

  static GATEWORK_INLINE Halves load_halves(const Element* from, int64_t count) {
    Halves halves;
    if (count >= V::lanes) {
      __builtin_memcpy(&halves, from, sizeof(halves));
    } else {
#if defined(__AVX512BW__) && defined(__AVX512VL__)
      halves = (Halves)_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), from);
#else
      Element buffer[V::lanes] = {};
      for (int64_t k = 0; k < count; ++k) buffer[k] = from[k];
      __builtin_memcpy(&halves, buffer, sizeof(halves));
#endif
    }
    return halves;
  }

  static GATEWORK_INLINE Halves rounded(V value) {
#if defined(__AVX512BF16__)
    return (Halves)_mm512_cvtneps_pbh((__m512)value.raw);
#else
    const auto bits = value.bits();
    const auto nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    const auto saved = (value == value).bits;
    return __builtin_convertvector((nearest & saved) | ((bits >> 16 | 64) & ~saved), Halves);
#endif
  }
};

}  // namespace gatework::GATEWORK_ISA
