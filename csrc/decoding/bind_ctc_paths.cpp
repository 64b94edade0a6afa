// The door to the ways to write a text; gatework/decoding/ctc_paths.py checks every value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <vector>

#include "ctc_paths.h"

namespace nb = nanobind;
using gatework::decoding::Heard;
using gatework::decoding::Texts;

namespace {

using LogProbs = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Letters = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Starts = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Results = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

Heard heard(const LogProbs& log_probs) {
  return {log_probs.data(), static_cast<int64_t>(log_probs.shape(0)), static_cast<int32_t>(log_probs.shape(1))};
}

}  // namespace

void bind_ctc_paths(nb::module_& m) {
  m.def("text_log_probabilities", [](LogProbs log_probs, Letters letters, Starts starts, Results results) {
    const nb::gil_scoped_release release;
    const Texts texts = {letters.data(), starts.data(), static_cast<int64_t>(starts.size()) - 1};
    gatework::decoding::text_log_probabilities(heard(log_probs), texts, results.data());
  });
  m.def("likeliest_path", [](LogProbs log_probs, Letters text) {
    return gatework::decoding::likeliest_path(heard(log_probs), text.data(), static_cast<int64_t>(text.size()));
  });
}
