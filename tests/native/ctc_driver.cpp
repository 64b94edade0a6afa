// What reads the output of a network trained by connectionist temporal classification, without Python, against all ways
// to write every text: for the sanitizers, and for processors that have none at hand. Ends with 1 and says what is
// wrong.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <vector>

#include "../../csrc/decoding/ctc.h"
#include "../../csrc/decoding/ctc_paths.h"

using namespace gatework::decoding;
using Text = std::vector<int32_t>;

namespace {

constexpr int32_t letters = 3, width = letters + 1;

std::vector<float> drawn(std::mt19937& generator, int64_t steps) {
  std::uniform_real_distribution<double> uniform(-3, 3);
  std::vector<float> rows;
  for (int64_t t = 0; t < steps; ++t) {
    double row[width], sum = 0;
    for (double& value : row) sum += value = std::exp(uniform(generator));
    for (const double value : row) rows.push_back(static_cast<float>(std::log(value / sum)));
  }
  return rows;
}

// The probability of every text, and that of its likeliest way.
void write_all(const std::vector<float>& rows, int64_t steps, std::map<Text, double>& all,
               std::map<Text, double>& best) {
  int64_t ways = 1;
  for (int64_t t = 0; t < steps; ++t) ways *= width;
  for (int64_t way = 0; way < ways; ++way) {
    Text text;
    double log_probability = 0;
    int32_t before = blank;
    int64_t left = way;
    for (int64_t t = 0; t < steps; ++t, left /= width) {
      const auto letter = static_cast<int32_t>(left % width);
      log_probability += static_cast<double>(rows[static_cast<size_t>(t * width + letter)]);
      if (letter != blank && letter != before) text.push_back(letter);
      before = letter;
    }
    all[text] += std::exp(log_probability);
    best[text] = std::max(best[text], std::exp(log_probability));
  }
}

bool check(std::mt19937& generator, int64_t steps) {
  const std::vector<float> rows = drawn(generator, steps);
  std::map<Text, double> all, best;
  write_all(rows, steps, all, best);
  const Heard heard{rows.data(), steps, width};
  bool is_right = true;
  const Text* likeliest = nullptr;
  for (const auto& [text, probability] : all) {
    const int64_t starts[] = {0, static_cast<int64_t>(text.size())};
    double found = 0, way = 0;
    text_log_probabilities(heard, {text.data(), starts, 1}, &found);
    const std::vector<int32_t> path = likeliest_path(heard, text.data(), starts[1]);
    for (size_t t = 0; t < path.size(); ++t) {
      const int32_t letter = path[t] < 0 ? blank : text[static_cast<size_t>(path[t])];
      way += static_cast<double>(rows[t * width + static_cast<size_t>(letter)]);
    }
    const bool fits = path.size() == static_cast<size_t>(steps) && std::fabs(std::exp(way) / best[text] - 1) < 1e-5;
    if (!fits || std::fabs(std::exp(found) / probability - 1) > 1e-5) {
      std::printf("a text of %d letters in %d steps: %.6g and %.6g, expected %.6g and %.6g\n",
                  static_cast<int>(text.size()), static_cast<int>(steps), std::exp(found), std::exp(way), probability,
                  best[text]);
      is_right = false;
    }
    if (!likeliest || probability > all[*likeliest]) likeliest = &text;
  }
  // A search that keeps all beginnings finds the likeliest text, whatever the pieces in which it is fed.
  const Language language{};
  for (const int64_t piece : {int64_t{1}, steps}) {
    BeamSearch search(language, letters, 5000);
    for (int64_t t = 0; t < steps; t += piece) search.feed(rows.data() + t * width, piece);
    Text written;
    for (const WrittenLetter& letter : search.settled()) written.push_back(letter.letter);
    for (const WrittenLetter& letter : search.best(true)) written.push_back(letter.letter);
    if (written == *likeliest && std::fabs(std::exp(search.score()) / all[written] - 1) < 1e-5) continue;
    std::printf("the search of %d steps finds another text than the likeliest\n", static_cast<int>(steps));
    is_right = false;
  }
  return is_right;
}

// A narrow search over many steps settles what it has read, with a lexicon and a phrase that counts more.
bool check_long(std::mt19937& generator) {
  Language language{};
  language.space = 3;
  const Text word{1, 2}, other{2}, phrase{1, 2, 3, 2};
  language.lexicon.add(word.data(), 2, 0);
  language.lexicon.add(other.data(), 1, 1);
  language.boosted.add(phrase.data(), 4, 0);
  language.boost = 0.5;
  language.is_closed = true;
  BeamSearch search(language, letters, 8);
  int64_t written = 0;
  for (int piece = 0; piece < 200; ++piece) {
    const std::vector<float> rows = drawn(generator, 20);
    search.feed(rows.data(), 20);
    for (const WrittenLetter& letter : search.settled()) {
      ++written;
      if (letter.letter < 1 || letter.letter > letters || letter.step < 0 || letter.step >= 4000) return false;
    }
    if (search.beginnings() > 100'000) return false;
  }
  for (const WrittenLetter& letter : search.best(true)) written += letter.letter > 0;
  return written > 0;
}

// A wide search in noise, where every letter is about as likely as another, keeps few of the beginnings that it makes.
bool check_dense(std::mt19937& generator) {
  const Language language{};
  BeamSearch whole(language, letters, 256), pieces(language, letters, 256);
  const std::vector<float> rows = drawn(generator, 400);
  whole.feed(rows.data(), 400);
  std::vector<WrittenLetter> written;
  for (size_t t = 0; t < 400; ++t) {
    pieces.feed(rows.data() + t * width, 1);
    for (const WrittenLetter& letter : pieces.settled()) written.push_back(letter);
    if (pieces.beginnings() > 60'000) return false;
  }
  for (const WrittenLetter& letter : pieces.best(true)) written.push_back(letter);
  const std::vector<WrittenLetter> expected = whole.best(true);
  const auto equal = [](const auto& a, const auto& b) { return a.letter == b.letter && a.step == b.step; };
  return std::equal(written.begin(), written.end(), expected.begin(), expected.end(), equal);
}

}  // namespace

int main() {
  std::mt19937 generator(0);
  bool is_right = true;
  for (int64_t steps = 1; steps <= 7; ++steps) is_right &= check(generator, steps);
  if (!check_long(generator)) {
    std::printf("a search over 4,000 steps writes nothing, or what it cannot, or keeps all\n");
    is_right = false;
  }
  if (!check_dense(generator)) {
    std::printf("a wide search in noise keeps all, or finds another text in pieces\n");
    is_right = false;
  }
  if (is_right) std::printf("texts, their ways and searches agree with all ways to write them\n");
  return is_right ? 0 : 1;
}
