// The door to layers that go on step by step; gatework/inference/_layers.py checks every value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include "../records.h"
#include "layer_steps.h"

namespace nb = nanobind;
using gatework::decoding::LayerSteps;
using namespace gatework::records;

namespace {

// Below so many weights a step is over before another thread could use the interpreter, for which this one would wait.
constexpr int64_t few_weights = 1 << 20;

void make(LayerSteps* steps, Address kernel, const std::vector<WeightRecord>& layers) {
  std::vector<gatework::Weights> weights;
  for (const WeightRecord& layer : layers) weights.push_back(weights_of(layer));
  new (steps) LayerSteps(*at<const gatework::Kernel>(kernel), std::move(weights));
}

void run(const LayerSteps& steps, Address x, Address states) {
  if (steps.weights() < few_weights) {
    steps.run(at<const float>(x), at<float>(states));
    return;
  }
  const nb::gil_scoped_release release;
  steps.run(at<const float>(x), at<float>(states));
}

}  // namespace

void bind_layer_steps(nb::module_& m) { nb::class_<LayerSteps>(m, "LayerSteps").def("__init__", make).def("run", run); }
