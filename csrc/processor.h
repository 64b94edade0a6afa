// What the processor has and the operating system has to lend.
#pragma once

namespace gatework {

// True when this process may multiply bfloat16 on tile registers (AMX). Linux lends them, to all threads, to a process
// that asks, which the first call does. The threads of a build with GATEWORK_TILE_MODEL always have them.
bool has_tile_registers();

// False where products of bfloat16 on vectors, for those who have them, take longer than those of floats: Intel's cores
// begin one vdpbf16ps in two cycles, and four fused multiplications of floats, which do twice as much.
bool gains_by_bfloat16();

// Whether a product is made for free in the time in which another one waits for weights of the second cache: not by
// Intel's cores, which are given 48 bytes a cycle, and whose accesses to the first cache stand in the way of that.
bool hides_products();

}  // namespace gatework
