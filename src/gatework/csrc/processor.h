// What the processor has and the operating system has to lend.
#pragma once

namespace gatework {

// True when this process may multiply bfloat16 on tile registers (AMX). Linux lends them, to all threads, to a process
// that asks, which the first call does. The threads of a build with GATEWORK_TILE_MODEL always have them.
bool has_tile_registers();

}  // namespace gatework
