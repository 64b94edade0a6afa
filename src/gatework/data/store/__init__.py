"""Data larger than memory: one pass over tables into arrays on disk, of which training maps what a batch needs.

`sources` reads tables piece by piece, `packing`, `timelines` and `sorting` write them, `files` is how arrays stand on
disk, `shuffle` is an order that is computed rather than kept, `inputs`, `examples` and `cuts` are what a task sees: the
same as of data in memory.
"""
