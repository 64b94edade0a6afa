#include "ctc_paths.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "log_add.h"

namespace gatework::decoding {

namespace {

constexpr int32_t blank = 0;
constexpr double never = -std::numeric_limits<double>::infinity();
// Sums of probabilities are scaled up where they fall below this. What is smaller than the smallest number beside them,
// 1e-308, is lost, so that a result stands for itself down to about 1e-200, of which e^-400 leaves some to spare.
constexpr double small = 1e-100;
constexpr double least_exact = -400, least_best = -350;

// The letter of each state, and whether the blank before it may be left out.
struct States {
  std::vector<int32_t> letter;
  std::vector<uint8_t> may_skip;

  States(const int32_t* text, int64_t count)
      : letter(static_cast<size_t>(2 * count + 1), blank), may_skip(letter.size(), 0) {
    for (size_t k = 0; k < static_cast<size_t>(count); ++k) {
      letter[2 * k + 1] = text[k];
      may_skip[2 * k + 1] = k > 0 && text[k] != text[k - 1];
    }
  }
};

// By sums of probabilities, which is many times faster than by sums of their logarithms.
double scaled(const Heard& heard, const std::vector<double>& probability, const States& states) {
  const size_t size = states.letter.size(), width = static_cast<size_t>(heard.width);
  std::vector<double> now(size + 2, 0.0), next(size + 2, 0.0);  // two states in front that are never reached
  double log_scale = 0;
  now[2] = probability[blank];
  if (size > 1) now[3] = probability[static_cast<size_t>(states.letter[1])];
  for (size_t t = 1; t < static_cast<size_t>(heard.steps); ++t) {
    const double* p = probability.data() + t * width;
    double total = 0;
    for (size_t s = 0; s < size; ++s) {
      const double from = now[s + 2] + now[s + 1] + (states.may_skip[s] ? now[s] : 0.0);
      next[s + 2] = from * p[states.letter[s]];
      total += next[s + 2];
    }
    if (total < small) {
      if (total == 0) return never;
      for (size_t s = 0; s < size; ++s) next[s + 2] /= total;
      log_scale += std::log(total);
    }
    now.swap(next);
  }
  return log_scale + std::log(now[size + 1] + (size > 1 ? now[size] : 0.0));
}

double by_logarithms(const Heard& heard, const States& states) {
  const size_t size = states.letter.size();
  std::vector<double> now(size, never), next(size);
  now[0] = heard.log_probs[blank];
  if (size > 1) now[1] = heard.log_probs[states.letter[1]];
  for (int64_t t = 1; t < heard.steps; ++t) {
    const float* p = heard.log_probs + t * heard.width;
    for (size_t s = 0; s < size; ++s) {
      double from = now[s];
      if (s >= 1) from = log_add(from, now[s - 1]);
      if (states.may_skip[s]) from = log_add(from, now[s - 2]);
      next[s] = from + static_cast<double>(p[states.letter[s]]);
    }
    now.swap(next);
  }
  return size > 1 ? log_add(now[size - 1], now[size - 2]) : now[0];
}

}  // namespace

void text_log_probabilities(const Heard& heard, const Texts& texts, double* log_probability) {
  std::vector<double> probability(static_cast<size_t>(heard.steps * heard.width));
  for (size_t k = 0; k < probability.size(); ++k) probability[k] = std::exp(static_cast<double>(heard.log_probs[k]));
  double best = never;
  const auto states = [&](int64_t k) {
    return States(texts.letters + texts.starts[k], texts.starts[k + 1] - texts.starts[k]);
  };
  for (int64_t k = 0; k < texts.count; ++k) {
    if (heard.steps) {
      log_probability[k] = scaled(heard, probability, states(k));
    } else {
      log_probability[k] = texts.starts[k + 1] > texts.starts[k] ? never : 0.0;
    }
    if (log_probability[k] < least_exact) log_probability[k] = never;
    best = std::max(best, log_probability[k]);
  }
  if (best >= least_best || !heard.steps) return;
  for (int64_t k = 0; k < texts.count; ++k) log_probability[k] = by_logarithms(heard, states(k));
}

std::vector<int32_t> likeliest_path(const Heard& heard, const int32_t* text, int64_t count) {
  const States states(text, count);
  const size_t size = states.letter.size(), steps = static_cast<size_t>(heard.steps);
  std::vector<double> now(size, never), next(size);
  std::vector<uint8_t> gone_on(steps * size);  // by how many states each came
  if (!steps) return {};
  now[0] = heard.log_probs[blank];
  if (count) now[1] = heard.log_probs[text[0]];
  for (size_t t = 1; t < steps; ++t) {
    const float* p = heard.log_probs + t * static_cast<size_t>(heard.width);
    for (size_t s = 0; s < size; ++s) {
      double from = now[s];
      uint8_t by = 0;
      if (s >= 1 && now[s - 1] > from) from = now[s - 1], by = 1;
      if (states.may_skip[s] && now[s - 2] > from) from = now[s - 2], by = 2;
      next[s] = from + static_cast<double>(p[states.letter[s]]);
      gone_on[t * size + s] = by;
    }
    now.swap(next);
  }
  size_t s = size > 1 && now[size - 2] > now[size - 1] ? size - 2 : size - 1;
  if (now[s] == never) return {};
  std::vector<int32_t> path(steps);
  for (size_t t = steps; t-- > 0; s -= gone_on[t * size + s]) path[t] = s % 2 ? static_cast<int32_t>(s / 2) : -1;
  return path;
}

}  // namespace gatework::decoding
