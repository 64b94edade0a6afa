// The cross-entropy and attention kernels of one instruction set without Python, against plain loops in double: for the
// sanitizers, and for processors that have none at hand. Ends with 1 and says what is wrong.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "../../csrc/attention/dispatch.h"
#include "../../csrc/softmax/dispatch.h"

using namespace gatework;

namespace {

std::mt19937 generator(0);

std::vector<float> drawn(int64_t count, float scale = 1) {
  std::uniform_real_distribution<float> uniform(-scale, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = uniform(generator);
  return values;
}

bool is_near(const char* what, const std::vector<float>& found, const std::vector<double>& exact, double most) {
  double worst = 0, largest = 1;
  for (size_t k = 0; k < exact.size(); ++k) {
    const double error = std::fabs(static_cast<double>(found[k]) - exact[k]);
    worst = std::isnan(error) ? INFINITY : std::fmax(worst, error);
    largest = std::fmax(largest, std::fabs(exact[k]));
  }
  if (worst <= most * largest) return true;
  std::printf("%s: off by %.3g, expected at most %.3g\n", what, worst, most * largest);
  return false;
}

struct Sizes {
  int64_t rows, features, columns, block;
  float smoothing;
  bool has_bias;
};

bool check_loss(Isa isa, Element element, const Sizes& s, int threads) {
  const auto x = drawn(s.rows * s.features), weight = drawn(s.columns * s.features, 0.5f), bias = drawn(s.columns);
  std::vector<int64_t> right(static_cast<size_t>(s.rows));
  for (int64_t& column : right) column = static_cast<int64_t>(generator() % static_cast<unsigned>(s.columns));
  std::vector<float> losses(x.size() ? static_cast<size_t>(s.rows) : 0), d_x(x.size()), d_weight(weight.size()),
      d_bias(bias.size());
  const float scale = 0.25f;
  const softmax::Arguments a{s.rows,
                             s.features,
                             s.columns,
                             x.data(),
                             weight.data(),
                             s.has_bias ? bias.data() : nullptr,
                             right.data(),
                             s.smoothing,
                             scale,
                             losses.data(),
                             d_x.data(),
                             d_weight.data(),
                             s.has_bias ? d_bias.data() : nullptr,
                             s.block};
  if (softmax::run(*softmax::kernel_of(isa, element), a, threads) != Status::done) return false;

  std::vector<double> e_losses(losses.size()), e_x(x.size()), e_weight(weight.size()), e_bias(bias.size());
  for (int64_t r = 0; r < s.rows; ++r) {
    std::vector<double> l(static_cast<size_t>(s.columns));
    double most = -INFINITY, sum = 0, mean = 0;
    for (int64_t c = 0; c < s.columns; ++c) {
      double logit = s.has_bias ? static_cast<double>(bias[c]) : 0;
      for (int64_t k = 0; k < s.features; ++k) {
        logit += static_cast<double>(x[r * s.features + k]) * static_cast<double>(weight[c * s.features + k]);
      }
      l[c] = logit;
      most = std::fmax(most, logit);
      mean += logit / static_cast<double>(s.columns);
    }
    for (const double logit : l) sum += std::exp(logit - most);
    const double smoothing = static_cast<double>(s.smoothing);
    e_losses[r] = most + std::log(sum) - (1 - smoothing) * l[right[r]] - smoothing * mean;
    for (int64_t c = 0; c < s.columns; ++c) {
      const double target = (c == right[r] ? 1 - smoothing : 0) + smoothing / static_cast<double>(s.columns);
      const double d = static_cast<double>(scale) * (std::exp(l[c] - most) / sum - target);
      e_bias[c] += d;
      for (int64_t k = 0; k < s.features; ++k) {
        e_x[r * s.features + k] += d * static_cast<double>(weight[c * s.features + k]);
        e_weight[c * s.features + k] += d * static_cast<double>(x[r * s.features + k]);
      }
    }
  }
  // Roundings of sums of so many terms around 1; factors of bfloat16 are 2^-9 off each.
  const double terms = static_cast<double>(s.features + s.columns + s.rows);
  const double most = element == Element::bfloat16 ? 0.03 : terms * 1.2e-7;
  return is_near("losses", losses, e_losses, most) && is_near("d_x", d_x, e_x, most) &&
         is_near("d_weight", d_weight, e_weight, most) && (!s.has_bias || is_near("d_bias", d_bias, e_bias, most));
}

// Contexts are means of values, and the derivative of their sum with d_contexts agrees with differences of it.
bool check_attention(Isa isa, int64_t query, int64_t memory, int threads) {
  const int64_t batch = 3, source = 7, rows = 9;
  const std::vector<int64_t> starts{0, 4, 4, 9}, lengths{7, 1, 3};
  std::vector<int64_t> places;
  for (int64_t row = 0; row < rows; ++row) places.push_back((row * 4) % rows);
  auto queries = drawn(rows * query), keys = drawn(batch * source * query), values = drawn(batch * source * memory);
  const auto d_contexts = drawn(rows * memory);
  std::vector<float> weights(static_cast<size_t>(rows * source)), contexts(d_contexts.size());
  const auto arguments = [&] {
    return attention::Arguments{batch,         source,        query,          memory,
                                starts.data(), places.data(), lengths.data(), queries.data(),
                                keys.data(),   values.data(), weights.data()};
  };
  const auto sum = [&] {
    attention::forward(isa, arguments(), contexts.data(), threads);
    double total = 0;
    for (size_t k = 0; k < contexts.size(); ++k) {
      total += static_cast<double>(contexts[k]) * static_cast<double>(d_contexts[k]);
    }
    return total;
  };
  sum();
  std::vector<double> exact(contexts.size());
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t k = starts[b]; k < starts[b + 1]; ++k) {
      std::vector<double> e(static_cast<size_t>(lengths[b]));
      double all = 0;
      for (int64_t s = 0; s < lengths[b]; ++s) {
        double score = 0;
        for (int64_t q = 0; q < query; ++q) {
          score += static_cast<double>(queries[places[k] * query + q]) *
                   static_cast<double>(keys[(b * source + s) * query + q]);
        }
        all += e[s] = std::exp(score);
      }
      for (int64_t s = 0; s < lengths[b]; ++s) {
        for (int64_t m = 0; m < memory; ++m) {
          exact[places[k] * memory + m] += e[s] / all * static_cast<double>(values[(b * source + s) * memory + m]);
        }
      }
    }
  }
  bool is_right = is_near("contexts", contexts, exact, 1e-5);
  std::vector<float> d_scores(weights.size()), d_queries(queries.size()), d_keys(keys.size()), d_values(values.size());
  attention::backward(isa, arguments(),
                      {d_contexts.data(), d_scores.data(), d_queries.data(), d_keys.data(), d_values.data()}, threads);
  const auto check = [&](const char* what, std::vector<float>& of, const std::vector<float>& slopes) {
    for (size_t k = 0; k < of.size(); k += of.size() / 5 + 1) {
      const float before = of[k], step = 1e-2f;
      of[k] = before + step;
      const double above = sum();
      of[k] = before - step;
      const double slope = (above - sum()) / 2e-2;
      of[k] = before;
      if (std::fabs(slope - static_cast<double>(slopes[k])) <= 2e-3) continue;
      std::printf("%s: %.5f, by differences %.5f\n", what, static_cast<double>(slopes[k]), slope);
      is_right = false;
    }
  };
  check("d_queries", queries, d_queries);
  check("d_keys", keys, d_keys);
  check("d_values", values, d_values);
  return is_right;
}

bool check(Isa isa) {
  const Sizes cases[] = {{1, 1, 1, 2, 0, true},       {7, 5, 3, 8, 0.1f, false},       {37, 33, 50, 16, 0, true},
                         {100, 17, 129, 98, 0, true}, {250, 64, 200, 192, 0.2f, true}, {300, 130, 517, 300, 0, false}};
  bool is_right = true;
  for (const Element element : {Element::float32, Element::bfloat16}) {
    for (const Sizes& sizes : cases) {
      for (const int threads : {1, 3}) {
        if (check_loss(isa, element, sizes, threads)) continue;
        std::printf("  %s, %d rows, %d features, %d columns, %d threads\n",
                    element == Element::bfloat16 ? "bfloat16" : "float32", static_cast<int>(sizes.rows),
                    static_cast<int>(sizes.features), static_cast<int>(sizes.columns), threads);
        is_right = false;
      }
    }
  }
  for (const int64_t query : {1, 16, 37}) {
    for (const int64_t memory : {3, 64, 77}) is_right &= check_attention(isa, query, memory, 2);
  }
  return is_right;
}

}  // namespace

int main(int count, char** names) {
  const char* const isas[] = {"baseline", "avx2", "avx512", "avx512_bf16", "avx512_amx", "neon"};
  for (int k = 0; k < isa_count; ++k) {
    if (count < 2 || std::strcmp(names[1], isas[k]) != 0) continue;
    if (!check(static_cast<Isa>(k))) return 1;
    std::printf("%s: losses and attention agree with plain loops\n", names[1]);
    return 0;
  }
  std::fprintf(stderr, "usage: %s INSTRUCTION_SET\n", names[0]);
  return 2;
}
