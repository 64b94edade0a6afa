// The products of products.h in one instruction set: products.cpp includes this once for each, between pragmas, with
// GATEWORK_LANES numbers in a vector, GATEWORK_FMA(a, b, c) for a * b + c, and GATEWORK_SUM(a) over the lanes.

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
      float sum = GATEWORK_SUM(sums[r][v]);
      for (int64_t rest = k; rest < width; ++rest) sum += matrix[r * width + rest] * vectors[v * width + rest];
      results[v * rows + r] = sum + (start ? start[r] : 0.0f);
    }
  }
}

// Some rows of the matrix with all vectors, so that the matrix is read once.
template <int Rows>
static void all_vectors(const float* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count,
                        const float* start, float* results) {
  int64_t v = 0;
  for (; v + 4 <= count; v += 4) {
    tile<Rows, 4>(matrix, rows, width, vectors + v * width, start, results + v * rows);
  }
  for (; v < count; ++v) tile<Rows, 1>(matrix, rows, width, vectors + v * width, start, results + v * rows);
}

static void multiply(const float* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count,
                     const float* start, float* results) {
  int64_t r = 0;
  const auto from = [&](int64_t row) { return start ? start + row : nullptr; };
  for (; r + 4 <= rows; r += 4) {
    all_vectors<4>(matrix + r * width, rows, width, vectors, count, from(r), results + r);
  }
  for (; r < rows; ++r) all_vectors<1>(matrix + r * width, rows, width, vectors, count, from(r), results + r);
}
