#include "letter_model.h"

#include <algorithm>
#include <cmath>

#include "log_add.h"

namespace gatework::decoding {

LetterStates::LetterStates(const LetterModel& of) : of_(of), width_(of.tokens.letters.size() + 1) {
  const LanguageModel& model = of.model;
  const int32_t slot = taken();
  Streams stream{};
  stream.count = 1;
  for (int s = 0; s < model.states(); ++s) stream.states[s] = states_[s].data();
  logits_.resize(static_cast<size_t>(model.vocabulary()));
  for (int32_t token : of.tokens.begin) {
    stream.pending = &token;
    model.advance(stream, logits_.data(), 1);
  }
  read(slot, logits_.data());
}

size_t LetterStates::state_size(int state) const {
  return static_cast<size_t>(of_.model.layers() * of_.model.width_of(state));
}

// A slot that nobody holds.
int32_t LetterStates::taken() {
  if (free_.empty()) {
    const size_t slots = rows_.size() / width_;
    rows_.resize((slots + 1) * width_);
    for (int s = 0; s < of_.model.states(); ++s) states_[s].resize((slots + 1) * state_size(s));
    return static_cast<int32_t>(slots);
  }
  const int32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

// Keeps what may follow: of these logits those of letters and ends.
void LetterStates::read(int32_t slot, const float* logits) {
  const SpokenTokens& tokens = of_.tokens;
  double* const row = rows_.data() + static_cast<size_t>(slot) * width_;
  row[0] = logits[tokens.ends[0]];
  for (size_t k = 1; k < tokens.ends.size(); ++k) row[0] = log_add<double>(row[0], logits[tokens.ends[k]]);
  for (size_t k = 0; k < tokens.letters.size(); ++k) row[k + 1] = logits[tokens.letters[k]];
  const double most = *std::max_element(row, row + width_);
  double sum = 0;
  for (size_t k = 0; k < width_; ++k) sum += std::exp(row[k] - most);
  const double total = most + std::log(sum);
  for (size_t k = 0; k < width_; ++k) row[k] -= total;
}

std::vector<int32_t> LetterStates::advance(const std::vector<int32_t>& from, const std::vector<int32_t>& letters) {
  const LanguageModel& model = of_.model;
  const size_t count = from.size(), layers = static_cast<size_t>(model.layers());
  // The model takes states as (layers, texts, width), and a slot has them as (layers, width).
  const auto each = [&](int s, auto use) {
    const size_t width = state_size(s) / layers;
    for (size_t k = 0; k < count; ++k) {
      for (size_t layer = 0; layer < layers; ++layer) {
        use(k, layer * width, together_[s].data() + (layer * count + k) * width, width);
      }
    }
  };
  Streams streams{};
  streams.count = static_cast<int64_t>(count);
  for (int s = 0; s < model.states(); ++s) {
    together_[s].resize(count * state_size(s));
    streams.states[s] = together_[s].data();
    each(s, [&](size_t k, size_t place, float* there, size_t width) {
      std::copy_n(states_[s].data() + static_cast<size_t>(from[k]) * state_size(s) + place, width, there);
    });
  }
  std::vector<int32_t> pending, slots;
  for (const int32_t letter : letters) pending.push_back(of_.tokens.letters[static_cast<size_t>(letter - 1)]);
  streams.pending = pending.data();
  logits_.resize(count * static_cast<size_t>(model.vocabulary()));
  model.advance(streams, logits_.data(), 1);
  for (size_t k = 0; k < count; ++k) {
    slots.push_back(taken());
    read(slots[k], logits_.data() + k * static_cast<size_t>(model.vocabulary()));
  }
  for (int s = 0; s < model.states(); ++s) {
    each(s, [&](size_t k, size_t place, const float* there, size_t width) {
      std::copy_n(there, width, states_[s].data() + static_cast<size_t>(slots[k]) * state_size(s) + place);
    });
  }
  return slots;
}

}  // namespace gatework::decoding
