// The door from Python: addresses and sizes in, no logic. gatework/_kernels.py checks every
// value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <string>
#include <tuple>
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

// steps, batch, address of batch_sizes, address of offsets
using Rows = std::array<int64_t, 4>;

// input, hidden, output, then the addresses of weight_ih, weight_hh, bias_ih, bias_hh, weight_hr and weight_unit
using WeightParts = std::array<uint64_t, 9>;
gatework::Weights weights_of(const WeightParts& w) {
  return {static_cast<int64_t>(w[0]),
          static_cast<int64_t>(w[1]),
          static_cast<int64_t>(w[2]),
          at(w[3]),
          at(w[4]),
          at(w[5]),
          at(w[6]),
          at(w[7]),
          at(w[8])};
}

gatework::Layout layout_of(const Rows& r, const WeightParts& w, bool reverse) {
  const gatework::Weights sizes = weights_of(w);
  return {r[0],   r[1], sizes.input, sizes.hidden, sizes.output, at<const int64_t>(r[2]), at<const int64_t>(r[3]),
          reverse};
}

// mask, input_gain, gain, bias, state_gain, state_bias, normal, normal_state, scale
using AroundParts = std::array<Address, 9>;
gatework::Around around_of(const std::array<double, max_states>& zoneout, bool is_random,
                           const std::array<uint64_t, max_states>& seeds, double clip, int clipped, bool is_normalised,
                           const AroundParts& parts) {
  gatework::Around a{};
  for (int s = 0; s < max_states; ++s) {
    a.zoneout[s] = zoneout[s];
    a.zoneout_seed[s] = seeds[s];
  }
  a.is_random = is_random;
  a.clip = clip;
  a.clipped = clipped;
  a.is_normalised = is_normalised;
  a.mask = at(parts[0]);
  a.input_gain = at(parts[1]);
  a.gain = at(parts[2]);
  a.bias = at(parts[3]);
  a.state_gain = at(parts[4]);
  a.state_bias = at(parts[5]);
  a.normal = at(parts[6]);
  a.normal_state = at(parts[7]);
  a.scale = at(parts[8]);
  return a;
}

const gatework::Around* around_at(nb::handle around) {
  return nb::isinstance<gatework::Around>(around) ? nb::cast<const gatework::Around*>(around) : nullptr;
}

// The states of one layer and direction within tensors (layers * directions, batch, width).
template <class T>
void place_states(T* (&states)[max_states], const Addresses& tensors, int64_t place, const Kernel& kernel,
                  const gatework::Layout& l) {
  for (int s = 0; s < kernel.states; ++s) {
    const int64_t bytes = l.batch * (s ? l.hidden : l.output) * (kernel.is_double ? 8 : 4);
    if (tensors[s]) states[s] = at(tensors[s] + static_cast<Address>(place * bytes));
  }
}

// place, reverse, weights, x, output, kept, named
using ForwardLayer = std::tuple<int64_t, bool, WeightParts, Address, Address, Address, std::vector<Address>>;

int forward(Address address, int threads, const Rows& rows, const Addresses& initial, const Addresses& final,
            const std::vector<ForwardLayer>& layers, nb::handle around) {
  const Kernel& kernel = kernel_at(address);
  std::vector<gatework::ForwardArguments> arguments;
  for (const auto& [place, reverse, parts, x, output, kept, named] : layers) {
    gatework::ForwardArguments a{};
    a.layout = layout_of(rows, parts, reverse);
    a.weights = weights_of(parts);
    a.x = at(x);
    place_states(a.initial, initial, place, kernel, a.layout);
    place_states(a.final, final, place, kernel, a.layout);
    a.output = at(output);
    a.kept = at(kept);
    for (size_t k = 0; k < named.size(); ++k) a.named[k] = at(named[k]);
    a.around = around_at(around);
    arguments.push_back(a);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_forward(kernel, arguments.data(), static_cast<int>(layers.size()), threads));
}

// d_x, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, d_weight_hr, which is left to the caller, and d_weight_unit
using Results = std::array<Address, 7>;
// d_gain, d_bias, d_state_gain, d_state_bias
using Norms = std::array<Address, 4>;
// place, reverse, weights, x, d_output, output, kept, d_projected, results
using BackwardLayer = std::tuple<int64_t, bool, WeightParts, Address, Address, Address, Address, Address, Results>;

int backward(Address address, int threads, const Rows& rows, const Addresses& d_final, const Addresses& initial,
             const Addresses& d_initial, const std::vector<BackwardLayer>& layers, nb::handle around,
             const Norms& d_norms) {
  const Kernel& kernel = kernel_at(address);
  std::vector<gatework::BackwardArguments> arguments;
  for (const auto& [place, reverse, parts, x, d_output, output, kept, d_projected, results] : layers) {
    gatework::BackwardArguments a{};
    a.layout = layout_of(rows, parts, reverse);
    a.weights = weights_of(parts);
    a.x = at(x);
    a.d_output = at(d_output);
    place_states(a.d_final, d_final, place, kernel, a.layout);
    place_states(a.initial, initial, place, kernel, a.layout);
    place_states(a.d_initial, d_initial, place, kernel, a.layout);
    a.output = at(output);
    a.kept = at(kept);
    a.d_projected = at(d_projected);
    a.d_x = at(results[0]);
    a.d_weight_ih = at(results[1]);
    a.d_weight_hh = at(results[2]);
    a.d_bias_ih = at(results[3]);
    a.d_bias_hh = at(results[4]);
    a.d_unit = at(results[6]);
    a.around = around_at(around);
    a.d_gain = at(d_norms[0]);
    a.d_bias = at(d_norms[1]);
    a.d_state_gain = at(d_norms[2]);
    a.d_state_bias = at(d_norms[3]);
    arguments.push_back(a);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_backward(kernel, arguments.data(), static_cast<int>(layers.size()), threads));
}

int step(Address kernel, int64_t batch, const WeightParts& parts, Address x, const Addresses& previous,
         const Addresses& next, Address output, nb::handle around) {
  gatework::StepArguments a{};
  a.batch = batch;
  a.weights = weights_of(parts);
  a.x = at(x);
  a.output = at(output);
  a.around = around_at(around);
  for (int s = 0; s < max_states; ++s) {
    a.previous[s] = at(previous[s]);
    a.next[s] = at(next[s]);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_step(kernel_at(kernel), a));
}

nb::dict describe(Address address) {
  const Kernel& k = kernel_at(address);
  nb::dict result;
  result["normals"] = k.normals;
  result["names"] = std::vector<std::string>(k.names, k.names + k.named);
  return result;
}

}  // namespace

NB_MODULE(_native, m) {
  m.doc() = "gatework's native kernels";
  gatework::keep_freed_memory();
  m.attr("MAX_STATES") = max_states;
  m.attr("MAX_NAMED") = gatework::max_named;
  m.attr("ISAS") = std::vector<std::string>(gatework::isa_names, gatework::isa_names + gatework::isa_count);
  m.attr("CELLS") = std::vector<std::string>(gatework::cell_names, gatework::cell_names + gatework::cell_count);
  m.def("is_compiled", [](int isa) { return gatework::is_compiled(static_cast<Isa>(isa)); });
  m.def("is_supported", [](int isa) { return gatework::is_supported(static_cast<Isa>(isa)); });
  m.def("owner", [](int isa, int element) {
    return static_cast<int>(gatework::owner_of(static_cast<Isa>(isa), static_cast<gatework::Element>(element)));
  });
  m.def("find_kernel", [](int isa, int cell, int element, int variant) {
    return reinterpret_cast<uintptr_t>(gatework::find_kernel(
        static_cast<Isa>(isa), cell, static_cast<gatework::Element>(element), static_cast<gatework::Variant>(variant)));
  });
  nb::class_<gatework::Around>(m, "Around");
  m.def("around", around_of);
  m.def("describe", describe);
  m.def("planes", [](Address kernel, bool is_projected, nb::handle around) {
    return gatework::planes_of(kernel_at(kernel), is_projected, around_at(around));
  });
  m.def("step", step);
  m.def("forward", forward);
  m.def("backward", backward);
}
