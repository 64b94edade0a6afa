// The products of products.h in one instruction set: products.cpp includes this once for each, between pragmas, with
// GATEWORK_LANES numbers in a vector and GATEWORK_FMA(a, b, c) for a * b + c.

constexpr int lanes = GATEWORK_LANES;
typedef float Lanes __attribute__((vector_size(sizeof(float) * lanes), aligned(4), may_alias));

// A tile of `Rows` rows of the matrix with `Vectors` vectors.
template <int Rows, int Vectors>
static void tile(const float* matrix, int64_t rows, int64_t width, const float* vectors, const float* start,
                 float* results) {
  Lanes sums[Rows][Vectors] = {};
  int64_t k = 0;
  for (; k + lanes <= width; k += lanes) {
    Lanes x[Vectors];
    for (int v = 0; v < Vectors; ++v) x[v] = *reinterpret_cast<const Lanes*>(vectors + v * width + k);
    for (int r = 0; r < Rows; ++r) {
      const Lanes m = *reinterpret_cast<const Lanes*>(matrix + r * width + k);
      for (int v = 0; v < Vectors; ++v) sums[r][v] = GATEWORK_FMA(m, x[v], sums[r][v]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      float sum = 0;
      for (int lane = 0; lane < lanes; ++lane) sum += sums[r][v][lane];
      for (int64_t rest = k; rest < width; ++rest) sum += matrix[r * width + rest] * vectors[v * width + rest];
      results[v * rows + r] = sum + (start ? start[r] : 0.0f);
    }
  }
}

template <int Vectors>
static void all_rows(const float* matrix, int64_t rows, int64_t width, const float* vectors, const float* start,
                     float* results) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    tile<4, Vectors>(matrix + r * width, rows, width, vectors, start ? start + r : nullptr, results + r);
  }
  for (; r < rows; ++r) {
    tile<1, Vectors>(matrix + r * width, rows, width, vectors, start ? start + r : nullptr, results + r);
  }
}

static void multiply(const float* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count,
                     const float* start, float* results) {
  int64_t v = 0;
  for (; v + 4 <= count; v += 4) all_rows<4>(matrix, rows, width, vectors + v * width, start, results + v * rows);
  for (; v < count; ++v) all_rows<1>(matrix, rows, width, vectors + v * width, start, results + v * rows);
}
