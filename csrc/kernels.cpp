// The kernels of one instruction set for one type of element: a table [cell][variant]. Compiled once for each pair of
// them; CMakeLists.txt defines GATEWORK_ISA and GATEWORK_ELEMENT (a name of Element) and has the compiler's flags.
#include "kernels.h"

#include "cells/names.h"
#include "dispatch.h"

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

// Nothing acts around a cell whose factors are rounded: there is no such kernel.
template <class Cell, class O>
constexpr Kernel options_kernel() {
  if constexpr (O::is_rounded) {
    return {};
  } else {
    return KernelOf<Cell, O, true>::kernel();
  }
}

#define GATEWORK_ROW(cell) \
  {KernelOf<cell, Operands>::kernel(), options_kernel<cell, Operands>(), options_kernel<cell##_normalised, Operands>()},
#define GATEWORK_JOIN(element) element##_kernels
#define GATEWORK_TABLE(element) GATEWORK_JOIN(element)
extern const KernelRow GATEWORK_TABLE(GATEWORK_ELEMENT)[] = {GATEWORK_CELLS(GATEWORK_ROW)};

}  // namespace gatework::GATEWORK_ISA
