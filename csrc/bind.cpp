// The door from Python: addresses and sizes in, no logic. gatework/_ops.py and gatework/_native_calls.py check every
// value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <string>
#include <vector>

#include "dispatch.h"

namespace nb = nanobind;
using gatework::Isa;
using gatework::Kernel;
using gatework::max_states;

namespace {

using Address = uint64_t;
using Addresses = std::array<Address, max_states>;
template <class T = void>
T* at(Address address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

const Kernel& kernel_at(Address address) { return *at<const Kernel>(address); }

// steps, batch, hidden, output, address of batch_sizes, address of offsets, reverse
using Sizes = std::array<int64_t, 7>;
gatework::Layout layout_of(const Sizes& s) {
  return {s[0], s[1], s[2], s[3], at<const int64_t>(s[4]), at<const int64_t>(s[5]), s[6] != 0};
}

int forward(Address kernel, int threads, const Sizes& sizes, Address x_product, Address recurrent_bias,
            Address recurrent, Address projection, const Addresses& initial, Address output, const Addresses& final,
            Address kept, const Addresses& previous, const Addresses& next, Address named) {
  gatework::ForwardArguments a{};
  a.layout = layout_of(sizes);
  a.x_product = at(x_product);
  a.recurrent_bias = at(recurrent_bias);
  a.recurrent = at(recurrent);
  a.projection = at(projection);
  a.output = at(output);
  a.kept = at(kept);
  a.named = at(named);
  for (int s = 0; s < max_states; ++s) {
    a.initial[s] = at(initial[s]);
    a.final[s] = at(final[s]);
    a.previous[s] = at(previous[s]);
    a.next[s] = at(next[s]);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_forward(kernel_at(kernel), a, threads));
}

int backward(Address kernel, int threads, const Sizes& sizes, Address recurrent, Address projection, Address d_output,
             const Addresses& d_final, const Addresses& initial, Address output, Address kept,
             const Addresses& previous, const Addresses& next, Address d_accumulator, Address d_projected,
             const Addresses& d_initial) {
  gatework::BackwardArguments a{};
  a.layout = layout_of(sizes);
  a.recurrent = at(recurrent);
  a.projection = at(projection);
  a.d_output = at(d_output);
  a.output = at(output);
  a.kept = at(kept);
  a.d_accumulator = at(d_accumulator);
  a.d_projected = at(d_projected);
  for (int s = 0; s < max_states; ++s) {
    a.d_final[s] = at(d_final[s]);
    a.initial[s] = at(initial[s]);
    a.previous[s] = at(previous[s]);
    a.next[s] = at(next[s]);
    a.d_initial[s] = at(d_initial[s]);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_backward(kernel_at(kernel), a, threads));
}

void pack(Address kernel, bool is_forward, int64_t hidden, int64_t output, Address recurrent, Address projection,
          Address packed_recurrent, Address packed_projection) {
  const gatework::Weights weights{hidden, output, at(recurrent), at(projection)};
  const Kernel& k = kernel_at(kernel);
  const nb::gil_scoped_release release;
  (is_forward ? k.pack_forward : k.pack_backward)(weights, at(packed_recurrent), at(packed_projection));
}

nb::dict describe(Address address) {
  const Kernel& k = kernel_at(address);
  nb::dict result;
  result["kept"] = k.kept;
  result["names"] = std::vector<std::string>(k.names, k.names + k.named);
  std::vector<bool> previous(k.reads_previous, k.reads_previous + k.states);
  std::vector<bool> next(k.reads_next, k.reads_next + k.states);
  result["reads_previous"] = previous;
  result["reads_next"] = next;
  return result;
}

}  // namespace

NB_MODULE(_native, m) {
  m.doc() = "gatework's native kernels";
  m.attr("MAX_STATES") = max_states;
  m.attr("ISAS") = std::vector<std::string>(gatework::isa_names, gatework::isa_names + gatework::isa_count);
  m.attr("CELLS") = std::vector<std::string>(gatework::cell_names, gatework::cell_names + gatework::cell_count);
  m.def("is_compiled", [](int isa) { return gatework::is_compiled(static_cast<Isa>(isa)); });
  m.def("is_supported", [](int isa) { return gatework::is_supported(static_cast<Isa>(isa)); });
  m.def("find_kernel", [](int isa, int cell, bool is_double) {
    return reinterpret_cast<uintptr_t>(gatework::find_kernel(static_cast<Isa>(isa), cell, is_double));
  });
  m.def("describe", describe);
  m.def("packed_size",
        [](Address k, int64_t rows, int64_t columns) { return kernel_at(k).packed_size(rows, columns); });
  m.def("pack", pack);
  m.def("forward", forward);
  m.def("backward", backward);
}
