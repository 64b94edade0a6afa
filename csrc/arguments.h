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

namespace gatework {

constexpr int max_states = 4;
constexpr int max_named = 16;

struct Layout {
  int64_t steps, batch;
  int64_t input, hidden, output;  // output: the width of h, less than hidden when it is projected
  const int64_t* batch_sizes;
  const int64_t* offsets;
  bool reverse;
};

// What acts around the cell at every step (src/gatework/scan/options.py has the equations). Under layer norm the input
// product of a scan is made and normalised outside: then `x` and `d_x` are it, (rows, inputs * hidden), and
// layout.input is 0. A single step makes it itself.
struct Around {
  const void* mask;                   // (batch, output): a factor on the h that the recurrent product sees, or null
  double zoneout[max_states];         // the share of units that keep their previous value
  bool is_random;                     // whether units keep it by chance, else all take the mean
  uint64_t zoneout_seed[max_states];  // of the masks of all steps
  double clip;                        // how far from 0 the state `clipped` may be
  int clipped;                        // which state, or -1
  bool is_normalised;                 // whether there is a layer norm; the following are null without it
  const void* input_gain;             // (inputs * hidden): the gain of the input product; for a single step alone
  const void* gain;                   // (gates * hidden): the gain of the recurrent product
  const void* bias;                   // (gates * hidden): the bias added to it then, or null
  const void* state_gain;             // (normals, hidden)
  const void* state_bias;             // (normals, hidden)
  // Filled by the forward pass and read by the backward pass, null where none follows:
  void* normal;        // (rows, gates * hidden): the recurrent product, normalised without its gain
  void* normal_state;  // (rows, normals * hidden)
  void* scale;         // (rows, 1 + normals): one over the standard deviations
};

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

// Where what the forward pass keeps lies in its memory, each or null.
struct Planes {
  void* values;                // (rows, kept * hidden)
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
  void* kept;                       // (planes, rows, hidden): what the backward pass needs, or null
  Planes planes;
  void* named[max_named];  // (rows, hidden): the trace, each or null; the slot of h is null when h is projected
  const Around* around;    // null for a plain scan
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
  void* kept;
  Planes planes;
  void* d_projected;            // (rows, output): the whole derivative of the projected h, or null
  void* d_initial[max_states];  // each or null
  void* d_x;                    // (rows, input), or null
  // Filled in by run_backward: whether d_x is the d_output of the next call, and d_output the d_x of the one before.
  // Nobody else reads it then, and kernels lay it out as they like; the two calls have the same batch and hidden size.
  bool is_d_x_between, is_d_output_between;
  void *d_weight_ih, *d_weight_hh;  // as the weights, or null
  void *d_bias_ih, *d_bias_hh;      // as the biases, or null
  void* d_unit;                     // as the learnt vectors, or null
  const Around* around;             // as for the forward pass
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
  const Around* around;              // null for a plain step; it draws no masks
};

// One cell in one element type and one instruction set. Sizes are in bytes.
struct Kernel {
  bool is_double, is_rounded;  // element type: double, or factors rounded to bfloat16; else float
  int accumulators, states, kept, named, units, normals;
  const bool *input_product, *recurrent_product, *reads_previous, *reads_next;
  const char* const* names;  // of the `named` values of a step
  // How many sequences a slice of the batch is a multiple of.
  int64_t (*least_slice)(const Layout&, const Weights&);
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
  int64_t (*step_scratch)(const StepArguments&);
  void (*step)(const StepArguments&, void* scratch);
};

}  // namespace gatework
