// The kernels compiled for avx512; CMakeLists.txt has the compiler's flags.
#define GATEWORK_ISA avx512
#include "bfloat16.inc"
#include "kernels.inc"
