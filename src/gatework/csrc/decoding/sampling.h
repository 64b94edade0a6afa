// From the logits of the next token to the token that is taken.
//
// In this order: penalties of repetition, banned tokens, top-k, top-p and min-p on the probabilities at temperature 1,
// temperature, a draw. What is drawn depends on the uniform number alone.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace gatework::decoding {

struct Sampling {
  double temperature;  // 0 takes the likeliest token
  int64_t top_k;       // the so many likeliest; 0 for all
  double top_p;        // the fewest likeliest that have this share together; 1 for all
  double min_p;        // those at least so likely as this share of the likeliest; 0 for all
  // What the logits of the tokens among the last `penalty_window` are divided by where positive, else multiplied with.
  double repetition_penalty;
  int64_t penalty_window;
  // DRY: a token that would make the last `length` tokens and itself the same as earlier ones loses
  // multiplier * base ^ (length - allowed) of its logit, where length >= allowed; 0 for none.
  double dry_multiplier, dry_base;
  int64_t dry_allowed, dry_window;
  const uint8_t* breaks;  // (vocabulary): tokens that no repetition reaches over; or null
  const uint8_t* banned;  // (vocabulary); or null
};

// A number from 0 to below 1 that depends on its place alone: SplitMix64, as gatework/scan/counter_rng.py has it.
double uniform_at(uint64_t seed, uint64_t stream, uint64_t position);

class Sampler {
 public:
  Sampler(const Sampling& sampling, int64_t vocabulary) : s_(sampling), vocabulary_(vocabulary) {}

  // The token that `uniform` draws. `logits` is overwritten; `text` is all of the `length` tokens so far, those below 0
  // are none.
  int32_t draw(float* logits, const int32_t* text, int64_t length, double uniform);

  // The probability with which each token would be drawn.
  void distribution(float* logits, const int32_t* text, int64_t length, double* probabilities);

 private:
  struct Candidate {
    float logit;
    int32_t token;
    double weight;
  };

  void penalise(float* logits, const int32_t* text, int64_t length);
  void penalise_runs(float* logits, const int32_t* text, int64_t length);
  // Fills in the candidates with their weights; gives the sum of these.
  double weigh(float* logits, const int32_t* text, int64_t length);
  static bool is_likelier(const Candidate& a, const Candidate& b);
  void collect(const float* logits, double depth);
  void keep_likeliest(int64_t count);
  void keep_share();
  void keep_above(double share);
  double exponentiate(double temperature);

  const Sampling s_;
  const int64_t vocabulary_;
  std::vector<Candidate> candidates_;
  std::vector<int64_t> run_, longest_;  // of penalise_runs
  std::vector<int32_t> touched_;
};

}  // namespace gatework::decoding
