"""The native kernels; `_kernels` is the only caller."""

from collections.abc import Sequence
from typing import Any

MAX_STATES: int
MAX_NAMED: int
ISAS: list[str]
CELLS: list[str]

def is_compiled(isa: int, /) -> bool: ...
def is_supported(isa: int, /) -> bool: ...
def owner(isa: int, element: int, /) -> int: ...
def find_kernel(isa: int, cell: int, element: int, variant: int, /) -> int: ...

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
def step(
    kernel: int,
    batch: int,
    parts: Sequence[int],
    x: int,
    previous: Sequence[int],
    next: Sequence[int],
    output: int,
    around: Around | int,
    /,
) -> int: ...
def planes(kernel: int, is_projected: bool, around: Around | int, /) -> int: ...
def forward(
    kernel: int,
    threads: int,
    rows: Sequence[int],
    initial: Sequence[int],
    final: Sequence[int],
    layers: Sequence[tuple[int, bool, Sequence[int], int, int, int, Sequence[int]]],
    around: Around | int,
    /,
) -> int: ...
def backward(
    kernel: int,
    threads: int,
    rows: Sequence[int],
    d_final: Sequence[int],
    initial: Sequence[int],
    d_initial: Sequence[int],
    layers: Sequence[tuple[int, bool, Sequence[int], int, int, int, int, int, Sequence[int]]],
    around: Around | int,
    d_norms: Sequence[int],
    /,
) -> int: ...
