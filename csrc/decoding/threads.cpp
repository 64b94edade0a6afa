// This library has a pool of threads of its own, the same as the kernels'.
#include "../threads.cpp"
