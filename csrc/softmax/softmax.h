// The contract of the cross-entropy kernels: what they are given, and the table of one instruction set.
#pragma once

#include <cstdint>

namespace gatework::softmax {

// The losses of rows by the softmax of a linear layer, and the gradients of their sum times `scale`. All is row-major
// and without gaps; gradients are written, not added to, and null where they are not wanted.
struct Arguments {
  int64_t rows, features, columns;
  const float* x;        // (rows, features)
  const float* weight;   // (columns, features)
  const float* bias;     // (columns), or null
  const int64_t* right;  // the right column of each row
  float smoothing;       // the share of the target that all columns have alike
  float scale;
  float* losses;    // (rows)
  float* d_x;       // (rows, features)
  float* d_weight;  // (columns, features)
  float* d_bias;    // (columns)
  int64_t block;    // rows whose logits' derivatives are there at once, even
};

// What is done one after the other, each in parts that do not depend on each other: the weights are packed; then for
// each block of rows the losses and the gradients of the rows are computed, and what the block gives to the weights'.
enum class Phase : int { pack = 0, rows = 1, columns = 2 };

struct Kernel {
  int64_t (*shared_bytes)(const Arguments&);  // memory for all threads
  int64_t (*own_bytes)(const Arguments&);     // memory for each thread
  int64_t (*parts)(const Arguments&, Phase);
  void (*run)(const Arguments&, Phase, int64_t first_row, int64_t part, void* shared, void* own);
};

}  // namespace gatework::softmax
