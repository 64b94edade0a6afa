// What a kernel is given: plain addresses and sizes, the same for every instruction set. Nothing here owns memory.
//
// Rows. A sequence tensor has one row for each step of each sequence. Uniform layout: row of step t and sequence b is
// t * batch + b. Packed layout (batch_sizes is not null): step t has the first batch_sizes[t] sequences, its first row
// is offsets[t]; sequences are sorted by decreasing length. `reverse` runs every sequence from its own last step to its
// first.
//
// Element type: float or double, as the kernel is. A kernel for bfloat16 takes x and d_output and gives output,
// d_projected and d_x in bfloat16, everything else is float. All tensors are contiguous and none overlaps another.
#pragma once

#include <cstdint>

#include "cells/option_names.h"

namespace gatework {

struct Exchange;  // exchange.h

constexpr int max_states = 4;
constexpr int max_traced = 16;

struct Layout {
  int64_t steps, batch;
  int64_t input, hidden, output;  // output: the width of h, less than hidden when it is projected
  const int64_t* batch_sizes;
  const int64_t* offsets;
  bool reverse;
};

// What acts around the cell at every step (src/gatework/scan/options.py and src/gatework/cells/options.py have the
// equations). Under layer norm the input product of a scan is made and normalised outside: then `x` and `d_x` are it,
// (rows, inputs * hidden), and layout.input is 0. A single step makes it itself.
struct StepOptions {
  const void* mask;                              // (batch, output): a factor on the h of the recurrent product, or null
  double after[state_option_count][max_states];  // the number of each state option for each state
  bool is_random;                                // whether drawn options draw 0 or 1, else they take their number
  uint64_t seeds[state_option_count][max_states];  // of the draws of all steps
  bool is_normalised;                              // whether there is a layer norm; the following are null without it
  const void* input_gain;  // (inputs * hidden): the gain of the input product; for a single step alone
  const void* gain;        // (gates * hidden): the gain of the recurrent product
  const void* bias;        // (gates * hidden): the bias added to it then, or null
  const void* state_gain;  // (normalised, hidden)
  const void* state_bias;  // (normalised, hidden)
  // Filled by the forward pass and read by the backward pass, null where none follows:
  void* normalised_product;  // (rows, gates * hidden): the recurrent product, normalised without its gain
  void* normalised_state;    // (rows, normalised * hidden)
  void* scale;               // (rows, 1 + normalised): one over the standard deviations
};

// Whether anything acts on a state after the step. Static, as each instruction set's code is to have its own.
static inline bool acts_on(const StepOptions& options, int state) {
  for (int k = 0; k < state_option_count; ++k) {
    if (options.after[k][state] != option_neutral[k]) return true;
  }
  return false;
}

// Whether the derivative reads the state that the cell gave.
static inline bool reads_new(const StepOptions& options, int state) {
  for (int k = 0; k < state_option_count; ++k) {
    if (option_reads_new[k] && options.after[k][state] != option_neutral[k]) return true;
  }
  return false;
}

// Nothing around the cell.
static inline StepOptions no_options() {
  StepOptions options{};
  for (int k = 0; k < state_option_count; ++k) {
    for (double& number : options.after[k]) number = option_neutral[k];
  }
  return options;
}

// The weights of one direction of one layer, row-major as torch has them; biases, projection and, where the cell has no
// learnt vectors, unit may be null. `inputs` and `gates` are the gates that the input and the recurrent product feed.
struct Weights {
  int64_t input, hidden, output;
  const void* weight_ih;   // (inputs * hidden, input)
  const void* weight_hh;   // (gates * hidden, output)
  const void* bias_ih;     // (inputs * hidden)
  const void* bias_hh;     // (gates * hidden)
  const void* projection;  // (output, hidden)
  const void* unit;        // (units, hidden)
};

// The weights in the order in which the kernel reads them; null for a projection that is not there.
struct Panels {
  const void *weights, *projection;
};

// Where what the forward pass saves lies in its memory, each or null.
struct SavedPlanes {
  void* values;                // (rows, saved * hidden)
  void* previous[max_states];  // (rows, hidden): the state before the step; null for h: that is the output before
  void*
      next[max_states];  // (rows, hidden): the state after the step, where neither the output nor a later plane has it
};

// The panels and the planes are filled in by run_forward and run_backward.
struct ForwardArguments {
  Layout layout;
  Weights weights;
  Panels panels;
  const void* x;                    // (rows, input)
  const void* initial[max_states];  // (batch, width)
  void* output;                     // (rows, output)
  void* final[max_states];          // (batch, width)
  void* saved;                      // (planes, rows, hidden): what the backward pass needs, or null
  SavedPlanes planes;
  void* trace[max_traced];     // (rows, hidden): the trace, each or null; the slot of h is null when h is projected
  const StepOptions* options;  // null for a plain scan
  // Filled in by run_forward: whether input products of a single sequence are made beside the recurrent ones; what a
  // thread shares the units with, or null; the place among the layers of the call.
  bool goes_beside;
  Exchange* exchange;
  int64_t layer;
};

struct BackwardArguments {
  Layout layout;
  Weights weights;
  Panels panels;
  const void* x;         // (rows, input)
  const void* d_output;  // (rows, output), or null where it is 0
  const void* d_final[max_states];
  const void* initial[max_states];
  const void* output;
  void* saved;
  SavedPlanes planes;
  void* d_projected;            // (rows, output): the whole derivative of the projected h, or null
  void* d_initial[max_states];  // each or null
  void* d_x;                    // (rows, input), or null
  // Filled in by run_backward: whether d_x is the d_output of the next call, and d_output the d_x of the one before.
  // Nobody else reads it then, and kernels lay it out as they like; the two calls have the same batch and hidden size.
  bool is_d_x_between, is_d_output_between;
  void *d_weight_ih, *d_weight_hh;  // as the weights, or null
  void *d_bias_ih, *d_bias_hh;      // as the biases, or null
  void* d_unit;                     // as the learnt vectors, or null
  const StepOptions* options;       // as for the forward pass
  // As the weights of the layer norm, or null without it:
  void *d_gain, *d_bias, *d_state_gain, *d_state_bias;
};

// One step of `batch` sequences, without projection; nothing overlaps.
struct StepArguments {
  int64_t batch;
  Weights weights;
  const void* x;                     // (batch, input)
  const void* previous[max_states];  // (batch, hidden)
  void* next[max_states];            // (batch, hidden)
  void* output;                      // (batch, hidden), a copy of next[0]
  const StepOptions* options;        // null for a plain step; it draws no masks
};

// One cell in one element type and one instruction set. Sizes are in bytes.
struct Kernel {
  bool is_double, is_rounded;  // element type: double, or factors rounded to bfloat16; else float
  int accumulators, states, saved, traced, units, normalised;
  const bool *input_product, *recurrent_product, *reads_previous, *reads_next;
  const char* const* names;  // of the traced values of a step
  // How many sequences a slice of the batch is a multiple of.
  int64_t (*slice_multiple)(const Layout&, const Weights&);
  // The memory of the panels, and filling it: the panels lie in it and are given back.
  int64_t (*forward_panels)(const ForwardArguments&);
  int64_t (*backward_panels)(const BackwardArguments&);
  Panels (*pack_forward)(const ForwardArguments&, void* memory);
  Panels (*pack_backward)(const BackwardArguments&, void* memory);
  int64_t (*forward_scratch)(const ForwardArguments&, int64_t rows);
  int64_t (*backward_scratch)(const BackwardArguments&, int64_t rows);
  // The sequences [first, last) of the batch, all steps; the gradients of the weights are those of these sequences.
  void (*forward)(const ForwardArguments&, int64_t first, int64_t last, void* scratch);
  void (*backward)(const BackwardArguments&, int64_t first, int64_t last, void* scratch);
  // The memory of an exchange, 0 where the units are too few for two, and the partner's side of it (unit_halves.h);
  // null where a cell's scans cannot be shared.
  int64_t (*exchange_bytes)(const Layout&);
  void (*assist)(const ForwardArguments* layers, Exchange&);
  int64_t (*step_scratch)(const StepArguments&);
  void (*step)(const StepArguments&, void* scratch);
};

// The bytes of a number that a kernel computes in.
inline int64_t element_size(const Kernel& kernel) { return kernel.is_double ? 8 : 4; }

}  // namespace gatework
