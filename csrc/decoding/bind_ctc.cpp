// The door to the reading of CTC; gatework/decoding/ctc.py checks every value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <tuple>
#include <vector>

#include "ctc.h"
#include "products.h"

namespace nb = nanobind;
using gatework::decoding::BeamSearch;
using gatework::decoding::Language;
using gatework::decoding::LanguageModel;
using gatework::decoding::largest;
using gatework::decoding::LetterModel;
using gatework::decoding::LetterTrie;
using gatework::decoding::multiply;
using gatework::decoding::NGrams;
using gatework::decoding::sum_of_exponentials;
using gatework::decoding::WrittenLetter;

namespace {

using Letters = nb::ndarray<const int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Rows = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// Sequences of letters, one after the other, with where each begins and, at the end, where the last one ends.
void add_all(LetterTrie& trie, Letters letters, nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig> starts) {
  for (size_t k = 0; k + 1 < starts.size(); ++k) {
    const int64_t begin = starts.data()[k];
    trie.add(letters.data() + begin, starts.data()[k + 1] - begin, static_cast<int32_t>(k));
  }
}

auto listed(const std::vector<WrittenLetter>& letters) {
  std::vector<std::tuple<int32_t, int64_t, double>> result;
  for (const auto& l : letters) result.emplace_back(l.letter, l.step, l.log_probability);
  return result;
}

// Takes the logarithm of the sum of its exponentials off a row.
void to_log_probabilities(float* row, int64_t count) {
  const float most = largest(row, count);
  const float total = most + std::log(sum_of_exponentials(row, count, most));
  for (int64_t k = 0; k < count; ++k) row[k] -= total;
}

}  // namespace

void bind_ctc(nb::module_& m) {
  nb::class_<LetterModel>(m, "LetterModel")
      .def(
          "__init__",
          [](LetterModel* made, const LanguageModel& model, const std::vector<int32_t>& letters,
             const std::vector<int32_t>& ends,
             const std::vector<int32_t>& begin) { new (made) LetterModel{model, {letters, ends, begin}}; },
          nb::keep_alive<1, 2>());
  nb::class_<Language>(m, "Language")
      .def(nb::init<>())
      .def(
          "set_words", [](Language& l, const NGrams& words) { l.words = &words; }, nb::keep_alive<1, 2>())
      .def(
          "set_letters", [](Language& l, const NGrams& letters) { l.letters = &letters; }, nb::keep_alive<1, 2>())
      .def("add_lexicon",
           [](Language& l, Letters letters, nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig> starts) {
             add_all(l.lexicon, letters, starts);
           })
      .def("add_boosted",
           [](Language& l, Letters letters, nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig> starts) {
             add_all(l.boosted, letters, starts);
           })
      .def(
          "set_recurrent",
          [](Language& l, const LetterModel& model, double weight) {
            l.recurrent = &model;
            l.recurrent_weight = weight;
          },
          nb::keep_alive<1, 2>())
      .def_rw("space", &Language::space)
      .def_rw("is_closed", &Language::is_closed)
      .def_rw("weight", &Language::weight)
      .def_rw("bonus", &Language::bonus)
      .def_rw("boost", &Language::boost);
  nb::class_<BeamSearch>(m, "BeamSearch")
      .def(nb::init<const Language&, int32_t, int>(), nb::keep_alive<1, 2>())
      .def("feed",
           [](BeamSearch& search, Rows log_probs) {
             const nb::gil_scoped_release release;
             search.feed(log_probs.data(), static_cast<int64_t>(log_probs.shape(0)));
           })
      .def("settled", [](BeamSearch& search) { return listed(search.settled()); })
      .def("best", [](const BeamSearch& search, bool is_end) { return listed(search.best(is_end)); })
      .def("score", &BeamSearch::score)
      .def("beginnings", &BeamSearch::beginnings);
  m.def("letter_log_probabilities",
        [](Rows hidden, Rows weight, nb::ndarray<const float, nb::ndim<1>, nb::c_contig> bias,
           nb::ndarray<float, nb::ndim<2>, nb::c_contig> results) {
          const auto count = static_cast<int64_t>(hidden.shape(0)), letters = static_cast<int64_t>(weight.shape(0));
          multiply(weight.data(), letters, static_cast<int64_t>(weight.shape(1)), hidden.data(), count, bias.data(),
                   results.data());
          for (int64_t row = 0; row < count; ++row) to_log_probabilities(results.data() + row * letters, letters);
        });
}
