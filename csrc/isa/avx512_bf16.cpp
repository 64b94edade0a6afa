// The kernels for factors rounded to bfloat16 where AVX-512 multiplies pairs of them; all others are those of avx512.
// CMakeLists.txt has the compiler's flags.
#define GATEWORK_ISA avx512_bf16
#include "bfloat16.inc"
