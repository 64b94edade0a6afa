// One layer in one direction by plain loops, one sequence after the other: what the kernels must give.
//
// Nothing of csrc/ is in here but the equations of the cells, on single numbers with the functions of the C library: no
// vector, no tile, no packed weight, no slice of the batch. The derivatives that the cells bring are compared with
// autograd's in tests/cells.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "../../csrc/arguments.h"
#include "../../csrc/cells/names.h"

#define GATEWORK_INLINE inline

namespace gatework::plain {

// What the cells are written for: a number with the operations of a vector.
template <class T_>
struct Number {
  using T = T_;
  T value;

  static Number constant(double value) { return {static_cast<T>(value)}; }
  friend Number operator+(Number a, Number b) { return {a.value + b.value}; }
  friend Number operator-(Number a, Number b) { return {a.value - b.value}; }
  friend Number operator*(Number a, Number b) { return {a.value * b.value}; }
  friend Number operator/(Number a, Number b) { return {a.value / b.value}; }
  friend Number operator-(Number a) { return {-a.value}; }
  friend bool operator>(Number a, Number b) { return a.value > b.value; }
  friend bool operator>=(Number a, Number b) { return a.value >= b.value; }
  friend bool operator==(Number a, Number b) { return a.value == b.value; }
  friend Number select(bool is_first, Number a, Number b) { return is_first ? a : b; }
  friend Number maximum(Number a, Number b) { return a > b ? a : b; }
  friend Number minimum(Number a, Number b) { return b > a ? a : b; }
  friend Number relu(Number x) { return {x.value < 0 ? 0 : x.value}; }
  friend Number exp(Number x) { return {std::exp(x.value)}; }
  friend Number log(Number x) { return {std::log(x.value)}; }
  friend Number tanh(Number x) { return {std::tanh(x.value)}; }
  friend Number sigmoid(Number x) { return {1 / (1 + std::exp(-x.value))}; }
  friend Number softplus(Number x) { return {std::max(x.value, T(0)) + std::log1p(std::exp(-std::fabs(x.value)))}; }
};

#include "../../csrc/cells/all.h"

// Everything that a scan and its backward pass are given, in the layout of arguments.h. All values are exact in float,
// so that scans in either element type start from the same.
struct Problem {
  int64_t steps, batch, input, hidden, output;
  bool reverse;
  std::vector<int64_t> batch_sizes, offsets;  // one for each step, also where all are alike
  int64_t rows;
  std::vector<double> x, weight_ih, weight_hh, bias_ih, bias_hh, projection, unit, d_output;
  std::vector<double> initial[max_states], d_final[max_states];
  std::vector<double> mask;  // (batch, output): a factor on the h that the recurrent product sees; empty: none

  bool is_projected() const { return output != hidden; }
  size_t width(int state) const { return static_cast<size_t>(state == 0 ? output : hidden); }
};

// Everything that they give, by name.
using Results = std::vector<std::pair<std::string, std::vector<double>>>;

template <class T>
void add_result(Results& results, const std::string& name, const T* values, size_t count) {
  results.emplace_back(name, std::vector<double>(values, values + count));
}

template <class Cell, class T>
class Scan {
  using V = Number<T>;
  using Row = std::vector<V>;
  static constexpr int accumulators = Cell::accumulators, states = Cell::states;

 public:
  explicit Scan(const Problem& problem)
      : p(problem),
        input(static_cast<size_t>(p.input)),
        hidden(static_cast<size_t>(p.hidden)),
        output(static_cast<size_t>(p.output)) {
    const auto rows = static_cast<size_t>(p.rows), batch = static_cast<size_t>(p.batch);
    y = d_projected = zeros(rows * output);
    d_x = zeros(rows * input);
    for (Row& values : trace) values = zeros(rows * hidden);
    for (int s = 0; s < states; ++s) final[s] = d_initial[s] = zeros(batch * p.width(s));
    d_weight_ih = zeros(p.weight_ih.size());
    d_weight_hh = zeros(p.weight_hh.size());
    d_bias_ih = zeros(p.bias_ih.size());
    d_bias_hh = zeros(p.bias_hh.size());
    d_unit = zeros(p.unit.size());
    for (int64_t b = 0; b < p.batch; ++b) run_sequence(static_cast<size_t>(b));
  }

  Results results() const {
    Results all;
    add(all, "output", y);
    for (int s = 0; s < states; ++s) add(all, "final " + std::to_string(s), final[s]);
    for (int k = 0; k < Cell::traced; ++k) add(all, std::string("trace of ") + Cell::names[k], trace[k]);
    if (p.is_projected()) add(all, "d projected", d_projected);
    for (int s = 0; s < states; ++s) add(all, "d initial " + std::to_string(s), d_initial[s]);
    add(all, "d x", d_x);
    add(all, "d weight_ih", d_weight_ih);
    add(all, "d weight_hh", d_weight_hh);
    add(all, "d bias_ih", d_bias_ih);
    add(all, "d bias_hh", d_bias_hh);
    add(all, "d weight_unit", d_unit);
    return all;
  }

 private:
  // What the backward pass needs of one step of one sequence.
  struct Moment {
    size_t row, sequence;
    Row seen;  // the h that the recurrent product sees
    Row previous[states], next[states], saved;
  };

  static Row zeros(size_t count) { return Row(count, V{0}); }
  static V at(const std::vector<double>& values, size_t k) { return V::constant(values[k]); }
  static void add(Results& all, const std::string& name, const Row& values) {
    all.emplace_back(name, std::vector<double>());
    for (const V v : values) all.back().second.push_back(static_cast<double>(v.value));
  }

  // How many accumulators before `a` a product feeds.
  static size_t plane(const bool* feeds, int a) { return static_cast<size_t>(std::count(feeds, feeds + a, true)); }

  static Row take(const std::vector<double>& from, size_t row, size_t width) {
    Row result = zeros(width);
    for (size_t k = 0; k < width; ++k) result[k] = at(from, row * width + k);
    return result;
  }
  static void put(Row& to, size_t row, const Row& values) {
    std::copy(values.begin(), values.end(), to.begin() + static_cast<std::ptrdiff_t>(row * values.size()));
  }

  void run_sequence(size_t b) {
    std::vector<size_t> rows;
    for (size_t t = 0; t < static_cast<size_t>(p.steps); ++t) {
      if (static_cast<int64_t>(b) < p.batch_sizes[t]) rows.push_back(static_cast<size_t>(p.offsets[t]) + b);
    }
    if (p.reverse) std::reverse(rows.begin(), rows.end());
    Row state[states];
    for (int s = 0; s < states; ++s) state[s] = take(p.initial[s], b, p.width(s));
    std::vector<Moment> moments;
    for (const size_t row : rows) moments.push_back(step(row, b, state));
    for (int s = 0; s < states; ++s) put(final[s], b, state[s]);
    for (int s = 0; s < states; ++s) state[s] = take(p.d_final[s], b, p.width(s));
    for (size_t k = moments.size(); k > 0; --k) step_back(moments[k - 1], state);
    for (int s = 0; s < states; ++s) put(d_initial[s], b, state[s]);
  }

  // The mask of an element of h.
  V factor(size_t sequence, size_t k) const { return p.mask.empty() ? V{1} : at(p.mask, sequence * output + k); }

  Moment step(size_t row, size_t sequence, Row* state) {
    Moment m;
    m.row = row;
    m.sequence = sequence;
    m.seen = state[0];
    for (size_t k = 0; k < output; ++k) m.seen[k] = m.seen[k] * factor(sequence, k);
    for (int s = 0; s < states; ++s) {
      m.previous[s] = state[s];
      m.next[s] = zeros(hidden);
    }
    for (size_t u = 0; u < hidden; ++u) {
      V sums[accumulators], previous[states], vectors[Cell::units + 1] = {}, next[states], saved[Cell::saved + 1];
      V seen[Cell::traced];
      for (int a = 0; a < accumulators; ++a) sums[a] = sum(a, u, row, m.seen);
      for (int s = 0; s < states; ++s) previous[s] = s == 0 && p.is_projected() ? V{0} : m.previous[s][u];
      learnt(u, vectors);
      Cell::template forward<V>(sums, previous, vectors, next, saved, seen);
      for (int s = 0; s < states; ++s) m.next[s][u] = next[s];
      m.saved.insert(m.saved.end(), saved, saved + Cell::saved);
      for (int k = 0; k < Cell::traced; ++k) trace[k][row * hidden + u] = seen[k];
    }
    for (int s = 0; s < states; ++s) state[s] = m.next[s];
    if (p.is_projected()) state[0] = project(m.next[0]);
    put(y, row, state[0]);
    return m;
  }

  // The accumulator of a unit: its biases and both products.
  V sum(int a, size_t u, size_t row, const Row& h) const {
    V total{0};
    if (Cell::input_product[a]) {
      const size_t w = plane(Cell::input_product, a) * hidden + u;
      total = total + at(p.bias_ih, w);
      for (size_t k = 0; k < input; ++k) total = total + at(p.weight_ih, w * input + k) * at(p.x, row * input + k);
    }
    if (Cell::recurrent_product[a]) {
      const size_t w = plane(Cell::recurrent_product, a) * hidden + u;
      total = total + at(p.bias_hh, w);
      for (size_t k = 0; k < output; ++k) total = total + at(p.weight_hh, w * output + k) * h[k];
    }
    return total;
  }

  void learnt(size_t u, V* vectors) const {
    for (int k = 0; k < Cell::units; ++k) vectors[k] = at(p.unit, static_cast<size_t>(k) * hidden + u);
  }

  Row project(const Row& h) const {
    Row result = zeros(output);
    for (size_t j = 0; j < output; ++j) {
      for (size_t u = 0; u < hidden; ++u) result[j] = result[j] + at(p.projection, j * hidden + u) * h[u];
    }
    return result;
  }

  // From the derivatives of the states after a step to those before it.
  void step_back(const Moment& m, Row* d_state) {
    for (size_t j = 0; j < output; ++j) d_state[0][j] = d_state[0][j] + at(p.d_output, m.row * output + j);
    Row d_h = d_state[0];
    if (p.is_projected()) {
      put(d_projected, m.row, d_state[0]);
      d_h = zeros(hidden);
      for (size_t u = 0; u < hidden; ++u) {
        for (size_t j = 0; j < output; ++j) d_h[u] = d_h[u] + at(p.projection, j * hidden + u) * d_state[0][j];
      }
    }
    d_state[0] = zeros(output);
    for (size_t u = 0; u < hidden; ++u) {
      V previous[states], next[states], vectors[Cell::units + 1] = {}, d_next[states];
      V d_sums[accumulators], d_previous[states], d_vectors[Cell::units + 1] = {};
      for (int s = 0; s < states; ++s) {
        previous[s] = s == 0 && p.is_projected() ? V{0} : m.previous[s][u];
        next[s] = m.next[s][u];
        d_next[s] = s == 0 ? d_h[u] : d_state[s][u];
      }
      learnt(u, vectors);
      Cell::template backward<V>(m.saved.data() + u * Cell::saved, previous, next, vectors, d_next, d_sums, d_previous,
                                 d_vectors);
      if (Cell::carries[0]) d_state[0][u] = d_state[0][u] + d_previous[0];
      for (int s = 1; s < states; ++s) d_state[s][u] = d_previous[s];
      for (int a = 0; a < accumulators; ++a) sum_back(a, u, m, d_sums[a], d_state[0]);
      for (int k = 0; k < Cell::units; ++k) {
        V& to = d_unit[static_cast<size_t>(k) * hidden + u];
        to = to + d_vectors[k];
      }
    }
  }

  // Adds what the derivative of an accumulator gives to the weights, to x and to the h before.
  void sum_back(int a, size_t u, const Moment& m, V d, Row& d_h) {
    if (Cell::input_product[a]) {
      const size_t w = plane(Cell::input_product, a) * hidden + u;
      d_bias_ih[w] = d_bias_ih[w] + d;
      for (size_t k = 0; k < input; ++k) {
        V &to_w = d_weight_ih[w * input + k], &to_x = d_x[m.row * input + k];
        to_w = to_w + d * at(p.x, m.row * input + k);
        to_x = to_x + d * at(p.weight_ih, w * input + k);
      }
    }
    if (Cell::recurrent_product[a]) {
      const size_t w = plane(Cell::recurrent_product, a) * hidden + u;
      d_bias_hh[w] = d_bias_hh[w] + d;
      for (size_t k = 0; k < output; ++k) {
        V& to_w = d_weight_hh[w * output + k];
        to_w = to_w + d * m.seen[k];
        d_h[k] = d_h[k] + d * at(p.weight_hh, w * output + k) * factor(m.sequence, k);
      }
    }
  }

  const Problem& p;
  const size_t input, hidden, output;
  Row y, d_x, d_projected, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, d_unit;
  Row trace[Cell::traced], final[states], d_initial[states];
};

template <class Cell, class T>
Results results_of(const Problem& problem) {
  return Scan<Cell, T>(problem).results();
}

// [cell][float, double].
#define GATEWORK_ROW(cell) {results_of<cell, float>, results_of<cell, double>},
constexpr Results (*scans[][2])(const Problem&) = {GATEWORK_CELLS(GATEWORK_ROW)};

}  // namespace gatework::plain
