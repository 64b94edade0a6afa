// The door to the n-gram model; gatework/decoding/ngrams.py checks every value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <tuple>
#include <utility>
#include <vector>

#include "ngrams.h"

namespace nb = nanobind;
using gatework::decoding::NGramArrays;
using gatework::decoding::NGrams;

namespace {

template <class T>
using In = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Out = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

NGrams count(In<int32_t> tokens, In<int64_t> starts, int order, int32_t vocabulary) {
  const nb::gil_scoped_release release;
  return NGrams::count(tokens.data(), starts.data(), static_cast<int64_t>(starts.size()) - 1, order, vocabulary);
}

template <class T>
std::vector<T> copied(const In<T>& array) {
  return {array.data(), array.data() + array.size()};
}

// A copy that Python owns.
template <class T>
nb::ndarray<nb::numpy, T, nb::ndim<1>> given(const std::vector<T>& values) {
  auto* const copy = new std::vector<T>(values);
  nb::capsule owner(copy, [](void* memory) noexcept { delete static_cast<std::vector<T>*>(memory); });
  return {copy->data(), {copy->size()}, owner};
}

NGrams assembled(int32_t vocabulary, In<int64_t> levels, In<int32_t> tokens, In<int64_t> children,
                 In<float> log_probability, In<float> log_backoff) {
  return {NGramArrays{copied(levels), copied(tokens), copied(children), copied(log_probability), copied(log_backoff)},
          vocabulary};
}

auto arrays(const NGrams& model) {
  const NGramArrays& a = model.arrays();
  return nb::make_tuple(given(a.levels), given(a.tokens), given(a.children), given(a.log_probability),
                        given(a.log_backoff));
}

std::vector<std::tuple<double, double, double>> discounts(const NGrams& model) {
  std::vector<std::tuple<double, double, double>> result;
  for (const auto& d : model.discounts()) result.emplace_back(d.once, d.twice, d.more);
  return result;
}

// Scores tokens one after the other; gives the state after the last.
int32_t score(const NGrams& model, int32_t state, In<int32_t> tokens, Out<float> log_probabilities) {
  const nb::gil_scoped_release release;
  for (size_t t = 0; t < tokens.size(); ++t) log_probabilities.data()[t] = model.advance(state, tokens.data()[t]);
  return state;
}

}  // namespace

void bind_ngrams(nb::module_& m) {
  nb::class_<NGrams>(m, "NGrams")
      .def_static("count", count)
      .def_static("assembled", assembled)
      .def_prop_ro("order", &NGrams::order)
      .def_prop_ro("vocabulary", &NGrams::vocabulary)
      .def_prop_ro("begin", &NGrams::begin)
      .def("is_state", &NGrams::is_state)
      .def("arrays", arrays)
      .def("discounts", discounts)
      .def("advance",
           [](const NGrams& model, int32_t state, int32_t token) {
             const float score = model.advance(state, token);
             return std::make_pair(score, state);
           })
      .def("score", score)
      .def("distribution", [](const NGrams& model, int32_t state, Out<double> probabilities) {
        model.distribution(state, probabilities.data());
      });
}
