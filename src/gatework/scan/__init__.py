"""What computes one layer in one direction: a cell run over a sequence batch, and its derivatives.

options          what acts around a cell at every step
reference        the cell's step() in a plain loop: the oracle, and the path of whatever has no kernel
kernels, jit     which native kernels there are; those of a custom cell are compiled on first use
layout, weights  what is checked before an address crosses to the native side
native           the calls of the kernels
operators        one scan as operators of torch
options_native   one scan with something around its cell, on the kernels
exported         one scan as a single node of a compiled or exported program
stack            layers on top of each other
streaming        one time step at a time
double_backward  the derivative of the backward pass
counter_rng      random masks by counters
"""
