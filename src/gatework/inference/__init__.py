"""Trained networks that only answer: weights as NumPy arrays, layers by the native kernels, and no torch.

_rows      sequences of several lengths as the rows that a kernel reads
_layers    the recurrent layers, over whole sequences or one step at a time
_quantized_layers  the same on int8
_pooling   what the output sees of their states over time
sequence   the network of a task that maps each sequence to one vector
"""
