// The kernels compiled for neon; CMakeLists.txt has the compiler's flags.
#define GATEWORK_ISA neon
#include "kernels.inc"
