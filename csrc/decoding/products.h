// Products of a matrix with some vectors, and what a softmax needs, for what is read out of a network at every step; in
// the best instruction set that the processor has.
#pragma once

#include <cstdint>

namespace gatework::decoding {

// results[v * rows + r] = start[r] + the sum over k of matrix[r * width + k] * vectors[v * width + k]; `start` may be
// null, which means 0.
void multiply(const float* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count, const float* start,
              float* results);

// The same of some rows of the matrix alone: results[v * rows + r] is that of the row chosen[r].
void multiply(const float* matrix, const int64_t* chosen, int64_t rows, int64_t width, const float* vectors,
              int64_t count, const float* start, float* results);

// The largest of some numbers, at least one.
float largest(const float* x, int64_t count);

// The sum of exp(x - most) over some numbers, none of which is larger than `most`.
float sum_of_exponentials(const float* x, int64_t count, float most);

}  // namespace gatework::decoding
