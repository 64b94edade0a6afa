#include "layer_steps.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "../threads.h"

namespace gatework::decoding {

namespace {

constexpr size_t alignment = 64;

// Memory of this thread that lives on between calls, aligned for vectors.
char* memory_of(size_t bytes) {
  thread_local std::vector<char> memory;
  if (memory.size() < bytes + alignment) memory.resize(bytes + alignment);
  void* start = memory.data();
  size_t space = memory.size();
  return static_cast<char*>(std::align(alignment, bytes, start, space));
}

size_t rounded(size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace

LayerSteps::LayerSteps(const Kernel& kernel, std::vector<Weights> layers)
    : kernel_(kernel), layers_(std::move(layers)) {
  const int64_t inputs = std::count(kernel.input_product, kernel.input_product + kernel.accumulators, true);
  const int64_t gates = std::count(kernel.recurrent_product, kernel.recurrent_product + kernel.accumulators, true);
  for (const Weights& w : layers_) weights_ += w.hidden * (inputs * w.input + gates * w.hidden);
}

void LayerSteps::run(const float* x, float* states) const {
  const int64_t hidden = layers_[0].hidden, layers = static_cast<int64_t>(layers_.size());
  const size_t row = rounded(static_cast<size_t>(hidden) * sizeof(float));
  StepArguments a{};
  a.batch = 1;
  a.weights = layers_[0];
  const size_t before = row * static_cast<size_t>(kernel_.states);
  char* const memory = memory_of(before + row + static_cast<size_t>(kernel_.step_scratch(a)));
  a.output = memory + before;
  for (int64_t layer = 0; layer < layers; ++layer) {
    a.weights = layers_[static_cast<size_t>(layer)];
    a.x = x;
    for (int s = 0; s < kernel_.states; ++s) {
      float* const state = states + (s * layers + layer) * hidden;
      float* const previous = reinterpret_cast<float*>(memory + row * static_cast<size_t>(s));
      std::copy_n(state, hidden, previous);
      a.previous[s] = previous;
      a.next[s] = state;
    }
    parallel(1, [&](int64_t) { kernel_.step(a, memory + before + row); });
    x = states + layer * hidden;
  }
}

}  // namespace gatework::decoding
