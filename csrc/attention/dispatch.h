// A call of the attention kernels on an instruction set's table, split over threads by sequences.
#pragma once

#include "../dispatch.h"
#include "attention.h"

namespace gatework::attention {

// The contexts, (rows, memory), and the weights.
void forward(Isa isa, const Arguments& arguments, float* contexts, int threads);

// The gradients of queries, keys and values.
void backward(Isa isa, const Arguments& arguments, const Gradients& gradients, int threads);

}  // namespace gatework::attention
