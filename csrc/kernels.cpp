// The kernels of one instruction set for one type of element, with nothing around the cell: a table [cell].
#include "cells/names.h"
#include "elements.h"
#include "shared.h"

namespace gatework::GATEWORK_ISA {

GATEWORK_TABLE(shared)(Operands);

#define GATEWORK_ENTRY(cell) KernelOf<cell, Operands>::kernel(),
extern const Kernel GATEWORK_TABLE(kernels)[] = {GATEWORK_CELLS(GATEWORK_ENTRY)};

}  // namespace gatework::GATEWORK_ISA
