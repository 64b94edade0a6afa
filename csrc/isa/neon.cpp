// The kernels compiled for neon; CMakeLists.txt has the compiler's flags.
#define GATEWORK_ISA neon
#include "bfloat16.inc"
#include "kernels.inc"
