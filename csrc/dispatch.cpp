#include "dispatch.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <malloc.h>
#include <sys/mman.h>
#endif

#include "cells/names.h"
#include "halves.h"
#include "processor.h"
#include "scratch.h"
#include "threads.h"

namespace gatework {

// The tables of kernels.cpp, [cell], and of options_kernels.cpp, [cell][variant].
#define GATEWORK_DECLARE(isa)                                                   \
  namespace isa {                                                               \
  extern const Kernel float32_kernels[], bfloat16_kernels[];                    \
  extern const OptionsRow float32_options_kernels[], float64_options_kernels[]; \
  }
#if defined(__x86_64__)
GATEWORK_DECLARE(baseline)
GATEWORK_DECLARE(avx2)
GATEWORK_DECLARE(avx512)
GATEWORK_DECLARE(avx512_bf16)
GATEWORK_DECLARE(avx512_amx)
#elif defined(__aarch64__)
GATEWORK_DECLARE(neon)
#else
GATEWORK_DECLARE(baseline)
#endif

struct Tables {
  const Kernel* plain;        // null for doubles, which are for checks: the others run with nothing around the cell
  const OptionsRow* options;  // null where factors are rounded: nothing acts around a cell then
};

// By instruction set and element, each with the instruction set that it is compiled for; null for an instruction set of
// other processors.
#define GATEWORK_TABLES(isa, double_isa, rounded_isa)       \
  {                                                         \
      {isa::float32_kernels, isa::float32_options_kernels}, \
      {nullptr, double_isa::float64_options_kernels},       \
      {rounded_isa::bfloat16_kernels, nullptr},             \
  }
static const Tables tables[isa_count][element_count] = {
#if defined(__x86_64__)
    GATEWORK_TABLES(baseline, baseline, baseline),  // baseline
    GATEWORK_TABLES(avx2, avx2, avx2),              // avx2
    GATEWORK_TABLES(avx512, avx2, avx2),            // avx512
    GATEWORK_TABLES(avx512, avx2, avx512_bf16),     // avx512_bf16
    GATEWORK_TABLES(avx512, avx2, avx512_amx),      // avx512_amx
#elif defined(__aarch64__)
    {}, {}, {}, {}, {}, GATEWORK_TABLES(neon, neon, neon),
#else
    GATEWORK_TABLES(baseline, baseline, baseline),
#endif
};

#define GATEWORK_NAME(cell) #cell,
const char* const cell_names[] = {GATEWORK_CELLS(GATEWORK_NAME)};
const int cell_count = sizeof(cell_names) / sizeof(cell_names[0]);
const char* const isa_names[isa_count] = {"baseline", "avx2", "avx512", "avx512_bf16", "avx512_amx", "neon"};

bool is_compiled(Isa isa) { return tables[static_cast<int>(isa)][0].plain; }

bool is_supported(Isa isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (isa) {
    case Isa::baseline:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case Isa::avx512_bf16:
      return is_supported(Isa::avx512) && __builtin_cpu_supports("avx512bf16");
    case Isa::avx512_amx:
      return is_supported(Isa::avx512_bf16) && has_tile_registers();
    case Isa::neon:
      return false;
  }
  return false;
#else
  return is_compiled(isa);  // every processor of this kind has it
#endif
}

Isa owner_of(Isa isa, Element element) {
  const int e = static_cast<int>(element);
  int owner = 0;
  const Tables& wanted = tables[static_cast<int>(isa)][e];
  while (tables[owner][e].plain != wanted.plain || tables[owner][e].options != wanted.options) ++owner;
  return static_cast<Isa>(owner);
}

const Kernel* find_kernel(Isa isa, int cell, Element element, Variant variant) {
  const int v = static_cast<int>(variant);
  if (!is_compiled(isa) || cell < 0 || cell >= cell_count || v < 0 || v >= variant_count) return nullptr;
  const Tables& of_element = tables[static_cast<int>(isa)][static_cast<int>(element)];
  if (variant == Variant::plain && of_element.plain) return &of_element.plain[cell];
  return of_element.options ? &of_element.options[cell][v > 0 ? v - 1 : 0] : nullptr;
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

// The batch in slices for the threads: about the same number of steps to run in each, none with less than some
// microseconds of work.
class Slices {
 public:
  template <class Arguments>
  Slices(const Kernel& kernel, const Arguments* layers, int layer_count, int threads) : layout_(layers[0].layout) {
    constexpr int64_t least_products = 200000;
    int64_t depth = 0;
    for (int k = 0; k < layer_count; ++k) {
      depth += layers[k].layout.input + layers[k].layout.output + 16;
      const int64_t least = kernel.slice_multiple(layers[k].layout, layers[k].weights);
      slice_multiple_ = least > slice_multiple_ ? least : slice_multiple_;
    }
    const int64_t products = work_of(layout_, 0, layout_.batch) * layout_.hidden * depth * kernel.accumulators;
    int64_t count = products / least_products;
    if (count > threads) count = threads;
    if (count > layout_.batch / slice_multiple_) count = layout_.batch / slice_multiple_;
    count_ = count < 1 ? 1 : static_cast<int>(count);
  }

  int count() const { return count_; }

  // The first sequence of slice `index`.
  int64_t begin(int index) const {
    if (!layout_.batch_sizes) return layout_.batch / slice_multiple_ * index / count_ * slice_multiple_;
    if (index == count_) return layout_.batch;
    const int64_t wanted = work_of(layout_, 0, layout_.batch) * index / count_;
    int64_t low = 0, high = layout_.batch;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (work_of(layout_, 0, middle) < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  int64_t most_rows() const {
    int64_t most = 0;
    for (int k = 0; k < count_; ++k) {
      const int64_t rows = begin(k + 1) - begin(k);
      most = rows > most ? rows : most;
    }
    return most;
  }

 private:
  const Layout& layout_;
  int64_t slice_multiple_ = 1;
  int count_ = 1;
};

// The gradients of the weights of all slices but the first, which adds to the result itself.
class SliceGradients {
 public:
  SliceGradients(const Kernel& kernel, const BackwardArguments& a) : size_(element_size(kernel)) {
    int64_t inputs = 0, gates = 0;
    for (int k = 0; k < kernel.accumulators; ++k) {
      inputs += kernel.input_product[k];
      gates += kernel.recurrent_product[k];
    }
    const Layout& l = a.layout;
    counts_[0] = a.d_weight_ih ? inputs * l.hidden * l.input : 0;
    counts_[1] = a.d_weight_hh ? gates * l.hidden * l.output : 0;
    counts_[2] = a.d_bias_ih ? inputs * l.hidden : 0;
    counts_[3] = a.d_bias_hh ? gates * l.hidden : 0;
    counts_[4] = a.d_unit ? kernel.units * l.hidden : 0;
    counts_[5] = a.d_gain ? gates * l.hidden : 0;
    counts_[6] = a.d_bias ? gates * l.hidden : 0;
    counts_[7] = a.d_state_gain ? kernel.normalised * l.hidden : 0;
    counts_[8] = a.d_state_bias ? kernel.normalised * l.hidden : 0;
  }

  int64_t bytes() const {
    int64_t total = 0;
    for (const int64_t count : counts_) total += count;
    return total * size_ + parts * padding;
  }

  // Lets `a` put its gradients into `memory`.
  void redirect(BackwardArguments& a, char* memory) const {
    const auto targets = gradients_of(a);
    for (int k = 0; k < parts; ++k) {
      if (counts_[k]) *const_cast<void**>(targets[k]) = memory;
      memory += (counts_[k] * size_ + padding - 1) / padding * padding;
    }
  }

  // Adds the gradients of `from` to those of `to`.
  void add(const BackwardArguments& to, const BackwardArguments& from) const {
    const auto targets = gradients_of(to), sources = gradients_of(from);
    for (int k = 0; k < parts; ++k) {
      if (size_ == 8) {
        add_to(static_cast<double*>(*targets[k]), static_cast<const double*>(*sources[k]), counts_[k]);
      } else {
        add_to(static_cast<float*>(*targets[k]), static_cast<const float*>(*sources[k]), counts_[k]);
      }
    }
  }

 private:
  static constexpr int parts = 9;
  static constexpr int64_t padding = 64;

  static std::array<void* const*, parts> gradients_of(const BackwardArguments& a) {
    return {&a.d_weight_ih, &a.d_weight_hh, &a.d_bias_ih,    &a.d_bias_hh,   &a.d_unit,
            &a.d_gain,      &a.d_bias,      &a.d_state_gain, &a.d_state_bias};
  }

  template <class T>
  static void add_to(T* to, const T* from, int64_t count) {
    for (int64_t k = 0; k < count; ++k) to[k] += from[k];
  }

  const int64_t size_;
  int64_t counts_[parts];
};

// What acts around the cell where the caller has nothing.
const StepOptions nothing = no_options();

// Calls visit(plane, count) for what a forward pass saves, in the order of its memory; `count` values of each unit.
template <class Visit>
void each_plane(const Kernel& kernel, bool is_projected, const StepOptions& options, SavedPlanes& planes,
                const Visit& visit) {
  visit(planes.values, kernel.saved);
  for (int s = 1; s < kernel.states; ++s) visit(planes.previous[s], kernel.reads_previous[s]);
  for (int s = 1; s < kernel.states; ++s) {
    visit(planes.next[s], kernel.reads_next[s] || reads_new(options, s));
  }
  // The output is not the new h where something acts on it, nor where it is rounded.
  const bool is_other = kernel.is_rounded || acts_on(options, 0);
  const bool is_read = kernel.reads_next[0] || reads_new(options, 0);
  visit(planes.next[0], is_projected || (is_other && is_read));
}

template <class Arguments>
void fill_in_options(Arguments* layers, int layer_count) {
  for (int l = 0; l < layer_count; ++l) {
    if (!layers[l].options) layers[l].options = &nothing;
  }
}

// Gives each plane its place in the memory that is saved, and how many bytes that takes.
template <class Arguments>
int64_t place_planes(const Kernel& kernel, Arguments& a) {
  a.planes = {};
  if (!a.saved) return 0;
  const Layout& l = a.layout;
  int64_t rows = l.steps * l.batch;
  if (l.batch_sizes) rows = l.steps ? l.offsets[l.steps - 1] + l.batch_sizes[l.steps - 1] : 0;
  const int64_t size = rows * l.hidden * element_size(kernel);
  char* memory = static_cast<char*>(a.saved);
  each_plane(kernel, a.weights.projection != nullptr, *a.options, a.planes, [&](void*& plane, int count) {
    if (count) plane = memory;
    memory += count * size;
  });
  return memory - static_cast<char*>(a.saved);
}

// Whether a single sequence's input products are made beside the recurrent ones. A step of a cell with one sum a unit
// is so short that it waits for its own results, which leaves time for them on every processor while its weights are
// few.
bool goes_beside(const Kernel& kernel, const Layout& layout) {
  constexpr int64_t few_bytes = 128 << 10;
  if (hides_products()) return true;
  return kernel.accumulators == 1 && layout.hidden * layout.output * element_size(kernel) < few_bytes;
}

// From this size on glibc takes memory fresh from the system at each allocation.
[[maybe_unused]] constexpr int64_t always_fresh = 32 << 20;

// Asks for large pages where memory is always fresh: without them, the first touch of its pages costs a twentieth of a
// training step.
void prefer_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] int64_t bytes) {
#if defined(__linux__)
  constexpr int64_t page = 4096;
  if (bytes < always_fresh) return;
  const int64_t address = reinterpret_cast<int64_t>(memory), first = (address + page - 1) / page * page;
  madvise(reinterpret_cast<void*>(first), static_cast<size_t>(address + bytes - first), MADV_HUGEPAGE);
#endif
}

// Whether glibc took these limits: of a block that it keeps, and of what is free at the end of its memory.
[[maybe_unused]] bool limit_freed_memory([[maybe_unused]] int64_t block, [[maybe_unused]] int64_t end) {
#if defined(__GLIBC__)
  const char* tunables = getenv("GLIBC_TUNABLES");
  if (getenv("MALLOC_TRIM_THRESHOLD_") || getenv("MALLOC_MMAP_THRESHOLD_")) return false;
  if (tunables && strstr(tunables, "glibc.malloc.")) return false;
  mallopt(M_MMAP_THRESHOLD, static_cast<int>(block));
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(end));
  return true;
#else
  return false;
#endif
}

// Counts the scans that the process runs at once.
class AtWork {
 public:
  AtWork() : before_(count().fetch_add(1, std::memory_order_relaxed)) {}
  ~AtWork() { count().fetch_sub(1, std::memory_order_relaxed); }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
  bool is_alone() const { return before_ == 0; }

 private:
  static std::atomic<int>& count() {
    static std::atomic<int> at_work{0};
    return at_work;
  }
  const int before_;
};

}  // namespace

void keep_freed_memory() { limit_freed_memory(always_fresh, 2 * always_fresh); }

void give_back_freed_memory(int64_t above) {
  [[maybe_unused]] const bool is_limited = limit_freed_memory(above, above);
#if defined(__GLIBC__)
  if (is_limited) malloc_trim(0);
#endif
}

int saved_planes_of(const Kernel& kernel, bool is_projected, const StepOptions* options) {
  int total = 0;
  SavedPlanes planes{};
  each_plane(kernel, is_projected, options ? *options : nothing, planes, [&](void*&, int count) { total += count; });
  return total;
}

Status run_forward(const Kernel& kernel, ForwardArguments* layers, int layer_count, int threads) {
  fill_in_options(layers, layer_count);
  const AtWork at_work;
  if (threads > 1 && at_work.is_alone() && run_in_halves(kernel, layers, layer_count)) return Status::done;
  const Slices slices(kernel, layers, layer_count, threads);
  int64_t panels = 0, most = 0;
  for (int l = 0; l < layer_count; ++l) {
    const int64_t bytes = kernel.forward_panels(layers[l]),
                  scratch = kernel.forward_scratch(layers[l], slices.most_rows());
    panels = bytes > panels ? bytes : panels;
    most = scratch > most ? scratch : most;
  }
  const Scratch packed(panels, layer_count), scratch(most, slices.count());
  if (packed.is_missing() || scratch.is_missing()) return Status::out_of_memory;
  for (int l = 0; l < layer_count; ++l) {
    prefer_large_pages(layers[l].saved, place_planes(kernel, layers[l]));
    layers[l].panels = kernel.pack_forward(layers[l], packed[l]);
    layers[l].goes_beside = goes_beside(kernel, layers[l].layout);
  }
  parallel(slices.count(), [&](int64_t index) {
    const int k = static_cast<int>(index);
    const int64_t first = slices.begin(k), last = slices.begin(k + 1);
    if (first == last) return;
    for (int l = 0; l < layer_count; ++l) kernel.forward(layers[l], first, last, scratch[k]);
  });
  return Status::done;
}

Status run_backward(const Kernel& kernel, BackwardArguments* layers, int layer_count, int threads) {
  const AtWork at_work;
  fill_in_options(layers, layer_count);
  const Slices slices(kernel, layers, layer_count, threads);
  int64_t panels = 0, most = 0, gradients = 0;
  for (int l = 0; l < layer_count; ++l) {
    const int64_t bytes = kernel.backward_panels(layers[l]),
                  scratch = kernel.backward_scratch(layers[l], slices.most_rows());
    const int64_t own = SliceGradients(kernel, layers[l]).bytes();
    panels = bytes > panels ? bytes : panels;
    most = scratch > most ? scratch : most;
    gradients = own > gradients ? own : gradients;
  }
  const int others = slices.count() - 1;
  const Scratch packed(panels, layer_count), scratch(most, slices.count()), partial(gradients, others * layer_count);
  if (packed.is_missing() || scratch.is_missing() || partial.is_missing()) return Status::out_of_memory;
  for (int l = 0; l < layer_count; ++l) {
    place_planes(kernel, layers[l]);
    layers[l].panels = kernel.pack_backward(layers[l], packed[l]);
    if (l > 0 && layers[l].d_output && layers[l].d_output == layers[l - 1].d_x) {
      layers[l].is_d_output_between = layers[l - 1].is_d_x_between = true;
    }
  }
  const auto arguments_of = [&](int l, int k) {
    BackwardArguments own = layers[l];
    if (k > 0) SliceGradients(kernel, own).redirect(own, static_cast<char*>(partial[l * others + k - 1]));
    return own;
  };
  parallel(slices.count(), [&](int64_t index) {
    const int k = static_cast<int>(index);
    for (int l = 0; l < layer_count; ++l) {
      kernel.backward(arguments_of(l, k), slices.begin(k), slices.begin(k + 1), scratch[k]);
    }
  });
  for (int l = 0; l < layer_count; ++l) {
    for (int k = 1; k <= others; ++k) SliceGradients(kernel, layers[l]).add(layers[l], arguments_of(l, k));
  }
  return Status::done;
}

Status run_step(const Kernel& kernel, StepArguments arguments) {
  fill_in_options(&arguments, 1);
  const Scratch scratch(kernel.step_scratch(arguments), 1);
  if (scratch.is_missing()) return Status::out_of_memory;
  parallel(1, [&](int64_t) { kernel.step(arguments, scratch[0]); });
  return Status::done;
}

}  // namespace gatework
