// The attention kernels of one instruction set; compiled once for each, with GATEWORK_ISA and the flags of
// CMakeLists.txt.
#include "weighted_means.h"

namespace gatework::GATEWORK_ISA {

using Of = WeightedMeans<Widest<float>>;

extern const attention::Kernel weighted_means = {Of::forward, Of::backward};

}  // namespace gatework::GATEWORK_ISA
