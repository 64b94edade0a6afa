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
  const int64_t depth = layout.input + layout.output + 16;
  const int64_t products = work_of(layout, 0, layout.batch) * layout.hidden * depth * kernel.accumulators;
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

// Scratch memory for `count` tasks at once, freed at the end.
class Scratch {
 public:
  Scratch(int64_t bytes_each, int64_t count) : each_((bytes_each + alignment - 1) / alignment * alignment + alignment) {
    if (posix_memalign(&memory_, alignment, static_cast<size_t>(each_ * count)) != 0) memory_ = nullptr;
  }
  ~Scratch() { free(memory_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  bool is_missing() const { return memory_ == nullptr; }
  void* operator[](int64_t k) const { return static_cast<char*>(memory_) + k * each_; }

 private:
  static constexpr int64_t alignment = 64;
  const int64_t each_;
  void* memory_ = nullptr;
};

// Runs a scan's slices of the batch in parallel.
template <class Arguments>
Status run_slices(const Kernel& kernel, const Arguments& arguments, int count,
                  void (*run)(const Arguments&, int64_t, int64_t, void*), int64_t (*size)(const Layout&, int64_t)) {
  const Layout& layout = arguments.layout;
  int64_t most = 0;
  for (int k = 0; k < count; ++k) {
    const int64_t rows = slice_begin(layout, k + 1, count) - slice_begin(layout, k, count);
    most = rows > most ? rows : most;
  }
  const Scratch scratch(size(layout, most), count);
  if (scratch.is_missing()) return Status::out_of_memory;
  (void)kernel;
  parallel(count, count, [&](int64_t index, int) {
    const int k = static_cast<int>(index);
    const int64_t first = slice_begin(layout, k, count), last = slice_begin(layout, k + 1, count);
    if (first < last) run(arguments, first, last, scratch[k]);
  });
  return Status::done;
}

}  // namespace

Status run_forward(const Kernel& kernel, const ForwardArguments& arguments, int threads) {
  const int count = slice_count(arguments.layout, kernel, threads);
  return run_slices(kernel, arguments, count, kernel.forward, kernel.forward_scratch);
}

Status run_backward(const Kernel& kernel, const BackwardArguments& a, int threads) {
  const int count = slice_count(a.layout, kernel, threads);
  const Status status = run_slices(kernel, a, count, kernel.backward, kernel.backward_scratch);
  if (status != Status::done || !(a.d_weight_ih || a.d_weight_hh || a.d_bias_ih || a.d_bias_hh)) return status;
  const Scratch scratch(kernel.reduce_scratch, threads);
  if (scratch.is_missing()) return Status::out_of_memory;
  parallel(kernel.reduce_tasks(a.layout), count,
           [&](int64_t task, int worker) { kernel.reduce(a, task, scratch[worker]); });
  return Status::done;
}

}  // namespace gatework
