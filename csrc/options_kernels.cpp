// The kernels of one instruction set for one type of element that is not rounded, with something around the cell: a
// table [cell][variant]. An object of its own, as it takes as long to compile as all others and is rarely what a
// training runs.
#include "cells/names.h"
#include "elements.h"
#include "shared.h"

namespace gatework::GATEWORK_ISA {

GATEWORK_TABLE(options_shared)(Operands);

#define GATEWORK_ROW(cell) \
  {KernelOf<cell, Operands, true>::kernel(), KernelOf<cell##_normalised, Operands, true>::kernel()},
extern const OptionsRow GATEWORK_TABLE(options_kernels)[] = {GATEWORK_CELLS(GATEWORK_ROW)};

}  // namespace gatework::GATEWORK_ISA
