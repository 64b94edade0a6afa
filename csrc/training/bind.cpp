// The door from Python to what training needs besides kernels: addresses and sizes in, no logic.
// gatework/training/late_rows.py and rows.py check every tensor before an address comes here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include "late_rows.h"

namespace nb = nanobind;
using gatework::training::Table;

namespace {

using Address = uintptr_t;

template <class T>
T* at(Address address) {
  return reinterpret_cast<T*>(address);
}

Table table_of(const std::array<int64_t, 2>& sizes, const std::array<Address, 4>& parts, double epsilon) {
  return {sizes[0], sizes[1], at<float>(parts[0]), at<float>(parts[1]), at<float>(parts[2]), at<double>(parts[3]),
          epsilon};
}

void catch_up_rows(const std::array<int64_t, 2>& sizes, const std::array<Address, 4>& parts, double epsilon,
                   Address rows, int64_t count, int64_t number) {
  const auto table = table_of(sizes, parts, epsilon);
  const nb::gil_scoped_release release;
  gatework::training::catch_up(table, at<const int64_t>(rows), count, number);
}

void step_rows(const std::array<int64_t, 2>& sizes, const std::array<Address, 4>& parts, double epsilon, Address rows,
               int64_t count, Address gradients, int64_t number, double learning_rate, double weight_decay) {
  const auto table = table_of(sizes, parts, epsilon);
  const nb::gil_scoped_release release;
  gatework::training::take_step(table, at<const int64_t>(rows), count, at<const float>(gradients),
                                {number, learning_rate, weight_decay});
}

int64_t add_up_rows(Address rows, const std::vector<std::array<Address, 2>>& parts, int64_t size, int64_t columns,
                    Address numbers, Address sums) {
  std::vector<gatework::training::Values> values;
  for (const auto& [address, count] : parts) values.push_back({at<const float>(address), static_cast<int64_t>(count)});
  const nb::gil_scoped_release release;
  return gatework::training::add_up_rows(at<const int64_t>(rows), values, size, columns, at<int64_t>(numbers),
                                         at<float>(sums));
}

}  // namespace

NB_MODULE(_training, m) {
  m.doc() = "what gatework's training needs besides kernels";
  m.attr("ADAM_BETAS") = nb::make_tuple(gatework::training::beta1, gatework::training::beta2);
  m.def("catch_up_rows", catch_up_rows);
  m.def("add_up_rows", add_up_rows);
  m.def("step_rows", step_rows);
}
