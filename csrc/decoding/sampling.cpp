#include "sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gatework::decoding {

namespace {

constexpr double negligible = 40;  // how far below the highest a logit is that no draw would find
constexpr uint64_t step = 0x9E3779B97F4A7C15u;

uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace

double uniform_at(uint64_t seed, uint64_t stream, uint64_t position) {
  for (const uint64_t part : {stream, position}) seed = mixed(seed + (part + 1) * step);
  return static_cast<double>(seed >> 11) * 0x1p-53;
}

bool Sampler::is_likelier(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

void Sampler::penalise(float* logits, const int32_t* text, int64_t length) {
  if (s_.dry_multiplier > 0) penalise_runs(logits, text, length);
  if (s_.repetition_penalty == 1) return;
  touched_.assign(text + std::max<int64_t>(length - s_.penalty_window, 0), text + length);
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  const auto penalty = static_cast<float>(s_.repetition_penalty);
  for (const int32_t token : touched_) {
    if (token >= 0) logits[token] = logits[token] > 0 ? logits[token] / penalty : logits[token] * penalty;
  }
}

// The text read backwards has at each place a run of tokens that are the same as its own first ones (Z algorithm): the
// token before that place is the one that would make the repetition longer.
void Sampler::penalise_runs(float* logits, const int32_t* text, int64_t length) {
  const int64_t n = std::min(length, s_.dry_window);
  const auto back = [&](int64_t k) { return text[length - 1 - k]; };
  const auto breaks = [&](int64_t k) { return back(k) < 0 || (s_.breaks && s_.breaks[back(k)]); };
  int64_t most = 0;  // no repetition reaches over a break
  while (most < n && !breaks(most)) ++most;
  if (most < std::max<int64_t>(s_.dry_allowed, 1)) return;
  run_.assign(static_cast<size_t>(n), 0);
  longest_.resize(static_cast<size_t>(vocabulary_), 0);
  touched_.clear();
  int64_t left = 0, right = 0;  // the run found so far that ends last
  for (int64_t k = 1; k < n; ++k) {
    int64_t run = k < right ? std::min(right - k, run_[static_cast<size_t>(k - left)]) : 0;
    while (run < most && k + run < n && back(run) == back(k + run)) ++run;
    if (k + run > right) left = k, right = k + run;
    run_[static_cast<size_t>(k)] = run;
    const int32_t next = back(k - 1);
    if (run < std::max<int64_t>(s_.dry_allowed, 1) || next < 0) continue;
    if (longest_[static_cast<size_t>(next)] == 0) touched_.push_back(next);
    longest_[static_cast<size_t>(next)] = std::max(longest_[static_cast<size_t>(next)], run);
  }
  for (const int32_t token : touched_) {
    const auto excess = static_cast<double>(longest_[static_cast<size_t>(token)] - s_.dry_allowed);
    longest_[static_cast<size_t>(token)] = 0;
    if (s_.breaks && s_.breaks[token]) continue;
    logits[token] -= static_cast<float>(std::min(s_.dry_multiplier * std::pow(s_.dry_base, excess), 1e9));
  }
}

// The candidates: all tokens that are not banned and whose logit is at most `depth` below the highest of them.
void Sampler::collect(const float* logits, double depth) {
  const auto is_banned = [&](int32_t token) { return s_.banned && s_.banned[token]; };
  float most = -std::numeric_limits<float>::infinity();
  for (int32_t token = 0; token < vocabulary_; ++token) {
    if (logits[token] > most && !is_banned(token)) most = logits[token];
  }
  const double least = most - depth;
  candidates_.clear();
  for (int32_t token = 0; token < vocabulary_; ++token) {
    if (logits[token] >= least && !is_banned(token)) candidates_.push_back({logits[token], token, 0});
  }
  if (!candidates_.empty()) return;  // else the logits are no numbers
  int32_t token = 0;
  while (token + 1 < vocabulary_ && is_banned(token)) ++token;
  candidates_.push_back({0, token, 0});
}

void Sampler::keep_likeliest(int64_t count) {
  if (count >= static_cast<int64_t>(candidates_.size())) return;
  std::nth_element(candidates_.begin(), candidates_.begin() + count, candidates_.end(), is_likelier);
  candidates_.resize(static_cast<size_t>(count));
}

// Keeps the fewest of the likeliest that have the share top_p of all weights: sorts few more of them than it must.
void Sampler::keep_share() {
  const double wanted = s_.top_p * exponentiate(1);
  double sum = 0;
  auto sorted = candidates_.begin();
  for (int64_t block = 64; sorted != candidates_.end(); block *= 4) {
    const auto end = sorted + std::min<int64_t>(block, candidates_.end() - sorted);
    if (end != candidates_.end()) std::nth_element(sorted, end, candidates_.end(), is_likelier);
    std::sort(sorted, end, is_likelier);
    for (; sorted != end; ++sorted) {
      sum += sorted->weight;
      if (sum >= wanted) {
        candidates_.erase(sorted + 1, candidates_.end());
        return;
      }
    }
  }
}

void Sampler::keep_above(double share) {
  float most = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates_) most = std::max(most, c.logit);
  const double least = most + std::log(share);
  candidates_.erase(
      std::remove_if(candidates_.begin(), candidates_.end(), [&](const Candidate& c) { return c.logit < least; }),
      candidates_.end());
}

double Sampler::exponentiate(double temperature) {
  float most = -std::numeric_limits<float>::infinity();
  for (const Candidate& c : candidates_) most = std::max(most, c.logit);
  double sum = 0;
  const double scale = 1 / temperature;
  for (Candidate& c : candidates_) {
    const float power = static_cast<float>(static_cast<double>(c.logit - most) * scale);
    sum += c.weight = static_cast<double>(std::exp(power));
  }
  return sum;
}

double Sampler::weigh(float* logits, const int32_t* text, int64_t length) {
  penalise(logits, text, length);
  if (s_.temperature == 0) {
    collect(logits, 0);
    candidates_.resize(1);
    candidates_[0].weight = 1;
    return 1;
  }
  const bool is_sorted = s_.top_k > 0 || s_.top_p < 1;
  // What is left without ranks is known from the logits alone: no draw would find a token of a share below e^-40.
  double depth = std::numeric_limits<double>::infinity();
  if (!is_sorted) depth = negligible * s_.temperature;
  if (!is_sorted && s_.min_p > 0) depth = std::min(depth, -std::log(s_.min_p));
  collect(logits, depth);
  if (!is_sorted) return exponentiate(s_.temperature);
  if (s_.top_k > 0) keep_likeliest(s_.top_k);
  if (s_.top_p < 1) keep_share();
  if (s_.min_p > 0) keep_above(s_.min_p);
  std::sort(candidates_.begin(), candidates_.end(),
            [](const Candidate& a, const Candidate& b) { return a.token < b.token; });
  return exponentiate(s_.temperature);
}

int32_t Sampler::draw(float* logits, const int32_t* text, int64_t length, double uniform) {
  double left = uniform * weigh(logits, text, length);
  int32_t last = candidates_[0].token;
  for (const Candidate& c : candidates_) {
    if (c.weight > 0) last = c.token;
    left -= c.weight;
    if (left < 0) return c.token;
  }
  return last;  // where rounding has left a rest
}

void Sampler::distribution(float* logits, const int32_t* text, int64_t length, double* probabilities) {
  const double sum = weigh(logits, text, length);
  std::fill(probabilities, probabilities + vocabulary_, 0.0);
  for (const Candidate& c : candidates_) probabilities[c.token] = c.weight / sum;
}

}  // namespace gatework::decoding
