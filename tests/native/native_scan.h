// A problem of plain.h on the native kernels: what is packed, which tensors are there, and the results by the same
// names.
#pragma once

#include <cstring>
#include <memory>
#include <thread>

#include "../../csrc/dispatch.h"
#include "../../csrc/partner.h"
#include "../../csrc/scratch.h"
#include "../../csrc/threads.h"
#include "plain.h"

namespace gatework {

// Tensors of exactly their size, so that the sanitizer sees any access beyond.
template <class T>
class Memory {
 public:
  T* make(size_t count) { return tensors_.emplace_back(new T[count]()).get(); }

  // Null where there are no values, as what a scan may lack.
  T* copy(const std::vector<double>& values) {
    if (values.empty()) return nullptr;
    T* to = make(values.size());
    for (size_t k = 0; k < values.size(); ++k) to[k] = static_cast<T>(values[k]);
    return to;
  }

 private:
  std::vector<std::unique_ptr<T[]>> tensors_;
};

// A number of 16 bits, the upper half of a float; cut off, not rounded.
class Half {
 public:
  Half() = default;
  explicit Half(double value) {
    const auto single = static_cast<float>(value);
    uint32_t bits;
    std::memcpy(&bits, &single, sizeof(bits));
    bits_ = static_cast<uint16_t>(bits >> 16);
  }
  operator double() const {
    const uint32_t bits = static_cast<uint32_t>(bits_) << 16;
    float single;
    std::memcpy(&single, &bits, sizeof(bits));
    return static_cast<double>(single);
  }

 private:
  uint16_t bits_;
};

// Values that differ from unit to unit.
inline double ramp(double from, size_t unit) { return from + 0.125 * static_cast<double>(unit % 5); }

inline size_t product(int64_t a, int64_t b) { return static_cast<size_t>(a * b); }

// A scan on the kernels; on those that take it with `options`, whose mask is the problem's and whose norms are made
// here. `is_rounded`: whether the kernel takes and gives sequences in bfloat16.
template <class T>
class NativeScan {
 public:
  NativeScan(const Kernel& kernel, const plain::Problem& problem, bool is_packed,
             const StepOptions& given = no_options(), bool is_rounded = false)
      : k(kernel), p(problem), is_rounded(is_rounded), options(given) {
    if (options.is_normalised) make_norms();
    w = {p.input,
         p.hidden,
         p.output,
         memory.copy(p.weight_ih),
         memory.copy(p.weight_hh),
         memory.copy(p.bias_ih),
         memory.copy(p.bias_hh),
         p.is_projected() ? memory.copy(p.projection) : nullptr,
         memory.copy(p.unit)};
    layout = {p.steps,
              p.batch,
              p.input,
              p.hidden,
              p.output,
              is_packed ? p.batch_sizes.data() : nullptr,
              is_packed ? p.offsets.data() : nullptr,
              p.reverse};
    x = copy_sequence(p.x);
    for (int n = 0; n < k.states; ++n) initial[n] = memory.copy(p.initial[n]);
    options.mask = p.mask.empty() ? nullptr : memory.copy(p.mask);
  }

  bool forward(int threads, plain::Results& results) {
    const size_t wide = product(p.rows, p.hidden);
    f.layout = layout;
    f.x = x;
    f.weights = w;
    f.options = &options;
    f.output = make_sequence(product(p.rows, p.output));
    f.saved = memory.make(wide * static_cast<size_t>(saved_planes_of(k, p.is_projected(), &options)));
    for (int n = 0; n < k.states; ++n) {
      f.initial[n] = initial[n];
      f.final[n] = memory.make(p.initial[n].size());
    }
    for (int n = 0; n < k.traced; ++n) {
      if (!p.is_projected() || std::strcmp(k.names[n], "h") != 0) f.trace[n] = memory.make(wide);
    }
    if (run_forward(k, &f, 1, threads) != Status::done) return false;
    add_results(results, f);
    for (int n = 0; n < k.traced; ++n) {
      if (f.trace[n]) add(results, std::string("trace of ") + k.names[n], f.trace[n], wide);
    }
    return true;
  }

  // The results alone, of which nothing is saved.
  bool results_alone(int threads, plain::Results& results) {
    ForwardArguments a = arguments_alone();
    if (run_forward(k, &a, 1, threads) != Status::done) return false;
    add_results(results, a);
    return true;
  }

  // The same by two threads, of which the second goes away after so many steps, or never where they are negative; each
  // waits for the other for so long. False when the units are too few.
  bool results_of_halves(int64_t leaves_after, int64_t microseconds, plain::Results& results) {
    struct Half : Errand {
      Half(const Kernel& kernel, const ForwardArguments& a)
          : kernel(kernel),
            arguments(a),
            memory(kernel.exchange_bytes(a.layout), 1),
            panels(kernel.forward_panels(a), 1) {
        exchange.memory = memory[0];
        exchange.made = 0;  // it is there from the first step on
        arguments.exchange = &exchange;
        arguments.panels = kernel.pack_forward(arguments, panels[0]);
      }
      void run() override { kernel.assist(&arguments, exchange); }
      const Kernel& kernel;
      ForwardArguments arguments;
      const Scratch memory, panels;
    };
    const ForwardArguments a = arguments_alone();
    if (!k.assist || k.exchange_bytes(a.layout) == 0) return false;
    const auto half = std::make_shared<Half>(k, a);
    half->exchange.patience = microseconds;
    half->exchange.leaves_after = leaves_after;
    std::thread partner([half] { parallel(1, [&](int64_t) { half->run(); }); });
    const Scratch scratch(k.forward_scratch(a, 1), 1);
    parallel(1, [&](int64_t) { k.forward(half->arguments, 0, 1, scratch[0]); });
    end_errand(*half);
    partner.join();
    add_results(results, half->arguments);
    return true;
  }

  // After forward().
  bool backward(int threads, plain::Results& results) {
    BackwardArguments b = backward_arguments(copy_sequence(p.d_output));
    if (run_backward(k, &b, 1, threads) != Status::done) return false;
    add_gradients(results, b);
    return true;
  }

  // After forward(), where the input is as wide as the output: two derivatives of the scan, of which the second one's
  // output receives what the first one gives for its input, as in a stack of layers; in one call or in two.
  bool backward_twice(int threads, bool is_one_call, plain::Results& results) {
    BackwardArguments both[2] = {backward_arguments(copy_sequence(p.d_output)), backward_arguments(nullptr)};
    both[1].d_output = both[0].d_x;
    for (int call = 0; call < (is_one_call ? 1 : 2); ++call) {
      if (run_backward(k, both + call, is_one_call ? 2 : 1, threads) != Status::done) return false;
    }
    add_gradients(results, both[1]);
    return true;
  }

  // A single step from the initial states; it must be the first step of the scan. Under layer norm it is given x, not
  // the input product.
  plain::Results step() {
    StepArguments s{};
    s.batch = p.batch;
    s.weights = w;
    s.x = x;
    s.output = memory.make(product(p.batch, p.hidden));
    s.options = &options;
    for (int n = 0; n < k.states; ++n) {
      s.previous[n] = initial[n];
      s.next[n] = memory.make(p.initial[n].size());
    }
    plain::Results results;
    if (run_step(k, s) != Status::done) return results;
    add(results, "output", s.output, product(p.batch, p.hidden));
    for (int n = 0; n < k.states; ++n) add(results, "final " + std::to_string(n), s.next[n], p.initial[n].size());
    return results;
  }

 private:
  // The rows of the weights of a product, by which accumulators it feeds.
  size_t rows_of(const bool* feeds) const {
    size_t rows = 0;
    for (int a = 0; a < k.accumulators; ++a) rows += feeds[a] ? static_cast<size_t>(p.hidden) : 0;
    return rows;
  }
  size_t gate_rows() const { return rows_of(k.recurrent_product); }

  ForwardArguments arguments_alone() {
    ForwardArguments a{};
    a.layout = layout;
    a.x = x;
    a.weights = w;
    a.options = &options;
    a.output = make_sequence(product(p.rows, p.output));
    for (int n = 0; n < k.states; ++n) {
      a.initial[n] = initial[n];
      a.final[n] = memory.make(p.initial[n].size());
    }
    return a;
  }

  void add_results(plain::Results& results, const ForwardArguments& a) {
    add_sequence(results, "output", a.output, product(p.rows, p.output));
    for (int n = 0; n < k.states; ++n) add(results, "final " + std::to_string(n), a.final[n], p.initial[n].size());
  }

  BackwardArguments backward_arguments(const void* d_output) {
    BackwardArguments b{};
    b.layout = layout;
    b.x = x;
    b.weights = w;
    b.options = &options;
    b.d_output = d_output;
    b.output = f.output;
    b.saved = f.saved;
    for (int n = 0; n < k.states; ++n) {
      b.d_final[n] = memory.copy(p.d_final[n]);
      b.initial[n] = initial[n];
      b.d_initial[n] = memory.make(p.initial[n].size());
    }
    if (p.is_projected()) b.d_projected = make_sequence(product(p.rows, p.output));
    b.d_x = make_sequence(p.x.size());
    b.d_weight_ih = memory.make(p.weight_ih.size());
    b.d_weight_hh = memory.make(p.weight_hh.size());
    b.d_bias_ih = p.bias_ih.empty() ? nullptr : memory.make(p.bias_ih.size());
    b.d_bias_hh = p.bias_hh.empty() ? nullptr : memory.make(p.bias_hh.size());
    if (options.is_normalised) {
      const size_t gates = gate_rows(), states = product(k.normalised, p.hidden);
      b.d_gain = memory.make(gates);
      b.d_bias = memory.make(gates);
      b.d_state_gain = memory.make(states);
      b.d_state_bias = memory.make(states);
    }
    b.d_unit = memory.make(p.unit.size());
    return b;
  }

  void add_gradients(plain::Results& results, const BackwardArguments& b) const {
    if (p.is_projected()) add_sequence(results, "d projected", b.d_projected, product(p.rows, p.output));
    for (int n = 0; n < k.states; ++n) {
      add(results, "d initial " + std::to_string(n), b.d_initial[n], p.initial[n].size());
    }
    add_sequence(results, "d x", b.d_x, p.x.size());
    add(results, "d weight_ih", b.d_weight_ih, p.weight_ih.size());
    add(results, "d weight_hh", b.d_weight_hh, p.weight_hh.size());
    add(results, "d bias_ih", b.d_bias_ih, p.bias_ih.size());
    add(results, "d bias_hh", b.d_bias_hh, p.bias_hh.size());
    add(results, "d weight_unit", b.d_unit, p.unit.size());
    if (options.is_normalised) {
      add(results, "d gain", b.d_gain, gate_rows());
      add(results, "d bias", b.d_bias, gate_rows());
      add(results, "d state_gain", b.d_state_gain, product(k.normalised, p.hidden));
      add(results, "d state_bias", b.d_state_bias, product(k.normalised, p.hidden));
    }
  }

  void make_norms() {
    const auto make = [&](size_t count, double from) {
      std::vector<double> values(count);
      for (size_t n = 0; n < count; ++n) values[n] = ramp(from, n);
      return memory.copy(values);
    };
    const size_t gates = gate_rows(), states = product(k.normalised, p.hidden), rows = static_cast<size_t>(p.rows);
    options.input_gain = make(rows_of(k.input_product), 0.75);
    options.gain = make(gates, 0.75);
    options.bias = make(gates, -0.25);
    options.state_gain = make(states, 0.75);
    options.state_bias = make(states, -0.25);
    options.normalised_product = memory.make(rows * gates);
    options.normalised_state = memory.make(rows * states);
    options.scale = memory.make(rows * (1 + static_cast<size_t>(k.normalised)));
  }

  static void add(plain::Results& results, const std::string& name, const void* values, size_t count) {
    plain::add_result(results, name, static_cast<const T*>(values), count);
  }

  // x, the output and their derivatives.
  const void* copy_sequence(const std::vector<double>& values) {
    return is_rounded ? static_cast<const void*>(halves.copy(values)) : memory.copy(values);
  }
  void* make_sequence(size_t count) { return is_rounded ? static_cast<void*>(halves.make(count)) : memory.make(count); }
  void add_sequence(plain::Results& results, const std::string& name, const void* values, size_t count) const {
    if (is_rounded) {
      plain::add_result(results, name, static_cast<const Half*>(values), count);
    } else {
      add(results, name, values, count);
    }
  }

  const Kernel& k;
  const plain::Problem& p;
  const bool is_rounded;
  StepOptions options;
  Memory<T> memory;
  Memory<Half> halves;
  Weights w{};
  Layout layout{};
  ForwardArguments f{};
  const void* x;
  T* initial[max_states];
};

}  // namespace gatework
