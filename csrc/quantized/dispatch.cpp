#include "dispatch.h"

#include "../scratch.h"
#include "../threads.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#define GATEWORK_DECLARE(isa)               \
  namespace gatework::isa {                 \
  extern const quantized::Table byte_table; \
  }
#if defined(__x86_64__)
GATEWORK_DECLARE(baseline)
GATEWORK_DECLARE(avx2)
GATEWORK_DECLARE(avx2_vnni)
GATEWORK_DECLARE(avx512_vnni)
#elif defined(__aarch64__)
GATEWORK_DECLARE(neon)
GATEWORK_DECLARE(neon_dot)
#else
GATEWORK_DECLARE(baseline)
#endif

namespace gatework::quantized {

const char* const isa_names[isa_count] = {"baseline", "avx2", "avx2_vnni", "avx512_vnni", "neon", "neon_dot"};

static const Table* const tables[isa_count] = {
#if defined(__x86_64__)
    &baseline::byte_table,
    &avx2::byte_table,
    &avx2_vnni::byte_table,
    &avx512_vnni::byte_table,
#elif defined(__aarch64__)
    nullptr, nullptr, nullptr, nullptr, &neon::byte_table, &neon_dot::byte_table,
#else
    &baseline::byte_table,
#endif
};

#if defined(__x86_64__)

bool is_supported(int isa) {
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  switch (isa) {
    case 0:
      return true;
    case 1:
      return has_avx2;
    case 2:
      return has_avx2 && __builtin_cpu_supports("avxvnni");
    case 3:
      return has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
    default:
      return false;
  }
}

#elif defined(__aarch64__)

bool is_supported(int isa) {
#if defined(__linux__)
  if (isa == 5) return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
#else
  if (isa == 5) return true;  // every processor of Apple's
#endif
  return isa == 4;
}

#else

bool is_supported(int isa) { return isa == 0; }

#endif

const Table& table_of(int isa) { return *tables[isa]; }

bool run_forward(const Kernel& kernel, const Arguments& arguments, int threads) {
  // A thread takes no less than some microseconds of work.
  constexpr int64_t least_products = 800000;
  const Layout& l = arguments.layout;
  const int64_t products = l.steps * l.batch * l.hidden * (l.input + l.hidden) * kernel.accumulators;
  int64_t slices = products / least_products;
  slices = slices < threads ? slices : threads;
  slices = slices < l.batch ? slices : l.batch;
  slices = slices < 1 ? 1 : slices;
  const int64_t rows = (l.batch + slices - 1) / slices;
  const Scratch scratch(kernel.scratch(l, rows), slices);
  if (scratch.is_missing()) return false;
  parallel(slices, [&](int64_t k) {
    const int64_t first = k * rows, last = first + rows < l.batch ? first + rows : l.batch;
    if (first < last) kernel.forward(arguments, first, last, scratch[k]);
  });
  return true;
}

}  // namespace gatework::quantized
