#include "halves.h"

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "partner.h"
#include "scratch.h"
#include "threads.h"

namespace gatework {
namespace {

int64_t recurrent_bytes(const Kernel& kernel, const Layout& layout) {
  int64_t gates = 0;
  for (int k = 0; k < kernel.accumulators; ++k) gates += kernel.recurrent_product[k];
  return gates * layout.hidden * layout.output * element_size(kernel);
}

// Whether a scan of one sequence, of which nothing but the results is wanted, is worth waking the partner for: each
// thread is to have weights that take longer to read than what the two hand each other.
bool gains_by_partner(const Kernel& kernel, const ForwardArguments* layers, int layer_count) {
  constexpr int64_t least_bytes = 128 << 10, least_products = 10000000;
  int64_t products = 0;
  for (int l = 0; l < layer_count; ++l) {
    const ForwardArguments& a = layers[l];
    if (!kernel.assist || a.layout.batch != 1 || a.weights.projection || a.saved) return false;
    for (int k = 0; k < kernel.traced; ++k) {
      if (a.trace[k]) return false;
    }
    if (recurrent_bytes(kernel, a.layout) < least_bytes || kernel.exchange_bytes(a.layout) == 0) return false;
    products += a.layout.steps * a.layout.hidden * (a.layout.input + a.layout.output) * kernel.accumulators;
  }
  return products >= least_products;
}

// What the partner needs of a forward pass. The caller fills in `layers` before its first message.
struct HalvedScan : Errand {
  HalvedScan(const Kernel& kernel, int64_t panels, int64_t messages, int layer_count)
      : kernel(kernel), layers(static_cast<size_t>(layer_count)), packed(panels, layer_count), memory(messages, 1) {
    constexpr int64_t bytes_each_microsecond = 10000;  // what a core reads of weights at least
    exchange.memory = memory[0];
    exchange.patience = 20 + panels / 2 / bytes_each_microsecond;
  }
  void run() override { kernel.assist(layers.data(), exchange); }

  const Kernel& kernel;
  std::vector<ForwardArguments> layers;
  const Scratch packed, memory;
};

}  // namespace

bool run_in_halves(const Kernel& kernel, ForwardArguments* layers, int layer_count) {
  if (!gains_by_partner(kernel, layers, layer_count) || !is_partner_free()) return false;
  int64_t panels = 0, messages = 0, scratch_bytes = 0;
  for (int l = 0; l < layer_count; ++l) {
    panels = std::max(panels, kernel.forward_panels(layers[l]));
    messages = std::max(messages, kernel.exchange_bytes(layers[l].layout));
    scratch_bytes = std::max(scratch_bytes, kernel.forward_scratch(layers[l], 1));
  }
  std::shared_ptr<HalvedScan> scan;
  try {
    scan = std::make_shared<HalvedScan>(kernel, panels, messages, layer_count);
  } catch (const std::bad_alloc&) {
    return false;
  }
  const Scratch scratch(scratch_bytes, 1);
  if (scan->packed.is_missing() || scan->memory.is_missing() || scratch.is_missing()) return false;
  for (int l = 0; l < layer_count; ++l) {
    if (l + 1 == layer_count) send_partner(scan);  // it wakes while the last weights are packed
    layers[l].planes = {};
    layers[l].panels = kernel.pack_forward(layers[l], scan->packed[l]);
    layers[l].exchange = &scan->exchange;
    layers[l].layer = l;
    scan->layers[static_cast<size_t>(l)] = layers[l];
  }
  parallel(1, [&](int64_t) {
    for (int l = 0; l < layer_count; ++l) kernel.forward(layers[l], 0, 1, scratch[0]);
  });
  end_errand(*scan);
  return true;
}

}  // namespace gatework
