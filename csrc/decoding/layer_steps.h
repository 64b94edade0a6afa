// Recurrent layers that go on by one step of one sequence: what a row of a stream needs of them, in one call.
//
// The layers run on the kernels of gatework's scans, which are handed over by address. All weights belong to the caller
// and outlive the layers; they have no projection and nothing around the cell.
#pragma once

#include <cstdint>
#include <vector>

#include "../arguments.h"

namespace gatework::decoding {

class LayerSteps {
 public:
  LayerSteps(const Kernel& kernel, std::vector<Weights> layers);

  // Reads the features of a step. `states`, (states, layers, hidden), are those before it and then those after it.
  void run(const float* x, float* states) const;

  // How many weights a step reads.
  int64_t weights() const { return weights_; }

 private:
  const Kernel& kernel_;
  const std::vector<Weights> layers_;
  int64_t weights_ = 0;
};

}  // namespace gatework::decoding
