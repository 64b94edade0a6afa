// The contract of the attention kernels: what they are given, and the table of one instruction set.
#pragma once

#include <cstdint>

namespace gatework::attention {

// Queries of sequences of different lengths, each weighing the memory of its sequence by products. All is row-major and
// without gaps.
struct Arguments {
  int64_t batch, source, query, memory;  // sequences, places of the longest memory, features of a query and of a place
  const int64_t* starts;                 // (batch + 1): where the queries of each sequence begin in `places`
  const int64_t* places;                 // the row of each query, one sequence after the other
  const int64_t* lengths;                // (batch): places of each memory, at least 1
  const float* queries;                  // (rows, query)
  const float* keys;                     // (batch, source, query)
  const float* values;                   // (batch, source, memory)
  float* weights;                        // (rows, source), one sequence after the other
};

// What the backward pass reads and fills besides.
struct Gradients {
  const float* d_contexts;  // (rows, memory)
  float* d_scores;          // (rows, source), one sequence after the other
  float* d_queries;         // (rows, query)
  float* d_keys;            // (batch, source, query)
  float* d_values;          // (batch, source, memory)
};

struct Kernel {
  void (*forward)(const Arguments&, float* contexts, int64_t sequence);
  void (*backward)(const Arguments&, const Gradients&, int64_t sequence);
};

}  // namespace gatework::attention
