// The instructions on tile registers (AMX), each as a function.
//
// A thread has eight tile registers of up to 16 rows of 64 bytes. Which of these rows and bytes each register has is
// the thread's own shape: it is set before anything else is done, which also clears all registers, and released at the
// end. The compiler uses no tile register itself. A build that defines GATEWORK_TILE_MODEL includes what that names
// instead: the same functions in software.
#pragma once

#include "vector.h"

namespace gatework::GATEWORK_ISA {

// The rows of each tile register and their bytes, as the processor reads them.
struct alignas(64) TileShape {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileShape) == 64, "the processor reads 64 bytes");

}  // namespace gatework::GATEWORK_ISA

#if defined(GATEWORK_TILE_MODEL)
#include GATEWORK_TILE_MODEL
#else

namespace gatework::GATEWORK_ISA {

GATEWORK_INLINE void set_tile_shape(const TileShape& shape) { asm volatile("ldtilecfg %0" : : "m"(shape)); }

GATEWORK_INLINE void release_tiles() { asm volatile("tilerelease"); }

template <int Tile>
GATEWORK_INLINE void clear_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(Tile));
}

// Rows that are `stride` bytes apart.
template <int Tile>
GATEWORK_INLINE void load_tile(const void* from, int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(Tile) : "memory");
}

template <int Tile>
GATEWORK_INLINE void store_tile(void* to, int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(Tile) : "memory");
}

// Adds the product of A, rows of pairs of bfloat16, with B, whose rows are the pairs of one depth for all columns, to
// the floats of Sum. Subnormal numbers count as 0.
template <int Sum, int A, int B>
GATEWORK_INLINE void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(Sum), "i"(A), "i"(B));
}

}  // namespace gatework::GATEWORK_ISA

#endif
