// The forward pass of a single wide sequence by the calling thread and its partner, each of which computes half of the
// units (unit_halves.h).
#pragma once

#include "arguments.h"

namespace gatework {

// Runs the pass where that gains: one sequence, of which nothing but the results is wanted, with recurrent weights that
// take longer to read than what two threads hand each other. Where it does not, the partner is away or there is no
// memory, it does nothing and is false.
bool run_in_halves(const Kernel& kernel, ForwardArguments* layers, int layer_count);

}  // namespace gatework
