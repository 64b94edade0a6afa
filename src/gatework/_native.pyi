"""The native kernels; `_kernels` is the only caller."""

from collections.abc import Sequence
from typing import Any

MAX_STATES: int
ISAS: list[str]
CELLS: list[str]

def is_compiled(isa: int, /) -> bool: ...
def is_supported(isa: int, /) -> bool: ...
def find_kernel(isa: int, cell: int, is_double: bool, /) -> int: ...
def describe(kernel: int, /) -> dict[str, Any]: ...
def packed_size(kernel: int, rows: int, columns: int, /) -> int: ...
def pack(
    kernel: int,
    is_forward: bool,
    hidden: int,
    output: int,
    recurrent: int,
    projection: int,
    packed_recurrent: int,
    packed_projection: int,
    /,
) -> None: ...
def forward(
    kernel: int,
    threads: int,
    sizes: Sequence[int],
    x_product: int,
    recurrent_bias: int,
    recurrent: int,
    projection: int,
    initial: Sequence[int],
    output: int,
    final: Sequence[int],
    kept: int,
    previous: Sequence[int],
    next: Sequence[int],
    named: int,
    /,
) -> int: ...
def backward(
    kernel: int,
    threads: int,
    sizes: Sequence[int],
    recurrent: int,
    projection: int,
    d_output: int,
    d_final: Sequence[int],
    initial: Sequence[int],
    output: int,
    kept: int,
    previous: Sequence[int],
    next: Sequence[int],
    d_accumulator: int,
    d_projected: int,
    d_initial: Sequence[int],
    /,
) -> int: ...
