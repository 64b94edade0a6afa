// A recurrent language model beside a beam search: the state behind each beginning of a text that the search keeps, and
// the logarithms of the probabilities of what may follow it.
//
// Of the model's tokens those count that the search can write, a letter each, and those that end a text; their
// probabilities are normalised to 1.
#pragma once

#include <cstdint>
#include <vector>

#include "language_model.h"

namespace gatework::decoding {

// The tokens that a search writes texts in.
struct SpokenTokens {
  std::vector<int32_t> letters;  // of each letter, from 1
  std::vector<int32_t> ends;     // any of which ends a text; at least one
  std::vector<int32_t> begin;    // those before a text; at least one
};

// The model belongs to the caller and outlives this.
struct LetterModel {
  const LanguageModel& model;
  const SpokenTokens tokens;
};

// The states of one search, each in a slot.
class LetterStates {
 public:
  explicit LetterStates(const LetterModel& of);

  // The slot of the beginning of a text.
  static constexpr int32_t beginning = 0;

  double letter(int32_t slot, int32_t letter) const { return row(slot)[letter]; }
  double end(int32_t slot) const { return row(slot)[0]; }

  // Goes on from some slots by a letter each, all in one step; the slots of what was reached. Those given stay.
  std::vector<int32_t> advance(const std::vector<int32_t>& from, const std::vector<int32_t>& letters);

  void release(int32_t slot) { free_.push_back(slot); }

 private:
  size_t state_size(int state) const;
  const double* row(int32_t slot) const { return rows_.data() + static_cast<size_t>(slot) * width_; }
  int32_t taken();
  void read(int32_t slot, const float* logits);

  const LetterModel& of_;
  const size_t width_;                     // letters and the end
  std::vector<float> states_[max_states];  // (slots, layers, width of the state)
  std::vector<double> rows_;               // (slots, letters + 1), the end first
  std::vector<int32_t> free_;
  std::vector<float> logits_, together_[max_states];
};

}  // namespace gatework::decoding
