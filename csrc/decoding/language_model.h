// A recurrent language model that writes: embedding, layers, output, softmax, draw, and the token drawn is read again.
// The layers run on the kernels of gatework's scans, which are handed over by address.
//
// Nothing is copied but what is derived here: all weights belong to the caller and outlive the model.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "../arguments.h"
#include "sampling.h"

namespace gatework::decoding {

// Everything in float, row-major. The features that the output reads are `width` numbers: the last h of the layers, or
// their projection.
struct Matrices {
  int64_t vocabulary, embedded, width;
  const float* embedding;        // (vocabulary, embedded)
  const float* projection;       // (width, output of the last layer), or null
  const float* projection_bias;  // (width), or null
  const float* output;           // (vocabulary, width): may be the embedding
  const float* output_bias;      // (vocabulary), or null
};

// Texts that are being written side by side, and where they are: all is updated in place.
struct Streams {
  int64_t count;
  float* states[max_states];  // (layers, count, width of the state), before the pending token
  int32_t* pending;           // (count): the last token of each, which has not been read yet
  int32_t* text;              // (count, kept): the last tokens of each, the pending one last; below 0 before the first
  int64_t kept;
  uint64_t seed;
  int64_t drawn;  // how many tokens of each were drawn so far: the place of the next one's random number
};

class LanguageModel {
 public:
  // `options` has one for each layer, or none where nothing acts around the cell.
  LanguageModel(const Kernel& kernel, std::vector<Weights> layers, std::vector<StepOptions> options,
                const Matrices& matrices);

  int64_t vocabulary() const { return matrices_.vocabulary; }
  int64_t layers() const { return static_cast<int64_t>(layers_.size()); }
  int states() const { return kernel_.states; }
  int64_t width_of(int state) const { return state ? layers_[0].hidden : layers_[0].output; }

  // Draws `count` tokens of each stream into tokens (streams, count).
  void write(Streams& streams, int64_t count, const Sampling& sampling, int32_t* tokens, int threads) const;

  // Reads tokens (streams, count) after the pending ones; the last of them is then pending.
  void read(Streams& streams, int64_t count, const int32_t* tokens, int threads) const;

  // Reads the pending tokens: the logits (streams, vocabulary) of what follows. Nothing else of a text is needed or
  // kept.
  void advance(Streams& streams, float* logits, int threads) const;

  // The probabilities (streams, vocabulary) with which the next tokens would be drawn; the streams stay as they are.
  void distribution(const Streams& streams, const Sampling& sampling, double* probabilities, int threads) const;

 private:
  class Slice;

  template <class Use>
  void each_slice(const Streams& streams, int threads, const Use& use) const;
  bool is_normalised() const { return !options_.empty() && options_[0].is_normalised; }
  // Whether so many streams run on packed weights, all rows of a step at once, rather than one after the other.
  bool is_packed(int64_t streams) const;
  int64_t slices_of(int64_t streams, int threads) const;
  Panels panels_of(size_t layer, const ForwardArguments& arguments) const;
  void make_input_table();
  void join_projection();

  const Kernel& kernel_;
  const std::vector<Weights> layers_;
  const std::vector<StepOptions> options_;
  Matrices matrices_;
  // The input product of the first layer and its bias for each token, (vocabulary, inputs * hidden); empty if too
  // large.
  std::vector<float> input_table_;
  std::vector<float> joined_, joined_bias_;  // output times projection, where that is smaller
  struct Packed {
    std::vector<char> memory;
    Panels panels;
    bool is_made = false;
  };
  mutable std::mutex mutex_;
  mutable std::vector<Packed> packed_;
};

}  // namespace gatework::decoding
