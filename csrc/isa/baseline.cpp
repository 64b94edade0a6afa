// The kernels compiled for baseline; CMakeLists.txt has the compiler's flags.
#define GATEWORK_ISA baseline
#include "bfloat16.inc"
#include "kernels.inc"
