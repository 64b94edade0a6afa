#include "read_out.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "../threads.h"
#include "products.h"

namespace gatework::decoding {

namespace {

constexpr int64_t rows_at_once = 12;
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
    for (int64_t b = 0, next; b < count; b = next) {
      for (next = b + 1; next < count && (!m_.shortlist || rows_.memory[first + next] == rows_.memory[first + b]);)
        ++next;
      const List list = list_of(rows_.memory[first + b]);
      multiply(w_.output, list.tokens, list.count, w_.features, features + b * w_.features, next - b, w_.bias,
               logits_.data());
      for (int64_t row = b; row < next; ++row) choose(first + row, logits_.data() + (row - b) * list.count, list);
    }
  }

 private:
  // The tokens that may be given: all where `tokens` is null. `end`, `once` and `banned` are places among them, or -1.
  struct List {
    const int64_t* tokens;
    int64_t count, end, once, banned;
    int64_t token(int64_t place) const { return tokens ? tokens[place] : place; }
  };

  List list_of(int64_t memory) const {
    if (!m_.shortlist) return {nullptr, w_.vocabulary, w_.end, w_.once, w_.banned};
    const int64_t start = m_.short_starts[memory];
    return {m_.shortlist + start, m_.short_starts[memory + 1] - start, 0, 1, -1};
  }

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
      if (s < rows_.most_places) rows_.seen[row * rows_.most_places + s] += weight;
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
  void choose(int64_t row, float* logits, const List& list) {
    if (list.banned >= 0) logits[list.banned] = lowest;
    const float most = largest(logits, list.count);
    const float log_total = std::log(sum_of_exponentials(logits, list.count, most));
    if (rows_.best == 0) return give_all(row, logits, list, most, log_total);
    const bool is_ending = restrict(logits, list, rows_.wanted[row], most);
    const int64_t first = is_ending ? list.once : 0, last = is_ending ? list.once + w_.onces : list.count;
    const int64_t kept = std::min(rows_.best, last - first);
    for (int64_t v = first; v < first + kept; ++v) insert(logits, v, v - first);
    for (int64_t v = first + kept; v < last; ++v) {
      if (logits[v] > logits[order_[kept - 1]]) insert(logits, v, kept - 1);
    }
    for (int64_t k = 0; k < rows_.best; ++k) {
      rows_.tokens[row * rows_.best + k] = k < kept ? list.token(order_[k]) : 0;
      rows_.log_probability[row * rows_.best + k] = k < kept ? logits[order_[k]] - most - log_total : lowest;
    }
  }

  // Rules out what may not be given. Whether only what is wanted may: a sequence would end, but lacks it.
  bool restrict(float* logits, const List& list, uint64_t wanted, float most) const {
    if (w_.end < 0) return false;
    const bool is_ending = wanted && logits[list.end] == most;
    for (int64_t k = 0; k < w_.onces; ++k) {
      if (!(wanted >> k & 1)) logits[list.once + k] = lowest;
    }
    if (wanted) logits[list.end] = lowest;
    return is_ending;
  }

  void give_all(int64_t row, const float* logits, const List& list, float most, float log_total) const {
    float* const all = rows_.log_probability + row * w_.vocabulary;
    std::fill(all, all + w_.vocabulary, lowest);
    for (int64_t v = 0; v < list.count; ++v) all[list.token(v)] = logits[v] - most - log_total;
  }

  // Puts a token where it belongs among the ones before a place.
  void insert(const float* logits, int64_t token, int64_t at) {
    for (; at > 0 && logits[token] > logits[order_[at - 1]]; --at) order_[at] = order_[at - 1];
    order_[at] = token;
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
