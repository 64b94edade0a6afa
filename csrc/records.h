// What Python hands over, by name: each record is a NamedTuple of gatework/scan/records.py with the same fields in the
// same order, which a test compares. Addresses are numbers, 0 for null.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <string>
#include <tuple>
#include <vector>

#include "arguments.h"

namespace gatework::records {

using Address = uint64_t;
using States = std::array<Address, max_states>;

// A record has its fields, and `fields()` that ties them in the order of `names`.
#define GATEWORK_RECORD(...)                      \
  auto fields() { return std::tie(__VA_ARGS__); } \
  static constexpr const char* text = #__VA_ARGS__;

struct RowRecord {
  int64_t steps, batch;
  Address batch_sizes, offsets;
  GATEWORK_RECORD(steps, batch, batch_sizes, offsets)
};

struct WeightRecord {
  int64_t input, hidden, output;
  Address weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, weight_unit;
  GATEWORK_RECORD(input, hidden, output, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, weight_unit)
};

struct OptionRecord {
  std::array<double, state_option_count * max_states> after;
  bool is_random;
  std::array<uint64_t, state_option_count * max_states> seeds;
  bool is_normalised;
  Address mask, input_gain, gain, bias, state_gain, state_bias, normalised_product, normalised_state, scale;
  GATEWORK_RECORD(after, is_random, seeds, is_normalised, mask, input_gain, gain, bias, state_gain, state_bias,
                  normalised_product, normalised_state, scale)
};

struct ForwardRecord {
  int64_t place;
  bool reverse;
  WeightRecord weights;
  Address x, output, saved;
  std::vector<Address> trace;
  GATEWORK_RECORD(place, reverse, weights, x, output, saved, trace)
};

// weight_hr is left to the caller.
struct GradientRecord {
  Address x, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, weight_unit;
  GATEWORK_RECORD(x, weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, weight_unit)
};

struct NormGradientRecord {
  Address gain, bias, state_gain, state_bias;
  GATEWORK_RECORD(gain, bias, state_gain, state_bias)
};

struct BackwardRecord {
  int64_t place;
  bool reverse;
  WeightRecord weights;
  Address x, d_output, output, saved, d_projected;
  GradientRecord gradients;
  GATEWORK_RECORD(place, reverse, weights, x, d_output, output, saved, d_projected, gradients)
};

#undef GATEWORK_RECORD

// What kernels take, of the records.
template <class T = void>
T* at(Address address) {
  return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

inline Weights weights_of(const WeightRecord& w) {
  return {w.input,       w.hidden,      w.output,        at(w.weight_ih),  at(w.weight_hh),
          at(w.bias_ih), at(w.bias_hh), at(w.weight_hr), at(w.weight_unit)};
}

inline StepOptions options_of(const OptionRecord& r) {
  StepOptions options{};
  for (int k = 0; k < state_option_count; ++k) {
    for (int s = 0; s < max_states; ++s) {
      options.after[k][s] = r.after[static_cast<size_t>(k * max_states + s)];
      options.seeds[k][s] = r.seeds[static_cast<size_t>(k * max_states + s)];
    }
  }
  options.is_random = r.is_random;
  options.is_normalised = r.is_normalised;
  options.mask = at(r.mask);
  options.input_gain = at(r.input_gain);
  options.gain = at(r.gain);
  options.bias = at(r.bias);
  options.state_gain = at(r.state_gain);
  options.state_bias = at(r.state_bias);
  options.normalised_product = at(r.normalised_product);
  options.normalised_state = at(r.normalised_state);
  options.scale = at(r.scale);
  return options;
}

}  // namespace gatework::records

namespace nanobind::detail {

// Reads a tuple into the fields of a record, by what the stable ABI has: no macro of CPython's.
template <class Record>
struct record_caster {
  NB_TYPE_CASTER(Record, const_name("tuple"))

  bool from_python(handle source, uint8_t flags, cleanup_list* cleanup) noexcept {
    auto fields = value.fields();
    constexpr size_t count = std::tuple_size_v<decltype(fields)>;
    if (!PyTuple_Check(source.ptr()) || PyTuple_Size(source.ptr()) != static_cast<Py_ssize_t>(count)) return false;
    Py_ssize_t place = 0;
    return std::apply(
        [&](auto&... field) { return (read(PyTuple_GetItem(source.ptr(), place++), field, flags, cleanup) && ...); },
        fields);
  }

  static handle from_cpp(const Record&, rv_policy, cleanup_list*) noexcept { return {}; }

 private:
  template <class Field>
  static bool read(handle item, Field& field, uint8_t flags, cleanup_list* cleanup) {
    make_caster<Field> caster;
    if (!caster.from_python(item, flags, cleanup)) return false;
    field = caster.operator cast_t<Field>();
    return true;
  }
};

template <>
struct type_caster<gatework::records::RowRecord> : record_caster<gatework::records::RowRecord> {};
template <>
struct type_caster<gatework::records::WeightRecord> : record_caster<gatework::records::WeightRecord> {};
template <>
struct type_caster<gatework::records::OptionRecord> : record_caster<gatework::records::OptionRecord> {};
template <>
struct type_caster<gatework::records::ForwardRecord> : record_caster<gatework::records::ForwardRecord> {};
template <>
struct type_caster<gatework::records::GradientRecord> : record_caster<gatework::records::GradientRecord> {};
template <>
struct type_caster<gatework::records::NormGradientRecord> : record_caster<gatework::records::NormGradientRecord> {};
template <>
struct type_caster<gatework::records::BackwardRecord> : record_caster<gatework::records::BackwardRecord> {};

}  // namespace nanobind::detail
