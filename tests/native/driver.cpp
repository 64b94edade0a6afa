// Runs the native kernels without Python, for the sanitizers and for processors that have none at hand: every cell,
// element type and layout of one instruction set, from several threads at once, forward, backward and single steps, and
// compares all that they give with plain loops (plain.h). Ends with 1 and says what is wrong where they differ.
#include <atomic>
#include <cfenv>
#include <cfloat>
#include <cstdio>
#include <cstring>
#include <random>
#include <thread>

#include "../../csrc/dispatch.h"
#include "native_scan.h"
#include "plain.h"

using namespace gatework;
using plain::Problem;
using plain::Results;

namespace {

struct Sizes {
  int64_t steps, batch, input, hidden, output;
  bool is_packed, reverse;
};

const Sizes cases[] = {
    {5, 3, 2, 1, 1, false, false},     {4, 7, 5, 17, 17, false, true},    {6, 9, 3, 20, 20, true, false},
    {6, 9, 3, 33, 33, true, true},     {3, 5, 70, 40, 40, false, false},  {5, 6, 4, 18, 7, true, true},
    {5, 6, 4, 18, 7, false, false},    {40, 8, 16, 48, 48, false, false}, {0, 4, 3, 5, 5, false, false},
    {300, 2, 3, 19, 19, false, false}, {7, 32, 1, 20, 20, false, false},  {4, 48, 3, 5, 5, false, true},
    {6, 48, 20, 20, 20, false, false}, {5, 32, 5, 5, 5, false, true},     {27, 1, 20, 70, 70, false, false},
    {12, 1, 9, 33, 33, false, true},   {50, 1, 9, 90, 90, false, true}};

// The layout, and how many rows of weights each product has.
Problem empty_problem(const Kernel& kernel, const Sizes& s, size_t& inputs, size_t& gates) {
  Problem p{};
  p.steps = s.steps;
  p.batch = s.batch;
  p.input = s.input;
  p.hidden = s.hidden;
  p.output = s.output;
  p.reverse = s.reverse;
  for (int64_t t = 0; t < s.steps; ++t) {
    p.batch_sizes.push_back(s.is_packed ? s.batch - (s.batch - 1) * t / s.steps : s.batch);
    p.offsets.push_back(p.rows);
    p.rows += p.batch_sizes.back();
  }
  inputs = gates = 0;
  for (int a = 0; a < kernel.accumulators; ++a) {
    inputs += kernel.input_product[a] ? static_cast<size_t>(s.hidden) : 0;
    gates += kernel.recurrent_product[a] ? static_cast<size_t>(s.hidden) : 0;
  }
  return p;
}

// A scan of random numbers that starts from states which the cell reaches from 0.
Problem random_problem(const Kernel& kernel, int cell, const Sizes& s) {
  std::mt19937 random(static_cast<unsigned>(cell));
  const auto draw = [&](size_t count, double scale) {
    std::uniform_real_distribution<double> uniform(-scale, scale);
    std::vector<double> values(count);
    for (double& value : values) value = static_cast<double>(static_cast<float>(uniform(random)));
    return values;
  };
  size_t inputs = 0, gates = 0;
  Problem p = empty_problem(kernel, s, inputs, gates);
  p.weight_ih = draw(inputs * static_cast<size_t>(s.input), 1.5 / std::sqrt(static_cast<double>(s.input)));
  p.weight_hh = draw(gates * static_cast<size_t>(s.output), 1 / std::sqrt(static_cast<double>(s.output)));
  p.bias_ih = draw(inputs, 1);
  p.bias_hh = draw(gates, 1);
  if (p.is_projected()) p.projection = draw(product(s.output, s.hidden), 1 / std::sqrt(static_cast<double>(s.hidden)));
  p.unit = draw(product(kernel.units, s.hidden), 1);
  for (int n = 0; n < kernel.states; ++n) {
    p.initial[n].assign(static_cast<size_t>(s.batch) * p.width(n), 0);
    p.d_final[n] = draw(static_cast<size_t>(s.batch) * p.width(n), 1);
  }
  Problem before = p;
  before.steps = 1;
  before.rows = s.batch;
  before.batch_sizes = {s.batch};
  before.offsets = {0};
  before.x = draw(product(s.batch, s.input), 1.5);
  before.d_output.assign(product(s.batch, s.output), 0);
  for (const auto& [name, values] : plain::scans[cell][true](before)) {
    if (name.rfind("final ", 0) != 0) continue;
    std::vector<double>& state = p.initial[std::stoi(name.substr(6))];
    std::transform(values.begin(), values.end(), state.begin(), [](double v) { return static_cast<float>(v); });
  }
  p.x = draw(product(p.rows, s.input), 1.5);
  p.d_output = draw(product(p.rows, s.output), 1);
  return p;
}

// The largest error of a result, relative to the largest exact value; infinite where one is NaN.
double error_of(const std::vector<double>& found, const std::vector<double>& exact) {
  if (found.size() != exact.size()) return INFINITY;
  double worst = 0, largest = 0;
  for (size_t k = 0; k < exact.size(); ++k) {
    const double error = std::fabs(found[k] - exact[k]);
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    largest = std::max(largest, std::fabs(exact[k]));
    if (std::isinf(worst)) return worst;
  }
  return worst / (1 + largest);
}

const std::vector<double>* find(const Results& results, const std::string& name) {
  for (const auto& [key, values] : results) {
    if (key == name) return &values;
  }
  return nullptr;
}

// What plain loops give for a problem, in both element types.
struct Expected {
  Results single, exact;
};

// Two runs in double differ by rounding only: each sum of n terms by n eps at most, over at most `steps` steps that
// pass it on. The error in float is at most twice that of plain loops in float, and some roundings where that is tiny.
bool agree(const Results& found, const Expected& expected, const Problem& p, bool is_double, const std::string& what) {
  bool is_right = true;
  for (const auto& [name, values] : found) {
    const std::vector<double>*exact = find(expected.exact, name), *single = find(expected.single, name);
    if (!exact || !single) {
      std::printf("%s, %s: not in plain.h\n", what.c_str(), name.c_str());
      return false;
    }
    const double most = is_double ? static_cast<double>(p.steps * (p.input + p.hidden + 8)) * DBL_EPSILON
                                  : 2 * error_of(*single, *exact) + 16 * static_cast<double>(FLT_EPSILON);
    const double error = error_of(values, *exact);
    if (error <= most) continue;
    std::printf("%s, %s: off by %.3g, expected at most %.3g\n", what.c_str(), name.c_str(), error, most);
    is_right = false;
  }
  return is_right;
}

// Whether no result is further than `most` from the other's.
bool are_near(const Results& found, const Results& expected, double most, const std::string& what) {
  bool is_right = true;
  for (const auto& [name, values] : found) {
    const std::vector<double>* exact = find(expected, name);
    const double error = exact ? error_of(values, *exact) : INFINITY;
    if (error <= most) continue;
    std::printf("%s, %s: off by %.3g, expected at most %.3g\n", what.c_str(), name.c_str(), error, most);
    is_right = false;
  }
  return is_right;
}

struct Check {
  int cell;
  Variant variant;
  Sizes sizes;
  Problem problem, first_step;
  Expected expected, expected_step;
};

std::string trace(const Check& c) {
  const Sizes& s = c.sizes;
  char what[160];
  std::snprintf(what, sizeof(what), "%s%s, %d steps of %d, %d -> %d -> %d%s%s", cell_names[c.cell],
                c.variant == Variant::plain ? "" : " with a mask", static_cast<int>(s.steps), static_cast<int>(s.batch),
                static_cast<int>(s.input), static_cast<int>(s.hidden), static_cast<int>(s.output),
                s.is_packed ? ", packed" : "", s.reverse ? ", reverse" : "");
  return what;
}

// Whether a single step can make the first step of the scan.
bool has_step(const Check& c) {
  return !c.problem.is_projected() && !c.sizes.is_packed && !c.sizes.reverse && c.sizes.steps > 0;
}

template <class T>
bool run(const Kernel& kernel, const Check& c, int threads) {
  const Sizes& s = c.sizes;
  const std::string type = kernel.is_double ? "double" : "float";
  const std::string what = trace(c) + ", in " + type + ", " + std::to_string(threads) + " threads";
  NativeScan<T> scan(kernel, c.problem, s.is_packed);
  Results results;
  if (!scan.forward(threads, results) || !scan.backward(threads, results)) {
    std::printf("%s: out of memory\n", what.c_str());
    return false;
  }
  bool is_right = agree(results, c.expected, c.problem, kernel.is_double, what);
  if (s.input == s.output) {
    Results together, apart;
    if (!scan.backward_twice(threads, true, together) || !scan.backward_twice(threads, false, apart)) return false;
    // Threads may have other slices of the batch, and so other sums.
    const double most = threads == 1 ? 0 : kernel.is_double ? 1e-12 : 1e-5;
    is_right &= are_near(together, apart, most, what + ", two layers in one call");
  }
  if (c.variant != Variant::plain || !has_step(c)) return is_right;
  const std::string step = what + ", a single step";
  return agree(scan.step(), c.expected_step, c.first_step, kernel.is_double, step) && is_right;
}

int cell_of(const char* name) {
  int cell = 0;
  while (std::strcmp(cell_names[cell], name) != 0) ++cell;
  return cell;
}

// Two threads that share the units of a sequence give what one gives, to the last bit: where the second goes away at
// any step, and where neither waits, so that it is left in the middle of one and goes on.
bool runs_in_halves(const Kernel& kernel, const Check& c) {
  NativeScan<float> scan(kernel, c.problem, c.sizes.is_packed);
  Results alone;
  if (!scan.results_alone(1, alone)) return false;
  bool is_right = true;
  constexpr int64_t minute = 60000000;
  for (const int64_t steps : {-1, 0, 1, 24, 25}) {
    for (const int64_t patience : {minute, int64_t{0}}) {
      Results halves;
      const std::string how = trace(c) + ", in halves until " + std::to_string(steps);
      if (scan.results_of_halves(steps, patience, halves)) is_right &= are_near(halves, alone, 0, how);
    }
  }
  return is_right;
}

// One wide enough that run_forward() wakes the partner, several times one after the other.
bool runs_with_partner(Isa isa) {
  const int cell = cell_of("lstm");
  const Kernel& kernel = *find_kernel(isa, cell, Element::float32);
  const Problem p = random_problem(kernel, cell, {160, 1, 100, 100, 100, false, false});
  Results alone;
  if (!NativeScan<float>(kernel, p, false).results_alone(1, alone)) return false;
  bool is_right = true;
  for (int k = 0; k < 20; ++k) {
    Results several;
    if (!NativeScan<float>(kernel, p, false).results_alone(2, several)) return false;
    is_right &= are_near(several, alone, 0, "lstm with a partner");
  }
  return is_right;
}

// Every option at once. Clipping is of the last state that is not h.
StepOptions everything(const Kernel& kernel, bool is_random, bool is_normalised) {
  StepOptions options = no_options();
  if (kernel.states > 1) options.after[clip][kernel.states - 1] = 0.5;
  options.is_random = is_random;
  options.is_normalised = is_normalised;
  for (int n = 0; n < kernel.states; ++n) {
    options.after[zoneout][n] = 0.25;
    options.seeds[zoneout][n] = 0x123456789abcdef0 + static_cast<uint64_t>(n);
  }
  return options;
}

// An input product for a problem, exact in float.
std::vector<double> some_product(const Problem& p) {
  std::vector<double> product(static_cast<size_t>(p.rows) * p.bias_ih.size());
  for (size_t k = 0; k < product.size(); ++k) product[k] = 0.25 * static_cast<double>(k * 7919 % 13) - 1.5;
  return product;
}

// W x of each row, normalised, with the gain of NativeScan and the bias: what a single step makes itself.
std::vector<double> normalised_product(const Problem& p) {
  const size_t inputs = p.bias_ih.size(), width = static_cast<size_t>(p.input);
  std::vector<double> product(static_cast<size_t>(p.rows) * inputs);
  for (size_t row = 0; row < static_cast<size_t>(p.rows); ++row) {
    double* const own = product.data() + row * inputs;
    double mean = 0, variance = 0;
    for (size_t n = 0; n < inputs; ++n) {
      for (size_t k = 0; k < width; ++k) own[n] += p.weight_ih[n * width + k] * p.x[row * width + k];
      mean += own[n] / static_cast<double>(inputs);
    }
    for (size_t n = 0; n < inputs; ++n) variance += (own[n] - mean) * (own[n] - mean) / static_cast<double>(inputs);
    for (size_t n = 0; n < inputs; ++n) {
      own[n] = (own[n] - mean) / std::sqrt(variance + 1e-5) * ramp(0.75, n) + p.bias_ih[n];
    }
  }
  return product;
}

// The problem as the kernels with layer norm take it: the input product stands in place of x.
Problem with_product(Problem p, std::vector<double> product) {
  p.x = std::move(product);
  p.input = 0;
  p.weight_ih.clear();
  p.bias_ih.clear();
  p.bias_hh.clear();
  return p;
}

// A single step draws no masks.
Check unmasked(Check c) {
  c.first_step.mask.clear();
  return c;
}

template <class T>
bool scan_with_options(const Kernel& kernel, const Problem& p, bool is_packed, const StepOptions& options, int threads,
                       Results& results) {
  NativeScan<T> scan(kernel, p, is_packed, options);
  return scan.forward(threads, results) && scan.backward(threads, results);
}

// A single step with everything at once around the cell gives what a scan of one step does.
bool steps_with_options(const Kernel& in_float, const Kernel& in_double, const Check& c, const StepOptions& options,
                        const std::string& how) {
  const Problem& p = c.first_step;
  const Problem given = options.is_normalised ? with_product(p, normalised_product(p)) : p;
  Results scanned;
  if (!NativeScan<double>(in_double, given, false, options).forward(1, scanned)) return false;
  const Results exact = NativeScan<double>(in_double, p, false, options).step();
  const Results rough = NativeScan<float>(in_float, p, false, options).step();
  if (exact.empty() || rough.empty()) return false;
  const bool is_exact = are_near(exact, scanned, 1e-10, how + ": a single step");  // both say what is not near
  return are_near(rough, scanned, 1e-2, how + ": a single step in float") && is_exact;
}

// Everything at once around the cell: float and double agree as far as float goes, and several threads give what one
// gives. The tests in Python compare the values with the reference's.
bool run_with_options(Isa isa, const Check& c, int threads) {
  bool is_right = true;
  for (const bool is_random : {false, true}) {
    for (const Variant variant : {Variant::options, Variant::normalised}) {
      const bool is_normalised = variant == Variant::normalised;
      const Kernel& in_float = *find_kernel(isa, c.cell, Element::float32, variant);
      const Kernel& in_double = *find_kernel(isa, c.cell, Element::float64, variant);
      const Problem p = is_normalised ? with_product(c.problem, some_product(c.problem)) : c.problem;
      const StepOptions options = everything(in_double, is_random, is_normalised);
      Results one, several, rough;
      if (!scan_with_options<double>(in_double, p, c.sizes.is_packed, options, 1, one)) return false;
      if (!scan_with_options<double>(in_double, p, c.sizes.is_packed, options, threads, several)) return false;
      if (!scan_with_options<float>(in_float, p, c.sizes.is_packed, options, threads, rough)) return false;
      const std::string how = trace(c) + (is_random ? ", random" : "") + (is_normalised ? ", normalised" : "");
      is_right &= are_near(several, one, 1e-10, how + ": several threads");
      if (!is_random && has_step(c)) is_right &= steps_with_options(in_float, in_double, unmasked(c), options, how);
      // Over hundreds of steps a difference may grow beyond all bounds.
      if (c.sizes.steps <= 50) is_right &= are_near(rough, one, 1e-2, how + ": float against double");
    }
  }
  return is_right;
}

Expected expect(int cell, const Problem& p) { return {plain::scans[cell][false](p), plain::scans[cell][true](p)}; }

Check make_check(Isa isa, int cell, Variant variant, const Sizes& sizes) {
  Check c{cell, variant, sizes, random_problem(*find_kernel(isa, cell, Element::float32), cell, sizes), {}, {}, {}};
  if (variant == Variant::options) {
    c.problem.mask.resize(product(sizes.batch, sizes.output));
    for (size_t k = 0; k < c.problem.mask.size(); ++k) c.problem.mask[k] = k % 3 == 0 ? 0 : 1.5;
  }
  c.expected = expect(cell, c.problem);
  if (sizes.steps == 0) return c;
  c.first_step = c.problem;
  c.first_step.steps = 1;
  c.first_step.rows = sizes.batch;
  c.expected_step = expect(cell, c.first_step);
  return c;
}

std::vector<Check> make_checks(Isa isa) {
  std::vector<Check> checks;
  for (int cell = 0; cell < cell_count; ++cell) {
    for (const Sizes& sizes : cases) {
      // A cell whose units see their own last h has no projection.
      if (sizes.output != sizes.hidden && find_kernel(isa, cell, Element::float32)->reads_previous[0]) continue;
      for (Variant variant : {Variant::plain, Variant::options})
        checks.push_back(make_check(isa, cell, variant, sizes));
    }
  }
  return checks;
}

// With factors rounded to bfloat16: near the exact result over a few steps, and the same for several threads but for
// the order of the sums over their sequences. The tests in Python compare the accuracy with the reference's.
bool run_rounded(Isa isa, const Check& c, int threads) {
  const Kernel& kernel = *find_kernel(isa, c.cell, Element::bfloat16);
  const std::string what = trace(c) + ", in bfloat16";
  Results results[2];
  for (int several : {0, 1}) {
    NativeScan<float> scan(kernel, c.problem, c.sizes.is_packed, no_options(), true);
    const int count = several ? threads : 1;
    if (!scan.forward(count, results[several]) || !scan.backward(count, results[several])) return false;
  }
  const bool is_same = are_near(results[1], results[0], 1e-5, what + ": several threads");
  // At a kink (relu, the larger of two) a derivative may differ by all of itself; over many steps a difference may
  // grow.
  bool is_kinked = false;
  for (const char* name : {"rnn_relu", "indrnn", "slstm"}) is_kinked |= std::strcmp(cell_names[c.cell], name) == 0;
  if (c.sizes.steps > 10 || is_kinked) return is_same;
  return are_near(results[0], c.expected.exact, 0.1, what) && is_same;
}

bool run_all(Isa isa, const std::vector<Check>& checks) {
  bool is_right = true;
  for (const Check& c : checks) {
    for (int threads : {1, 3}) {
      is_right &= run<float>(*find_kernel(isa, c.cell, Element::float32, c.variant), c, threads);
      is_right &= run<double>(*find_kernel(isa, c.cell, Element::float64, c.variant), c, threads);
    }
    if (c.variant == Variant::plain) is_right &= run_rounded(isa, c, 3);
    if (c.variant == Variant::options) is_right &= run_with_options(isa, c, 3);
  }
  return is_right;
}

bool keeps_subnormals() {
  const volatile float tiny = 1e-40f;
  return tiny * 0.5f > 0;
}

// h = relu(x): a subnormal x is 0 in the kernels and nowhere else, and rounding is the caller's.
bool flushes_inside_only(Isa isa) {
  const int cell = cell_of("rnn_relu");
  const Kernel& kernel = *find_kernel(isa, cell, Element::float32);
  const Sizes sizes{2, 5, 3, 3, 3, false, false};
  Problem p = random_problem(kernel, cell, sizes);
  for (auto* values : {&p.weight_hh, &p.bias_ih, &p.bias_hh, &p.initial[0]}) values->assign(values->size(), 0);
  p.weight_ih.assign(p.weight_ih.size(), 1);
  p.x.assign(p.x.size(), static_cast<double>(1e-40f));
  bool is_right = true;
  for (const int rounding : {FE_TONEAREST, FE_UPWARD}) {
    std::fesetround(rounding);
    Results results;
    NativeScan<float> scan(kernel, p, false);
    is_right &= keeps_subnormals();
    is_right &= scan.forward(1, results) && scan.backward(1, results);
    const std::vector<double>* output = find(results, "output");
    is_right &= output && std::count(output->begin(), output->end(), 0.0) == static_cast<int64_t>(output->size());
    is_right &= keeps_subnormals() && std::fegetround() == rounding;
  }
  std::fesetround(FE_TONEAREST);
  if (!is_right) std::printf("subnormal numbers are not flushed inside the kernels alone\n");
  return is_right;
}

bool check(Isa isa) {
  const std::vector<Check> checks = make_checks(isa);
  std::atomic<bool> is_right{flushes_inside_only(isa) && runs_with_partner(isa)};
  for (const Check& c : checks) {
    if (c.variant != Variant::plain || c.sizes.batch != 1) continue;
    if (!runs_in_halves(*find_kernel(isa, c.cell, Element::float32), c)) is_right = false;
  }
  std::vector<std::thread> threads;
  for (int k = 0; k < 3; ++k) {
    threads.emplace_back([&] {
      if (!run_all(isa, checks)) is_right = false;
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (is_right) {
    std::printf("%s: %d cells, %d scans in float and double agree with plain loops\n", isa_names[static_cast<int>(isa)],
                cell_count, static_cast<int>(checks.size()));
  }
  return is_right;
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
    return check(isa) ? 0 : 1;
  }
  std::fprintf(stderr, "usage: %s INSTRUCTION_SET, one of", names[0]);
  for (const char* name : isa_names) std::fprintf(stderr, " %s", name);
  std::fprintf(stderr, "\n");
  return 2;
}
