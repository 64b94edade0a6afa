#include "ctc.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gatework::decoding {

namespace {

// Less likely letters are not tried at a step, and beams so far behind the best are dropped.
constexpr float least_letter = -9.2f;
constexpr double furthest_behind = 25;
// The beams that are left over are swept away every so many steps, and so are those that differ from the best one in
// what was heard before as many as `recent`.
constexpr int64_t sweep = 256, recent = 512;
// They are swept away earlier once so many are new, also for each prefix that is kept: dense noise makes one for every
// letter at every step.
constexpr size_t most_new = 1 << 15, most_new_each = 128;

}  // namespace

void LetterTrie::add(const int32_t* letters, int64_t count, int32_t number) {
  int32_t node = 0;
  for (int64_t k = 0; k < count; ++k) {
    int32_t next = child(node, letters[k]);
    if (next < 0) {
      next = static_cast<int32_t>(nodes_.size());
      Node fresh;
      fresh.letter = letters[k];
      fresh.next_sibling = nodes_[static_cast<size_t>(node)].first_child;
      nodes_[static_cast<size_t>(node)].first_child = next;
      nodes_.push_back(fresh);
    }
    node = next;
  }
  if (count && nodes_[static_cast<size_t>(node)].number < 0) nodes_[static_cast<size_t>(node)].number = number;
}

int32_t LetterTrie::child(int32_t node, int32_t letter) const {
  for (int32_t k = nodes_[static_cast<size_t>(node)].first_child; k >= 0;
       k = nodes_[static_cast<size_t>(k)].next_sibling)
    if (nodes_[static_cast<size_t>(k)].letter == letter) return k;
  return -1;
}

BeamSearch::BeamSearch(const Language& language, int32_t letters, int beam)
    : language_(language), letters_(letters), width_(static_cast<size_t>(beam)) {
  Beam root;
  root.with_blank = 0;
  if (language.words) root.words = language.words->begin();
  if (language.letters) root.letters = language.letters->begin();
  if (language.recurrent) {
    states_.emplace(*language.recurrent);
    root.slot = LetterStates::beginning;
  }
  beams_.push_back(root);
  active_.push_back(0);
}

// What the language says of the word at hand once it is over; `ending` is the letters' model's word on its end.
double BeamSearch::word_score(const Beam& beam, double ending, int32_t& state) const {
  const Language& l = language_;
  const int32_t word = beam.lexicon < 0 ? -1 : l.lexicon.number(beam.lexicon);
  const double spelt = l.letters ? beam.spelt + ending : 0.0;
  if (!l.words) return l.weight * spelt + l.bonus;
  const int32_t unknown = l.words->vocabulary() - 2;
  if (word >= 0) return l.weight * l.words->advance(state, word) + l.bonus;
  return l.weight * (l.words->advance(state, unknown) + spelt) + l.bonus;
}

double BeamSearch::language(const Beam& beam) const {
  return beam.before + language_.weight * beam.spelt + beam.boost + beam.pending;
}

// What the language says of a beam as a whole text; never where that may not end here.
double BeamSearch::ended(const Beam& beam) const {
  const Language& l = language_;
  const double recurrent = states_ ? l.recurrent_weight * states_->end(beam.slot) : 0.0;
  if (beam.letter == 0) return beam.before + beam.boost + recurrent;
  int32_t words = beam.words, letters = beam.letters;
  const auto end = [&] { return l.words ? l.weight * l.words->advance(words, l.words->vocabulary() - 1) : 0.0; };
  if (beam.letter == l.space) return beam.before + beam.boost + end() + recurrent;
  const bool is_word = beam.lexicon >= 0 && l.lexicon.number(beam.lexicon) >= 0;
  if (l.is_closed && !is_word) return never;
  const double ending = l.letters ? l.letters->advance(letters, l.letters->vocabulary() - 1) : 0.0;
  const double score = beam.before + word_score(beam, ending, words) + beam.boost;
  return score + end() + recurrent;
}

// Keeps what the recurrent model knows behind each active beam, and forgets it of those that were active before.
void BeamSearch::read_letters(const std::vector<int32_t>& previous) {
  std::vector<int32_t> fresh, from, letters;
  for (const int32_t place : active_) {
    Beam& beam = beams_[static_cast<size_t>(place)];
    beam.is_touched = true;
    if (beam.slot >= 0) continue;
    fresh.push_back(place);
    from.push_back(beams_[static_cast<size_t>(beam.parent)].slot);
    letters.push_back(beam.letter);
  }
  if (!fresh.empty()) {
    const std::vector<int32_t> slots = states_->advance(from, letters);
    for (size_t k = 0; k < fresh.size(); ++k) beams_[static_cast<size_t>(fresh[k])].slot = slots[k];
  }
  for (const int32_t place : previous) {
    Beam& beam = beams_[static_cast<size_t>(place)];
    if (beam.is_touched) continue;
    states_->release(beam.slot);
    beam.slot = -1;
  }
  for (const int32_t place : active_) beams_[static_cast<size_t>(place)].is_touched = false;
}

int32_t BeamSearch::extended(int32_t place, int32_t letter) {
  for (int32_t k = beams_[static_cast<size_t>(place)].first_child; k >= 0;
       k = beams_[static_cast<size_t>(k)].next_sibling)
    if (beams_[static_cast<size_t>(k)].letter == letter) return k;
  const Language& l = language_;
  const Beam& beam = beams_[static_cast<size_t>(place)];
  const bool is_start = beam.letter == 0 || beam.letter == l.space;
  Beam next;
  next.parent = place;
  next.letter = letter;
  next.words = beam.words;
  next.letters = beam.letters;
  next.before = beam.before;
  if (states_) next.before += l.recurrent_weight * states_->letter(beam.slot, letter);
  const double spelt = l.letters ? l.letters->advance(next.letters, letter - 1) : 0.0;
  if (letter == l.space) {
    const bool is_word = beam.lexicon >= 0 && l.lexicon.number(beam.lexicon) >= 0;
    if (is_start || (l.is_closed && !is_word)) return -1;
    next.before += word_score(beam, spelt, next.words);
  } else {
    next.lexicon = beam.lexicon < 0 ? -1 : l.lexicon.child(beam.lexicon, letter);
    if (l.is_closed && next.lexicon < 0) return -1;
    next.spelt = beam.spelt + spelt;
  }
  if (!l.boosted.is_empty()) {
    next.boost = beam.boost;
    int32_t at = beam.boosted > 0 ? l.boosted.child(beam.boosted, letter) : -1;
    next.pending = at > 0 ? beam.pending : 0.0;
    if (at < 0 && is_start) at = l.boosted.child(0, letter);
    next.boosted = std::max(at, 0);
    if (at > 0) next.pending += l.boost;
    if (at > 0 && l.boosted.number(at) >= 0) {  // all of it is said
      next.boost += next.pending;
      next.pending = 0;
    }
  }
  const auto fresh = static_cast<int32_t>(beams_.size());
  next.next_sibling = beam.first_child;
  beams_[static_cast<size_t>(place)].first_child = fresh;
  beams_.push_back(next);
  return fresh;
}

void BeamSearch::touch(int32_t place) {
  Beam& beam = beams_[static_cast<size_t>(place)];
  if (beam.is_touched) return;
  beam.is_touched = true;
  touched_.push_back(place);
}

void BeamSearch::feed(const float* log_probs, int64_t steps) {
  std::vector<std::pair<double, int32_t>> ranked;
  for (int64_t t = 0; t < steps; ++t, ++step_) {
    const float* p = log_probs + t * (letters_ + 1);
    touched_.clear();
    for (const int32_t place : active_) {
      touch(place);
      {
        Beam& beam = beams_[static_cast<size_t>(place)];
        const double total = log_add(beam.with_blank, beam.with_letter);
        beam.next_blank = log_add(beam.next_blank, total + p[blank]);
        if (beam.letter) {
          beam.next_letter = log_add(beam.next_letter, beam.with_letter + p[beam.letter]);
          if (beam.with_letter > beam.with_blank && p[beam.letter] > beam.peak) {
            beam.peak = p[beam.letter];
            beam.step = step_;
          }
        }
      }
      for (int32_t letter = 1; letter <= letters_; ++letter) {
        if (p[letter] < least_letter) continue;
        const Beam& before = beams_[static_cast<size_t>(place)];
        // A letter that equals the one before it must have a blank between.
        const double from =
            letter == before.letter ? before.with_blank : log_add(before.with_blank, before.with_letter);
        if (from == never) continue;
        const int32_t next = extended(place, letter);
        if (next < 0) continue;
        touch(next);
        Beam& beam = beams_[static_cast<size_t>(next)];
        const double gain = from + p[letter];
        beam.next_letter = log_add(beam.next_letter, gain);
        // Its place is where it first came, or where most of its probability comes from.
        const double held = log_add(beam.with_blank, beam.with_letter);
        const bool is_fresh = beam.peak == never || (held == never && beam.first_child < 0);
        if (is_fresh || (held != never && gain > held && p[letter] > beam.peak)) {
          beam.peak = p[letter];
          beam.step = step_;
        }
      }
    }
    ranked.clear();
    for (const int32_t place : touched_) {
      Beam& beam = beams_[static_cast<size_t>(place)];
      beam.is_touched = false;
      beam.with_blank = beam.next_blank;
      beam.with_letter = beam.next_letter;
      beam.next_blank = beam.next_letter = never;
      ranked.emplace_back(log_add(beam.with_blank, beam.with_letter) + language(beam), place);
    }
    // Of equal scores the older beam is the better one, so that the result does not depend on the sort.
    const auto better = [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first > b.first : a.second < b.second;
    };
    const size_t kept = std::min(width_, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<int64_t>(kept), ranked.end(), better);
    const std::vector<int32_t> previous = std::exchange(active_, {});
    for (size_t k = 0; k < ranked.size(); ++k) {
      if (k < kept && ranked[k].first >= ranked[0].first - furthest_behind) {
        active_.push_back(ranked[k].second);
      } else {
        Beam& beam = beams_[static_cast<size_t>(ranked[k].second)];
        beam.with_blank = beam.with_letter = never;
      }
    }
    const bool is_swept = (step_ + 1) % sweep == 0;
    if (is_swept) settle_past();
    if (states_) read_letters(previous);
    // However often settled() was called, as many are new: all of them grow below the root.
    if (is_swept || beams_.size() - swept_ > std::max(most_new, most_new_each * width_)) compact();
  }
}

// Drops the beams that do not begin as the best one does up to what is recent. What is dropped depends on the steps
// alone, not on when settled() was called: below the root all beams begin alike.
void BeamSearch::settle_past() {
  int32_t past = active_[0];
  while (past != root_ && beams_[static_cast<size_t>(past)].step > step_ - recent)
    past = beams_[static_cast<size_t>(past)].parent;
  const auto differs = [&](int32_t place) {
    // A beginning is older than what goes on from it, and so stands before it.
    int32_t k = place;
    while (k > past) k = beams_[static_cast<size_t>(k)].parent;
    if (k == past) return false;
    Beam& beam = beams_[static_cast<size_t>(place)];
    beam.with_blank = beam.with_letter = never;
    return true;
  };
  active_.erase(std::remove_if(active_.begin(), active_.end(), differs), active_.end());
}

// Keeps the active beams and what they begin with, in the order in which they were made.
void BeamSearch::compact() {
  std::vector<int32_t> place(beams_.size(), -1);
  for (int32_t k : active_)
    for (; k >= 0 && place[static_cast<size_t>(k)] < 0; k = k == root_ ? -1 : beams_[static_cast<size_t>(k)].parent)
      place[static_cast<size_t>(k)] = 0;
  place[static_cast<size_t>(root_)] = 0;
  std::vector<Beam>& kept = spare_;
  kept.clear();
  for (size_t k = 0; k < beams_.size(); ++k) {
    if (place[k] < 0) continue;
    place[k] = static_cast<int32_t>(kept.size());
    Beam beam = beams_[k];
    beam.first_child = beam.next_sibling = -1;
    const int32_t parent = static_cast<int32_t>(k) == root_ ? -1 : beam.parent;
    beam.parent = parent < 0 ? -1 : place[static_cast<size_t>(parent)];
    if (beam.parent >= 0) {
      Beam& above = kept[static_cast<size_t>(beam.parent)];
      beam.next_sibling = above.first_child;
      above.first_child = place[k];
    }
    kept.push_back(beam);
  }
  for (int32_t& k : active_) k = place[static_cast<size_t>(k)];
  root_ = place[static_cast<size_t>(root_)];
  beams_.swap(kept);
  swept_ = beams_.size();
}

std::vector<WrittenLetter> BeamSearch::settled() {
  // The deepest beginning that all active beams have in common: each chain is cut where it leaves the first one.
  std::vector<int32_t> common;
  for (int32_t k = active_[0]; k != root_; k = beams_[static_cast<size_t>(k)].parent) common.push_back(k);
  std::reverse(common.begin(), common.end());
  for (const int32_t active : active_) {
    std::vector<int32_t> chain;
    for (int32_t k = active; k != root_; k = beams_[static_cast<size_t>(k)].parent) chain.push_back(k);
    std::reverse(chain.begin(), chain.end());
    size_t shared = 0;
    while (shared < std::min(common.size(), chain.size()) && common[shared] == chain[shared]) ++shared;
    common.resize(shared);
  }
  // The last letter of what is shared may still be held, and so become likelier at another step.
  if (!common.empty()) common.pop_back();
  std::vector<WrittenLetter> letters;
  for (const int32_t k : common) {
    const Beam& beam = beams_[static_cast<size_t>(k)];
    letters.push_back({beam.letter, beam.step, beam.peak});
  }
  if (!common.empty()) root_ = common.back();
  return letters;
}

std::vector<WrittenLetter> BeamSearch::best(bool is_end) const {
  int32_t best = active_[0];
  double highest = never;
  for (const int32_t place : active_) {
    const Beam& beam = beams_[static_cast<size_t>(place)];
    const double total = log_add(beam.with_blank, beam.with_letter) + (is_end ? ended(beam) : language(beam));
    if (total > highest) {
      highest = total;
      best = place;
    }
  }
  if (highest == never && is_end) return this->best(false);
  return written(best);
}

std::vector<WrittenLetter> BeamSearch::written(int32_t place) const {
  std::vector<WrittenLetter> letters;
  for (int32_t k = place; k != root_; k = beams_[static_cast<size_t>(k)].parent) {
    const Beam& beam = beams_[static_cast<size_t>(k)];
    letters.push_back({beam.letter, beam.step, beam.peak});
  }
  std::reverse(letters.begin(), letters.end());
  return letters;
}

double BeamSearch::score() const {
  double highest = never;
  for (const int32_t place : active_) {
    const Beam& beam = beams_[static_cast<size_t>(place)];
    highest = std::max(highest, log_add(beam.with_blank, beam.with_letter) + ended(beam));
  }
  return highest;
}

}  // namespace gatework::decoding
