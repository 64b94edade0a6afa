// A call of the cross-entropy kernels on an instruction set's table, split over threads.
#pragma once

#include "../dispatch.h"
#include "softmax.h"

namespace gatework::softmax {

// The kernels for factors in float32 or rounded to bfloat16, in that instruction set, or in the one whose kernels it
// has; null for other elements, and where this build has none.
const Kernel* kernel_of(Isa isa, Element element);

// Losses, and the gradients that are wanted; they do not depend on `threads`.
Status run(const Kernel& kernel, const Arguments& arguments, int threads);

}  // namespace gatework::softmax
