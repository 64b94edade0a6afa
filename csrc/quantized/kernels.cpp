// The kernels on bytes of one instruction set; compiled once for each, with GATEWORK_ISA and the flags of
// CMakeLists.txt.
#include "../cells/names.h"
#include "scan.h"

namespace gatework::GATEWORK_ISA {

#include "../cells/all.h"

template <class Cell>
constexpr quantized::Kernel byte_kernel() {
  return {Cell::states,
          Cell::accumulators,
          ByteScan<Cell>::panels,
          ByteScan<Cell>::pack,
          ByteScan<Cell>::scratch,
          [](const quantized::Arguments& a, int64_t first, int64_t last, void* scratch) {
            ByteScan<Cell>(a, first, last, scratch).run();
          }};
}

#define GATEWORK_ROW(cell) byte_kernel<cell>(),
static const quantized::Kernel kernels[] = {GATEWORK_CELLS(GATEWORK_ROW)};

static void integers(const float* row, int64_t width, const int8_t* matrix, int64_t hidden, int8_t* bytes, float* worth,
                     int32_t* sums) {
  using Panels = BytePanels<1, 1>;
  constexpr int64_t lanes = Floats::lanes;
  auto* const rounded = new uint8_t[static_cast<size_t>(row_bytes(width))]();
  auto* const panels = new int32_t[static_cast<size_t>(Panels::size(width, hidden))];
  auto* const scales = new float[static_cast<size_t>(hidden)]();
  Panels::pack({matrix, scales, width}, hidden, panels);
  *worth = to_bytes(row, width, rounded);
  for (int64_t k = 0; k < width; ++k) bytes[k] = static_cast<int8_t>(rounded[k] - bias);
  for (int64_t block = 0; block < Panels::blocks_of(hidden); ++block) {
    const PanelView panel = Panels::view(panels, width, block, 1);
    int32_t z[lanes];
    multiply_bytes<1, 1>({rounded, 0, groups_of(width), panel.start, panel.weights, z});
    for (int64_t k = 0; k < lanes && block * lanes + k < hidden; ++k) sums[block * lanes + k] = z[k];
  }
  delete[] rounded;
  delete[] panels;
  delete[] scales;
}

extern const quantized::Table byte_table = {kernels, integers};

}  // namespace gatework::GATEWORK_ISA
