#include "read_out.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../threads.h"
#include "products.h"

namespace gatework::decoding {

namespace {

constexpr int64_t rows_at_once = 8;
constexpr float lowest = -std::numeric_limits<float>::infinity();

// Some rows, with memory of their own.
class Block {
 public:
  Block(const ReadOut& weights, const Memories& memories, const Rows& rows)
      : w_(weights),
        m_(memories),
        rows_(rows),
        joined_(rows_at_once * (weights.memory + weights.hidden)),
        logits_(rows_at_once * weights.vocabulary),
        query_(std::max<int64_t>(weights.key, 1)),
        order_(rows.best) {}

  void run(int64_t first, int64_t count) {
    const int64_t width = w_.memory + w_.hidden;
    for (int64_t b = 0; b < count; ++b) look(first + b, joined_.data() + b * width);
    float* const features = rows_.features + first * w_.features;
    multiply(w_.join, w_.features, width, joined_.data(), count, nullptr, features);
    for (int64_t k = 0; k < count * w_.features; ++k) features[k] = std::tanh(features[k]);
    multiply(w_.output, w_.vocabulary, w_.features, features, count, w_.bias, logits_.data());
    for (int64_t b = 0; b < count; ++b) choose(first + b, logits_.data() + b * w_.vocabulary);
  }

 private:
  // The context of a row, and its state behind it.
  void look(int64_t row, float* joined) {
    const float* const hidden = rows_.hidden + row * w_.hidden;
    std::fill(joined, joined + w_.memory, 0.0f);
    std::copy(hidden, hidden + w_.hidden, joined + w_.memory);
    if (w_.memory == 0) return;
    const int64_t start = m_.starts[rows_.memory[row]], places = m_.starts[rows_.memory[row] + 1] - start;
    weights_.resize(static_cast<size_t>(places));
    score(hidden, m_.keys + start * w_.key, places);
    const float most = *std::max_element(weights_.begin(), weights_.end());
    float total = 0;
    for (float& weight : weights_) total += weight = std::exp(weight - most);
    for (int64_t s = 0; s < places; ++s) {
      const float weight = weights_[static_cast<size_t>(s)] / total;
      const float* const value = m_.values + (start + s) * w_.memory;
      for (int64_t k = 0; k < w_.memory; ++k) joined[k] += weight * value[k];
    }
  }

  void score(const float* hidden, const float* keys, int64_t places) {
    if (!w_.query) return multiply(keys, places, w_.key, hidden, 1, nullptr, weights_.data());
    multiply(w_.query, w_.key, w_.hidden, hidden, 1, w_.query_bias, query_.data());
    for (int64_t s = 0; s < places; ++s) {
      float sum = 0;
      for (int64_t k = 0; k < w_.key; ++k) sum += w_.weigh[k] * std::tanh(query_[k] + keys[s * w_.key + k]);
      weights_[static_cast<size_t>(s)] = sum;
    }
  }

  // The likeliest tokens of a row: of equal ones the first. What may not be given now counts among the probabilities.
  void choose(int64_t row, float* logits) {
    if (w_.banned >= 0) logits[w_.banned] = lowest;
    const float most = *std::max_element(logits, logits + w_.vocabulary);
    double total = 0;
    for (int64_t v = 0; v < w_.vocabulary; ++v) total += std::exp(logits[v] - most);
    const float log_total = static_cast<float>(std::log(total));
    const uint64_t wanted = rows_.wanted[row];
    // A sequence that would end, but lacks something, goes on with that.
    const bool is_ending = wanted && w_.end >= 0 && logits[w_.end] == most;
    for (int64_t k = 0; k < w_.onces; ++k) {
      if (!(wanted >> k & 1)) logits[w_.once + k] = lowest;
    }
    if (wanted && w_.end >= 0) logits[w_.end] = lowest;
    int64_t kept = 0;
    const auto take = [&](int64_t v) {
      if (kept == rows_.best && logits[v] <= logits[order_[kept - 1]]) return;
      int64_t at = kept < rows_.best ? kept++ : kept - 1;
      for (; at > 0 && logits[v] > logits[order_[at - 1]]; --at) order_[at] = order_[at - 1];
      order_[at] = v;
    };
    const int64_t first = is_ending ? w_.once : 0, last = is_ending ? w_.once + w_.onces : w_.vocabulary;
    for (int64_t v = first; v < last; ++v) take(v);
    for (int64_t k = 0; k < rows_.best; ++k) {
      rows_.tokens[row * rows_.best + k] = k < kept ? order_[k] : 0;
      rows_.log_probability[row * rows_.best + k] = k < kept ? logits[order_[k]] - most - log_total : lowest;
    }
  }

  const ReadOut& w_;
  const Memories& m_;
  const Rows& rows_;
  std::vector<float> joined_, logits_, query_, weights_;
  std::vector<int64_t> order_;
};

}  // namespace

void read_out(const ReadOut& weights, const Memories& memories, const Rows& rows, int threads) {
  const int64_t blocks = (rows.count + rows_at_once - 1) / rows_at_once;
  const int64_t parts = std::max<int64_t>(std::min<int64_t>(blocks, threads), 1);
  std::vector<Block> scratch;
  scratch.reserve(static_cast<size_t>(parts));
  for (int64_t k = 0; k < parts; ++k) scratch.emplace_back(weights, memories, rows);
  parallel(parts, [&](int64_t part) {
    for (int64_t block = part; block < blocks; block += parts) {
      const int64_t first = block * rows_at_once;
      scratch[static_cast<size_t>(part)].run(first, std::min(rows.count - first, rows_at_once));
    }
  });
}

}  // namespace gatework::decoding
