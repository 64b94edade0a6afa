// An n-gram language model over tokens 0 .. vocabulary - 1: interpolated modified Kneser-Ney, or any other model in
// backoff form. Source: S. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling",
// 1998, section 3.
//
// A trie whose nodes are n-grams, numbered level by level: node 0 is the empty one, 1 + w is the token w, 1 +
// vocabulary is the beginning of a document, which is a context and never predicted. The children of a node lie side by
// side, in ascending order of their last token. A node that is not of the last level is a context, and so a state of
// scoring: the longest end of what came before that the model knows and can be continued.
#pragma once

#include <cstdint>
#include <vector>

namespace gatework::decoding {

struct NGramArrays {
  std::vector<int64_t> levels;         // (order + 2): the first node of each level, then the number of nodes
  std::vector<int32_t> tokens;         // (nodes): the last token of each
  std::vector<int64_t> children;       // (contexts + 1): the first child of each context, then the number of nodes
  std::vector<float> log_probability;  // (nodes): of the last token after the ones before it
  std::vector<float> log_backoff;      // (contexts): the factor on the shorter context where a token is not a child
};

// How much is taken off the counts 1, 2, and 3 or more of one order.
struct Discounts {
  double once, twice, more;
};

class NGrams {
 public:
  // Counts documents: the tokens of document d are tokens[starts[d]] .. tokens[starts[d + 1] - 1]. All tokens are in
  // the vocabulary, order is at least 1.
  static NGrams count(const int32_t* tokens, const int64_t* starts, int64_t documents, int order, int32_t vocabulary);

  // A model made elsewhere. Throws std::invalid_argument where the arrays are not a trie as above, so that nothing
  // is ever read outside of them.
  NGrams(NGramArrays arrays, int32_t vocabulary);

  int order() const { return static_cast<int>(arrays_.levels.size()) - 2; }
  int32_t vocabulary() const { return vocabulary_; }
  int64_t nodes() const { return arrays_.levels.back(); }
  const NGramArrays& arrays() const { return arrays_; }
  const std::vector<Discounts>& discounts() const { return discounts_; }  // by order; empty for a model made elsewhere

  // The state before a document's first token, and the one that knows nothing of what came before.
  int32_t begin() const { return order() > 1 ? settled(1 + vocabulary_) : 0; }
  static constexpr int32_t nothing() { return 0; }
  bool is_state(int64_t state) const { return state >= 0 && state < contexts(); }

  // log p(token | state); the state becomes that after the token. Equal states have equal futures.
  float advance(int32_t& state, int32_t token) const;

  // p(. | state), vocabulary numbers that sum to 1.
  void distribution(int32_t state, double* probabilities) const;

 private:
  NGrams(int32_t vocabulary) : vocabulary_(vocabulary) {}

  int64_t contexts() const { return static_cast<int64_t>(arrays_.log_backoff.size()); }
  int32_t child(int32_t context, int32_t token) const;  // -1 where there is none
  int32_t settled(int32_t node) const;                  // the longest end of a node that is a context with children
  void check() const;
  void link();
  void estimate(const std::vector<int64_t>& counts);

  NGramArrays arrays_;
  std::vector<int32_t> suffix_;  // (nodes): the longest end of each that is a node
  std::vector<Discounts> discounts_;
  int32_t vocabulary_;
};

}  // namespace gatework::decoding
