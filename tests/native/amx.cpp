// The products of csrc/amx.h against plain loops, and what tile_model.h is made of: every number of rows and columns,
// depths that end within a step, and memory that ends right behind the last element. All numbers are small integers, so
// that every order of the sums gives the very same result. Ends with 1 and says what is wrong.
//
// With the name of a misuse as argument it does that, which the model must not survive.
#include "../../csrc/amx.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "../../csrc/pack.h"
#include "../../csrc/processor.h"

namespace gatework::GATEWORK_ISA {
namespace {

using O = AmxBfloat16<Vector<float, 16>>;
constexpr int64_t lanes = O::V::lanes;

// Memory that ends where the process may read no further.
template <class T>
class Fenced {
 public:
  explicit Fenced(int64_t count) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), size = static_cast<size_t>(count) * sizeof(T);
    whole_ = (size + page - 1) / page * page + page;
    memory_ = static_cast<char*>(mmap(nullptr, whole_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(memory_ + whole_ - page, page, PROT_NONE);
    data = reinterpret_cast<T*>(memory_ + whole_ - page - size);
  }
  ~Fenced() { munmap(memory_, whole_); }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  T* data;

 private:
  char* memory_;
  size_t whole_;
};

std::mt19937 generator(0);

float integer() { return static_cast<float>(std::uniform_int_distribution<int>(-4, 4)(generator)); }

constexpr bfloat16 no_number = {0x7fff};

// One side of a product: rows of `depth` integers, with what is no number between them.
struct Side {
  Side(int64_t rows, int64_t depth)
      : depth(depth), lda(depth + 3), a((rows - 1) * lda + depth), values(static_cast<size_t>(rows * depth)) {
    for (int64_t k = 0; k < (rows - 1) * lda + depth; ++k) a.data[k] = no_number;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t k = 0; k < depth; ++k) a.data[r * lda + k] = O::element(at(r, k) = integer());
    }
  }
  float& at(int64_t r, int64_t k) { return values[static_cast<size_t>(r * depth + k)]; }

  const int64_t depth, lda;
  Fenced<bfloat16> a;
  std::vector<float> values;
};

bool multiplies(int rows, int columns, bool has_own_starts, const std::vector<int64_t>& depths) {
  const int64_t width = columns * lanes, z_stride = width + lanes;
  const int64_t start_stride = has_own_starts ? width : 0;
  Fenced<float> start((has_own_starts ? rows - 1 : 0) * start_stride + width), z((rows - 1) * z_stride + width);
  for (int64_t k = 0; k < (has_own_starts ? rows : 1) * width; ++k) start.data[k] = integer();
  for (int64_t k = 0; k < (rows - 1) * z_stride + width; ++k) z.data[k] = -1000;
  int64_t groups = 0;
  for (const int64_t depth : depths) groups += O::groups(depth);
  Fenced<float> panel(groups * width);
  std::vector<Side*> sides;
  std::vector<std::vector<float>> weights;
  Segment<bfloat16> segments[max_segments];
  float* to = panel.data;
  for (const int64_t depth : depths) {
    sides.push_back(new Side(rows, depth));
    segments[sides.size() - 1] = {sides.back()->a.data, sides.back()->lda, depth};
    weights.emplace_back(static_cast<size_t>(width * depth));
    for (float& weight : weights.back()) weight = integer();
    pack_matrix<O>(weights.back().data(), 1, depth, 1, width, depth, to);
    to += O::groups(depth) * width;
  }
  multiply<O>(rows, columns,
              {start.data, start_stride, z.data, z_stride, segments, static_cast<int>(depths.size()), panel.data});
  bool is_right = true;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t n = 0; n < (r + 1 < rows ? z_stride : width); ++n) {
      float expected = n < width ? start.data[r * start_stride + n] : -1000;
      for (size_t s = 0; n < width && s < depths.size(); ++s) {
        for (int64_t k = 0; k < depths[s]; ++k) {
          expected += sides[s]->at(r, k) * weights[s][static_cast<size_t>(n * depths[s] + k)];
        }
      }
      is_right &= z.data[r * z_stride + n] == expected;
    }
  }
  for (Side* side : sides) delete side;
  if (!is_right) std::printf("%d rows, %d columns, depth %d: wrong\n", rows, columns, static_cast<int>(depths[0]));
  return is_right;
}

bool multiplies_all() {
  bool is_right = true;
  const O::Session session;
  for (int rows = 1; rows <= O::most_rows; ++rows) {
    for (int columns = 1; columns <= max_columns; ++columns) {
      for (const auto& depths : std::vector<std::vector<int64_t>>{
               {1}, {2}, {31}, {32}, {33}, {64}, {95}, {5, 32}, {40, 7}, {32, 64, 1}, {3, 5, 7, 9}}) {
        is_right &= multiplies(rows, columns, rows % 2, depths);
      }
    }
  }
  return is_right;
}

// Where all of a tile's transposed rows meet a panel of as many groups.
bool multiplies_transposed(int columns, int64_t steps) {
  const int64_t groups = steps * O::tile_rows, wide = 2 * O::most_rows, stride = wide + lanes, width = columns * lanes;
  Fenced<float> a(groups * stride), b(groups * width), z(O::most_rows * width);
  std::vector<float> left(static_cast<size_t>(2 * groups * wide)), right(static_cast<size_t>(2 * groups * width));
  const auto fill = [&](float* to, int64_t row_stride, int64_t columns_of, std::vector<float>& values) {
    for (int64_t k = 0; k < 2 * groups; ++k) {
      for (int64_t n = 0; n < columns_of; ++n) {
        const float value = values[static_cast<size_t>(k * columns_of + n)] = integer();
        reinterpret_cast<bfloat16*>(to + k / 2 * row_stride + n)[k % 2] = O::element(value);
      }
    }
  };
  fill(a.data, stride, wide, left);
  fill(b.data, width, width, right);
  O::turn(a.data, stride, groups, wide);
  bool is_right = true;
  for (int64_t first = 0; first < wide; first += O::most_rows) {
    O::multiply_transposed(columns, a.data + first, stride, b.data, groups, z.data);
    for (int64_t r = 0; r < O::most_rows; ++r) {
      for (int64_t n = 0; n < width; ++n) {
        float expected = 0;
        for (int64_t k = 0; k < 2 * groups; ++k) {
          expected += left[static_cast<size_t>(k * wide + first + r)] * right[static_cast<size_t>(k * width + n)];
        }
        is_right &= z.data[r * width + n] == expected;
      }
    }
  }
  if (!is_right) std::printf("transposed, %d columns, %d groups: wrong\n", columns, static_cast<int>(groups));
  return is_right;
}

bool multiplies_all_transposed() {
  bool is_right = true;
  const O::Session session;
  for (int columns = 1; columns <= max_columns; ++columns) {
    for (const int64_t steps : {1, 2, 5}) is_right &= multiplies_transposed(columns, steps);
  }
  return is_right;
}

// What one pair and another give, added to a sum, with no other factor than 0; each number is a bfloat16 already.
float pairs(float sum, const float (&a)[4], const float (&b)[4]) {
  bfloat16 row[4];
  for (int k = 0; k < 4; ++k) row[k] = O::element(a[k]);
  std::vector<float> weights(4 * lanes), start(lanes, sum), z(lanes), panel(O::groups(4) * lanes);
  for (int k = 0; k < 4; ++k) weights[k] = b[k];
  pack_matrix<O>(weights.data(), 1, 4, 1, lanes, 4, panel.data());
  const Segment<bfloat16> segment = {row, 4, 4};
  const O::Session session;
  multiply<O>(1, 1, {start.data(), 0, z.data(), lanes, &segment, 1, panel.data()});
  return z[0];
}

// The manual's order: even and odd elements apart, their sum, then what was there; and no subnormal numbers.
bool follows_the_manual() {
  const float large = 16777216, tiny = 0x1p-126f, one[] = {1, 1, 1, 1};
  bool is_right = true;
  const auto expect = [&](const char* what, float found, float expected) {
    if (found == expected && std::signbit(found) == std::signbit(expected)) return;
    std::printf("%s: %g instead of %g\n", what, static_cast<double>(found), static_cast<double>(expected));
    is_right = false;
  };
  expect("the even and the odd element are added first", pairs(large, one, {1, 1, 0, 0}), large + 2);
  expect("even and odd elements are added apart", pairs(0, {large, 1, 1, 1}, {1, -large, 1, 1}), 1);
  expect("halves go to the even number", pairs(large, one, {1, 0, 0, 0}), large);
  expect("a factor that is subnormal is 0", pairs(1, {tiny / 2, 0, 0, 0}, {0x1p126f, 0, 0, 0}), 1);
  expect("a product that is subnormal is 0", pairs(0, {tiny, tiny, 0, 0}, {0.5f, 0.5f, 0, 0}), 0);
  expect("a sum that is subnormal is 0", pairs(-tiny, {tiny, 0, 0, 0}, {1.5f, 0, 0, 0}), 0);
  expect("a start that is subnormal is 0", pairs(tiny / 2, {tiny, 0, 0, 0}, {1, 0, 0, 0}), tiny);
  expect("infinity stays", pairs(0, one, {INFINITY, 0, 0, 0}), INFINITY);
  if (!std::isnan(pairs(0, {INFINITY, 0, 0, 0}, {0, 1, 1, 1}))) {
    std::printf("infinity times 0 is a number\n");
    is_right = false;
  }
  return is_right;
}

void misuse(const char* what) {
  TileShape shape;
  for (int k = 0; k < 3; ++k) {
    shape.rows[k] = static_cast<uint8_t>(16 - k);
    shape.row_bytes[k] = 64;
  }
  if (std::strcmp(what, "palette") == 0) shape.palette = 2;
  if (std::strcmp(what, "rows") == 0) shape.rows[0] = 17;
  if (std::strcmp(what, "bytes") == 0) shape.row_bytes[1] = 65;
  if (std::strcmp(what, "unshaped") != 0) set_tile_shape(shape);
  clear_tile<0>();
  if (std::strcmp(what, "fit") == 0) multiply_tiles<0, 1, 2>();
  if (std::strcmp(what, "unreleased") != 0) release_tiles();
  if (std::strcmp(what, "released") == 0) clear_tile<0>();
}

}  // namespace

int run(int count, char** names) {
  if (!has_tile_registers()) {
    std::printf("this processor has no tile registers\n");
    return 1;
  }
  if (count > 1) {
    misuse(names[1]);
    return 0;
  }
  const bool is_right = multiplies_all() && multiplies_all_transposed() && follows_the_manual();
  if (is_right) std::printf("all products on tile registers are right\n");
  return is_right ? 0 : 1;
}

}  // namespace gatework::GATEWORK_ISA

int main(int count, char** names) { return gatework::GATEWORK_ISA::run(count, names); }
