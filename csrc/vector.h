// The vector type that all kernels are written in: N numbers of type T and the operations on them.
//
// Everything is written with the compiler's vector extension, so one source serves every instruction set; only what the
// extension cannot say (loading and storing part of a vector) has a variant for each. All functions are inlined, and
// all live in the namespace of the instruction set this translation unit is compiled for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef GATEWORK_ISA
#error "define GATEWORK_ISA, the namespace of the instruction set"
#endif
#define GATEWORK_INLINE inline __attribute__((always_inline))
#define GATEWORK_INLINED __attribute__((always_inline))  // the same behind the parameters of a lambda
#define GATEWORK_CALLED __attribute__((noinline))  // what works for long enough: compiled once for all that call it
// What knows no cell, and is short: a person's own cell calls that of the package's library (shared.h).
#if defined(GATEWORK_TAKES_SHARED)
#define GATEWORK_SHARED GATEWORK_CALLED
#else
#define GATEWORK_SHARED GATEWORK_INLINE
#endif
#if defined(__x86_64__) && !defined(__AVX2__)
#define GATEWORK_PART GATEWORK_CALLED  // parts of vectors: many instructions where there are no masks
#else
#define GATEWORK_PART GATEWORK_INLINE
#endif

namespace gatework::GATEWORK_ISA {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64;
constexpr int vector_registers = 32;
#elif defined(__AVX2__)
constexpr int vector_bytes = 32;
constexpr int vector_registers = 16;
#elif defined(__aarch64__)
constexpr int vector_bytes = 16;
constexpr int vector_registers = 32;
#else
constexpr int vector_bytes = 16;
constexpr int vector_registers = 16;
#endif

template <class T>
struct IntegerOf;
template <>
struct IntegerOf<float> {
  using type = int32_t;
};
template <>
struct IntegerOf<double> {
  using type = int64_t;
};

template <class T_, int N>
struct Vector {
  using T = T_;
  using Integer = typename IntegerOf<T>::type;
  static constexpr int lanes = N;
  typedef T Raw __attribute__((vector_size(sizeof(T) * N)));
  typedef Integer Bits __attribute__((vector_size(sizeof(T) * N)));

  Raw raw;

  struct Mask {
    Bits bits;
  };

  static GATEWORK_INLINE Vector constant(double value) { return broadcast(static_cast<T>(value)); }
  static GATEWORK_INLINE Vector broadcast(T value) { return {value - Raw{}}; }  // - 0 is free

  static GATEWORK_INLINE Vector load(const T* from) {
    Vector result;
    __builtin_memcpy(&result.raw, from, sizeof(Raw));
    return result;
  }
  GATEWORK_INLINE void store(T* to) const { __builtin_memcpy(to, &raw, sizeof(Raw)); }

  // The first `count` lanes, 0 < count <= N; the others are 0 on loading and untouched in memory on storing.
  static GATEWORK_PART Vector load(const T* from, int count);
  GATEWORK_PART void store(T* to, int count) const;

  GATEWORK_INLINE Bits bits() const {
    Bits result;
    __builtin_memcpy(&result, &raw, sizeof(Raw));
    return result;
  }
  static GATEWORK_INLINE Vector from_bits(Bits bits) {
    Vector result;
    __builtin_memcpy(&result.raw, &bits, sizeof(Raw));
    return result;
  }

  friend GATEWORK_INLINE Vector operator+(Vector a, Vector b) { return {a.raw + b.raw}; }
  friend GATEWORK_INLINE Vector operator-(Vector a, Vector b) { return {a.raw - b.raw}; }
  friend GATEWORK_INLINE Vector operator*(Vector a, Vector b) { return {a.raw * b.raw}; }
  friend GATEWORK_INLINE Vector operator/(Vector a, Vector b) { return {a.raw / b.raw}; }
  friend GATEWORK_INLINE Vector operator-(Vector a) { return {-a.raw}; }
  friend GATEWORK_INLINE Mask operator>(Vector a, Vector b) { return {(Bits)(a.raw > b.raw)}; }
  friend GATEWORK_INLINE Mask operator>=(Vector a, Vector b) { return {(Bits)(a.raw >= b.raw)}; }
  friend GATEWORK_INLINE Mask operator==(Vector a, Vector b) { return {(Bits)(a.raw == b.raw)}; }
  friend GATEWORK_INLINE Vector select(Mask mask, Vector a, Vector b) { return {mask.bits ? a.raw : b.raw}; }

  // The smaller and the larger of a number and a limit; NaN stays.
  GATEWORK_INLINE Vector at_most(Vector limit) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(Raw) == 64 && sizeof(T) == 4) return {(Raw)_mm512_min_ps((__m512)limit.raw, (__m512)raw)};
    if constexpr (sizeof(Raw) == 64 && sizeof(T) == 8) return {(Raw)_mm512_min_pd((__m512d)limit.raw, (__m512d)raw)};
#elif defined(__aarch64__)
    if constexpr (sizeof(Raw) == 16 && sizeof(T) == 4)
      return {(Raw)vminq_f32((float32x4_t)raw, (float32x4_t)limit.raw)};
    if constexpr (sizeof(Raw) == 16 && sizeof(T) == 8)
      return {(Raw)vminq_f64((float64x2_t)raw, (float64x2_t)limit.raw)};
#endif
    return select(*this > limit, limit, *this);
  }
  GATEWORK_INLINE Vector at_least(Vector limit) const {
#if defined(__AVX512F__)
    if constexpr (sizeof(Raw) == 64 && sizeof(T) == 4) return {(Raw)_mm512_max_ps((__m512)limit.raw, (__m512)raw)};
    if constexpr (sizeof(Raw) == 64 && sizeof(T) == 8) return {(Raw)_mm512_max_pd((__m512d)limit.raw, (__m512d)raw)};
#elif defined(__aarch64__)
    if constexpr (sizeof(Raw) == 16 && sizeof(T) == 4)
      return {(Raw)vmaxq_f32((float32x4_t)raw, (float32x4_t)limit.raw)};
    if constexpr (sizeof(Raw) == 16 && sizeof(T) == 8)
      return {(Raw)vmaxq_f64((float64x2_t)raw, (float64x2_t)limit.raw)};
#endif
    return select(limit > *this, limit, *this);
  }
};

#if defined(__AVX2__)
// All bits of the first `count` of the elements of 32 bytes.
alignas(64) static constexpr int32_t first_lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
template <class T>
GATEWORK_INLINE __m256i mask_of_first(int count) {
  const auto* from = first_lanes + 8 - count * static_cast<int>(sizeof(T) / 4);
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
#endif

template <class T, int N>
GATEWORK_PART Vector<T, N> Vector<T, N>::load(const T* from, int count) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Raw) == 64 && sizeof(T) == 4) {
    return {(Raw)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from)};
  } else if constexpr (sizeof(Raw) == 64) {
    return {(Raw)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), from)};
  } else if constexpr (N == 4 && sizeof(T) == 4) {
    return {(Raw)_mm_maskz_loadu_ps(static_cast<__mmask8>((1u << count) - 1), from)};
  } else if constexpr (N == 4) {
    return {(Raw)_mm256_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), from)};
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Raw) == 32 && sizeof(T) == 4) {
    return {(Raw)_mm256_maskload_ps(from, mask_of_first<T>(count))};
  } else if constexpr (sizeof(Raw) == 32) {
    return {(Raw)_mm256_maskload_pd(from, mask_of_first<T>(count))};
  }
#endif
  if constexpr (sizeof(Raw) == 16) {  // lane by lane, with no way through memory
    Raw raw = {from[0]};
#pragma GCC unroll 4
    for (int k = 1; k < N; ++k) {
      if (k < count) raw[k] = from[k];
    }
    return {raw};
  } else {
    T buffer[N] = {};
    for (int k = 0; k < count; ++k) buffer[k] = from[k];
    return load(buffer);
  }
}

template <class T, int N>
GATEWORK_PART void Vector<T, N>::store(T* to, int count) const {
#if defined(__AVX512F__)
  if constexpr (sizeof(Raw) == 64 && sizeof(T) == 4) {
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), (__m512)raw);
    return;
  } else if constexpr (sizeof(Raw) == 64) {
    _mm512_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), (__m512d)raw);
    return;
  } else if constexpr (N == 4 && sizeof(T) == 4) {
    _mm_mask_storeu_ps(to, static_cast<__mmask8>((1u << count) - 1), (__m128)raw);
    return;
  } else if constexpr (N == 4) {
    _mm256_mask_storeu_pd(to, static_cast<__mmask8>((1u << count) - 1), (__m256d)raw);
    return;
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Raw) == 32 && sizeof(T) == 4) {
    _mm256_maskstore_ps(to, mask_of_first<T>(count), (__m256)raw);
    return;
  } else if constexpr (sizeof(Raw) == 32) {
    _mm256_maskstore_pd(to, mask_of_first<T>(count), (__m256d)raw);
    return;
  }
#endif
  if constexpr (sizeof(Raw) == 16) {
    to[0] = raw[0];
#pragma GCC unroll 4
    for (int k = 1; k < N; ++k) {
      if (k < count) to[k] = raw[k];
    }
  } else {
    T buffer[N];
    store(buffer);
    for (int k = 0; k < count; ++k) to[k] = buffer[k];
  }
}

template <int Distance, class V, int... Lanes>
GATEWORK_INLINE V rotated(V v, std::integer_sequence<int, Lanes...>) {
  return {__builtin_shufflevector(v.raw, v.raw, (Lanes + Distance) % V::lanes...)};
}

// The sum of all lanes, by halves.
template <class V, int Distance = V::lanes / 2>
GATEWORK_INLINE typename V::T sum_of(V v) {
  if constexpr (Distance == 0) {
    return v.raw[0];
  } else {
    return sum_of<V, Distance / 2>(v + rotated<Distance>(v, std::make_integer_sequence<int, V::lanes>()));
  }
}

template <int First, class V, int... Lanes>
GATEWORK_INLINE Vector<typename V::T, sizeof...(Lanes)> lanes_from(V v, std::integer_sequence<int, Lanes...>) {
  return {__builtin_shufflevector(v.raw, v.raw, (First + Lanes)...)};
}

template <class V>
GATEWORK_INLINE Vector<typename V::T, V::lanes / 2> lower_half(V v) {
  return lanes_from<0>(v, std::make_integer_sequence<int, V::lanes / 2>());
}

template <class V>
GATEWORK_INLINE Vector<typename V::T, V::lanes / 2> upper_half(V v) {
  return lanes_from<V::lanes / 2>(v, std::make_integer_sequence<int, V::lanes / 2>());
}

template <class V, int... Lanes>
GATEWORK_INLINE Vector<typename V::T, 2 * V::lanes> joined(V a, V b, std::integer_sequence<int, Lanes...>) {
  return {__builtin_shufflevector(a.raw, b.raw, Lanes...)};
}

template <class V>
GATEWORK_INLINE Vector<typename V::T, 2 * V::lanes> joined(V a, V b) {
  return joined(a, b, std::make_integer_sequence<int, 2 * V::lanes>());
}

// The widest vector of this instruction set.
template <class T>
using Widest = Vector<T, vector_bytes / static_cast<int>(sizeof(T))>;

}  // namespace gatework::GATEWORK_ISA
