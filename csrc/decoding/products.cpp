#include "products.h"

#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gatework::decoding {

namespace plain {
#define GATEWORK_LANES 4
#define GATEWORK_FMA(a, b, c) ((a) * (b) + (c))
#define GATEWORK_SUM(a) ((a)[0] + (a)[1] + ((a)[2] + (a)[3]))
#include "products_of_isa.h"
#undef GATEWORK_LANES
#undef GATEWORK_FMA
#undef GATEWORK_SUM
}  // namespace plain

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GATEWORK_HAS_VECTORS 1
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
static float sum_of(__m256 a) {
  const __m128 half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  const __m128 quarter = _mm_add_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)));
}
#define GATEWORK_LANES 8
#define GATEWORK_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define GATEWORK_SUM(a) sum_of(a)
#include "products_of_isa.h"
#undef GATEWORK_LANES
#undef GATEWORK_FMA
#undef GATEWORK_SUM
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f")
namespace avx512 {
static float sum_of(__m512 a) {
  __m256 halves[2];
  __builtin_memcpy(halves, &a, sizeof(a));
  const __m256 eight = _mm256_add_ps(halves[0], halves[1]);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
#define GATEWORK_LANES 16
#define GATEWORK_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define GATEWORK_SUM(a) sum_of(a)
#include "products_of_isa.h"
#undef GATEWORK_LANES
#undef GATEWORK_FMA
#undef GATEWORK_SUM
}  // namespace avx512
#pragma GCC pop_options
#endif

#if defined(GATEWORK_HAS_VECTORS)
#define GATEWORK_BEST(function, ...)                                                              \
  static const int level = __builtin_cpu_supports("avx512f")                                 ? 2  \
                           : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1  \
                                                                                             : 0; \
  return level == 2   ? avx512::function(__VA_ARGS__)                                             \
         : level == 1 ? avx2::function(__VA_ARGS__)                                               \
                      : plain::function(__VA_ARGS__)
#else
#define GATEWORK_BEST(function, ...) return plain::function(__VA_ARGS__)
#endif

void multiply(const float* matrix, const int64_t* chosen, int64_t rows, int64_t width, const float* vectors,
              int64_t count, const float* start, float* results) {
  GATEWORK_BEST(multiply, matrix, chosen, rows, width, vectors, count, start, results);
}

void multiply(const float* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count, const float* start,
              float* results) {
  multiply(matrix, nullptr, rows, width, vectors, count, start, results);
}

float largest(const float* x, int64_t count) { GATEWORK_BEST(largest, x, count); }

float sum_of_exponentials(const float* x, int64_t count, float most) {
  GATEWORK_BEST(sum_of_exponentials, x, count, most);
}

}  // namespace gatework::decoding
