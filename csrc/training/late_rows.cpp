#include "late_rows.h"

#include <algorithm>
#include <cmath>

namespace gatework::training {

namespace {

void put_up_to_date(const Table& t, int64_t row) {
  const double fresh[] = {0, 1, 0, 1};
  for (int part = 0; part < 4; ++part) t.owed[part * t.rows + row] = fresh[part];
}

// Rows lie anywhere in a table larger than the caches, so the processor cannot foresee them.
constexpr int64_t rows_ahead = 3;

void fetch_ahead(const Table& t, int64_t row) {
  for (const float* part : {t.weights, t.means, t.squares}) {
    for (int64_t c = 0; c < t.columns; c += 16) __builtin_prefetch(part + row * t.columns + c, 1);
  }
}

}  // namespace

void catch_up(const Table& t, const int64_t* rows, int64_t count, int64_t number) {
  for (int64_t k = 0; k < count; ++k) {
    const int64_t row = rows[k];
    if (row < 0 || row >= t.rows) continue;  // whoever reads it is told
    const double missed = t.owed[row], reach = t.owed[t.rows + row];
    if (missed == 0) continue;
    const double squares_left = std::pow(beta2, missed);
    const double first = -std::expm1((static_cast<double>(number) - missed + 1) * std::log(beta2));
    const auto epsilon = static_cast<float>(t.epsilon * std::sqrt(first / beta2));
    const auto mean_left = static_cast<float>(reach * std::sqrt(squares_left));
    const auto square_left = static_cast<float>(squares_left);
    const auto debt = static_cast<float>(t.owed[2 * t.rows + row]), kept = static_cast<float>(t.owed[3 * t.rows + row]);
    float* const __restrict w = t.weights + row * t.columns;
    float* const __restrict m = t.means + row * t.columns;
    float* const __restrict v = t.squares + row * t.columns;
    for (int64_t c = 0; c < t.columns; ++c) {
      w[c] = w[c] * kept - debt * m[c] / (std::sqrt(v[c]) + epsilon);
      m[c] *= mean_left;
      v[c] *= square_left;
    }
    put_up_to_date(t, row);
  }
}

void take_step(const Table& t, const int64_t* rows, int64_t count, const float* gradients, const Step& step) {
  const auto n = static_cast<double>(step.number);
  const double root = std::sqrt(1 - std::pow(beta2, n)), rate = step.learning_rate / (1 - std::pow(beta1, n));
  const double left = 1 - step.learning_rate * step.weight_decay, reach = beta1 / std::sqrt(beta2);
  double* const __restrict missed = t.owed;
  double* const __restrict reaches = t.owed + t.rows;
  double* const __restrict debts = t.owed + 2 * t.rows;
  double* const __restrict kept = t.owed + 3 * t.rows;
  for (int64_t row = 0; row < t.rows; ++row) {
    missed[row] += 1;
    reaches[row] *= reach;
    debts[row] = debts[row] * left + rate * root * reaches[row];
    kept[row] *= left;
  }
  const auto size = static_cast<float>(rate), deviation = static_cast<float>(1 / root);
  const auto epsilon = static_cast<float>(t.epsilon), kept_now = static_cast<float>(left);
  const auto new_mean = static_cast<float>(1 - beta1), old_square = static_cast<float>(beta2);
  const auto new_square = static_cast<float>(1 - beta2);
  for (int64_t k = 0; k < count; ++k) {
    if (k + rows_ahead < count) fetch_ahead(t, rows[k + rows_ahead]);
    float* const __restrict w = t.weights + rows[k] * t.columns;
    float* const __restrict m = t.means + rows[k] * t.columns;
    float* const __restrict v = t.squares + rows[k] * t.columns;
    const float* const __restrict g = gradients + k * t.columns;
    for (int64_t c = 0; c < t.columns; ++c) {
      m[c] += (g[c] - m[c]) * new_mean;
      v[c] = v[c] * old_square + g[c] * g[c] * new_square;
      w[c] = w[c] * kept_now - size * m[c] / (std::sqrt(v[c]) * deviation + epsilon);
    }
    put_up_to_date(t, rows[k]);
  }
}

int64_t add_up_rows(const int64_t* rows, const std::vector<Values>& parts, int64_t size, int64_t columns,
                    int64_t* numbers, float* sums) {
  int64_t count = 0;
  for (const Values& part : parts) count += part.count;
  std::vector<int32_t> place(static_cast<size_t>(size), -1);
  for (int64_t k = 0; k < count; ++k) place[static_cast<size_t>(rows[k])] = 0;
  int64_t found = 0;
  for (int64_t row = 0; row < size; ++row) {
    if (place[static_cast<size_t>(row)] < 0) continue;
    place[static_cast<size_t>(row)] = ~static_cast<int32_t>(found);  // below zero until its first value is there
    numbers[found++] = row;
  }
  for (const Values& part : parts) {
    for (int64_t k = 0; k < part.count; ++k) {
      int32_t& at = place[static_cast<size_t>(*rows++)];
      const bool is_first = at < 0;
      if (is_first) at = ~at;
      float* const __restrict sum = sums + at * columns;
      const float* const __restrict value = part.values + k * columns;
      if (is_first) {
        std::copy(value, value + columns, sum);
      } else {
        for (int64_t c = 0; c < columns; ++c) sum[c] += value[c];
      }
    }
  }
  return found;
}

}  // namespace gatework::training
