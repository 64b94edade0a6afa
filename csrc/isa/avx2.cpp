// The kernels compiled for avx2; CMakeLists.txt has the compiler's flags.
#define GATEWORK_ISA avx2
#include "bfloat16.inc"
#include "kernels.inc"
