// Which instruction sets the products of bytes are built for, which the processor has, and a whole batch on them.
#pragma once

#include "quantized.h"

namespace gatework::quantized {

// In ascending order of preference for processors of one kind; null in `tables` where this build has none.
constexpr int isa_count = 6;
extern const char* const isa_names[isa_count];

bool is_supported(int isa);

// The kernels of an instruction set that is_supported().
const Table& table_of(int isa);

// All sequences of the batch, over at most `threads` threads; false without memory. Outputs do not depend on `threads`.
bool run_forward(const Kernel& kernel, const Arguments& arguments, int threads);

}  // namespace gatework::quantized
