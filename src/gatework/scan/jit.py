"""The native kernels of a person's own cells: found, compiled or given up, once for each cell and element type."""

from __future__ import annotations

import ctypes
import sys
import threading
from pathlib import Path

from gatework import _native
from gatework.cells import CustomCell
from gatework.cells._build import SYMBOL, BuildError, library
from gatework.cells._derive import Derivation, derive

_MOST_GATES = 4  # what one product feeds must fit into a tile of registers (csrc/pack.h)

# By cell, instruction set, element type and variant: where its native table is, or None where there is none. The cell
# itself is the key, so a cell that is defined anew under the same name is another one.
_tables: dict[tuple[CustomCell, str, str, str], int | None] = {}
_libraries: list[ctypes.CDLL] = []
_lock = threading.Lock()


def address(cell: CustomCell, isa: str, operands: str, variant: str) -> int | None:
    """Where the native table of a cell is, compiled on first use; None where the cell runs as the reference.

    Args:
        cell: The cell.
        isa: The instruction set.
        operands: What the products of its element type are made of, in C++.
        variant: What the kernel does besides the cell, as `kernels.Variant`.
    """
    key = (cell, isa, operands, variant)
    if key not in _tables:
        with _lock:
            if key not in _tables:
                _tables[key] = _load(cell, isa, operands, variant)
    return _tables[key]


def _load(cell: CustomCell, isa: str, operands: str, variant: str) -> int | None:
    derivation = derive(cell, is_normalised=variant == "normalised")
    try:
        _check(derivation)
        headers = Path(str(_native.__file__)).parent / "csrc"
        # Doubles are for checks: as in the package, theirs run with nothing around the cell where nothing is asked for.
        has_options = variant != "plain" or operands == "Exact<Widest<double>>"
        path = library(cell.name, derivation, isa, operands, headers, has_options=has_options)
        ctypes.CDLL(_native.__file__, mode=ctypes.RTLD_GLOBAL)  # has what kernels share, and is seen by what comes now
        loaded = ctypes.CDLL(str(path))
    except (BuildError, OSError) as error:
        print(f"gatework: the cell {cell.name} runs as the reference, which is slow: {error}", file=sys.stderr)
        return None
    _libraries.append(loaded)
    return ctypes.addressof(ctypes.c_char.in_dll(loaded, SYMBOL))


def _check(derivation: Derivation) -> None:
    """Whether the scan has room for the cell."""
    spec = derivation.spec
    counts = {
        "gates that the input product feeds": (len(spec.input_gates), _MOST_GATES),
        "gates that the recurrent product feeds": (len(spec.recurrent_gates), _MOST_GATES),
        "states": (len(spec.states), _native.MAX_STATES),
        "named values": (len(derivation.named), _native.MAX_TRACED),
    }
    if not derivation.can_be_cut:
        raise BuildError("the norm of one of its states depends on that of another")
    for what, (count, most) in counts.items():
        if count > most:
            raise BuildError(f"it has {count} {what}, and the kernels take {most}")
