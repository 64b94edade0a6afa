"""The native kernels; the packages below `gatework.scan` are the only callers."""

from collections.abc import Sequence
from typing import Any

from gatework.scan.records import (
    BackwardRecord,
    ForwardRecord,
    NormGradientRecord,
    OptionRecord,
    RowRecord,
    WeightRecord,
)

MAX_STATES: int
MAX_TRACED: int
ISAS: list[str]
CELLS: list[str]
RECORDS: dict[str, str]

BYTE_ISAS: list[str]

def give_back_freed_memory(above: int, /) -> None: ...
def is_compiled(isa: int, /) -> bool: ...
def is_supported(isa: int, /) -> bool: ...
def gains_by_bfloat16() -> bool: ...
def owner(isa: int, element: int, /) -> int: ...
def find_kernel(isa: int, cell: int, element: int, variant: int, /) -> int: ...

class Options: ...

def options(record: OptionRecord, /) -> Options: ...
def describe(kernel: int, /) -> dict[str, Any]: ...
def step(
    kernel: int,
    batch: int,
    weights: WeightRecord,
    x: int,
    previous: Sequence[int],
    next: Sequence[int],
    output: int,
    options: Options | int,
    /,
) -> int: ...
def saved_planes(kernel: int, is_projected: bool, options: Options | int, /) -> int: ...
def forward(
    kernel: int,
    threads: int,
    rows: RowRecord,
    initial: Sequence[int],
    final: Sequence[int],
    layers: Sequence[ForwardRecord],
    options: Options | int,
    /,
) -> int: ...
def backward(
    kernel: int,
    threads: int,
    rows: RowRecord,
    d_final: Sequence[int],
    initial: Sequence[int],
    d_initial: Sequence[int],
    layers: Sequence[BackwardRecord],
    options: Options | int,
    d_norms: NormGradientRecord,
    /,
) -> int: ...

# Layers on int8.
def has_byte_isa(isa: int, /) -> bool: ...
def find_byte_kernel(isa: int, cell: int, /) -> int: ...
def byte_panels(kernel: int, input: int, hidden: int, /) -> int: ...
def pack_bytes(kernel: int, input: int, hidden: int, weights: Sequence[int], panels: int, /) -> None: ...
def forward_bytes(
    kernel: int,
    threads: int,
    rows: RowRecord,
    reverse: bool,
    input: int,
    hidden: int,
    panels: int,
    unit: int,
    x: int,
    initial: Sequence[int],
    final: Sequence[int],
    output: int,
    /,
) -> bool: ...
def integers(
    isa: int, row: int, width: int, matrix: int, hidden: int, bytes: int, worth: int, sums: int, /
) -> None: ...

# Losses over many columns; addresses of 0 where there is no bias, and where a gradient is not wanted.
def cross_entropy(
    isa: int,
    element: int,
    threads: int,
    sizes: Sequence[int],
    given: Sequence[int],
    smoothing: float,
    scale: float,
    losses: int,
    gradients: Sequence[int],
    /,
) -> int: ...
def attend(isa: int, threads: int, sizes: Sequence[int], given: Sequence[int], contexts: int, /) -> None: ...
def attend_backward(
    isa: int, threads: int, sizes: Sequence[int], given: Sequence[int], gradients: Sequence[int], /
) -> None: ...
