// The order in which weights are read by the kernels: panels of vectors that lie together for each k, padded with 0.
#pragma once

#include "gemm.h"

namespace gatework::GATEWORK_ISA {

GATEWORK_INLINE int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// A matrix (depth, units) for each of `gates`: element (gate, k, unit) is at gate * gate_stride + k * k_stride + unit *
// unit_stride. A panel holds the vectors of all gates of `blocks` blocks of units, in the order block, gate.
struct PackSource {
  int64_t gates, depth, units;
  int64_t gate_stride, k_stride, unit_stride;
};

// How many blocks of units share a panel.
constexpr int blocks_per_panel(int gates) { return gates >= max_columns ? 1 : max_columns / gates; }

template <class V>
GATEWORK_INLINE int64_t packed_count(int64_t gates, int64_t depth, int64_t units) {
  return gates * depth * round_up(units, V::lanes);
}

template <class V>
void pack(const PackSource& source, const typename V::T* from, typename V::T* to) {
  const int64_t blocks = round_up(source.units, V::lanes) / V::lanes;
  const int64_t most = blocks_per_panel(static_cast<int>(source.gates));
  for (int64_t first = 0; first < blocks; first += most) {
    const int64_t last = first + most < blocks ? first + most : blocks;
    for (int64_t k = 0; k < source.depth; ++k) {
      for (int64_t block = first; block < last; ++block) {
        for (int64_t gate = 0; gate < source.gates; ++gate) {
          const auto* column = from + gate * source.gate_stride + k * source.k_stride;
          for (int64_t unit = block * V::lanes; unit < (block + 1) * V::lanes; ++unit) {
            *to++ = unit < source.units ? column[unit * source.unit_stride] : 0;
          }
        }
      }
    }
  }
}

}  // namespace gatework::GATEWORK_ISA
