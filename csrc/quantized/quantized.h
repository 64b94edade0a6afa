// What a scan on bytes is given: plain addresses and sizes, the same for every instruction set; ../arguments.h says
// what rows are. Numbers are float where nothing else stands.
#pragma once

#include "../arguments.h"

namespace gatework::quantized {

// The weights of one direction of one layer, in the rows that torch has; each row of a matrix is `scale` times its
// bytes, of which none is -128. Biases may be null.
struct Weights {
  int64_t input, hidden;
  const int8_t *weight_ih, *weight_hh;
  const float *scale_ih, *scale_hh, *bias_ih, *bias_hh;
};

struct Arguments {
  Layout layout;
  const void* panels;
  const float* unit;                 // the learnt vectors of a cell, (units, hidden)
  const float* x;                    // (rows, input)
  const float* initial[max_states];  // (batch, hidden), or null for zeros
  float* final[max_states];          // (batch, hidden)
  float* output;                     // (rows, hidden)
};

// One cell in one instruction set; sizes in bytes. Panels are memory of the caller, filled once by pack().
struct Kernel {
  int states, accumulators;
  int64_t (*panels)(int64_t input, int64_t hidden);
  void (*pack)(const Weights&, void* panels);
  int64_t (*scratch)(const Layout&, int64_t rows);
  // The sequences [first, last) of the batch, all steps. Scratch is aligned to 64 bytes.
  void (*forward)(const Arguments&, int64_t first, int64_t last, void* scratch);
};

// The integers that a product is made of, for tests: bytes of a row (width) with their worth, and its sums with a
// matrix (hidden, width) of bytes.
using Integers = void (*)(const float* row, int64_t width, const int8_t* matrix, int64_t hidden, int8_t* bytes,
                          float* worth, int32_t* sums);

struct Table {
  const Kernel* kernels;  // by cell
  Integers integers;
};

}  // namespace gatework::quantized
