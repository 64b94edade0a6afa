// The ways to write a text that is known already: what all of them amount to, and which of them is the likeliest.
//
// A way goes through states, step by step: a blank before, between and behind the letters, 2 * letters + 1 in all. From
// one step to the next it stays, goes on by one, or leaves out the blank between two letters that differ.
// Source: A. Graves et al., "Connectionist temporal classification", 2006.
#pragma once

#include <cstdint>
#include <vector>

namespace gatework::decoding {

// What a network says of a recording: the log-probabilities of the blank, 0, and of every letter, (steps, width).
struct Heard {
  const float* log_probs;
  int64_t steps;
  int32_t width;
};

// Sequences of letters, one after the other, and where each of them begins and the last one ends, count + 1 places.
struct Texts {
  const int32_t* letters;
  const int64_t* starts;
  int64_t count;
};

// The log-probability of each text over all ways to write it; -inf where there are fewer steps than it needs. Of texts
// that are hopeless beside the best one of them, less likely than e^-400, it may be -inf as well.
void text_log_probabilities(const Heard& heard, const Texts& texts, double* log_probability);

// The likeliest way to write a text: for each step the place of the letter that it writes, or -1 for a blank. Empty
// where there are fewer steps than the text needs.
std::vector<int32_t> likeliest_path(const Heard& heard, const int32_t* text, int64_t count);

}  // namespace gatework::decoding
