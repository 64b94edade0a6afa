// The door to reading out a decoder; gatework/decoding/searching.py checks every value before it comes here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <vector>

#include "read_out.h"

namespace nb = nanobind;
using gatework::decoding::Memories;
using gatework::decoding::ReadOut;
using gatework::decoding::Rows;

namespace {

template <class T, size_t Dimensions>
using Array = nb::ndarray<T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;

// hidden, memory, key, features, vocabulary, the banned token, the first token given once, how many, and the end;
// query, its bias, weigh, join, output and bias.
ReadOut weights_of(const std::array<int64_t, 9>& sizes, const std::array<uintptr_t, 6>& addresses) {
  const auto matrix = [&](size_t k) { return reinterpret_cast<const float*>(addresses[k]); };
  return {sizes[0],  sizes[1],  sizes[2],  sizes[3], sizes[4], matrix(0), matrix(1), matrix(2),
          matrix(3), matrix(4), matrix(5), sizes[5], sizes[6], sizes[7],  sizes[8]};
}

}  // namespace

void bind_read_out(nb::module_& m) {
  m.def("read_out",
        [](const std::array<int64_t, 9>& sizes, const std::array<uintptr_t, 6>& addresses, Array<const float, 2> keys,
           Array<const float, 2> values, Array<const int64_t, 1> starts, Array<const int64_t, 1> shortlist,
           Array<const int64_t, 1> short_starts, Array<const float, 2> hidden, Array<const int64_t, 1> memory,
           Array<const uint64_t, 1> wanted, Array<float, 2> seen, Array<float, 2> features,
           Array<float, 2> log_probability, Array<int64_t, 2> tokens, int threads) {
          const ReadOut weights = weights_of(sizes, addresses);
          const Memories memories{keys.data(), values.data(), starts.data(),
                                  short_starts.shape(0) ? shortlist.data() : nullptr, short_starts.data()};
          const Rows rows{static_cast<int64_t>(hidden.shape(0)),
                          hidden.data(),
                          memory.data(),
                          wanted.data(),
                          static_cast<int64_t>(tokens.shape(1)),
                          static_cast<int64_t>(seen.shape(1)),
                          seen.data(),
                          features.data(),
                          log_probability.data(),
                          tokens.data()};
          const nb::gil_scoped_release release;
          gatework::decoding::read_out(weights, memories, rows, threads);
        });
}
