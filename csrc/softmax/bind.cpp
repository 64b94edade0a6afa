// The door from Python to the cross-entropy kernels: addresses and sizes in, no logic.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>

#include "../records.h"
#include "dispatch.h"

namespace nb = nanobind;
using gatework::records::Address;
using gatework::records::at;

namespace {

int cross_entropy(int isa, int element, int threads, const std::array<int64_t, 4>& sizes,
                  const std::array<Address, 4>& given, float smoothing, float scale, Address losses,
                  const std::array<Address, 3>& gradients) {
  const auto* kernel =
      gatework::softmax::kernel_of(static_cast<gatework::Isa>(isa), static_cast<gatework::Element>(element));
  const auto [rows, features, columns, block] = sizes;
  const gatework::softmax::Arguments arguments = {rows,
                                                  features,
                                                  columns,
                                                  at<const float>(given[0]),
                                                  at<const float>(given[1]),
                                                  at<const float>(given[2]),
                                                  at<const int64_t>(given[3]),
                                                  smoothing,
                                                  scale,
                                                  at<float>(losses),
                                                  at<float>(gradients[0]),
                                                  at<float>(gradients[1]),
                                                  at<float>(gradients[2]),
                                                  block};
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::softmax::run(*kernel, arguments, threads));
}

}  // namespace

void bind_softmax(nb::module_& m) { m.def("cross_entropy", cross_entropy); }
