// The door to the loop that writes; gatework/decoding/writer.py checks every value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <vector>

#include "../records.h"
#include "language_model.h"

namespace nb = nanobind;
using gatework::Kernel;
using gatework::decoding::LanguageModel;
using gatework::decoding::Matrices;
using gatework::decoding::Sampling;
using gatework::decoding::Streams;
using namespace gatework::records;

namespace {

template <class T, int Dimensions>
using Array = nb::ndarray<T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;

// The rules with memory of their own.
struct Rules {
  Sampling sampling;
  std::vector<uint8_t> breaks, banned;

  Rules(const std::array<double, 6>& numbers, const std::array<int64_t, 4>& counts, Array<const uint8_t, 1> breaks,
        Array<const uint8_t, 1> banned)
      : breaks(breaks.data(), breaks.data() + breaks.size()), banned(banned.data(), banned.data() + banned.size()) {
    sampling = {numbers[0], counts[0],  numbers[1], numbers[2], numbers[3], counts[1],
                numbers[4], numbers[5], counts[2],  counts[3],  nullptr,    nullptr};
    if (!this->breaks.empty()) sampling.breaks = this->breaks.data();
    if (!this->banned.empty()) sampling.banned = this->banned.data();
  }
  Rules(const Rules&) = delete;
};

Streams streams_of(const std::vector<Array<float, 3>>& states, Array<int32_t, 1> pending, Array<int32_t, 2> text,
                   uint64_t seed, int64_t drawn) {
  Streams streams{};
  streams.count = static_cast<int64_t>(pending.size());
  for (size_t s = 0; s < states.size(); ++s) streams.states[s] = states[s].data();
  streams.pending = pending.data();
  streams.text = text.data();
  streams.kept = static_cast<int64_t>(text.shape(1));
  streams.seed = seed;
  streams.drawn = drawn;
  return streams;
}

// `sizes`: of the vocabulary, the embedding and the features; `addresses` in the order of Matrices.
void make(LanguageModel* model, Address kernel, const std::vector<WeightRecord>& layers,
          const std::vector<OptionRecord>& options, const std::array<int64_t, 3>& sizes,
          const std::array<Address, 5>& addresses) {
  std::vector<gatework::Weights> weights;
  for (const WeightRecord& layer : layers) weights.push_back(weights_of(layer));
  std::vector<gatework::StepOptions> around;
  for (const OptionRecord& option : options) around.push_back(options_of(option));
  const auto matrix = [&](size_t k) { return at<const float>(addresses[k]); };
  const Matrices matrices{sizes[0], sizes[1], sizes[2], matrix(0), matrix(1), matrix(2), matrix(3), matrix(4)};
  new (model) LanguageModel(*at<const Kernel>(kernel), std::move(weights), std::move(around), matrices);
}

}  // namespace

void bind_language_model(nb::module_& m) {
  nb::class_<Rules>(m, "Rules")
      .def(nb::init<const std::array<double, 6>&, const std::array<int64_t, 4>&, Array<const uint8_t, 1>,
                    Array<const uint8_t, 1>>());
  nb::class_<LanguageModel>(m, "LanguageModel")
      .def("__init__", make)
      .def("write",
           [](const LanguageModel& model, const std::vector<Array<float, 3>>& states, Array<int32_t, 1> pending,
              Array<int32_t, 2> text, uint64_t seed, int64_t drawn, const Rules& rules, Array<int32_t, 2> tokens,
              int threads) {
             Streams streams = streams_of(states, pending, text, seed, drawn);
             const nb::gil_scoped_release release;
             model.write(streams, static_cast<int64_t>(tokens.shape(1)), rules.sampling, tokens.data(), threads);
           })
      .def("read",
           [](const LanguageModel& model, const std::vector<Array<float, 3>>& states, Array<int32_t, 1> pending,
              Array<int32_t, 2> text, Array<const int32_t, 2> tokens, int threads) {
             Streams streams = streams_of(states, pending, text, 0, 0);
             const nb::gil_scoped_release release;
             model.read(streams, static_cast<int64_t>(tokens.shape(1)), tokens.data(), threads);
           })
      .def("distribution",
           [](const LanguageModel& model, const std::vector<Array<float, 3>>& states, Array<int32_t, 1> pending,
              Array<int32_t, 2> text, const Rules& rules, Array<double, 2> probabilities, int threads) {
             const Streams streams = streams_of(states, pending, text, 0, 0);
             const nb::gil_scoped_release release;
             model.distribution(streams, rules.sampling, probabilities.data(), threads);
           });
}
