#include "ngrams.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gatework::decoding {

namespace {

constexpr int32_t none = -1;
constexpr float impossible = -99.0f;  // of the beginning of a document, which nobody asks for

// The places of a text where a token stands, stably sorted by a key of each that is below `keys`.
template <class Key>
std::vector<int32_t> sorted_by(const std::vector<int32_t>& places, int64_t keys, const Key& key) {
  std::vector<int64_t> next(static_cast<size_t>(keys + 1));
  for (const int32_t place : places) ++next[static_cast<size_t>(key(place) + 1)];
  for (size_t k = 1; k < next.size(); ++k) next[k] += next[k - 1];
  std::vector<int32_t> sorted(places.size());
  for (const int32_t place : places) sorted[static_cast<size_t>(next[static_cast<size_t>(key(place))]++)] = place;
  return sorted;
}

// Discounts from how many n-grams have the counts 1 to 4. Where one of these is missing, as in a short text, or a
// discount is not between 0 and its count, all are the one of absolute discounting, n1 / (n1 + 2 n2), or 1/2 where
// there is no n-gram with a count of 1, or none with 2.
Discounts discounts_of(const int64_t (&with)[5]) {
  const double n1 = static_cast<double>(with[1]), n2 = static_cast<double>(with[2]);
  const double n3 = static_cast<double>(with[3]), n4 = static_cast<double>(with[4]);
  const double absolute = n1 > 0 && n2 > 0 ? n1 / (n1 + 2 * n2) : 0.5;
  if (n1 > 0 && n2 > 0 && n3 > 0 && n4 > 0) {
    const Discounts d{1 - 2 * absolute * n2 / n1, 2 - 3 * absolute * n3 / n2, 3 - 4 * absolute * n4 / n3};
    if (d.once > 0 && d.twice > 0 && d.more > 0) return d;
  }
  return {absolute, absolute, absolute};
}

double discount(const Discounts& d, int64_t count) {
  if (count == 0) return 0;
  return count == 1 ? d.once : count == 2 ? d.twice : d.more;
}

}  // namespace

NGrams NGrams::count(const int32_t* tokens, const int64_t* starts, int64_t documents, int order, int32_t vocabulary) {
  // The text with a beginning before each document.
  const int64_t length = starts[documents] + documents;
  if (length >= INT32_MAX) throw std::length_error("too many tokens");
  std::vector<int32_t> text;
  text.reserve(static_cast<size_t>(length));
  for (int64_t d = 0; d < documents; ++d) {
    text.push_back(vocabulary);
    text.insert(text.end(), tokens + starts[d], tokens + starts[d + 1]);
  }
  NGrams model(vocabulary);
  NGramArrays& a = model.arrays_;
  std::vector<int64_t> counts(static_cast<size_t>(vocabulary + 2));
  model.suffix_.assign(counts.size(), 0);
  a.tokens = {0};
  for (int32_t w = 0; w <= vocabulary; ++w) a.tokens.push_back(w);
  a.levels = {0, 1, vocabulary + 2};
  a.children = {1};
  // The n-gram that ends at each place, of the level at hand; there is none where the document is younger.
  std::vector<int32_t> node(text.size()), places;
  for (size_t t = 0; t < text.size(); ++t) {
    node[t] = 1 + text[t];
    if (text[t] != vocabulary) places.push_back(static_cast<int32_t>(t));
    if (order == 1 && text[t] != vocabulary) ++counts[static_cast<size_t>(node[t])];
  }
  places = sorted_by(places, vocabulary, [&](int32_t t) { return text[static_cast<size_t>(t)]; });
  for (int level = 2; level <= order; ++level) {
    const int64_t first = a.levels[static_cast<size_t>(level - 1)], end = a.levels.back();
    const auto parent = [&](int32_t t) { return node[static_cast<size_t>(t - 1)]; };
    places.erase(std::remove_if(places.begin(), places.end(), [&](int32_t t) { return parent(t) == none; }),
                 places.end());
    std::vector<int32_t> by_parent = sorted_by(places, end - first, [&](int32_t t) { return parent(t) - first; });
    std::vector<int32_t> next(text.size(), none);
    int32_t above = none, newest = none;
    for (const int32_t t : by_parent) {
      const int32_t p = parent(t), token = text[static_cast<size_t>(t)], end_of_it = node[static_cast<size_t>(t)];
      if (p != above || token != a.tokens.back()) {
        for (; static_cast<int64_t>(a.children.size()) <= p;)
          a.children.push_back(static_cast<int64_t>(a.tokens.size()));
        if (a.tokens.size() >= INT32_MAX) throw std::length_error("too many n-grams");
        newest = static_cast<int32_t>(a.tokens.size());
        a.tokens.push_back(token);
        model.suffix_.push_back(end_of_it);
        counts.push_back(0);
        // A shorter n-gram counts by how many different tokens it follows.
        ++counts[static_cast<size_t>(end_of_it)];
        above = p;
      }
      next[static_cast<size_t>(t)] = newest;
      // One of the last level, and one that begins a document and so follows nothing, count by how often they occur.
      const bool begins = t + 1 == level || text[static_cast<size_t>(t + 1 - level)] == vocabulary;
      if (level == order || begins) ++counts[static_cast<size_t>(newest)];
    }
    while (static_cast<int64_t>(a.children.size()) < end) a.children.push_back(static_cast<int64_t>(a.tokens.size()));
    a.levels.push_back(static_cast<int64_t>(a.tokens.size()));
    node.swap(next);
  }
  a.children.push_back(static_cast<int64_t>(a.tokens.size()));
  model.estimate(counts);
  return model;
}

// Fills in the discounts, probabilities and backoffs from the (adjusted) counts.
void NGrams::estimate(const std::vector<int64_t>& counts) {
  NGramArrays& a = arrays_;
  std::vector<double> p(a.tokens.size());
  a.log_probability.assign(a.tokens.size(), impossible);
  a.log_backoff.assign(a.children.size() - 1, 0.0f);
  for (int level = 1; level <= order(); ++level) {
    const int64_t begin = a.levels[static_cast<size_t>(level)], end = a.levels[static_cast<size_t>(level + 1)];
    int64_t with[5] = {};
    for (int64_t k = begin; k < end; ++k) ++with[std::min<int64_t>(counts[static_cast<size_t>(k)], 5) % 5];
    const Discounts d = discounts_of(with);
    discounts_.push_back(d);
    for (int64_t context = a.levels[static_cast<size_t>(level - 1)]; context < begin; ++context) {
      const size_t c = static_cast<size_t>(context), first = static_cast<size_t>(a.children[c]);
      // The beginning of a document is the last of its level, and not predicted.
      const size_t last = context ? static_cast<size_t>(a.children[c + 1]) : first + static_cast<size_t>(vocabulary_);
      double total = 0, taken = 0;
      for (size_t k = first; k < last; ++k) {
        total += static_cast<double>(counts[k]);
        taken += discount(d, counts[k]);
      }
      if (first == last) continue;
      const double backoff = total > 0 ? taken / total : 1;
      if (context) a.log_backoff[c] = static_cast<float>(std::log(backoff));
      for (size_t k = first; k < last; ++k) {
        const double shorter = context ? p[static_cast<size_t>(suffix_[k])] : 1.0 / vocabulary_;
        const double kept = total > 0 ? (static_cast<double>(counts[k]) - discount(d, counts[k])) / total : 0;
        p[k] = kept + backoff * shorter;
        a.log_probability[k] = static_cast<float>(std::log(p[k]));
      }
    }
  }
}

NGrams::NGrams(NGramArrays arrays, int32_t vocabulary) : arrays_(std::move(arrays)), vocabulary_(vocabulary) {
  check();
  link();
}

void NGrams::check() const {
  const NGramArrays& a = arrays_;
  const auto demand = [](bool holds, const char* what) {
    if (!holds) throw std::invalid_argument(what);
  };
  const size_t levels = a.levels.size();
  demand(vocabulary_ > 0 && levels >= 3, "there is no order of 1 or more, or no vocabulary");
  demand(a.levels[0] == 0 && a.levels[1] == 1 && a.levels[2] == int64_t{vocabulary_} + 2,
         "the first level is not the vocabulary");
  for (size_t k = 2; k < levels; ++k) demand(a.levels[k] >= a.levels[k - 1], "the levels do not ascend");
  const int64_t nodes = a.levels[levels - 1], contexts = a.levels[levels - 2];
  demand(nodes < INT32_MAX, "there are too many n-grams");
  const auto has = [](const auto& array, int64_t size) { return static_cast<int64_t>(array.size()) == size; };
  demand(has(a.tokens, nodes) && has(a.log_probability, nodes), "an array does not have one value for each n-gram");
  demand(has(a.children, contexts + 1) && has(a.log_backoff, contexts),
         "an array does not have one value for each context");
  for (size_t level = 0; level + 1 < levels; ++level) {
    const auto begin = static_cast<size_t>(a.levels[level]);
    demand(begin >= a.children.size() || a.children[begin] == a.levels[level + 1],
           "the children of a level are not the next one");
  }
  for (size_t c = 0; c + 1 < a.children.size(); ++c)
    demand(a.children[c] <= a.children[c + 1], "the children do not ascend");
  for (size_t c = 0; c + 1 < a.children.size(); ++c) {
    for (auto k = static_cast<size_t>(a.children[c]); k < static_cast<size_t>(a.children[c + 1]); ++k) {
      demand(a.tokens[k] >= 0 && a.tokens[k] < vocabulary_ + (c == 0), "a token is not in the vocabulary");
      demand(k == static_cast<size_t>(a.children[c]) || a.tokens[k] > a.tokens[k - 1],
             "the tokens of a context do not ascend");
    }
  }
}

// Fills in the suffixes, level by level: the end of `context token` is the child of an end of the context.
void NGrams::link() {
  suffix_.assign(arrays_.tokens.size(), 0);
  for (size_t c = 1; c + 1 < arrays_.children.size(); ++c) {
    for (auto k = static_cast<size_t>(arrays_.children[c]); k < static_cast<size_t>(arrays_.children[c + 1]); ++k) {
      int32_t end = suffix_[c];
      while ((suffix_[k] = child(end, arrays_.tokens[k])) == none) end = suffix_[static_cast<size_t>(end)];
    }
  }
}

int32_t NGrams::child(int32_t context, int32_t token) const {
  if (context == 0) return 1 + token;
  const auto first = arrays_.tokens.begin() + arrays_.children[static_cast<size_t>(context)];
  const auto last = arrays_.tokens.begin() + arrays_.children[static_cast<size_t>(context) + 1];
  const auto place = std::lower_bound(first, last, token);
  return place != last && *place == token ? static_cast<int32_t>(place - arrays_.tokens.begin()) : none;
}

int32_t NGrams::settled(int32_t node) const {
  const auto has_children = [&](int32_t n) {
    return n < contexts() && arrays_.children[static_cast<size_t>(n)] < arrays_.children[static_cast<size_t>(n) + 1];
  };
  while (!has_children(node)) node = suffix_[static_cast<size_t>(node)];
  return node;
}

float NGrams::advance(int32_t& state, int32_t token) const {
  float score = 0;
  for (int32_t context = state;; context = suffix_[static_cast<size_t>(context)]) {
    const int32_t node = child(context, token);
    if (node != none) {
      state = settled(node);
      return score + arrays_.log_probability[static_cast<size_t>(node)];
    }
    score += arrays_.log_backoff[static_cast<size_t>(context)];
  }
}

void NGrams::distribution(int32_t state, double* probabilities) const {
  std::vector<int32_t> chain;
  for (int32_t context = state; context; context = suffix_[static_cast<size_t>(context)]) chain.push_back(context);
  for (int32_t w = 0; w < vocabulary_; ++w)
    probabilities[w] = std::exp(double{arrays_.log_probability[1 + static_cast<size_t>(w)]});
  for (auto context = chain.rbegin(); context != chain.rend(); ++context) {
    const auto c = static_cast<size_t>(*context);
    const double backoff = std::exp(double{arrays_.log_backoff[c]});
    for (int32_t w = 0; w < vocabulary_; ++w) probabilities[w] *= backoff;
    for (auto k = static_cast<size_t>(arrays_.children[c]); k < static_cast<size_t>(arrays_.children[c + 1]); ++k) {
      probabilities[arrays_.tokens[k]] = std::exp(double{arrays_.log_probability[k]});
    }
  }
}

}  // namespace gatework::decoding
