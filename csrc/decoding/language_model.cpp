#include "language_model.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>

#include "../threads.h"
#include "products.h"

namespace gatework::decoding {

namespace {

constexpr int64_t most_in_table = 1 << 21;  // numbers: more would take longer to make than a text to write
constexpr int64_t most_single = 1;          // streams; from two on packed weights pay for themselves
constexpr int64_t whole_lanes = 16;         // slices are multiples of this, so that small layers fill their lanes

int64_t inputs_of(const Kernel& kernel) {
  return std::count(kernel.input_product, kernel.input_product + kernel.accumulators, true);
}

// Memory for vectors of any width.
class Aligned {
 public:
  explicit Aligned(int64_t bytes = 0) {
    if (bytes > 0) memory_ = ::operator new(static_cast<size_t>(bytes), std::align_val_t{alignment});
  }
  ~Aligned() { ::operator delete(memory_, std::align_val_t{alignment}); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  void* get() const { return memory_; }

 private:
  static constexpr size_t alignment = 64;
  void* memory_ = nullptr;
};

}  // namespace

// Some of the streams, with memory of their own: they run through all steps of a call without waiting for others.
class LanguageModel::Slice {
 public:
  Slice(const LanguageModel& model, const Streams& streams, int64_t first, int64_t count, bool is_packed)
      : m_(model),
        all_(streams),
        first_(first),
        count_(count),
        is_packed_(is_packed),
        pending_(streams.pending + first, streams.pending + first + count),
        x_(static_cast<size_t>(count * model.matrices_.embedded)),
        features_(static_cast<size_t>(count * model.matrices_.width)),
        logits_(static_cast<size_t>(count * model.vocabulary())) {
    const size_t layers = m_.layers_.size();
    for (auto& outputs : outputs_) outputs.resize(static_cast<size_t>(count * m_.width_of(0)));
    for (int s = 0; s < m_.states(); ++s) {
      const int64_t size = count * m_.width_of(s);
      for (auto& states : states_) states[s].resize(layers * static_cast<size_t>(size));
      for (size_t layer = 0; layer < layers; ++layer) copy(streams.states[s], s, layer, states_[now_][s].data(), true);
    }
    scratch_.reset(new Aligned(scratch_bytes()));
    for (size_t layer = 0; is_packed && layer < layers; ++layer) {
      panels_.push_back(m_.panels_of(layer, forward_arguments(layer)));
    }
  }

  // Reads the pending tokens; the output of the last layer follows.
  const float* advance() {
    const float* x = nullptr;
    if (is_packed_ || m_.input_table_.empty()) {
      const int64_t width = m_.matrices_.embedded;
      for (int64_t b = 0; b < count_; ++b) {
        std::memcpy(x_.data() + b * width, m_.matrices_.embedding + pending_[static_cast<size_t>(b)] * width,
                    static_cast<size_t>(width) * sizeof(float));
      }
      x = x_.data();
    }
    for (size_t layer = 0; layer < m_.layers_.size(); ++layer) {
      float* const output = outputs_[layer % 2].data();
      if (is_packed_) {
        scan(layer, x, output);
      } else {
        step(layer, x, output);
      }
      x = output;
    }
    return x;
  }

  // What was computed becomes the states.
  void commit() { now_ = 1 - now_; }

  float* logits(const float* output) {
    const Matrices& w = m_.matrices_;
    if (!m_.joined_.empty()) {
      multiply(m_.joined_.data(), w.vocabulary, m_.width_of(0), output, count_, m_.joined_bias_.data(), logits_.data());
      return logits_.data();
    }
    if (w.projection) {
      multiply(w.projection, w.width, m_.width_of(0), output, count_, w.projection_bias, features_.data());
      output = features_.data();
    }
    multiply(w.output, w.vocabulary, w.width, output, count_, w.output_bias, logits_.data());
    return logits_.data();
  }

  int32_t& pending(int64_t b) { return pending_[static_cast<size_t>(b)]; }

  // Gives the states and the pending tokens back to the streams.
  void store(Streams& to) {
    std::copy(pending_.begin(), pending_.end(), to.pending + first_);
    for (int s = 0; s < m_.states(); ++s) {
      for (size_t layer = 0; layer < m_.layers_.size(); ++layer) {
        copy(to.states[s], s, layer, states_[now_][s].data(), false);
      }
    }
  }

 private:
  // A layer's rows of a state, out of the tensor of all streams or back into it.
  void copy(float* all, int s, size_t layer, float* here, bool is_out) const {
    const int64_t width = m_.width_of(s), l = static_cast<int64_t>(layer);
    float* const there = all + (l * all_.count + first_) * width;
    here += l * count_ * width;
    const auto bytes = static_cast<size_t>(count_ * width) * sizeof(float);
    if (is_out) {
      std::memcpy(here, there, bytes);
    } else {
      std::memcpy(there, here, bytes);
    }
  }

  float* state(int which, int s, size_t layer, int64_t b = 0) {
    return states_[which][s].data() + (static_cast<int64_t>(layer) * count_ + b) * m_.width_of(s);
  }

  const StepOptions* options(size_t layer) const { return m_.options_.empty() ? nullptr : &m_.options_[layer]; }

  ForwardArguments forward_arguments(size_t layer) const {
    const Weights& w = m_.layers_[layer];
    ForwardArguments a{};
    a.layout = {1, count_, w.input, w.hidden, w.output, nullptr, nullptr, false};
    a.weights = w;
    a.options = options(layer);
    return a;
  }

  StepArguments step_arguments(size_t layer) const {
    StepArguments a{};
    a.batch = 1;
    a.weights = m_.layers_[layer];
    a.options = options(layer);
    return a;
  }

  int64_t scratch_bytes() const {
    int64_t most = 64;
    for (size_t layer = 0; layer < m_.layers_.size(); ++layer) {
      most = std::max(most, is_packed_ ? m_.kernel_.forward_scratch(forward_arguments(layer), count_)
                                       : m_.kernel_.step_scratch(step_arguments(layer)));
    }
    return most;
  }

  // One step of a layer for all streams of the slice.
  void scan(size_t layer, const float* x, float* output) {
    ForwardArguments a = forward_arguments(layer);
    a.panels = panels_[layer];
    a.x = x;
    a.output = output;
    for (int s = 0; s < m_.states(); ++s) {
      a.initial[s] = state(now_, s, layer);
      a.final[s] = state(1 - now_, s, layer);
    }
    m_.kernel_.forward(a, 0, count_, scratch_->get());
  }

  // The same stream by stream, with the input product of the first layer out of the table.
  void step(size_t layer, const float* x, float* output) {
    StepArguments a = step_arguments(layer);
    const int64_t input = a.weights.input, columns = inputs_of(m_.kernel_) * a.weights.hidden;
    const bool is_in_table = layer == 0 && !x;
    if (is_in_table) a.weights.input = 0;
    for (int64_t b = 0; b < count_; ++b) {
      if (is_in_table) {
        a.weights.bias_ih = m_.input_table_.data() + pending_[static_cast<size_t>(b)] * columns;
      } else {
        a.x = x + b * input;
      }
      for (int s = 0; s < m_.states(); ++s) {
        a.previous[s] = state(now_, s, layer, b);
        a.next[s] = state(1 - now_, s, layer, b);
      }
      a.output = output + b * m_.width_of(0);
      m_.kernel_.step(a, scratch_->get());
    }
  }

  const LanguageModel& m_;
  const Streams& all_;
  const int64_t first_, count_;
  const bool is_packed_;
  std::vector<int32_t> pending_;
  std::vector<float> x_, features_, logits_, outputs_[2], states_[2][max_states];
  std::vector<Panels> panels_;
  std::unique_ptr<Aligned> scratch_;
  int now_ = 0;
};

LanguageModel::LanguageModel(const Kernel& kernel, std::vector<Weights> layers, std::vector<StepOptions> options,
                             const Matrices& matrices)
    : kernel_(kernel),
      layers_(std::move(layers)),
      options_(std::move(options)),
      matrices_(matrices),
      packed_(layers_.size()) {
  make_input_table();
  join_projection();
}

void LanguageModel::make_input_table() {
  const Weights& w = layers_[0];
  const int64_t columns = inputs_of(kernel_) * w.hidden;
  if (is_normalised() || matrices_.vocabulary * columns > most_in_table) return;
  input_table_.resize(static_cast<size_t>(matrices_.vocabulary * columns));
  multiply(static_cast<const float*>(w.weight_ih), columns, w.input, matrices_.embedding, matrices_.vocabulary,
           static_cast<const float*>(w.bias_ih), input_table_.data());
}

// For a small vocabulary the output times the projection is less work than one after the other.
void LanguageModel::join_projection() {
  const Matrices& m = matrices_;
  const int64_t hidden = width_of(0);
  if (!m.projection || m.vocabulary * hidden > m.width * (hidden + m.vocabulary)) return;
  std::vector<float> columns(static_cast<size_t>(hidden * m.width));
  for (int64_t k = 0; k < m.width; ++k) {
    for (int64_t h = 0; h < hidden; ++h) columns[static_cast<size_t>(h * m.width + k)] = m.projection[k * hidden + h];
  }
  joined_.resize(static_cast<size_t>(m.vocabulary * hidden));
  joined_bias_.assign(static_cast<size_t>(m.vocabulary), 0.0f);
  multiply(columns.data(), hidden, m.width, m.output, m.vocabulary, nullptr, joined_.data());
  if (m.projection_bias) {
    multiply(m.output, m.vocabulary, m.width, m.projection_bias, 1, m.output_bias, joined_bias_.data());
  } else if (m.output_bias) {
    joined_bias_.assign(m.output_bias, m.output_bias + m.vocabulary);
  }
}

bool LanguageModel::is_packed(int64_t streams) const {
  return layers_[0].projection || (streams > most_single && !is_normalised());
}

Panels LanguageModel::panels_of(size_t layer, const ForwardArguments& arguments) const {
  const int64_t bytes = kernel_.forward_panels(arguments);
  if (bytes == 0) return {};  // sequences in the lanes, on the weights as they are
  const std::lock_guard<std::mutex> lock(mutex_);
  Packed& packed = packed_[layer];
  if (!packed.is_made) {
    packed.memory.resize(static_cast<size_t>(bytes) + 64);
    const auto address = reinterpret_cast<uintptr_t>(packed.memory.data());
    packed.panels = kernel_.pack_forward(arguments, packed.memory.data() + (64 - address % 64) % 64);
    packed.is_made = true;
  }
  return packed.panels;
}

// How many slices; what a stream gets does not depend on it.
int64_t LanguageModel::slices_of(int64_t streams, int threads) const {
  if (!is_packed(streams)) return std::max<int64_t>(std::min<int64_t>(streams, threads), 1);
  // A slice of whole lanes would run sequences in the lanes where the rest of the streams does not.
  Layout lanes{1, whole_lanes, layers_[0].input, layers_[0].hidden, layers_[0].output, nullptr, nullptr, false};
  if (streams % whole_lanes && kernel_.slice_multiple(lanes, layers_[0]) > 1) return 1;
  return std::max<int64_t>(std::min<int64_t>((streams + whole_lanes - 1) / whole_lanes, threads), 1);
}

template <class Use>
void LanguageModel::each_slice(const Streams& streams, int threads, const Use& use) const {
  const bool packed = is_packed(streams.count);
  const int64_t unit = packed ? whole_lanes : 1, units = (streams.count + unit - 1) / unit;
  const int64_t slices = slices_of(streams.count, threads);
  std::exception_ptr failure;
  std::mutex failing;
  parallel(slices, [&](int64_t k) {
    const int64_t first = units * k / slices * unit, last = std::min(units * (k + 1) / slices * unit, streams.count);
    try {
      Slice slice(*this, streams, first, last - first, packed);
      use(slice, first, last - first);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failing);
      failure = std::current_exception();
    }
  });
  if (failure) std::rethrow_exception(failure);
}

void LanguageModel::write(Streams& streams, int64_t count, const Sampling& sampling, int32_t* tokens,
                          int threads) const {
  each_slice(streams, threads, [&](Slice& slice, int64_t first, int64_t own) {
    Sampler sampler(sampling, vocabulary());
    // The tokens before and those that are written, of each stream in one piece.
    const int64_t kept = streams.kept, length = kept + count;
    std::vector<int32_t> texts(static_cast<size_t>(own * length));
    for (int64_t b = 0; b < own; ++b) {
      std::copy_n(streams.text + (first + b) * kept, kept, texts.data() + b * length);
    }
    for (int64_t t = 0; t < count; ++t) {
      float* const logits = slice.logits(slice.advance());
      slice.commit();
      for (int64_t b = 0; b < own; ++b) {
        int32_t* const text = texts.data() + b * length;
        const double uniform =
            uniform_at(streams.seed, static_cast<uint64_t>(first + b), static_cast<uint64_t>(streams.drawn + t));
        const int32_t token = sampler.draw(logits + b * vocabulary(), text + t, kept, uniform);
        text[kept + t] = token;
        slice.pending(b) = token;
      }
    }
    for (int64_t b = 0; b < own; ++b) {
      const int32_t* const text = texts.data() + b * length;
      std::copy_n(text + kept, count, tokens + (first + b) * count);
      std::copy_n(text + count, kept, streams.text + (first + b) * kept);
    }
    slice.store(streams);
  });
  streams.drawn += count;
}

void LanguageModel::read(Streams& streams, int64_t count, const int32_t* tokens, int threads) const {
  each_slice(streams, threads, [&](Slice& slice, int64_t first, int64_t own) {
    for (int64_t t = 0; t < count; ++t) {
      slice.advance();
      slice.commit();
      for (int64_t b = 0; b < own; ++b) slice.pending(b) = tokens[(first + b) * count + t];
    }
    const int64_t kept = streams.kept, fresh = std::min(kept, count);
    for (int64_t b = first; b < first + own; ++b) {
      int32_t* const text = streams.text + b * kept;
      std::copy(text + fresh, text + kept, text);
      std::copy_n(tokens + (b + 1) * count - fresh, fresh, text + kept - fresh);
    }
    slice.store(streams);
  });
}

void LanguageModel::advance(Streams& streams, float* logits, int threads) const {
  each_slice(streams, threads, [&](Slice& slice, int64_t first, int64_t own) {
    const float* const following = slice.logits(slice.advance());
    slice.commit();
    std::copy_n(following, own * vocabulary(), logits + first * vocabulary());
    slice.store(streams);
  });
}

void LanguageModel::distribution(const Streams& streams, const Sampling& sampling, double* probabilities,
                                 int threads) const {
  each_slice(streams, threads, [&](Slice& slice, int64_t first, int64_t own) {
    Sampler sampler(sampling, vocabulary());
    float* const logits = slice.logits(slice.advance());
    for (int64_t b = 0; b < own; ++b) {
      sampler.distribution(logits + b * vocabulary(), streams.text + (first + b) * streams.kept, streams.kept,
                           probabilities + (first + b) * vocabulary());
    }
  });
}

}  // namespace gatework::decoding
