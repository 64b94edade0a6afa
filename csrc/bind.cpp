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

using Named = std::array<Address, gatework::max_named>;
// steps, batch, input, hidden, output, address of batch_sizes, address of offsets, reverse
using Sizes = std::array<int64_t, 8>;
gatework::Layout layout_of(const Sizes& s) {
  return {s[0], s[1], s[2], s[3], s[4], at<const int64_t>(s[5]), at<const int64_t>(s[6]), s[7] != 0};
}

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

// mask, gain, bias, state_gain, state_bias, normal, normal_state, scale
using AroundParts = std::array<Address, 8>;
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
  a.gain = at(parts[1]);
  a.bias = at(parts[2]);
  a.state_gain = at(parts[3]);
  a.state_bias = at(parts[4]);
  a.normal = at(parts[5]);
  a.normal_state = at(parts[6]);
  a.scale = at(parts[7]);
  return a;
}

int forward(Address kernel, int threads, const Sizes& sizes, Address x, Address weights, Address projection,
            Address unit, const Addresses& initial, Address output, const Addresses& final, Address kept,
            const Addresses& previous, const Addresses& next, const Named& named, nb::handle around) {
  gatework::ForwardArguments a{};
  a.around = nb::isinstance<gatework::Around>(around) ? nb::cast<const gatework::Around*>(around) : nullptr;
  a.layout = layout_of(sizes);
  a.x = at(x);
  a.weights = at(weights);
  a.projection = at(projection);
  a.unit = at(unit);
  a.output = at(output);
  a.kept = at(kept);
  for (int s = 0; s < max_states; ++s) {
    a.initial[s] = at(initial[s]);
    a.final[s] = at(final[s]);
    a.previous[s] = at(previous[s]);
    a.next[s] = at(next[s]);
  }
  for (int k = 0; k < gatework::max_named; ++k) a.named[k] = at(named[k]);
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_forward(kernel_at(kernel), a, threads));
}

// d_x, d_weight_ih, d_weight_hh, d_bias_ih, d_bias_hh, d_weight_unit, then those of the layer norm: d_gain, d_bias,
// d_state_gain, d_state_bias
using Results = std::array<Address, 10>;

int backward(Address kernel, int threads, const Sizes& sizes, Address x, Address weights, Address projection,
             Address unit, Address d_output, const Addresses& d_final, const Addresses& initial, Address output,
             Address kept, const Addresses& previous, const Addresses& next, Address d_projected,
             const Addresses& d_initial, const Results& results, nb::handle around) {
  gatework::BackwardArguments a{};
  a.around = nb::isinstance<gatework::Around>(around) ? nb::cast<const gatework::Around*>(around) : nullptr;
  a.layout = layout_of(sizes);
  a.x = at(x);
  a.weights = at(weights);
  a.projection = at(projection);
  a.unit = at(unit);
  a.d_output = at(d_output);
  a.output = at(output);
  a.kept = at(kept);
  a.d_projected = at(d_projected);
  for (int s = 0; s < max_states; ++s) {
    a.d_final[s] = at(d_final[s]);
    a.initial[s] = at(initial[s]);
    a.previous[s] = at(previous[s]);
    a.next[s] = at(next[s]);
    a.d_initial[s] = at(d_initial[s]);
  }
  a.d_x = at(results[0]);
  a.d_weight_ih = at(results[1]);
  a.d_weight_hh = at(results[2]);
  a.d_bias_ih = at(results[3]);
  a.d_bias_hh = at(results[4]);
  a.d_unit = at(results[5]);
  a.d_gain = at(results[6]);
  a.d_bias = at(results[7]);
  a.d_state_gain = at(results[8]);
  a.d_state_bias = at(results[9]);
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_backward(kernel_at(kernel), a, threads));
}

void step(Address kernel, int64_t batch, const WeightParts& parts, Address x, const Addresses& previous,
          const Addresses& next, Address output) {
  gatework::StepArguments a{};
  a.batch = batch;
  a.weights = weights_of(parts);
  a.x = at(x);
  a.output = at(output);
  for (int s = 0; s < max_states; ++s) {
    a.previous[s] = at(previous[s]);
    a.next[s] = at(next[s]);
  }
  const nb::gil_scoped_release release;
  gatework::run_step(kernel_at(kernel), a);
}

void pack_forward(Address kernel, const WeightParts& parts, Address weights, Address projection) {
  const nb::gil_scoped_release release;
  kernel_at(kernel).pack_forward(weights_of(parts), at(weights), at(projection));
}

void pack_backward(Address kernel, const WeightParts& parts, bool with_input, Address weights, Address projection) {
  const nb::gil_scoped_release release;
  kernel_at(kernel).pack_backward(weights_of(parts), with_input, at(weights), at(projection));
}

std::array<int64_t, 3> packed_size(Address kernel, const WeightParts& parts) {
  const gatework::PackedSize size = kernel_at(kernel).packed_size(weights_of(parts));
  return {size.forward, size.backward, size.projection};
}

nb::dict describe(Address address) {
  const Kernel& k = kernel_at(address);
  nb::dict result;
  result["kept"] = k.kept;
  result["accumulators"] = k.accumulators;
  result["normals"] = k.normals;
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
  m.attr("MAX_NAMED") = gatework::max_named;
  m.attr("ISAS") = std::vector<std::string>(gatework::isa_names, gatework::isa_names + gatework::isa_count);
  m.attr("CELLS") = std::vector<std::string>(gatework::cell_names, gatework::cell_names + gatework::cell_count);
  m.def("is_compiled", [](int isa) { return gatework::is_compiled(static_cast<Isa>(isa)); });
  m.def("is_supported", [](int isa) { return gatework::is_supported(static_cast<Isa>(isa)); });
  m.def("find_kernel", [](int isa, int cell, bool is_double, int variant) {
    const auto wanted = static_cast<gatework::Variant>(variant);
    return reinterpret_cast<uintptr_t>(gatework::find_kernel(static_cast<Isa>(isa), cell, is_double, wanted));
  });
  nb::class_<gatework::Around>(m, "Around");
  m.def("around", around_of);
  m.def("describe", describe);
  m.def("packed_size", packed_size);
  m.def("pack_forward", pack_forward);
  m.def("pack_backward", pack_backward);
  m.def("step", step);
  m.def("forward", forward);
  m.def("backward", backward);
}
