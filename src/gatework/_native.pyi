"""The native kernels; `_kernels` is the only caller."""

from collections.abc import Sequence
from typing import Any

MAX_STATES: int
MAX_NAMED: int
ISAS: list[str]
CELLS: list[str]

def is_compiled(isa: int, /) -> bool: ...
def is_supported(isa: int, /) -> bool: ...
def find_kernel(isa: int, cell: int, is_double: bool, variant: int, /) -> int: ...

class Around: ...

def around(
    zoneout: Sequence[float],
    is_random: bool,
    seeds: Sequence[int],
    clip: float,
    clipped: int,
    is_normalised: bool,
    parts: Sequence[int],
    /,
) -> Around: ...
def describe(kernel: int, /) -> dict[str, Any]: ...
def packed_size(kernel: int, parts: Sequence[int], /) -> list[int]: ...
def pack_forward(kernel: int, parts: Sequence[int], weights: int, projection: int, /) -> None: ...
def pack_backward(kernel: int, parts: Sequence[int], with_input: bool, weights: int, projection: int, /) -> None: ...
def step(
    kernel: int, batch: int, parts: Sequence[int], x: int, previous: Sequence[int], next: Sequence[int], output: int, /
) -> None: ...
def forward(
    kernel: int,
    threads: int,
    sizes: Sequence[int],
    x: int,
    weights: int,
    projection: int,
    unit: int,
    initial: Sequence[int],
    output: int,
    final: Sequence[int],
    kept: int,
    previous: Sequence[int],
    next: Sequence[int],
    named: Sequence[int],
    around: Around | int,
    /,
) -> int: ...
def backward(
    kernel: int,
    threads: int,
    sizes: Sequence[int],
    x: int,
    weights: int,
    projection: int,
    unit: int,
    d_output: int,
    d_final: Sequence[int],
    initial: Sequence[int],
    output: int,
    kept: int,
    previous: Sequence[int],
    next: Sequence[int],
    d_projected: int,
    d_initial: Sequence[int],
    results: Sequence[int],
    around: Around | int,
    /,
) -> int: ...
