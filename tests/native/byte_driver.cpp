// Runs the kernels on int8 without Python, for the sanitizers and for processors that have none at hand: the integers
// of products beside plain sums, and every cell over whole batches, from several threads at once, beside plain loops
// (plain.h) on the weights that the bytes stand for. Ends with 1 and says what is wrong where they differ.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include "../../csrc/quantized/dispatch.h"
#include "native_scan.h"
#include "plain.h"

using namespace gatework;
using plain::Problem;
using plain::Results;

namespace {

constexpr int largest = 127;

struct Sizes {
  int64_t steps, batch, input, hidden;
  bool is_packed, reverse;
};

// The last two have enough work for several threads.
const Sizes cases[] = {{5, 3, 2, 1, false, false},    {4, 7, 5, 17, false, true},   {6, 9, 3, 20, true, false},
                       {6, 26, 9, 33, true, true},    {3, 5, 70, 40, false, false}, {0, 4, 3, 5, false, false},
                       {30, 12, 33, 47, false, true}, {30, 14, 33, 47, true, false}};

// How many rows of weights each product of a cell has, in units, and its learnt vectors.
struct Shape {
  int64_t inputs, gates, units, states;
};

template <class Cell>
constexpr Shape shape_of() {
  Shape shape{0, 0, Cell::units, Cell::states};
  for (int a = 0; a < Cell::accumulators; ++a) {
    shape.inputs += Cell::input_product[a];
    shape.gates += Cell::recurrent_product[a];
  }
  return shape;
}

namespace cells = plain;
#define GATEWORK_SHAPE(cell) shape_of<cells::cell>(),
const Shape shapes[] = {GATEWORK_CELLS(GATEWORK_SHAPE)};
#define GATEWORK_NAME(cell) #cell,
const char* const names[] = {GATEWORK_CELLS(GATEWORK_NAME)};
constexpr int cell_count = sizeof(names) / sizeof(names[0]);

std::vector<double> drawn(std::mt19937& random, size_t count, double scale) {
  std::uniform_real_distribution<float> uniform(static_cast<float>(-scale), static_cast<float>(scale));
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<double>(uniform(random));
  return values;
}

// A matrix of bytes with what one of them is worth in each row, and in `numbers` what it stands for.
struct ByteRows {
  std::vector<int8_t> bytes;
  std::vector<float> scales;
  std::vector<double> numbers;

  ByteRows(std::mt19937& random, int64_t rows, int64_t width) {
    std::uniform_int_distribution<int> byte(-largest, largest);
    std::uniform_real_distribution<float> scale(0.5f, 1.5f);
    for (int64_t row = 0; row < rows; ++row) {
      scales.push_back(scale(random) / static_cast<float>(largest) / std::sqrt(static_cast<float>(width)));
      for (int64_t k = 0; k < width; ++k) {
        bytes.push_back(static_cast<int8_t>(byte(random)));
        numbers.push_back(static_cast<double>(static_cast<float>(bytes.back()) * scales.back()));
      }
    }
  }
};

struct Check {
  int cell;
  Problem problem;
  ByteRows input_rows, recurrent_rows;
  bool is_packed;
};

Check make_check(int cell, const Sizes& s) {
  std::mt19937 random(static_cast<unsigned>(cell));
  const Shape& shape = shapes[cell];
  Check c{cell,
          {},
          ByteRows(random, shape.inputs * s.hidden, s.input),
          ByteRows(random, shape.gates * s.hidden, s.hidden),
          s.is_packed};
  Problem& p = c.problem;
  p.steps = s.steps;
  p.batch = s.batch;
  p.input = s.input;
  p.hidden = p.output = s.hidden;
  p.reverse = s.reverse;
  for (int64_t t = 0; t < s.steps; ++t) {
    p.batch_sizes.push_back(s.is_packed ? s.batch - (s.batch - 1) * t / s.steps : s.batch);
    p.offsets.push_back(p.rows);
    p.rows += p.batch_sizes.back();
  }
  p.weight_ih = c.input_rows.numbers;
  p.weight_hh = c.recurrent_rows.numbers;
  p.bias_ih = drawn(random, product(shape.inputs, s.hidden), 0.5);
  p.bias_hh = drawn(random, product(shape.gates, s.hidden), 0.5);
  p.unit = drawn(random, product(shape.units, s.hidden), 0.5);
  p.x = drawn(random, product(p.rows, s.input), 1.5);
  p.d_output.assign(product(p.rows, s.hidden), 0);
  for (int64_t n = 0; n < shape.states; ++n) {
    p.initial[n].assign(product(s.batch, s.hidden), 0);
    p.d_final[n].assign(product(s.batch, s.hidden), 0);
  }
  return c;
}

// The outputs and the last states of a batch, in memory of exactly their size.
bool run(const quantized::Kernel& kernel, const Check& c, int threads, bool has_initial, Results& results) {
  const Problem& p = c.problem;
  Memory<float> memory;
  const quantized::Weights weights{p.input,
                                   p.hidden,
                                   c.input_rows.bytes.data(),
                                   c.recurrent_rows.bytes.data(),
                                   c.input_rows.scales.data(),
                                   c.recurrent_rows.scales.data(),
                                   memory.copy(p.bias_ih),
                                   memory.copy(p.bias_hh)};
  std::vector<uint8_t> panels(static_cast<size_t>(kernel.panels(p.input, p.hidden)));
  kernel.pack(weights, panels.data());
  quantized::Arguments a{};
  a.layout = {p.steps,
              p.batch,
              p.input,
              p.hidden,
              p.hidden,
              c.is_packed ? p.batch_sizes.data() : nullptr,
              c.is_packed ? p.offsets.data() : nullptr,
              p.reverse};
  a.panels = panels.data();
  a.unit = memory.copy(p.unit);
  a.x = memory.copy(p.x);
  a.output = memory.make(product(p.rows, p.hidden));
  for (int n = 0; n < kernel.states; ++n) {
    a.initial[n] = has_initial ? memory.copy(p.initial[n]) : nullptr;
    a.final[n] = memory.make(p.initial[n].size());
  }
  if (!quantized::run_forward(kernel, a, threads)) return false;
  plain::add_result(results, "output", a.output, product(p.rows, p.hidden));
  for (int n = 0; n < kernel.states; ++n) {
    plain::add_result(results, "final " + std::to_string(n), a.final[n], p.initial[n].size());
  }
  return true;
}

// Rounding moves h by some hundredths over a few steps; the tests in Python have the bound of each step.
bool is_near(const Results& results, const Results& expected, const char* what) {
  bool is_right = true;
  for (const auto& [name, values] : results) {
    for (const auto& [key, exact] : expected) {
      if (key != name) continue;
      double worst = 0, most = 0;
      for (size_t k = 0; k < exact.size(); ++k) {
        const double error = std::fabs(values[k] - exact[k]);
        worst = std::isnan(error) ? INFINITY : std::max(worst, error);
        most = std::max(most, std::fabs(exact[k]));
      }
      if (worst <= 0.1 * (1 + most)) continue;
      std::printf("%s, %s: off by %.3g\n", what, name.c_str(), worst);
      is_right = false;
    }
  }
  return is_right;
}

bool check_scans(int isa, const std::vector<Check>& checks) {
  bool is_right = true;
  for (const Check& c : checks) {
    const quantized::Kernel& kernel = quantized::table_of(isa).kernels[c.cell];
    Results one, several;
    if (!run(kernel, c, 1, true, one) || !run(kernel, c, 3, false, several)) return false;
    if (one != several) {
      std::printf("%s: several threads give other digits than one\n", names[c.cell]);
      is_right = false;
    }
    if (c.problem.steps <= 6) is_right &= is_near(one, plain::scans[c.cell][true](c.problem), names[c.cell]);
  }
  return is_right;
}

bool check_integers(int isa) {
  std::mt19937 random(0);
  for (const int64_t width : {1, 4, 31, 128, 515}) {
    for (const int64_t hidden : {1, 7, 16, 33}) {
      const ByteRows matrix(random, hidden, width);
      Memory<float> memory;
      const float* row = memory.copy(drawn(random, static_cast<size_t>(width), 2));
      std::vector<int8_t> bytes(static_cast<size_t>(width));
      std::vector<int32_t> sums(static_cast<size_t>(hidden));
      float worth;
      quantized::table_of(isa).integers(row, width, matrix.bytes.data(), hidden, bytes.data(), &worth, sums.data());
      for (int64_t unit = 0; unit < hidden; ++unit) {
        int32_t sum = 0;
        for (int64_t k = 0; k < width; ++k) sum += bytes[k] * matrix.bytes[unit * width + k];
        if (sum == sums[unit]) continue;
        std::printf("a row of %d bytes: %d, expected %d\n", static_cast<int>(width), sums[unit], sum);
        return false;
      }
    }
  }
  return true;
}

bool check(int isa) {
  std::vector<Check> checks;
  for (int cell = 0; cell < cell_count; ++cell) {
    for (const Sizes& sizes : cases) checks.push_back(make_check(cell, sizes));
  }
  std::atomic<bool> is_right{check_integers(isa)};
  std::vector<std::thread> threads;
  for (int k = 0; k < 3; ++k) {
    threads.emplace_back([&] {
      if (!check_scans(isa, checks)) is_right = false;
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (is_right) {
    std::printf("%s: %d cells, %d scans on int8 near plain loops\n", quantized::isa_names[isa], cell_count,
                static_cast<int>(checks.size()));
  }
  return is_right;
}

}  // namespace

int main(int count, char** arguments) {
  for (int isa = 0; isa < quantized::isa_count; ++isa) {
    if (count < 2 || std::strcmp(arguments[1], quantized::isa_names[isa]) != 0) continue;
    if (!quantized::is_supported(isa)) {
      std::printf("%s: not on this processor\n", arguments[1]);
      return 0;
    }
    return check(isa) ? 0 : 1;
  }
  std::fprintf(stderr, "usage: %s INSTRUCTION_SET, one of", arguments[0]);
  for (const char* name : quantized::isa_names) std::fprintf(stderr, " %s", name);
  std::fprintf(stderr, "\n");
  return 2;
}
