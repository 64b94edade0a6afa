// The products of products.h in one instruction set: products.cpp includes this once for each, between pragmas, with
// GATEWORK_LANES numbers in a vector, GATEWORK_FMA(a, b, c) for a * b + c, and GATEWORK_SUM(a) over the lanes.

constexpr int lanes = GATEWORK_LANES;
typedef float Lanes __attribute__((vector_size(sizeof(float) * lanes), aligned(4), may_alias));

// A tile of `Rows` rows of a matrix, wherever each lies, with `Vectors` vectors. `rows` is how far apart the results of
// two vectors are.
template <int Rows, int Vectors>
static void tile(const float* const* matrix, int64_t rows, int64_t width, const float* vectors, const float* start,
                 float* results) {
  Lanes sums[Rows][Vectors] = {};
  int64_t k = 0;
  for (; k + lanes <= width; k += lanes) {
    Lanes x[Vectors];
    for (int v = 0; v < Vectors; ++v) x[v] = *reinterpret_cast<const Lanes*>(vectors + v * width + k);
    for (int r = 0; r < Rows; ++r) {
      const Lanes m = *reinterpret_cast<const Lanes*>(matrix[r] + k);
      for (int v = 0; v < Vectors; ++v) sums[r][v] = GATEWORK_FMA(m, x[v], sums[r][v]);
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) {
      float sum = GATEWORK_SUM(sums[r][v]);
      for (int64_t rest = k; rest < width; ++rest) sum += matrix[r][rest] * vectors[v * width + rest];
      results[v * rows + r] = sum + start[r];
    }
  }
}

// As many vectors as the registers have room for, four sums of each.
constexpr int widest = lanes == 16 ? 6 : 3;

// Some rows of the matrix with fewer vectors than that.
template <int Rows, int Vectors>
static void remaining(int64_t count, const float* const* matrix, int64_t rows, int64_t width, const float* vectors,
                      const float* start, float* results) {
  if constexpr (Vectors > 0) {
    if (count == Vectors) return tile<Rows, Vectors>(matrix, rows, width, vectors, start, results);
    remaining<Rows, Vectors - 1>(count, matrix, rows, width, vectors, start, results);
  }
}

// Some rows of the matrix with all vectors, so that the matrix is read once.
template <int Rows>
static void all_vectors(const float* const* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count,
                        const float* start, float* results) {
  int64_t v = 0;
  for (; v + widest <= count; v += widest) {
    tile<Rows, widest>(matrix, rows, width, vectors + v * width, start, results + v * rows);
  }
  remaining<Rows, widest - 1>(count - v, matrix, rows, width, vectors + v * width, start, results + v * rows);
}

static void multiply(const float* matrix, const int64_t* chosen, int64_t rows, int64_t width, const float* vectors,
                     int64_t count, const float* start, float* results) {
  int64_t r = 0;
  const auto take = [&](auto some) {
    constexpr int size = decltype(some)::value;
    const float* at[size];
    float from[size];
    for (int k = 0; k < size; ++k) {
      const int64_t row = chosen ? chosen[r + k] : r + k;
      at[k] = matrix + row * width;
      from[k] = start ? start[row] : 0.0f;
    }
    all_vectors<size>(at, rows, width, vectors, count, from, results + r);
  };
  for (; r + 4 <= rows; r += 4) take(std::integral_constant<int, 4>());
  for (; r < rows; ++r) take(std::integral_constant<int, 1>());
}

// The largest of some numbers.
static float largest(const float* x, int64_t count) {
  float most = x[0];
  int64_t k = 0;
  if (count >= lanes) {
    Lanes mosts = *reinterpret_cast<const Lanes*>(x);
    for (k = lanes; k + lanes <= count; k += lanes) {
      const Lanes other = *reinterpret_cast<const Lanes*>(x + k);
      mosts = mosts > other ? mosts : other;
    }
    for (int lane = 0; lane < lanes; ++lane) most = mosts[lane] > most ? mosts[lane] : most;
  }
  for (; k < count; ++k) most = x[k] > most ? x[k] : most;
  return most;
}

// exp(x) for x <= 0, by 2^n exp(r) with |r| <= ln(2) / 2 and a polynomial for exp(r), whose relative error is below
// 2e-7; results below 1e-37 are as small as that.
static Lanes exponential(Lanes x) {
  typedef int32_t Bits __attribute__((vector_size(sizeof(float) * lanes)));
  const Lanes zero = {};
  const Lanes lowest = zero - 87.0f, rounder = zero + 12582912.0f;  // 1.5 * 2^23
  x = x > lowest ? x : lowest;
  const Lanes n = GATEWORK_FMA(x, zero + 1.44269504f, rounder) - rounder;
  Lanes r = GATEWORK_FMA(n, zero - 0.693359375f, x);
  r = GATEWORK_FMA(n, zero + 2.12194440e-4f, r);
  Lanes p = zero + 1.3888889e-3f;
  constexpr float terms[] = {8.3333333e-3f, 4.1666667e-2f, 1.6666667e-1f, 0.5f, 1.0f, 1.0f};
  for (const float term : terms) p = GATEWORK_FMA(p, r, zero + term);
  const Bits power = (__builtin_convertvector(n, Bits) + 127) << 23;
  Lanes scale;
  __builtin_memcpy(&scale, &power, sizeof(scale));
  return p * scale;
}

static float sum_of_exponentials(const float* x, int64_t count, float most) {
  Lanes sums = {};
  int64_t k = 0;
  for (; k + lanes <= count; k += lanes) sums += exponential(*reinterpret_cast<const Lanes*>(x + k) - most);
  Lanes rest = {};
  for (int64_t at = k; at < count; ++at) rest[at - k] = x[at] - most;
  rest = exponential(rest);
  for (int64_t at = k; at < count; ++at) sums[at - k] += rest[at - k];
  return GATEWORK_SUM(sums);
}
