// The bytes of a matrix in the order in which products read them: panels of some blocks of units, and in each, for
// every group of its depth, the vectors of all its columns side by side. A column is one gate of one block.
#pragma once

#include "bytes.h"

namespace gatework::GATEWORK_ISA {

// A matrix (gates * hidden, width) of bytes with the worth of each row.
struct ByteMatrix {
  const int8_t* bytes;
  const float* scales;
  int64_t width;
};

// What one panel has: for each column what its sums start from, the worth of its rows, and its bytes.
struct PanelView {
  const int32_t *start, *weights;
  const float* scales;
};

template <int Gates, int Blocks>
struct BytePanels {
  static constexpr int64_t lanes = Floats::lanes;

  static int64_t blocks_of(int64_t hidden) { return (hidden + lanes - 1) / lanes; }

  // In numbers of 4 bytes.
  static int64_t panel_size(int64_t width, int64_t count) { return count * Gates * lanes * (2 + groups_of(width)); }
  static int64_t size(int64_t width, int64_t hidden) { return panel_size(width, blocks_of(hidden)); }

  static PanelView view(const int32_t* panels, int64_t width, int64_t first, int64_t count) {
    const int32_t* start = panels + panel_size(width, first);
    const int64_t columns = count * Gates * lanes;
    return {start, start + 2 * columns, reinterpret_cast<const float*>(start + columns)};
  }

  static void pack(const ByteMatrix& matrix, int64_t hidden, int32_t* to) {
    const int64_t blocks = blocks_of(hidden);
    for (int64_t first = 0; first < blocks; first += Blocks) {
      const int64_t count = blocks - first < Blocks ? blocks - first : Blocks, columns = count * Gates;
      for (int64_t column = 0; column < columns; ++column) {
        pack_column(matrix, hidden, first + column / Gates, column % Gates, to + column * lanes, columns * lanes);
      }
      to += panel_size(matrix.width, count);
    }
  }

 private:
  // `stride` is how far apart the vectors of one column are.
  static void pack_column(const ByteMatrix& matrix, int64_t hidden, int64_t block, int64_t gate, int32_t* to,
                          int64_t stride) {
    float* const scales = reinterpret_cast<float*>(to + stride);
    int8_t* const bytes = reinterpret_cast<int8_t*>(to + 2 * stride);
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const int64_t unit = block * lanes + lane;
      const bool is_unit = unit < hidden;
      const int8_t* row = matrix.bytes + (gate * hidden + unit) * matrix.width;
      int32_t sum = 0;
      for (int64_t k = 0; k < groups_of(matrix.width) * group; ++k) {
        const int8_t byte = is_unit && k < matrix.width ? row[k] : int8_t{0};
        bytes[(k / group * stride + lane) * group + k % group] = byte;
        sum += byte;
      }
      to[lane] = -bias * sum;
      scales[lane] = is_unit ? matrix.scales[gate * hidden + unit] : 0.0f;
    }
  }
};

}  // namespace gatework::GATEWORK_ISA
