// exp, sigmoid, tanh and what else a step() may call, on vectors. NaN goes in and comes out. Results below twice the
// smallest normal number may be 0. tests/native checks the error of each in units in the last place.
#pragma once

#include "unrolled_pair.h"

namespace gatework::GATEWORK_ISA {

constexpr double inverse_factorial(int n) { return n <= 1 ? 1.0 : inverse_factorial(n - 1) / n; }

// What the range reduction exp(x) = 2^n exp(r), |r| <= ln(2) / 2, needs for each type.
template <class T>
struct Exponent;
template <>
struct Exponent<float> {
  static constexpr int mantissa_bits = 23, bias = 127, log_terms = 5, log1p_terms = 8;
  static constexpr double ln2_high = 0.693359375, ln2_low = -2.12194440054690582767e-4;
  static constexpr double rounder = 12582912.0;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  static constexpr double lowest = -87.3, highest = 88.7228, tanh_limit = 10.0;
  // (exp(r) - 1 - r) / r^2 by the powers of r: of least error, relative to exp(r) - 1 a fifth of half a unit in the
  // last place (minimax, degree 4).
  static constexpr int terms = 5;
  static constexpr double term(int k) {
    constexpr double terms[] = {0.499999982, 0.166665436, 0.0416671999, 0.00836652058, 0.00138825215};
    return terms[k];
  }
};
template <>
struct Exponent<double> {
  static constexpr int mantissa_bits = 52, bias = 1023, log_terms = 11, log1p_terms = 17;
  static constexpr double ln2_high = 6.93145751953125e-1, ln2_low = 1.42860682030941723212e-6;
  static constexpr double rounder = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double lowest = -708.3, highest = 709.7827, tanh_limit = 20.0;
  // The Taylor series, whose remainder is below half a unit in the last place of exp(r) - 1.
  static constexpr int terms = 12;
  static constexpr double term(int k) { return inverse_factorial(k + 2); }
};

// The nearest integer n of a number, and y * 2^n.
template <class V>
struct Rounded {
  using E = Exponent<typename V::T>;
  V shifted;  // n + rounder: its low bits are those of the integer

  explicit GATEWORK_INLINE Rounded(V x) : shifted(x + V::constant(E::rounder)) {}
  GATEWORK_INLINE V number() const { return shifted - V::constant(E::rounder); }
  GATEWORK_INLINE V scale(V y) const {
    const auto rounder = V::constant(E::rounder).bits();
    return y * V::from_bits((shifted.bits() - rounder + E::bias) << E::mantissa_bits);
  }
};

#if defined(__AVX512F__)
// AVX-512 has an instruction for each.
template <>
struct Rounded<Vector<float, 16>> {
  using V = Vector<float, 16>;
  __m512 n;

  explicit GATEWORK_INLINE Rounded(V x) : n(_mm512_roundscale_ps((__m512)x.raw, _MM_FROUND_TO_NEAREST_INT)) {}
  GATEWORK_INLINE V number() const { return {(V::Raw)n}; }
  GATEWORK_INLINE V scale(V y) const { return {(V::Raw)_mm512_scalef_ps((__m512)y.raw, n)}; }
};
template <>
struct Rounded<Vector<double, 8>> {
  using V = Vector<double, 8>;
  __m512d n;

  explicit GATEWORK_INLINE Rounded(V x) : n(_mm512_roundscale_pd((__m512d)x.raw, _MM_FROUND_TO_NEAREST_INT)) {}
  GATEWORK_INLINE V number() const { return {(V::Raw)n}; }
  GATEWORK_INLINE V scale(V y) const { return {(V::Raw)_mm512_scalef_pd((__m512d)y.raw, n)}; }
};
#endif

template <class V>
struct Rounded<UnrolledPair<V>> {
  Rounded<V> a, b;

  explicit GATEWORK_INLINE Rounded(UnrolledPair<V> x) : a(x.a), b(x.b) {}
  GATEWORK_INLINE UnrolledPair<V> number() const { return {a.number(), b.number()}; }
  GATEWORK_INLINE UnrolledPair<V> scale(UnrolledPair<V> y) const { return {a.scale(y.a), b.scale(y.b)}; }
};

// Clamped to [low, high]; NaN stays.
template <class V>
GATEWORK_INLINE V clamp(V x, double low, double high) {
  return x.at_most(V::constant(high)).at_least(V::constant(low));
}

// r of x = n ln 2 + r, as if ln 2 had more digits than a number has.
template <class V>
GATEWORK_INLINE V reduced(V x, const Rounded<V>& n) {
  using E = Exponent<typename V::T>;
  return x - n.number() * V::constant(E::ln2_high) - n.number() * V::constant(E::ln2_low);
}

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2.
template <class V>
GATEWORK_INLINE V exp_series(V r) {
  using E = Exponent<typename V::T>;
  V p = V::constant(E::term(E::terms - 1));
#pragma GCC unroll 16
  for (int k = E::terms - 2; k >= 0; --k) p = p * r + V::constant(E::term(k));
  return p;
}

constexpr double log2_e = 1.44269504088896340736, ln2 = 0.69314718055994530942;

template <class V>
GATEWORK_INLINE V exp(V x) {
  using E = Exponent<typename V::T>;
  const V clamped = clamp(x, E::lowest, E::highest);
  const Rounded<V> n(clamped * V::constant(log2_e));
  const V r = reduced(clamped, n);
  // 2^n may be beyond the largest number although the result is not.
  const V p = (exp_series(r) * (r * r) + r + V::constant(1)) * V::constant(0.5);
  V y = n.scale(p) * V::constant(2);
  y = select(V::constant(E::lowest) > x, V::constant(0), y);
  return select(x > V::constant(E::highest), V::constant(__builtin_inf()), y);
}

// 1 / (1 + exp(-x)).
template <class V>
GATEWORK_INLINE V sigmoid(V x) {
  using E = Exponent<typename V::T>;
  const V clamped = clamp(x, E::lowest, -E::lowest);
  const Rounded<V> n(clamped * V::constant(-log2_e));
  const V r = reduced(-clamped, n);
  const V p = (exp_series(r) * r + V::constant(1)) * r + V::constant(1);
  return V::constant(1) / (V::constant(1) + n.scale(p));
}

// -e / (2 + e) with e = exp(-2 |x|) - 1, which keeps its precision near 0; the sign is put back at the end.
template <class V>
GATEWORK_INLINE V tanh(V x) {
  using E = Exponent<typename V::T>;
  const auto sign = x.bits() & V::constant(-0.0).bits();
  const V magnitude = V::from_bits(x.bits() ^ sign).at_most(V::constant(E::tanh_limit));
  const Rounded<V> n(magnitude * V::constant(-2 * log2_e));
  // What the digits of ln 2 leave out grows with n, and 2^n makes it small again.
  const V r = magnitude * V::constant(-2) - n.number() * V::constant(ln2);
  const V p = exp_series(r) * (r * r) + r;
  const V scale = n.scale(V::constant(1));
  const V e = scale * p + (scale - V::constant(1));
  const V y = e / (V::constant(-2) - e);
  return V::from_bits(y.bits() | sign);
}

template <class V>
GATEWORK_INLINE V relu(V x) {
  return select(V::constant(0) > x, V::constant(0), x);
}

// 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...), to `terms` terms.
template <class V>
GATEWORK_INLINE V twice_atanh(V s, int terms) {
  const V square = s * s;
  V p = V::constant(2.0 / (2 * terms - 1));
#pragma GCC unroll 20
  for (int k = terms - 1; k >= 1; --k) p = p * square + V::constant(2.0 / (2 * k - 1));
  return p * s;
}

// x = 2^n m with sqrt(1/2) <= m < sqrt(2); log(m) = 2 atanh((m - 1) / (m + 1)).
template <class V>
GATEWORK_INLINE V log(V x) {
  using E = Exponent<typename V::T>;
  const auto middle = V::constant(0.70710678118654752440).bits();
  const auto n = (x.bits() - middle) >> E::mantissa_bits;
  const V m = V::from_bits(x.bits() - (n << E::mantissa_bits));
  const V exponent = V::from_bits(n + V::constant(E::rounder).bits()) - V::constant(E::rounder);
  const V y = twice_atanh((m - V::constant(1)) / (m + V::constant(1)), E::log_terms);
  V result = exponent * V::constant(E::ln2_high) + (y + exponent * V::constant(E::ln2_low));
  result = select(x == V::constant(0), V::constant(-__builtin_inf()), result);
  result = select(x == V::constant(__builtin_inf()), x, result);
  return select(x >= V::constant(0), result, V::constant(__builtin_nan("")));
}

// log(1 + exp(x)) = max(x, 0) + log(1 + e) with e = exp(-|x|), and log(1 + e) = 2 atanh(e / (2 + e)).
template <class V>
GATEWORK_INLINE V softplus(V x) {
  const V e = exp(V::from_bits(x.bits() | V::constant(-0.0).bits()));
  return relu(x) + twice_atanh(e / (V::constant(2) + e), Exponent<typename V::T>::log1p_terms);
}

template <class V>
GATEWORK_INLINE V maximum(V a, V b) {
  return select(a == a, select(a > b, a, b), a);
}

template <class V>
GATEWORK_INLINE V minimum(V a, V b) {
  return select(a == a, select(b > a, a, b), a);
}

}  // namespace gatework::GATEWORK_ISA
