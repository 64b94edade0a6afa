#include "dispatch.h"

#include <algorithm>

#include "../threads.h"

#define GATEWORK_DECLARE(isa)                    \
  namespace gatework::isa {                      \
  extern const attention::Kernel weighted_means; \
  }
#if defined(__x86_64__)
GATEWORK_DECLARE(baseline)
GATEWORK_DECLARE(avx2)
GATEWORK_DECLARE(avx512)
#elif defined(__aarch64__)
GATEWORK_DECLARE(neon)
#else
GATEWORK_DECLARE(baseline)
#endif

namespace gatework::attention {

namespace {

// Those of that instruction set, or of the one whose kernels for float32 it has.
const Kernel& kernel_of([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  return isa == Isa::baseline ? baseline::weighted_means
         : isa == Isa::avx2   ? avx2::weighted_means
                              : avx512::weighted_means;
#elif defined(__aarch64__)
  return neon::weighted_means;
#else
  return baseline::weighted_means;
#endif
}

template <class Use>
void each_sequence(const Arguments& a, int threads, const Use& use) {
  // A thread takes no less than some hundred microseconds of work.
  const int64_t worth = a.starts[a.batch] * a.source * (a.query + a.memory) / 2'000'000;
  const int64_t count = std::max<int64_t>(std::min<int64_t>(threads, worth), 1);
  parallel(count, [&](int64_t k) {
    for (int64_t sequence = k; sequence < a.batch; sequence += count) use(sequence);
  });
}

}  // namespace

void forward(Isa isa, const Arguments& a, float* contexts, int threads) {
  each_sequence(a, threads, [&](int64_t sequence) { kernel_of(isa).forward(a, contexts, sequence); });
}

void backward(Isa isa, const Arguments& a, const Gradients& gradients, int threads) {
  each_sequence(a, threads, [&](int64_t sequence) { kernel_of(isa).backward(a, gradients, sequence); });
}

}  // namespace gatework::attention
