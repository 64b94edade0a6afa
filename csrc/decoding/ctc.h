// Reading the output of a network that was trained by connectionist temporal classification: at each step the
// log-probability of every letter, 1 .. letters, and of the blank, 0.
//
// The search keeps prefixes of texts, each with the probability of all ways to write it that end with a blank, and of
// all that end with its last letter. What a language knows is added to their logarithms, never multiplied in twice: a
// word's letters are scored one by one until it ends, and then by the word as a whole where the lexicon has it. A
// recurrent language model scores letter by letter, and goes on once a step, with all beams that have grown.
// Source: A. Hannun et al., "First-pass large vocabulary continuous speech recognition using bi-directional recurrent
// DNNs", 2014, for the search; the open vocabulary by letters behind an unknown word is that of M. Bisani and H. Ney,
// "Open vocabulary speech recognition with flat hybrid models", 2005.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "letter_model.h"
#include "log_add.h"
#include "ngrams.h"

namespace gatework::decoding {

constexpr int32_t blank = 0;
constexpr double never = -std::numeric_limits<double>::infinity();

// Sequences of letters that share their beginnings. Node 0 is the empty beginning.
class LetterTrie {
 public:
  LetterTrie() : nodes_(1) {}

  // Adds a sequence with its number, 0 or more; the first number of equal sequences holds.
  void add(const int32_t* letters, int64_t count, int32_t number);

  int32_t child(int32_t node, int32_t letter) const;                                       // -1 where there is none
  int32_t number(int32_t node) const { return nodes_[static_cast<size_t>(node)].number; }  // -1 of a mere beginning
  bool is_empty() const { return nodes_.size() == 1; }

 private:
  struct Node {
    int32_t letter = 0, number = -1, first_child = -1, next_sibling = -1;
  };
  std::vector<Node> nodes_;
};

// What is known of a language. Everything may be absent: then the network alone decides.
struct Language {
  const NGrams* words = nullptr;    // over the lexicon's numbers, then the unknown word, then the end of a text
  const NGrams* letters = nullptr;  // over letter - 1, then the end of a text
  LetterTrie lexicon;               // words without spaces
  LetterTrie boosted;               // phrases, spaces among them
  int32_t space = -1;               // the letter between words; -1 where there is none
  bool is_closed = false;           // whether every word must be in the lexicon
  double weight = 0, bonus = 0;     // of the language model, and for each word
  double boost = 0;                 // for each letter of a boosted phrase, if all of it is said
  const LetterModel* recurrent = nullptr;
  double recurrent_weight = 0;
};

// A letter of a text, with the step at which it was likeliest and its log-probability there.
struct WrittenLetter {
  int32_t letter;
  int64_t step;
  double log_probability;
};

class BeamSearch {
 public:
  BeamSearch(const Language& language, int32_t letters, int beam);

  // Goes on by steps: log_probs is (steps, letters + 1).
  void feed(const float* log_probs, int64_t steps);

  // What all beams share and no later step can change, since the previous call; the search forgets it. In what is long
  // past only the best beam counts, so that what is not settled has an end.
  std::vector<WrittenLetter> settled();

  // What the best beam says beyond that, if the text ended here (is_end) or goes on.
  std::vector<WrittenLetter> best(bool is_end) const;

  // The score of the best beam as a text that ends here: the logarithms of its probability and of what the language
  // says.
  double score() const;

  // How many beginnings of texts are kept.
  int64_t beginnings() const { return static_cast<int64_t>(beams_.size()); }

 private:
  struct Beam {
    int32_t parent = -1, first_child = -1, next_sibling = -1, letter = 0;
    int32_t lexicon = 0, boosted = 0;  // places in the tries; -1 outside
    int32_t words = 0, letters = 0;    // states of the models
    int32_t slot = -1;                 // what the recurrent model knows behind it; -1 where it is not kept
    double spelt = 0;                  // what the model of letters says of the word at hand
    double before = 0;                 // what is counted says up to that word, and the recurrent model up to its letter
    double boost = 0, pending = 0;     // granted, and granted until the phrase breaks off
    double with_blank = never, with_letter = never, next_blank = never, next_letter = never;
    double peak = never;
    int64_t step = 0;
    bool is_touched = false;
  };

  int32_t extended(int32_t place, int32_t letter);  // -1 where the language forbids it
  double word_score(const Beam& beam, double ending, int32_t& state) const;
  double language(const Beam& beam) const;
  double ended(const Beam& beam) const;
  void read_letters(const std::vector<int32_t>& previous);
  std::vector<WrittenLetter> written(int32_t place) const;
  void touch(int32_t place);
  void settle_past();
  void compact();

  const Language& language_;
  int32_t letters_;
  size_t width_;
  int64_t step_ = 0;
  std::vector<Beam> beams_, spare_;
  size_t swept_ = 0;  // how many were left by the last sweep
  std::vector<int32_t> active_, touched_;
  std::optional<LetterStates> states_;  // of the active beams
  int32_t root_ = 0;
};

}  // namespace gatework::decoding
