"""Which native kernels there are, for the instruction set in use; `native` calls them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import torch

from gatework import _native
from gatework.cells import REGISTRY, CellSpec, CustomCell
from gatework.errors import UsageError
from gatework.scan import jit
from gatework.scan.isa import active_isa, supported_isas, use_isa

__all__ = ["COMPUTED", "VARIANTS", "Kernel", "Variant", "active_isa", "find", "gains_by_bfloat16", "has"]
__all__ += ["multiplies_bfloat16", "spare_compiling", "supported_isas", "use_isa"]

# By element type, in the native side's order: what a scan's x and output are, and what all else is.
COMPUTED = {torch.float32: torch.float32, torch.float64: torch.float64, torch.bfloat16: torch.float32}
_ELEMENTS = tuple(COMPUTED)
# What the native side's products are made of for each, as csrc/elements.h says for the built-in cells.
_OPERANDS = ("Exact<Widest<float>>", "Exact<Widest<double>>", "RoundedOperands<Widest<float>>")
# What a kernel does at every step besides the cell itself: nothing, masks and clipping, layer norm too.
Variant = Literal["plain", "options", "normalised"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
_is_spared: ContextVar[bool] = ContextVar("_is_spared", default=False)


@contextmanager
def spare_compiling() -> Iterator[None]:
    """Let a person's own cells run as the reference in here, where a few steps take less time than a compiler."""
    token = _is_spared.set(True)
    try:
        yield
    finally:
        _is_spared.reset(token)


def multiplies_bfloat16() -> bool:
    """Whether the instruction set in use multiplies bfloat16 numbers itself; else they become float32 first."""
    return _isa_for(torch.bfloat16) != _isa_for(torch.float32)


def gains_by_bfloat16() -> bool:
    """Whether it does so in less time than it multiplies float32; Intel's processors without AMX take twice as long."""
    return multiplies_bfloat16() and _native.gains_by_bfloat16()


@dataclass(frozen=True, slots=True)
class Kernel:
    """The native kernels of one cell in one element type and instruction set.

    Attributes:
        address: Where the native table is.
        spec: The cell.
        normalised: How many states are normalised within the step.
        names: What a trace of the cell holds, in order.
    """

    address: int
    spec: CellSpec
    normalised: int
    names: tuple[str, ...]

    def saved_width(self, hidden: int, is_projected: bool, options: _native.Options | int = 0) -> int:
        """How many values of each row the forward pass saves for the backward pass."""
        return hidden * _native.saved_planes(self.address, is_projected, options)


def has(spec: CellSpec, dtype: torch.dtype, variant: Variant = "plain") -> bool:
    """Whether the cell has native kernels for `dtype`; a person's own is compiled to find out."""
    if REGISTRY.get(spec.name) != spec or dtype not in COMPUTED:
        return False
    if dtype == torch.bfloat16 and variant != "plain":
        return False
    if spec.name in _native.CELLS:
        return True
    # A program that is being traced calls an operator, which compiles the cell when it runs.
    return (
        not torch.compiler.is_compiling()
        and isinstance(spec, CustomCell)
        and not _is_spared.get()
        and _address_of(spec, dtype, variant) is not None
    )


def _address_of(spec: CustomCell, dtype: torch.dtype, variant: Variant) -> int | None:
    return jit.address(spec, _isa_for(dtype), _OPERANDS[_ELEMENTS.index(dtype)], variant)


def _isa_for(dtype: torch.dtype) -> str:
    """Whose kernels the active instruction set has for `dtype`; one that is made for bfloat16 has no others."""
    return _native.ISAS[_native.owner(_native.ISAS.index(active_isa()), _ELEMENTS.index(dtype))]


def find(name: str, dtype: torch.dtype, variant: Variant = "plain") -> Kernel:
    """The kernels of a registered cell for `dtype` in the active instruction set."""
    return _find(REGISTRY[name], dtype, active_isa(), variant)


@cache
def _find(spec: CellSpec, dtype: torch.dtype, isa: str, variant: Variant) -> Kernel:
    if isinstance(spec, CustomCell):
        address = _address_of(spec, dtype, variant)
        if address is None:
            raise UsageError(f'the cell "{spec.name}" has no native kernels here')
    else:
        places = _native.ISAS.index(isa), _native.CELLS.index(spec.name)
        address = _native.find_kernel(*places, _ELEMENTS.index(dtype), VARIANTS.index(variant))
    described = _native.describe(address)
    return Kernel(address, spec, described["normalised"], tuple(described["names"]))
