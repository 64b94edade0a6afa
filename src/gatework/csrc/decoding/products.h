// Products of a matrix with some vectors, for what is read out of a network at every step; in the best instruction set
// that the processor has.
#pragma once

#include <cstdint>

namespace gatework::decoding {

// results[v * rows + r] = start[r] + the sum over k of matrix[r * width + k] * vectors[v * width + k]; `start` may be
// null, which means 0.
void multiply(const float* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count, const float* start,
              float* results);

}  // namespace gatework::decoding
