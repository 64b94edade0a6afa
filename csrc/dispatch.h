// Which instruction sets this build contains, which the processor supports, and the calls that run a whole batch on
// them.
#pragma once

#include "arguments.h"

namespace gatework {

// The instruction sets of all processors; those of one are in ascending order of preference.
enum class Isa : int { baseline = 0, avx2 = 1, avx512 = 2, avx512_bf16 = 3, avx512_amx = 4, neon = 5 };

// What a scan computes on; with bfloat16 the factors of the products are rounded and all else is float32.
enum class Element : int { float32 = 0, float64 = 1, bfloat16 = 2 };

// What a kernel does at every step besides the cell itself; a kernel is slower the more it can do.
enum class Variant : int { plain = 0, options = 1, normalised = 2 };

constexpr int isa_count = 6;
constexpr int element_count = 3;
constexpr int variant_count = 3;
using OptionsRow = Kernel[variant_count - 1];  // the kernels of a cell that are not plain

extern const char* const isa_names[isa_count];
extern const char* const cell_names[];
extern const int cell_count;

// True when this build contains kernels for `isa`.
bool is_compiled(Isa isa);

// True when the processor and the operating system support `isa`.
bool is_supported(Isa isa);

// The instruction set whose kernels `isa` has for an element: one that is made for bfloat16 has no others of its own.
// `isa` must be compiled.
Isa owner_of(Isa isa, Element element);

// The kernels of a cell; `isa` must be supported. Null when this build has no such cell or instruction set, and where a
// variant has no kernel for the element.
const Kernel* find_kernel(Isa isa, int cell, Element element, Variant variant = Variant::plain);

// Lets glibc keep up to 64 MB of freed memory for the next allocation. Otherwise it gives the memory of a training step
// back to the system and takes it anew at the next one, which takes longer than a small step. These are the limits that
// glibc comes to by itself where it sees large blocks freed. Does nothing where the environment sets limits.
void keep_freed_memory();

// Has glibc keep no more than so many bytes of freed memory in a thread, and gives back the rest; the environment's
// limits hold before these too.
void give_back_freed_memory(int64_t above);

// How many planes of (rows, hidden) a forward pass saves; with a projection the last is h before it.
int saved_planes_of(const Kernel& kernel, bool is_projected, const StepOptions* options);

enum class Status : int { done = 0, out_of_memory = 1 };

// All sequences of the batch through layers in the given order, split over at most `threads` threads: each takes its
// slice through all of them, so a layer may read what one before it writes at the same rows. The layers have the same
// cell, hidden size, steps and batch. Panels are filled in here. Outputs do not depend on `threads`.
Status run_forward(const Kernel& kernel, ForwardArguments* layers, int layer_count, int threads);
Status run_backward(const Kernel& kernel, BackwardArguments* layers, int layer_count, int threads);

// One step, on this thread.
Status run_step(const Kernel& kernel, StepArguments arguments);

}  // namespace gatework
