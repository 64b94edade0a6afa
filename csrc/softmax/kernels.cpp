// The cross-entropy kernels of one instruction set for one type of factors; compiled once for each pair, with
// GATEWORK_ISA, GATEWORK_ELEMENT and the flags of CMakeLists.txt.
#include "cross_entropy.h"

namespace gatework::GATEWORK_ISA {

using Of_float32 = CrossEntropy<Exact<Widest<float>>>;
using Of_bfloat16 = CrossEntropy<Bfloat16<Widest<float>>>;

#define GATEWORK_JOIN(before, element) before##element
#define GATEWORK_NAME(before, element) GATEWORK_JOIN(before, element)
using Of = GATEWORK_NAME(Of_, GATEWORK_ELEMENT);

extern const softmax::Kernel GATEWORK_NAME(cross_entropy_, GATEWORK_ELEMENT) = {Of::shared_bytes, Of::own_bytes,
                                                                                Of::parts, Of::run};

}  // namespace gatework::GATEWORK_ISA
