// The door from Python to layers on int8: addresses and sizes in, no logic.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "../records.h"
#include "dispatch.h"

namespace nb = nanobind;
using namespace gatework::quantized;
using gatework::max_states;
using gatework::records::Address;
using gatework::records::at;
using gatework::records::RowRecord;
using gatework::records::States;

namespace {

const Kernel& kernel_at(Address address) { return *at<const Kernel>(address); }

void pack(Address kernel, int64_t input, int64_t hidden, const std::array<Address, 6>& weights, Address panels) {
  kernel_at(kernel).pack(
      {input, hidden, at<const int8_t>(weights[0]), at<const int8_t>(weights[1]), at<const float>(weights[2]),
       at<const float>(weights[3]), at<const float>(weights[4]), at<const float>(weights[5])},
      at(panels));
}

bool forward(Address address, int threads, const RowRecord& rows, bool reverse, int64_t input, int64_t hidden,
             Address panels, Address unit, Address x, const States& initial, const States& final, Address output) {
  const Kernel& kernel = kernel_at(address);
  Arguments a{};
  a.layout = {rows.steps,
              rows.batch,
              input,
              hidden,
              hidden,
              at<const int64_t>(rows.batch_sizes),
              at<const int64_t>(rows.offsets),
              reverse};
  a.panels = at(panels);
  a.unit = at<const float>(unit);
  a.x = at<const float>(x);
  a.output = at<float>(output);
  for (size_t s = 0; s < static_cast<size_t>(kernel.states); ++s) {
    a.initial[s] = at<const float>(initial[s]);
    a.final[s] = at<float>(final[s]);
  }
  const nb::gil_scoped_release release;
  return run_forward(kernel, a, threads);
}

void integers(int isa, Address row, int64_t width, Address matrix, int64_t hidden, Address bytes, Address worth,
              Address sums) {
  table_of(isa).integers(at<const float>(row), width, at<const int8_t>(matrix), hidden, at<int8_t>(bytes),
                         at<float>(worth), at<int32_t>(sums));
}

}  // namespace

void bind_quantized(nb::module_& m) {
  m.attr("BYTE_ISAS") = std::vector<std::string>(isa_names, isa_names + isa_count);
  m.def("has_byte_isa", is_supported);
  m.def("find_byte_kernel", [](int isa, int cell) { return reinterpret_cast<Address>(table_of(isa).kernels + cell); });
  m.def("byte_panels",
        [](Address kernel, int64_t input, int64_t hidden) { return kernel_at(kernel).panels(input, hidden); });
  m.def("pack_bytes", pack);
  m.def("forward_bytes", forward);
  m.def("integers", integers);
}
