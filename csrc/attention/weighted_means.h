// Attention of one sequence: for each query the products with all keys, their softmax, and the mean of the values.
#pragma once

#include "../activations.h"
#include "../operands.h"
#include "../row_products.h"
#include "attention.h"

namespace gatework::GATEWORK_ISA {

template <class V>
class WeightedMeans {
  using T = typename V::T;
  static constexpr int64_t lanes = V::lanes;

 public:
  static void forward(const attention::Arguments& a, T* contexts, int64_t sequence) {
    const int64_t length = a.lengths[sequence];
    const T* const keys = a.keys + sequence * a.source * a.query;
    const T* const values = a.values + sequence * a.source * a.memory;
    for (int64_t k = a.starts[sequence]; k < a.starts[sequence + 1]; ++k) {
      T* const w = a.weights + k * a.source;
      for (int64_t s = 0; s < a.source; ++s) w[s] = 0;
      add_row_products<V>(keys, a.query, a.queries + a.places[k] * a.query, length, w);
      softmax(w, length);
      add_up(
          w, 1, length, a.memory, [&](int64_t s) { return values + s * a.memory; }, contexts + a.places[k] * a.memory);
    }
  }

  static void backward(const attention::Arguments& a, const attention::Gradients& g, int64_t sequence) {
    const int64_t length = a.lengths[sequence], begin = a.starts[sequence], count = a.starts[sequence + 1] - begin;
    const T* const keys = a.keys + sequence * a.source * a.query;
    const T* const values = a.values + sequence * a.source * a.memory;
    const T* const weights = a.weights + begin * a.source;
    T* const d_scores = g.d_scores + begin * a.source;
    const int64_t* const places = a.places + begin;
    for (int64_t k = 0; k < count; ++k) {
      T* const d = d_scores + k * a.source;
      for (int64_t s = 0; s < a.source; ++s) d[s] = 0;
      add_row_products<V>(values, a.memory, g.d_contexts + places[k] * a.memory, length, d);
      through_softmax(weights + k * a.source, length, d);
      add_up(d, 1, length, a.query, [&](int64_t s) { return keys + s * a.query; }, g.d_queries + places[k] * a.query);
    }
    for (int64_t s = 0; s < a.source; ++s) {
      const int64_t seen = s < length ? count : 0;  // nothing looks beyond the end
      add_up(
          d_scores + s, a.source, seen, a.query, [&](int64_t k) { return a.queries + places[k] * a.query; },
          g.d_keys + (sequence * a.source + s) * a.query);
      add_up(
          weights + s, a.source, seen, a.memory, [&](int64_t k) { return g.d_contexts + places[k] * a.memory; },
          g.d_values + (sequence * a.source + s) * a.memory);
    }
  }

 private:
  static void softmax(T* w, int64_t count) {
    T most = w[0], sum = 0;
    for (int64_t s = 1; s < count; ++s) most = w[s] > most || w[s] != w[s] ? w[s] : most;
    for (int64_t s = 0; s < count; s += lanes) {
      store_units(exp(load_units<V>(w + s, count - s) - V::broadcast(most)), w + s, count - s);
    }
    for (int64_t s = 0; s < count; ++s) sum += w[s];
    for (int64_t s = 0; s < count; ++s) w[s] /= sum;
  }

  // From the derivatives by the weights to those by the scores.
  static void through_softmax(const T* w, int64_t count, T* d) {
    T mean = 0;
    for (int64_t s = 0; s < count; ++s) mean += w[s] * d[s];
    for (int64_t s = 0; s < count; ++s) d[s] = w[s] * (d[s] - mean);
  }

  // to = the sum of `count` rows of `width` numbers, each times its weight.
  template <class RowOf>
  static GATEWORK_INLINE void add_up(const T* weights, int64_t apart, int64_t count, int64_t width, const RowOf& row_of,
                                     T* to) {
    constexpr int at_once = 4;
    int64_t unit = 0;
    for (; unit + at_once * lanes <= width; unit += at_once * lanes) {
      V sums[at_once] = {};
      for (int64_t k = 0; k < count; ++k) {
        const V weight = V::broadcast(weights[k * apart]);
        const T* const row = row_of(k) + unit;
#pragma GCC unroll 4
        for (int c = 0; c < at_once; ++c) sums[c] = sums[c] + weight * V::load(row + c * lanes);
      }
#pragma GCC unroll 4
      for (int c = 0; c < at_once; ++c) sums[c].store(to + unit + c * lanes);
    }
    for (; unit < width; unit += lanes) {
      V sum = V::constant(0);
      for (int64_t k = 0; k < count; ++k) {
        sum = sum + V::broadcast(weights[k * apart]) * load_units<V>(row_of(k) + unit, width - unit);
      }
      store_units(sum, to + unit, width - unit);
    }
  }
};

}  // namespace gatework::GATEWORK_ISA
