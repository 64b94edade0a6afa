"""The instruction set in use: the best that this build and this processor have, or another that is forced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from gatework import _native
from gatework.errors import UsageError, nearest

_forced: list[str] = []


def supported_isas() -> tuple[str, ...]:
    """The instruction sets that this build has and this processor runs, in ascending order of preference."""
    return tuple(n for k, n in enumerate(_native.ISAS) if _native.is_compiled(k) and _native.is_supported(k))


def active_isa() -> str:
    """The instruction set in use: the best supported one, or what `GATEWORK_ISA` names.

    Raises:
        UsageError: `GATEWORK_ISA` names none, or one that this processor or build does not have.
    """
    return _forced[-1] if _forced else _default_isa()


@cache
def _default_isa() -> str:
    return _chosen(os.environ.get("GATEWORK_ISA", ""))


def _chosen(wanted: str) -> str:
    usable = supported_isas()
    if not wanted:
        return usable[-1]
    if wanted not in _native.ISAS:
        raise UsageError(f'GATEWORK_ISA="{wanted}" names no instruction set: {nearest(wanted, _native.ISAS)}')
    if wanted not in usable:
        lacking = "build" if not _native.is_compiled(_native.ISAS.index(wanted)) else "processor"
        raise UsageError(f'GATEWORK_ISA="{wanted}": this {lacking} does not have it; it has {", ".join(usable)}')
    return wanted


@contextmanager
def use_isa(name: str) -> Iterator[None]:
    """Force an instruction set for the calls inside, in all threads."""
    _forced.append(_chosen(name))
    try:
        yield
    finally:
        _forced.pop()
