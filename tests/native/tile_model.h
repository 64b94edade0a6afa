// The tile registers of csrc/tile_registers.h in software, bit by bit as Intel's manual describes the instructions
// (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2: LDTILECFG, TILELOADD, TDPBF16PS). What the
// processor answers with an exception ends the program here, and so does a thread that ends without releasing its
// registers.
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gatework::GATEWORK_ISA {

struct TileModel {
  static constexpr int count = 8, most_rows = 16, most_bytes = 64;
  alignas(64) unsigned char values[count][most_rows][most_bytes];
  TileShape shape{};
  bool is_shaped = false;

  ~TileModel() { expect(!is_shaped, "the tile registers of a thread were never released"); }

  static void expect(bool holds, const char* otherwise) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", otherwise);
    std::abort();
  }
  void expect_usable(int tile) const {
    expect(is_shaped && shape.rows[tile] > 0, "a tile register is used before it has a shape");
  }

  static TileModel& of_thread() {
    static thread_local TileModel model;
    return model;
  }
};

inline void set_tile_shape(const TileShape& shape) {
  TileModel& model = TileModel::of_thread();
  bool is_valid = shape.palette == 1 && shape.start_row == 0;
  for (const uint8_t byte : shape.reserved) is_valid &= byte == 0;
  for (int k = 0; k < 16; ++k) {
    const int most_rows = k < model.count ? model.most_rows : 0, most_bytes = k < model.count ? model.most_bytes : 0;
    is_valid &= shape.rows[k] <= most_rows && shape.row_bytes[k] <= most_bytes;
    is_valid &= (shape.rows[k] == 0) == (shape.row_bytes[k] == 0);
  }
  TileModel::expect(is_valid, "no shape of tile registers");
  model.shape = shape;
  model.is_shaped = true;
  std::memset(model.values, 0, sizeof(model.values));
}

inline void release_tiles() { TileModel::of_thread().is_shaped = false; }

template <int Tile>
void clear_tile() {
  TileModel& model = TileModel::of_thread();
  model.expect_usable(Tile);
  std::memset(model.values[Tile], 0, sizeof(model.values[Tile]));
}

template <int Tile>
void load_tile(const void* from, int64_t stride) {
  TileModel& model = TileModel::of_thread();
  clear_tile<Tile>();
  for (int r = 0; r < model.shape.rows[Tile]; ++r) {
    std::memcpy(model.values[Tile][r], static_cast<const char*>(from) + r * stride, model.shape.row_bytes[Tile]);
  }
}

template <int Tile>
void store_tile(void* to, int64_t stride) {
  const TileModel& model = TileModel::of_thread();
  model.expect_usable(Tile);
  for (int r = 0; r < model.shape.rows[Tile]; ++r) {
    std::memcpy(static_cast<char*>(to) + r * stride, model.values[Tile][r], model.shape.row_bytes[Tile]);
  }
}

// One row of sums: those of the even and of the odd elements by themselves, then both together, then to what was there.
__attribute__((noinline)) inline void multiply_row(unsigned char* sums, const unsigned char* a,
                                                   const unsigned char (*b)[TileModel::most_bytes], int pairs) {
  __m512 even = _mm512_setzero_ps(), odd = _mm512_setzero_ps();
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
  for (int k = 0; k < pairs; ++k) {
    int32_t pair;
    std::memcpy(&pair, a + 4 * k, sizeof(pair));
    const __m512i x = _mm512_set1_epi32(pair), w = _mm512_loadu_si512(b[k]);
    even = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(x, 16)), _mm512_castsi512_ps(_mm512_slli_epi32(w, 16)),
                           even);
    odd = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(x, upper)),
                          _mm512_castsi512_ps(_mm512_and_si512(w, upper)), odd);
  }
  _mm512_storeu_ps(sums, _mm512_add_ps(_mm512_loadu_ps(sums), _mm512_add_ps(even, odd)));
}

// Rounds to nearest even and takes subnormal numbers as 0, whatever the thread's own mode is.
template <int Sum, int A, int B>
void multiply_tiles() {
  static_assert(Sum != A && A != B && Sum != B, "three registers");
  TileModel& model = TileModel::of_thread();
  for (const int tile : {Sum, A, B}) model.expect_usable(tile);
  const TileShape& shape = model.shape;
  const bool fits = shape.rows[Sum] == shape.rows[A] && shape.row_bytes[Sum] == shape.row_bytes[B] &&
                    shape.row_bytes[A] == 4 * shape.rows[B];
  TileModel::expect(fits && shape.row_bytes[Sum] % 4 == 0, "tile registers whose shapes do not fit are multiplied");
  const unsigned before = _mm_getcsr();
  _mm_setcsr(0x9fc0);
  for (int r = 0; r < shape.rows[Sum]; ++r) {
    multiply_row(model.values[Sum][r], model.values[A][r], model.values[B], shape.row_bytes[A] / 4);
  }
  _mm_setcsr(before);
}

}  // namespace gatework::GATEWORK_ISA
