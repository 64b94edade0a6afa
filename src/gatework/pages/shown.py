"""A page that was written: a path to a program, the page itself in a notebook."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass
from pathlib import Path

_HEIGHT = 640


@dataclass(frozen=True)
class Shown(os.PathLike[str]):
    """A page of a file.

    Attributes:
        path: The file.
    """

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def _repr_html_(self) -> str:
        """The page within a notebook, in a frame of its own, so that neither's style or script touches the other's."""
        name = html.escape(str(self.path))
        content = html.escape(self.path.read_text(encoding="utf-8"))
        frame = f'<iframe title="{name}" srcdoc="{content}" style="width:100%;height:{_HEIGHT}px;border:0"></iframe>'
        return f"{frame}<p><small>{name}</small></p>"
