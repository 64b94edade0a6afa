"""All that is generated from the cells: `python -m gatework.cells._write FOLDER`, which is `make cells`.

In the folder, `csrc/cells`, the C++; beside this file, the sizes of every built-in cell.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from gatework.cells import REGISTRY, CellSpec, _emit, _emit_options


def write(specs: Iterable[CellSpec], folder: Path) -> list[Path]:
    """Write the header of each cell, and `all.h` that lists them.

    Returns:
        The files, in the order written.
    """
    texts = texts_of(specs)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def texts_of(specs: Iterable[CellSpec]) -> dict[str, str]:
    """The name and the text of every generated file."""
    specs = list(specs)
    listing = [
        "// Every built-in cell. Generated from src/gatework/cells by `make cells`.",
        "// clang-format off",
        *(f'#include "{s.name}.h"' for s in specs),
        "",
    ]
    names = [
        "// The names of the built-in cells. Generated from src/gatework/cells by `make cells`.",
        "// clang-format off",
        "// Calls X(name) for each.",
        f"#define GATEWORK_CELLS(X) {' '.join(f'X({s.name})' for s in specs)}",
        "",
    ]
    texts = {f"{s.name}.h": _emit.header(s) for s in specs}
    return {**texts, **_emit_options.texts(), "all.h": "\n".join(listing), "names.h": "\n".join(names)}


SHAPES = Path(__file__).with_name("shapes.py")


def shapes_text(specs: Iterable[CellSpec]) -> str:
    """The text of `shapes.py`."""
    rows = [
        f'    "{s.name}": CellShape({len(s.input_gates)}, {len(s.recurrent_gates)}, {len(s.unit_weights)}, '
        f"{len(s.states)}),\n"
        for s in specs
    ]
    return _SHAPES_HEAD + "".join(rows) + "}\n"


_SHAPES_HEAD = '''"""The sizes of the built-in cells, for whoever must not wait for torch, which equations need.

Generated from the cells by `make cells`: change step(), not this file.
"""

from __future__ import annotations

from typing import NamedTuple


class CellShape(NamedTuple):
    """How much of everything a cell has.

    Attributes:
        input_gates: Gates that the input product feeds.
        recurrent_gates: Gates that the recurrent product feeds.
        unit_weights: Learnt vectors with one number for each unit.
        states: States carried from step to step, h first.
    """

    input_gates: int
    recurrent_gates: int
    unit_weights: int
    states: int


SHAPES: dict[str, CellShape] = {
'''


if __name__ == "__main__":
    write(REGISTRY.values(), Path(sys.argv[1]))
    SHAPES.write_text(shapes_text(REGISTRY.values()))
