// What a decoder with attention makes of the states of its layers: a look at the memory, the features that join both, a
// score for every token, and the likeliest tokens.
//
// Every row is computed by itself: its results are the same bits whatever rows stand beside it and on however many
// threads.
#pragma once

#include <cstdint>

namespace gatework::decoding {

// All weights are float, row-major, and belong to the caller. `key` numbers are compared by a query, `memory` numbers
// are averaged; both are 0 where there is no attention.
struct ReadOut {
  int64_t hidden, memory, key, features, vocabulary;
  const float* query;       // (key, hidden): of an additive score, else null
  const float* query_bias;  // (key)
  const float* weigh;       // (key): of an additive score
  const float* join;        // (features, memory + hidden)
  const float* output;      // (vocabulary, features)
  const float* bias;        // (vocabulary)
  int64_t banned;           // a token that is never given, or -1
  int64_t once, onces;      // the first of the tokens that are given once where they are wanted, and how many there are
  int64_t end;              // the token that is not given while one is wanted, or -1
};

// Memories of several lengths, one after the other; the places of memory m are starts[m] to starts[m + 1].
struct Memories {
  const float* keys;    // (places, key)
  const float* values;  // (places, memory)
  const int64_t* starts;
  const int64_t* shortlist;     // the tokens that may be given of each memory, one list after the other: the end first,
  const int64_t* short_starts;  // then those that are given once, then others; those of m are short_starts[m] to
};  // short_starts[m + 1]; null where every token may be given

// The rows to read out, and what comes of them.
struct Rows {
  int64_t count;
  const float* hidden;     // (count, hidden)
  const int64_t* memory;   // (count): which memory each looks at
  const uint64_t* wanted;  // (count): which of the tokens given once are to come, the first in the lowest bit
  int64_t best;            // how many tokens of each are wanted, at most the vocabulary; 0 for every token's, in order
  int64_t most_places;     // how many places `seen` has for each; 0 where nobody asks
  float* seen;             // (count, most_places): the weights of its look are added to these
  float* features;         // (count, features)
  float* log_probability;  // (count, best), the likeliest first; of every token (count, vocabulary)
  int64_t* tokens;         // (count, best)
};

void read_out(const ReadOut& weights, const Memories& memories, const Rows& rows, int threads);

}  // namespace gatework::decoding
