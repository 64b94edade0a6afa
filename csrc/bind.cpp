// The door from Python: addresses and sizes in, no logic. gatework/scan/ checks every value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "dispatch.h"
#include "partner.h"
#include "processor.h"
#include "records.h"

namespace nb = nanobind;
using gatework::Isa;
using gatework::Kernel;
using gatework::max_states;
using gatework::state_option_count;
using namespace gatework::records;

// Layers on int8: quantized/bind.cpp. Losses over many columns: softmax/bind.cpp.
void bind_quantized(nb::module_& m);
void bind_softmax(nb::module_& m);
void bind_attention(nb::module_& m);

namespace {

const Kernel& kernel_at(Address address) { return *at<const Kernel>(address); }

gatework::Layout layout_of(const RowRecord& r, const WeightRecord& w, bool reverse) {
  return {r.steps, r.batch, w.input, w.hidden, w.output, at<const int64_t>(r.batch_sizes), at<const int64_t>(r.offsets),
          reverse};
}

const gatework::StepOptions* options_at(nb::handle options) {
  return nb::isinstance<gatework::StepOptions>(options) ? nb::cast<const gatework::StepOptions*>(options) : nullptr;
}

// The states of one layer and direction within tensors (layers * directions, batch, width).
template <class T>
void place_states(T* (&states)[max_states], const States& tensors, int64_t place, const Kernel& kernel,
                  const gatework::Layout& l) {
  for (int s = 0; s < kernel.states; ++s) {
    const int64_t bytes = l.batch * (s ? l.hidden : l.output) * gatework::element_size(kernel);
    const Address tensor = tensors[static_cast<size_t>(s)];
    if (tensor) states[s] = at(tensor + static_cast<Address>(place * bytes));
  }
}

int forward(Address address, int threads, const RowRecord& rows, const States& initial, const States& final,
            const std::vector<ForwardRecord>& layers, nb::handle options) {
  const Kernel& kernel = kernel_at(address);
  std::vector<gatework::ForwardArguments> arguments;
  for (const ForwardRecord& r : layers) {
    gatework::ForwardArguments a{};
    a.layout = layout_of(rows, r.weights, r.reverse);
    a.weights = weights_of(r.weights);
    a.x = at(r.x);
    place_states(a.initial, initial, r.place, kernel, a.layout);
    place_states(a.final, final, r.place, kernel, a.layout);
    a.output = at(r.output);
    a.saved = at(r.saved);
    for (size_t k = 0; k < r.trace.size(); ++k) a.trace[k] = at(r.trace[k]);
    a.options = options_at(options);
    arguments.push_back(a);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_forward(kernel, arguments.data(), static_cast<int>(layers.size()), threads));
}

int backward(Address address, int threads, const RowRecord& rows, const States& d_final, const States& initial,
             const States& d_initial, const std::vector<BackwardRecord>& layers, nb::handle options,
             const NormGradientRecord& d_norms) {
  const Kernel& kernel = kernel_at(address);
  std::vector<gatework::BackwardArguments> arguments;
  for (const BackwardRecord& r : layers) {
    gatework::BackwardArguments a{};
    a.layout = layout_of(rows, r.weights, r.reverse);
    a.weights = weights_of(r.weights);
    a.x = at(r.x);
    a.d_output = at(r.d_output);
    place_states(a.d_final, d_final, r.place, kernel, a.layout);
    place_states(a.initial, initial, r.place, kernel, a.layout);
    place_states(a.d_initial, d_initial, r.place, kernel, a.layout);
    a.output = at(r.output);
    a.saved = at(r.saved);
    a.d_projected = at(r.d_projected);
    a.d_x = at(r.gradients.x);
    a.d_weight_ih = at(r.gradients.weight_ih);
    a.d_weight_hh = at(r.gradients.weight_hh);
    a.d_bias_ih = at(r.gradients.bias_ih);
    a.d_bias_hh = at(r.gradients.bias_hh);
    a.d_unit = at(r.gradients.weight_unit);
    a.options = options_at(options);
    a.d_gain = at(d_norms.gain);
    a.d_bias = at(d_norms.bias);
    a.d_state_gain = at(d_norms.state_gain);
    a.d_state_bias = at(d_norms.state_bias);
    arguments.push_back(a);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_backward(kernel, arguments.data(), static_cast<int>(layers.size()), threads));
}

int step(Address kernel, int64_t batch, const WeightRecord& weights, Address x, const States& previous,
         const States& next, Address output, nb::handle options) {
  gatework::StepArguments a{};
  a.batch = batch;
  a.weights = weights_of(weights);
  a.x = at(x);
  a.output = at(output);
  a.options = options_at(options);
  for (int s = 0; s < max_states; ++s) {
    a.previous[s] = at(previous[static_cast<size_t>(s)]);
    a.next[s] = at(next[static_cast<size_t>(s)]);
  }
  const nb::gil_scoped_release release;
  return static_cast<int>(gatework::run_step(kernel_at(kernel), a));
}

// The fields of each record, as one text with commas.
nb::dict records() {
  nb::dict result;
  result["RowRecord"] = RowRecord::text;
  result["WeightRecord"] = WeightRecord::text;
  result["OptionRecord"] = OptionRecord::text;
  result["ForwardRecord"] = ForwardRecord::text;
  result["GradientRecord"] = GradientRecord::text;
  result["NormGradientRecord"] = NormGradientRecord::text;
  result["BackwardRecord"] = BackwardRecord::text;
  return result;
}

nb::dict describe(Address address) {
  const Kernel& k = kernel_at(address);
  nb::dict result;
  result["normalised"] = k.normalised;
  result["names"] = std::vector<std::string>(k.names, k.names + k.traced);
  return result;
}

}  // namespace

NB_MODULE(_native, m) {
  m.doc() = "gatework's native kernels";
  gatework::keep_freed_memory();
  m.def("give_back_freed_memory", gatework::give_back_freed_memory);
  m.attr("MAX_STATES") = max_states;
  m.attr("MAX_TRACED") = gatework::max_traced;
  m.attr("ISAS") = std::vector<std::string>(gatework::isa_names, gatework::isa_names + gatework::isa_count);
  m.attr("CELLS") = std::vector<std::string>(gatework::cell_names, gatework::cell_names + gatework::cell_count);
  m.def("is_compiled", [](int isa) { return gatework::is_compiled(static_cast<Isa>(isa)); });
  m.def("is_supported", [](int isa) { return gatework::is_supported(static_cast<Isa>(isa)); });
  m.def("gains_by_bfloat16", gatework::gains_by_bfloat16);
  m.def("owner", [](int isa, int element) {
    return static_cast<int>(gatework::owner_of(static_cast<Isa>(isa), static_cast<gatework::Element>(element)));
  });
  m.def("find_kernel", [](int isa, int cell, int element, int variant) {
    return reinterpret_cast<uintptr_t>(gatework::find_kernel(
        static_cast<Isa>(isa), cell, static_cast<gatework::Element>(element), static_cast<gatework::Variant>(variant)));
  });
  nb::class_<gatework::StepOptions>(m, "Options");
  m.def("options", options_of);
  m.attr("RECORDS") = records();
  m.def("describe", describe);
  m.def("saved_planes", [](Address kernel, bool is_projected, nb::handle options) {
    return gatework::saved_planes_of(kernel_at(kernel), is_projected, options_at(options));
  });
  m.def("step", step);
  m.def("forward", forward);
  m.def("backward", backward);
  m.def("errands_done", gatework::errands_done);
  bind_quantized(m);
  bind_softmax(m);
  bind_attention(m);
}
