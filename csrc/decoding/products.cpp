#include "products.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gatework::decoding {

namespace plain {
#define GATEWORK_LANES 4
#define GATEWORK_FMA(a, b, c) ((a) * (b) + (c))
#include "products_of_isa.h"
#undef GATEWORK_LANES
#undef GATEWORK_FMA
}  // namespace plain

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GATEWORK_HAS_VECTORS 1
#pragma GCC push_options
#pragma GCC target("avx2,fma")
namespace avx2 {
#define GATEWORK_LANES 8
#define GATEWORK_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#include "products_of_isa.h"
#undef GATEWORK_LANES
#undef GATEWORK_FMA
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f")
namespace avx512 {
#define GATEWORK_LANES 16
#define GATEWORK_FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#include "products_of_isa.h"
#undef GATEWORK_LANES
#undef GATEWORK_FMA
}  // namespace avx512
#pragma GCC pop_options
#endif

void multiply(const float* matrix, int64_t rows, int64_t width, const float* vectors, int64_t count, const float* start,
              float* results) {
#if defined(GATEWORK_HAS_VECTORS)
  static const int level = __builtin_cpu_supports("avx512f")                                 ? 2
                           : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 1
                                                                                             : 0;
  if (level == 2) return avx512::multiply(matrix, rows, width, vectors, count, start, results);
  if (level == 1) return avx2::multiply(matrix, rows, width, vectors, count, start, results);
#endif
  plain::multiply(matrix, rows, width, vectors, count, start, results);
}

}  // namespace gatework::decoding
