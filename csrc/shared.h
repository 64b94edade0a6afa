// What kernels share that knows no cell, by what products are made of. A library of kernels makes it visible; a
// person's own cell, which is compiled by itself, takes it from there and compiles in half the time. Its unit defines
// GATEWORK_TAKES_SHARED before it includes anything.
#pragma once

#include "kernels.h"

#define GATEWORK_VISIBLE __attribute__((visibility("default")))

// `keyword` is extern where it is taken, and nothing where it is made.
#define GATEWORK_SHARE(keyword, O)                                                                                 \
  keyword template GATEWORK_VISIBLE void multiply<O>(int, int, const Product<O>&);                                 \
  keyword template GATEWORK_VISIBLE void multiply_rows<O>(int64_t, int64_t, int64_t, const O::T*, const O::T*,     \
                                                          int64_t, O::T*, const Segments<O::Element>&,             \
                                                          const Destination<O>&);                                  \
  keyword template GATEWORK_VISIBLE void WeightGradients<O>::flush();                                              \
  keyword template GATEWORK_VISIBLE int64_t Packing<O>::forward_bytes(const Feeds&, const ForwardArguments&);      \
  keyword template GATEWORK_VISIBLE int64_t Packing<O>::backward_bytes(const Feeds&, const BackwardArguments&);    \
  keyword template GATEWORK_VISIBLE Panels Packing<O>::pack_forward(const Feeds&, const ForwardArguments&, void*); \
  keyword template GATEWORK_VISIBLE Panels Packing<O>::pack_backward(const Feeds&, const BackwardArguments&, void*)

// What scans in float32 share besides, where nothing acts around the cell.
#define GATEWORK_SHARE_PLAIN(keyword, O)                                                                         \
  keyword template GATEWORK_VISIBLE void multiply_beside<O>(int, const ProductBeside<O>&);                       \
  keyword template GATEWORK_VISIBLE void InputSums<O>::read(const Feeds&, const ForwardArguments&, Range) const; \
  keyword template GATEWORK_VISIBLE void InputSums<O>::start(const Feeds&, const ForwardArguments&) const;       \
  keyword template GATEWORK_VISIBLE void BatchLanesGradients<O::V>::finish();                                    \
  keyword template GATEWORK_VISIBLE void BatchLanesGradients<O::V>::flush()

// By element, what kernels.cpp makes, and what options_kernels.cpp makes or takes from there.
#define float32_shared(O) \
  GATEWORK_SHARE(, O);    \
  GATEWORK_SHARE_PLAIN(, O)
#define bfloat16_shared(O) GATEWORK_SHARE(, O)
#define float32_options_shared(O) GATEWORK_SHARE(extern, O)
#define float64_options_shared(O) GATEWORK_SHARE(, O)
