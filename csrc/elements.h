// Of what the products of each type of element are made, and the names of its tables. CMakeLists.txt defines
// GATEWORK_ISA and GATEWORK_ELEMENT (a name of Element) for what is compiled once for each pair.
#pragma once

#include "dispatch.h"
#include "kernels.h"

#ifndef GATEWORK_ELEMENT
#error "define GATEWORK_ELEMENT, the type of element"
#endif

namespace gatework::GATEWORK_ISA {

template <Element>
struct OperandsOf;
template <>
struct OperandsOf<Element::float32> {
  using type = Exact<Widest<float>>;
};
template <>
struct OperandsOf<Element::float64> {
  using type = Exact<Widest<double>>;
};
template <>
struct OperandsOf<Element::bfloat16> {
  using type = RoundedOperands<Widest<float>>;
};
using Operands = OperandsOf<Element::GATEWORK_ELEMENT>::type;

}  // namespace gatework::GATEWORK_ISA

#define GATEWORK_JOIN(element, table) element##_##table
#define GATEWORK_JOIN_EXPANDED(element, table) GATEWORK_JOIN(element, table)
#define GATEWORK_TABLE(table) GATEWORK_JOIN_EXPANDED(GATEWORK_ELEMENT, table)
