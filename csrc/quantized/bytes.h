// Products of bytes: numbers rounded to steps of a 127th of the largest of their row, multiplied four at a time into
// sums of int32, which are exact. Every instruction set gives the same integers.
#pragma once

#include "../activations.h"
#include "../gemm.h"

namespace gatework::GATEWORK_ISA {

using Floats = Widest<float>;
using Sums = Floats::Bits;

constexpr int group = 4;      // bytes that take the place of one int32
constexpr int largest = 127;  // of a byte, on both sides of 0: -128 is not used

// What instructions there are. `Factor` is one group of a row for all lanes; `bias` is what its bytes are stored above
// their value, which the sums make up for by what they start from.
#if defined(__AVX512VNNI__)

constexpr int bias = 128;
using Factor = __m512i;
GATEWORK_INLINE Factor factor(int32_t bytes) { return _mm512_set1_epi32(bytes); }
GATEWORK_INLINE Sums add_products(Sums sums, Factor x, Sums weights) {
  return (Sums)_mm512_dpbusd_epi32((__m512i)sums, x, (__m512i)weights);
}
GATEWORK_INLINE Sums nearest(Floats x) { return (Sums)_mm512_cvtps_epi32((__m512)x.raw); }

#elif defined(__AVXVNNI__)

constexpr int bias = 128;
using Factor = __m256i;
GATEWORK_INLINE Factor factor(int32_t bytes) { return _mm256_set1_epi32(bytes); }
GATEWORK_INLINE Sums add_products(Sums sums, Factor x, Sums weights) {
  return (Sums)_mm256_dpbusd_avx_epi32((__m256i)sums, x, (__m256i)weights);
}
GATEWORK_INLINE Sums nearest(Floats x) { return (Sums)_mm256_cvtps_epi32((__m256)x.raw); }

#elif defined(__AVX2__)

// Pairs of products are added up in int16: with neither byte beyond 127 they fit, 2 * 127 * 127 = 32258.
constexpr int bias = 0;
struct Factor {
  __m256i magnitude, value;
};
GATEWORK_INLINE Factor factor(int32_t bytes) {
  const __m256i value = _mm256_set1_epi32(bytes);
  return {_mm256_abs_epi8(value), value};
}
GATEWORK_INLINE Sums add_products(Sums sums, Factor x, Sums weights) {
  const __m256i pairs = _mm256_maddubs_epi16(x.magnitude, _mm256_sign_epi8((__m256i)weights, x.value));
  return sums + (Sums)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}
GATEWORK_INLINE Sums nearest(Floats x) { return (Sums)_mm256_cvtps_epi32((__m256)x.raw); }

#elif defined(__SSE2__)

// Bytes of even and of odd places as int16, whose products are added up in pairs.
constexpr int bias = 0;
struct Factor {
  __m128i even, odd;
};
GATEWORK_INLINE Factor widened(__m128i bytes) {
  return {_mm_srai_epi16(_mm_slli_epi16(bytes, 8), 8), _mm_srai_epi16(bytes, 8)};
}
GATEWORK_INLINE Factor factor(int32_t bytes) { return widened(_mm_set1_epi32(bytes)); }
GATEWORK_INLINE Sums add_products(Sums sums, Factor x, Sums weights) {
  const Factor w = widened((__m128i)weights);
  return sums + (Sums)_mm_madd_epi16(x.even, w.even) + (Sums)_mm_madd_epi16(x.odd, w.odd);
}
GATEWORK_INLINE Sums nearest(Floats x) { return (Sums)_mm_cvtps_epi32((__m128)x.raw); }

#elif defined(__ARM_FEATURE_DOTPROD)

constexpr int bias = 0;
using Factor = int8x16_t;
GATEWORK_INLINE Factor factor(int32_t bytes) { return vreinterpretq_s8_s32(vdupq_n_s32(bytes)); }
GATEWORK_INLINE Sums add_products(Sums sums, Factor x, Sums weights) {
  return (Sums)vdotq_s32((int32x4_t)sums, x, vreinterpretq_s8_s32((int32x4_t)weights));
}
GATEWORK_INLINE Sums nearest(Floats x) { return (Sums)vcvtnq_s32_f32((float32x4_t)x.raw); }

#else

constexpr int bias = 0;
struct Factor {
  int32_t value[group];
};
GATEWORK_INLINE Factor factor(int32_t bytes) {
  Factor x;
  for (int k = 0; k < group; ++k) x.value[k] = static_cast<int8_t>(bytes >> 8 * k);
  return x;
}
GATEWORK_INLINE Sums add_products(Sums sums, Factor x, Sums weights) {
#pragma GCC unroll 4
  for (int k = 0; k < group; ++k) sums += ((weights << (24 - 8 * k)) >> 24) * x.value[k];
  return sums;
}
GATEWORK_INLINE Sums nearest(Floats x) {
  Sums result;
  for (int k = 0; k < Floats::lanes; ++k) result[k] = static_cast<int32_t>(__builtin_lrintf(x.raw[k]));
  return result;
}

#endif

GATEWORK_INLINE int64_t groups_of(int64_t width) { return (width + group - 1) / group; }

// The bytes of a row of `width` numbers with room for whole vectors of them.
GATEWORK_INLINE int64_t row_bytes(int64_t width) { return (width + Floats::lanes - 1) / Floats::lanes * Floats::lanes; }

template <class V>
GATEWORK_INLINE float largest_of(V v) {
  if constexpr (V::lanes > 4) {
    return largest_of(maximum(lower_half(v), upper_half(v)));
  } else {
    float most = v.raw[0];
    for (int k = 1; k < V::lanes; ++k) most = most != most || most >= v.raw[k] ? most : v.raw[k];
    return most;
  }
}

// Writes a row as bytes, and behind it zeros up to row_bytes(); returns what a byte of 1 is worth. A row with NaN is
// worth NaN, and one of numbers too small to divide by is a row of zeros.
inline float to_bytes(const float* row, int64_t width, uint8_t* bytes) {
  constexpr float least = 1e-30f;
  Floats all = Floats::constant(0);
  for (int64_t k = 0; k < width; k += Floats::lanes) {
    const Floats x = load_units<Floats>(row + k, width - k);
    all = maximum(all, Floats::from_bits(x.bits() & 0x7fffffff));
  }
  const float most = largest_of(all);
  const Floats steps = Floats::broadcast(most >= least ? largest / most : 0.0f);
  for (int64_t k = 0; k < width; k += Floats::lanes) {
    const Sums numbers = nearest(load_units<Floats>(row + k, width - k) * steps) + bias;
    typedef uint8_t Narrow __attribute__((vector_size(Floats::lanes)));
    const Narrow narrow = __builtin_convertvector(numbers, Narrow);
    __builtin_memcpy(bytes + k, &narrow, sizeof(narrow));
  }
  return most / largest;
}

// `rows` rows of bytes, `stride` apart, times a panel of `columns` vectors of weights: int32 sums, row-major, in `z`.
struct ByteProduct {
  const uint8_t* bytes;
  int64_t stride, groups;
  const int32_t *start, *weights;
  int32_t* z;
};

GATEWORK_INLINE Sums load_sums(const int32_t* from) {
  Sums sums;
  __builtin_memcpy(&sums, from, sizeof(sums));
  return sums;
}

template <int Rows, int Columns>
void multiply_bytes(const ByteProduct& p) {
  Sums sums[Rows][Columns];
#pragma GCC unroll 4
  for (int c = 0; c < Columns; ++c) {
    const Sums start = load_sums(p.start + c * Floats::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) sums[r][c] = start;
  }
  const int32_t* weights = p.weights;
  const uint8_t* bytes = p.bytes;
  const int64_t stride = p.stride;
  for (int64_t k = 0; k < p.groups; ++k) {
    Sums w[Columns];
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) w[c] = load_sums(weights + c * Floats::lanes);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      int32_t four;
      __builtin_memcpy(&four, bytes + r * stride, sizeof(four));
      const Factor x = factor(four);
#pragma GCC unroll 4
      for (int c = 0; c < Columns; ++c) sums[r][c] = add_products(sums[r][c], x, w[c]);
    }
    weights += Columns * Floats::lanes;
    bytes += group;
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < Columns; ++c) {
      __builtin_memcpy(p.z + (r * Columns + c) * Floats::lanes, &sums[r][c], sizeof(Sums));
    }
  }
}

template <class, int Rows, int Columns>
struct MultiplyBytes {
  static constexpr void (*function)(const ByteProduct&) = multiply_bytes<Rows, Columns>;
};

}  // namespace gatework::GATEWORK_ISA
