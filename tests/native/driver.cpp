// Runs the native kernels without Python, for the sanitizers: every cell, element type and layout of one instruction
// set, from several threads at once, forward, backward and single steps. Prints a checksum; ends with 1 on a wrong
// result.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "../../csrc/dispatch.h"

using namespace gatework;

namespace {

// Tensors of exactly their size, so that the sanitizer sees any access beyond.
template <class T>
class Memory {
 public:
  explicit Memory(unsigned seed) : random_(seed) {}

  T* make(int64_t count, double scale = 0) {
    tensors_.emplace_back(new T[static_cast<size_t>(count)]);
    std::uniform_real_distribution<double> uniform(-scale, scale);
    for (int64_t k = 0; k < count; ++k) tensors_.back()[static_cast<size_t>(k)] = static_cast<T>(uniform(random_));
    return tensors_.back().get();
  }

 private:
  std::mt19937 random_;
  std::vector<std::unique_ptr<T[]>> tensors_;
};

struct Sizes {
  int64_t steps, batch, input, hidden, output;
  bool is_packed, reverse;
};

template <class T>
double run(const Kernel& k, const Sizes& s, int threads, unsigned seed) {
  Memory<T> memory(seed);
  std::vector<int64_t> batch_sizes, offsets;
  int64_t rows = 0;
  for (int64_t t = 0; t < s.steps; ++t) {
    batch_sizes.push_back(s.is_packed ? s.batch - (s.batch - 1) * t / s.steps : s.batch);
    offsets.push_back(rows);
    rows += batch_sizes.back();
  }
  int64_t gates = 0, inputs = 0;
  for (int a = 0; a < k.accumulators; ++a) {
    gates += k.recurrent_product[a];
    inputs += k.input_product[a];
  }
  const bool is_projected = s.output != s.hidden;
  const Weights w{s.input,
                  s.hidden,
                  s.output,
                  memory.make(inputs * s.hidden * s.input, 0.3),
                  memory.make(gates * s.hidden * s.output, 0.3),
                  memory.make(inputs * s.hidden, 1),
                  memory.make(gates * s.hidden, 1),
                  is_projected ? memory.make(s.output * s.hidden, 0.3) : nullptr,
                  memory.make(k.units * s.hidden, 1)};
  ForwardArguments f{};
  f.layout = {s.steps,
              s.batch,
              s.input,
              s.hidden,
              s.output,
              s.is_packed ? batch_sizes.data() : nullptr,
              s.is_packed ? offsets.data() : nullptr,
              s.reverse};
  f.x = memory.make(rows * s.input, 1);
  f.weights = w;
  T* output = memory.make(rows * s.output);
  f.output = output;
  f.kept = memory.make(rows * s.hidden * (planes_of(k, is_projected, nullptr)));
  for (int n = 0; n < k.states; ++n) {
    const int64_t width = n ? s.hidden : s.output;
    f.initial[n] = memory.make(s.batch * width, 1);
    f.final[n] = memory.make(s.batch * width);
  }
  for (int n = 0; n < k.named; ++n) {
    if (std::strcmp(k.names[n], "h") != 0) f.named[n] = memory.make(rows * s.hidden);
  }
  if (run_forward(k, &f, 1, threads) != Status::done) std::exit(1);

  BackwardArguments b{};
  b.layout = f.layout;
  b.x = f.x;
  b.weights = w;
  b.d_output = memory.make(rows * s.output, 1);
  b.output = f.output;
  b.kept = f.kept;
  if (is_projected) b.d_projected = memory.make(rows * s.output);
  for (int n = 0; n < k.states; ++n) {
    const int64_t width = n ? s.hidden : s.output;
    b.d_final[n] = memory.make(s.batch * width, 1);
    b.initial[n] = f.initial[n];
    b.d_initial[n] = memory.make(s.batch * width);
  }
  b.d_x = memory.make(rows * s.input);
  T* d_w = memory.make(inputs * s.hidden * s.input);
  b.d_weight_ih = d_w;
  b.d_weight_hh = memory.make(gates * s.hidden * s.output);
  b.d_bias_ih = memory.make(inputs * s.hidden);
  b.d_bias_hh = memory.make(gates * s.hidden);
  b.d_unit = memory.make(k.units * s.hidden);
  if (run_backward(k, &b, 1, threads) != Status::done) std::exit(1);

  double sum = 0;
  for (int64_t r = 0; r < rows * s.output; ++r) sum += static_cast<double>(output[r]);
  for (int64_t r = 0; r < inputs * s.hidden * s.input; ++r) sum += static_cast<double>(d_w[r]);
  if (!is_projected && !s.is_packed && !s.reverse && s.steps > 0) {
    // A single step must be the first step of the scan.
    StepArguments step{};
    step.batch = s.batch;
    step.weights = w;
    step.x = f.x;
    T* first = memory.make(s.batch * s.hidden);
    step.output = first;
    for (int n = 0; n < k.states; ++n) {
      step.previous[n] = f.initial[n];
      step.next[n] = memory.make(s.batch * s.hidden);
    }
    run_step(k, step);
    for (int64_t r = 0; r < s.batch * s.hidden; ++r) {
      if (std::fabs(static_cast<double>(first[r] - output[r])) > 1e-4) std::exit(1);
    }
  }
  if (!std::isfinite(sum)) std::exit(1);
  return sum;
}

double run_all(Isa isa, unsigned seed) {
  const Sizes cases[] = {
      {5, 3, 2, 1, 1, false, false},     {4, 7, 5, 17, 17, false, true},    {6, 9, 3, 20, 20, true, false},
      {6, 9, 3, 33, 33, true, true},     {3, 5, 70, 40, 40, false, false},  {5, 6, 4, 18, 7, true, true},
      {5, 6, 4, 18, 7, false, false},    {40, 8, 16, 48, 48, false, false}, {0, 4, 3, 5, 5, false, false},
      {300, 2, 3, 19, 19, false, false}, {0, 16, 3, 5, 5, false, false},    {40, 32, 1, 20, 20, false, false},
      {9, 16, 18, 3, 3, false, true}};
  double sum = 0;
  for (int cell = 0; cell < cell_count; ++cell) {
    for (const Sizes& sizes : cases) {
      // A cell whose units see their own last h has no projection.
      const bool sees_h = find_kernel(isa, cell, false)->reads_previous[0];
      if (sizes.output != sizes.hidden && sees_h) continue;
      for (int threads : {1, 3}) {
        sum += run<float>(*find_kernel(isa, cell, false), sizes, threads, seed);
        sum += run<double>(*find_kernel(isa, cell, true), sizes, threads, seed);
      }
    }
  }
  return sum;
}

}  // namespace

int main(int count, char** names) {
  for (int k = 0; k < isa_count; ++k) {
    if (count < 2 || std::strcmp(names[1], isa_names[k]) != 0) continue;
    const Isa isa = static_cast<Isa>(k);
    if (!is_compiled(isa) || !is_supported(isa)) {
      std::printf("%s: not on this processor\n", names[1]);
      return 0;
    }
    std::vector<double> sums(3);
    std::vector<std::thread> threads;
    for (double& sum : sums) threads.emplace_back([&sum, isa] { sum = run_all(isa, 1); });
    for (std::thread& thread : threads) thread.join();
    std::printf("%s: %.9g\n", names[1], sums[0]);
    return sums[0] == sums[1] && sums[1] == sums[2] ? 0 : 1;
  }
  std::fprintf(stderr, "usage: %s baseline|avx2|avx512\n", names[0]);
  return 2;
}
