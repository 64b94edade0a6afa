#include "dispatch.h"

#include <cstdlib>

#include "cells/names.h"
#include "threads.h"

namespace gatework {

namespace baseline {
extern const Kernel kernels[][2];
}
#ifdef GATEWORK_X86
namespace avx2 {
extern const Kernel kernels[][2];
}
namespace avx512 {
extern const Kernel kernels[][2];
}
#endif

#define GATEWORK_NAME(cell) #cell,
const char* const cell_names[] = {GATEWORK_CELLS(GATEWORK_NAME)};
const int cell_count = sizeof(cell_names) / sizeof(cell_names[0]);
const char* const isa_names[isa_count] = {"baseline", "avx2", "avx512"};

bool is_compiled(Isa isa) {
#ifdef GATEWORK_X86
  return static_cast<int>(isa) >= 0 && static_cast<int>(isa) < isa_count;
#else
  return isa == Isa::baseline;
#endif
}

bool is_supported(Isa isa) {
#ifdef GATEWORK_X86
  __builtin_cpu_init();
  switch (isa) {
    case Isa::baseline:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  }
  return false;
#else
  return isa == Isa::baseline;
#endif
}

const Kernel* find_kernel(Isa isa, int cell, bool is_double) {
  if (cell < 0 || cell >= cell_count) return nullptr;
#ifdef GATEWORK_X86
  if (isa == Isa::avx512) return &avx512::kernels[cell][is_double];
  if (isa == Isa::avx2) return &avx2::kernels[cell][is_double];
#else
  (void)isa;
#endif
  return &baseline::kernels[cell][is_double];
}

namespace {

// The steps that the sequences [first, last) of a batch really run.
int64_t work_of(const Layout& layout, int64_t first, int64_t last) {
  if (!layout.batch_sizes) return layout.steps * (last - first);
  int64_t work = 0;
  for (int64_t t = 0; t < layout.steps; ++t) {
    const int64_t end = layout.batch_sizes[t] < last ? layout.batch_sizes[t] : last;
    work += end > first ? end - first : 0;
  }
  return work;
}

// How many slices are worth their start: one for each thread, but none with less than some microseconds of work.
int slice_count(const Layout& layout, const Kernel& kernel, int threads) {
  constexpr int64_t least_products = 200000;
  const int64_t products =
      work_of(layout, 0, layout.batch) * layout.hidden * (layout.output + 16) * kernel.accumulators;
  int64_t count = products / least_products;
  if (count > threads) count = threads;
  if (count > layout.batch) count = layout.batch;
  return count < 1 ? 1 : static_cast<int>(count);
}

// The first sequence of slice `index` when slices have about the same number of steps to run.
int64_t slice_begin(const Layout& layout, int index, int count) {
  if (!layout.batch_sizes) return layout.batch * index / count;
  if (index == count) return layout.batch;
  const int64_t wanted = work_of(layout, 0, layout.batch) * index / count;
  int64_t low = 0, high = layout.batch;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (work_of(layout, 0, middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

template <class Arguments>
struct Call {
  void (*run)(const Arguments&, int64_t, int64_t, void*);
  const Arguments* arguments;
  char* scratch;
  int64_t scratch_each;
  int count;

  static void slice(void* self, int index) {
    const Call& call = *static_cast<Call*>(self);
    const int64_t first = slice_begin(call.arguments->layout, index, call.count);
    const int64_t last = slice_begin(call.arguments->layout, index + 1, call.count);
    if (first < last) call.run(*call.arguments, first, last, call.scratch + index * call.scratch_each);
  }
};

template <class Arguments>
Status run(const Kernel& kernel, const Arguments& arguments, int threads,
           void (*run)(const Arguments&, int64_t, int64_t, void*), int64_t (*size)(const Layout&, int64_t)) {
  constexpr int64_t alignment = 64;
  const int count = slice_count(arguments.layout, kernel, threads);
  int64_t most = 0;
  for (int k = 0; k < count; ++k) {
    const int64_t rows = slice_begin(arguments.layout, k + 1, count) - slice_begin(arguments.layout, k, count);
    most = rows > most ? rows : most;
  }
  const int64_t each = (size(arguments.layout, most) + alignment - 1) / alignment * alignment + alignment;
  void* scratch = nullptr;
  if (posix_memalign(&scratch, alignment, static_cast<size_t>(each) * static_cast<size_t>(count)) != 0) {
    return Status::out_of_memory;
  }
  Call<Arguments> call{run, &arguments, static_cast<char*>(scratch), each, count};
  parallel(count, Call<Arguments>::slice, &call);
  free(scratch);
  return Status::done;
}

}  // namespace

Status run_forward(const Kernel& kernel, const ForwardArguments& arguments, int threads) {
  return run(kernel, arguments, threads, kernel.forward, kernel.forward_scratch);
}

Status run_backward(const Kernel& kernel, const BackwardArguments& arguments, int threads) {
  return run(kernel, arguments, threads, kernel.backward, kernel.backward_scratch);
}

}  // namespace gatework
