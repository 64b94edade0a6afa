// The error of every function of activations.h in units in the last place, against the C library's long double.
// Compiled once for each instruction set, whose name is GATEWORK_ISA. Prints a table; ends with 1 where an error is too
// large.
#include "../../csrc/activations.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

namespace gatework::GATEWORK_ISA {
namespace {

using Exact = long double (*)(long double);

long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
long double exact_softplus(long double x) { return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }
long double exact_exp(long double x) { return std::exp(x); }
long double exact_log(long double x) { return std::log(x); }
long double exact_tanh(long double x) { return std::tanh(x); }

// One function: where it is tried, and how far off it may be.
template <class V>
struct Function {
  const char* name;
  V (*function)(V);
  Exact exact;
  double low, high;
  double most;
};

// exp, sigmoid, tanh: exp is off by one unit at most, and in float by a twentieth for its series (1.4e-8 of exp(r) - 1,
// which is at most 0.42, in units of 1.2e-7); 1 + exp and the division round once more each; the cancellation in
// exp(-2 |x|) - 1 may double one of the roundings before it. log: m + 1, the division, the series, its product with s
// and the last sum round once each, half a unit every time, and a sum below 1/2 may double one of them. softplus: as
// log, with the error of exp before it.
template <class V>
std::vector<Function<V>> functions() {
  using T = typename V::T;
  const double largest = sizeof(T) == 4 ? 87 : 708;
  return {{"exp", [](V x) { return exp(x); }, exact_exp, -largest, largest, 1.05},
          {"sigmoid", [](V x) { return sigmoid(x); }, exact_sigmoid, -largest, largest, 2.5},
          {"tanh", [](V x) { return tanh(x); }, exact_tanh, -25, 25, 3.0},
          {"log", [](V x) { return log(x); }, exact_log, std::numeric_limits<T>::min(), 1e30, 3.0},
          {"softplus", [](V x) { return softplus(x); }, exact_softplus, -largest, largest, 4.0}};
}

// Evenly spread numbers, and small ones of all magnitudes down to 1e-8.
template <class T>
std::vector<T> points(double low, double high) {
  constexpr int count = 40000;
  std::vector<T> result;
  std::mt19937 random(0);
  std::uniform_real_distribution<double> exponent(-8, 0), sign(-1, 1), near_one(0.5, 2);
  for (int k = 0; k <= count; ++k) {
    const double small = std::copysign(std::pow(10, exponent(random)), low < 0 ? sign(random) : 1);
    for (const double x : {low + (high - low) * k / count, small, near_one(random)}) {
      if (x >= low && x <= high) result.push_back(static_cast<T>(x));
    }
  }
  result.resize(result.size() / 16 * 16);
  return result;
}

template <class V>
bool check(const Function<V>& f) {
  using T = typename V::T;
  double worst = 0;
  T where = 0;
  const std::vector<T> x = points<T>(f.low, f.high);
  for (size_t k = 0; k < x.size(); k += V::lanes) {
    T y[V::lanes];
    f.function(V::load(x.data() + k)).store(y);
    for (size_t lane = 0; lane < V::lanes; ++lane) {
      const long double exact = f.exact(x[k + lane]);
      const T size = static_cast<T>(std::fabs(exact));
      if (size < 2 * std::numeric_limits<T>::min()) continue;  // it may be 0: exp halves it on the way
      const long double unit = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
      const auto error = static_cast<double>(std::fabs(y[lane] - exact) / unit);
      if (!(error <= worst)) worst = error, where = x[k + lane];
    }
  }
  const bool is_right = worst <= f.most;
  std::printf("%-8s %-6s %zu points: %.2f units at %.9g, at most %.1f%s\n", f.name, sizeof(T) == 4 ? "float" : "double",
              x.size(), worst, static_cast<double>(where), f.most, is_right ? "" : ": WRONG");
  return is_right;
}

// Infinities and NaN, and part of a vector of every length.
template <class V>
bool check_special() {
  using T = typename V::T;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const auto at = [](V (*function)(V), T x) { return function(V::broadcast(x)).raw[0]; };
  bool is_right = true;
  for (const auto& f : functions<V>()) is_right &= std::isnan(at(f.function, nan));
  const auto all = functions<V>();
  is_right &= at(all[0].function, inf) == inf && at(all[0].function, -inf) == 0;
  is_right &= at(all[1].function, inf) == 1 && at(all[1].function, -inf) < 1e-37;
  is_right &= at(all[2].function, inf) == 1 && at(all[2].function, -inf) == -1;
  is_right &= at(all[3].function, inf) == inf && at(all[3].function, 0) == -inf && std::isnan(at(all[3].function, -1));
  is_right &= at(all[4].function, inf) == inf && at(all[4].function, -inf) == 0;
  const V three = V::constant(3), none = V::broadcast(nan);
  is_right &= std::isnan(none.at_most(three).raw[0]) && std::isnan(none.at_least(three).raw[0]);
  is_right &= std::isnan(maximum(none, three).raw[0]) && std::isnan(maximum(three, none).raw[0]);
  is_right &= std::isnan(minimum(none, three).raw[0]) && std::isnan(minimum(three, none).raw[0]);
  is_right &= std::isnan(relu(none).raw[0]) && relu(-three).raw[0] == 0 && relu(three).raw[0] == 3;
  for (int count = 1; count <= V::lanes; ++count) {
    T from[V::lanes], whole[V::lanes], to[V::lanes];
    for (int k = 0; k < V::lanes; ++k) from[k] = static_cast<T>(k + 1), to[k] = -1;
    const V part = V::load(from, count);
    part.store(whole);
    part.store(to, count);
    for (int k = 0; k < V::lanes; ++k) {
      is_right &= whole[k] == (k < count ? from[k] : 0) && to[k] == (k < count ? from[k] : -1);
    }
  }
  if (!is_right)
    std::printf("a special value or a part of a vector in %s: WRONG\n", sizeof(T) == 4 ? "float" : "double");
  return is_right;
}

template <class V>
bool check_all() {
  bool is_right = check_special<V>();
  for (const Function<V>& f : functions<V>()) is_right &= check(f);
  return is_right;
}

}  // namespace

bool check_both() {
  const bool is_right = check_all<Widest<float>>();
  return check_all<Widest<double>>() && is_right;
}

}  // namespace gatework::GATEWORK_ISA

int main() { return gatework::GATEWORK_ISA::check_both() ? 0 : 1; }
