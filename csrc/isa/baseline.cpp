// The kernels compiled for baseline; CMakeLists.txt has the compiler's flags.
#define GATEWORK_ISA baseline
#include "kernels.inc"
