// The door from Python to the attention kernels: addresses and sizes in, no logic.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>

#include "../records.h"
#include "dispatch.h"

namespace nb = nanobind;
using gatework::records::Address;
using gatework::records::at;

namespace {

gatework::attention::Arguments arguments_of(const std::array<int64_t, 4>& sizes, const std::array<Address, 7>& given) {
  const auto [batch, source, query, memory] = sizes;
  return {batch,
          source,
          query,
          memory,
          at<const int64_t>(given[0]),
          at<const int64_t>(given[1]),
          at<const int64_t>(given[2]),
          at<const float>(given[3]),
          at<const float>(given[4]),
          at<const float>(given[5]),
          at<float>(given[6])};
}

void attend(int isa, int threads, const std::array<int64_t, 4>& sizes, const std::array<Address, 7>& given,
            Address contexts) {
  const auto arguments = arguments_of(sizes, given);
  const nb::gil_scoped_release release;
  gatework::attention::forward(static_cast<gatework::Isa>(isa), arguments, at<float>(contexts), threads);
}

void attend_backward(int isa, int threads, const std::array<int64_t, 4>& sizes, const std::array<Address, 7>& given,
                     const std::array<Address, 5>& gradients) {
  const auto arguments = arguments_of(sizes, given);
  const gatework::attention::Gradients filled = {at<const float>(gradients[0]), at<float>(gradients[1]),
                                                 at<float>(gradients[2]), at<float>(gradients[3]),
                                                 at<float>(gradients[4])};
  const nb::gil_scoped_release release;
  gatework::attention::backward(static_cast<gatework::Isa>(isa), arguments, filled, threads);
}

}  // namespace

void bind_attention(nb::module_& m) {
  m.def("attend", attend);
  m.def("attend_backward", attend_backward);
}
