"""All generated files of `csrc/cells`: `python -m gatework.cells._write FOLDER`, which is `make cells`."""

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


if __name__ == "__main__":
    write(REGISTRY.values(), Path(sys.argv[1]))
