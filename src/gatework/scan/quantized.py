r"""Layers on int8: each row of a weight matrix is rounded to 127 steps of its largest number, on both sides of zero.

A product of a row $w$ of weights with a vector $v$, which is the input or the last $h$, becomes

$$w \cdot v \approx s_w s_v \sum_k q_k p_k, \quad q_k = \mathrm{round}(w_k / s_w),\ p_k = \mathrm{round}(v_k / s_v),
\quad s_w = \max_k |w_k| / 127,\ s_v = \max_k |v_k| / 127.$$

The vector is rounded anew at every step; the sum is one of integers, exact and the same on every instruction set; gates
and states are float32 as everywhere. Nothing here needs torch: whoever calls holds arrays and gives their addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatework import _native
from gatework.cells.shapes import SHAPES
from gatework.scan.isa import active_isa
from gatework.scan.records import RowRecord

LARGEST = 127
"""The largest byte; the smallest is its negative."""

# What each instruction set of the float kernels may compute bytes with, in ascending order of preference.
_ALLOWED = {
    "baseline": ("baseline",),
    "avx2": ("baseline", "avx2", "avx2_vnni"),
    "neon": ("neon", "neon_dot"),
}
_WIDEST = ("baseline", "avx2", "avx2_vnni", "avx512_vnni")


class ByteRows(NamedTuple):
    """A matrix whose rows are bytes.

    Attributes:
        values: Shape (rows, width), int8, none of them -128.
        scales: What a byte of 1 is worth in each row, shape (rows,), float32.
    """

    values: NDArray[np.int8]
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: NDArray[np.float32]) -> ByteRows:
        """The nearest such matrix."""
        most = np.abs(matrix).max(1, initial=0)
        steps = np.divide(LARGEST, most, out=np.zeros_like(most), where=most > 0)
        values = np.rint(matrix * steps[:, None]).astype(np.int8)
        return cls(values, (most / LARGEST).astype(np.float32))

    def numbers(self) -> NDArray[np.float32]:
        """The matrix in float32."""
        return self.values * self.scales[:, None]


class ByteWeights(NamedTuple):
    """The weights of one layer and direction, in the rows that torch has.

    Attributes:
        weight_ih: Of the input product.
        weight_hh: Of the recurrent product; without rows where the cell has none.
        bias_ih: Shape (input gates x hidden,), or None.
        bias_hh: Shape (recurrent gates x hidden,), or None.
        weight_unit: The learnt vectors of a cell, shape (vectors, hidden), or None; they stay as they are.
    """

    weight_ih: ByteRows
    weight_hh: ByteRows
    bias_ih: NDArray[np.float32] | None
    bias_hh: NDArray[np.float32] | None
    weight_unit: NDArray[np.float32] | None


def has_kernel(cell: str) -> bool:
    """Whether a cell can be computed on bytes: the built-in ones."""
    return cell in _native.CELLS


def byte_isas() -> tuple[str, ...]:
    """The instruction sets that bytes may be multiplied on, in ascending order of preference."""
    allowed = _ALLOWED.get(active_isa(), _WIDEST)
    return tuple([name for name in allowed if _native.has_byte_isa(_native.BYTE_ISAS.index(name))])


class ByteScan:
    """One layer in one direction on bytes, its weights in the order in which the kernel reads them.

    Args:
        cell: A cell of which `has_kernel()` is true.
        weights: They are copied, but for `weight_unit`.

    Attributes:
        input: Features of the input.
        hidden: The hidden size.
        states: How many states the cell has.
    """

    def __init__(self, cell: str, weights: ByteWeights) -> None:
        shape = SHAPES[cell]
        self.input, self.states = weights.weight_ih.values.shape[1], shape.states
        self.hidden = weights.weight_ih.values.shape[0] // shape.input_gates
        self._kernel = _native.find_byte_kernel(_native.BYTE_ISAS.index(byte_isas()[-1]), _native.CELLS.index(cell))
        self._panels = np.zeros(_native.byte_panels(self._kernel, self.input, self.hidden), np.uint8)
        self._unit = weights.weight_unit
        parts = (weights.weight_ih.values, weights.weight_hh.values, weights.weight_ih.scales, weights.weight_hh.scales)
        arrays = [None if a is None else np.ascontiguousarray(a) for a in (*parts, weights.bias_ih, weights.bias_hh)]
        addresses = [_address(array) for array in arrays]
        _native.pack_bytes(self._kernel, self.input, self.hidden, addresses, self._panels.ctypes.data)
        self._fixed = self.input, self.hidden, self._panels.ctypes.data, _address(self._unit)

    def run(
        self, rows: RowRecord, *, reverse: bool, threads: int, x: int, initial: Sequence[int], final: Sequence[int],
        output: int,
    ) -> None:  # fmt: skip
        """Runs over a batch.

        Args:
            rows: Which rows there are.
            reverse: Whether each sequence is read from its end.
            threads: How many threads compute at most.
            x: The address of the input, (rows, input).
            initial: The addresses of the states before, each (batch, hidden).
            final: Those of the states after.
            output: That of h at each step, (rows, hidden).

        Raises:
            MemoryError: There is no memory for what is under way.
        """
        missing = (0,) * (_native.MAX_STATES - self.states)
        before, after = (*initial, *missing), (*final, *missing)
        if not _native.forward_bytes(self._kernel, threads, rows, reverse, *self._fixed, x, before, after, output):
            raise MemoryError("gatework: no memory for a scan's scratch space")


def _address(array: np.ndarray | None) -> int:
    return 0 if array is None else array.ctypes.data
