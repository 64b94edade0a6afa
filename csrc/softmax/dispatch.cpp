#include "dispatch.h"

#include <algorithm>

#include "../scratch.h"
#include "../threads.h"

#define GATEWORK_DECLARE(isa)                          \
  namespace gatework::isa {                            \
  extern const softmax::Kernel cross_entropy_float32;  \
  extern const softmax::Kernel cross_entropy_bfloat16; \
  }
#if defined(__x86_64__)
GATEWORK_DECLARE(baseline)
GATEWORK_DECLARE(avx2)
GATEWORK_DECLARE(avx512)
GATEWORK_DECLARE(avx512_bf16)
#elif defined(__aarch64__)
GATEWORK_DECLARE(neon)
#else
GATEWORK_DECLARE(baseline)
#endif

namespace gatework::softmax {

const Kernel* kernel_of(Isa isa, Element element) {
  const bool is_rounded = element == Element::bfloat16;
  if (element == Element::float64) return nullptr;
  switch (isa) {
#if defined(__x86_64__)
    case Isa::baseline:
      return is_rounded ? &baseline::cross_entropy_bfloat16 : &baseline::cross_entropy_float32;
    case Isa::avx2:
      return is_rounded ? &avx2::cross_entropy_bfloat16 : &avx2::cross_entropy_float32;
    case Isa::avx512:
      return is_rounded ? &avx2::cross_entropy_bfloat16 : &avx512::cross_entropy_float32;
    case Isa::avx512_bf16:
    case Isa::avx512_amx:
      return is_rounded ? &avx512_bf16::cross_entropy_bfloat16 : &avx512::cross_entropy_float32;
#elif defined(__aarch64__)
    case Isa::neon:
      return is_rounded ? &neon::cross_entropy_bfloat16 : &neon::cross_entropy_float32;
#else
    case Isa::baseline:
      return is_rounded ? &baseline::cross_entropy_bfloat16 : &baseline::cross_entropy_float32;
#endif
    default:
      return nullptr;
  }
}

Status run(const Kernel& kernel, const Arguments& a, int threads) {
  // A thread takes no less than some hundred microseconds of work.
  const int64_t worth = a.rows * a.features * a.columns / 4'000'000;
  const int64_t count = std::max<int64_t>(std::min<int64_t>(threads, worth), 1);
  const Scratch shared(kernel.shared_bytes(a), 1), own(kernel.own_bytes(a), count);
  if (shared.is_missing() || own.is_missing()) return Status::out_of_memory;
  const auto each_part = [&](Phase phase, int64_t first_row) {
    const int64_t parts = kernel.parts(a, phase);
    parallel(count, [&](int64_t k) {
      for (int64_t part = k; part < parts; part += count) kernel.run(a, phase, first_row, part, shared[0], own[k]);
    });
  };
  each_part(Phase::pack, 0);
  for (int64_t first = 0; first < a.rows; first += a.block) {
    each_part(Phase::rows, first);
    if (a.d_weight || a.d_bias) each_part(Phase::columns, first);
  }
  return Status::done;
}

}  // namespace gatework::softmax
