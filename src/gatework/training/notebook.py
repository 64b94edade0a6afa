"""Progress that updates in place in a notebook."""

from __future__ import annotations

import html
import sys
import time
from collections.abc import Sequence
from typing import Any

from gatework.training.progress import Progress, describe

_SECONDS = 0.2
"""How often the bars move."""


def is_notebook() -> bool:
    """Whether a notebook's kernel runs this code, so that what it displays can be updated."""
    shell = sys.modules.get("IPython")
    return "ipykernel" in sys.modules and shell is not None and shell.get_ipython() is not None


class NotebookProgress(Progress):
    """One bar a run with its epoch and figures, below what was read and the network that learns from it."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self._make, self._display = HTML, display
        self._handle: Any = None
        self._lines: list[str] = []
        self._bars: dict[str, dict[str, Any]] = {}
        self._clocks: dict[str, tuple[float, float]] = {}
        self._shown = 0.0

    def noted(self, notes: Sequence[str]) -> None:
        """Shows the notes above the bars."""
        self._lines += [f"note: {note}" for note in notes]

    def described(self, lines: Sequence[str]) -> None:
        """Shows the lines above the bars."""
        self._lines += lines
        self._show()

    def started(self, label: str, epochs: int, steps: int, done: int) -> None:
        """Adds the run's bar."""
        self._bars[label] = {"total": epochs * steps, "done": done, "epochs": epochs, "steps": steps, "figures": ""}
        self._show()

    def limited(self, label: str, seconds: float, spent: float) -> None:
        """Lets the run's bar follow the clock."""
        self._clocks[label] = (time.monotonic() - spent, seconds)

    def stepped(self, label: str, done: int, loss: float) -> None:
        """Moves the run's bar."""
        self._bars[label]["done"] = done
        if time.monotonic() - self._shown > _SECONDS:
            self._show()

    def epoch_done(self, label: str, record: dict[str, Any]) -> None:
        """Shows the epoch's figures beside the bar."""
        bar = self._bars[label]
        bar["done"], bar["figures"] = record["epoch"] * bar["steps"], describe(record, short=True)
        self._show()

    def finished(self, label: str) -> None:
        """Fills the run's bar, also after an early stop."""
        self._bars[label]["done"] = self._bars[label]["total"]
        self._show()

    def _bar(self, label: str, bar: dict[str, Any]) -> str:
        done, total = bar["done"], bar["total"]
        if label in self._clocks and done < total:
            started, total = self._clocks[label]
            done = min(time.monotonic() - started, total)
        return f"<progress aria-label='{html.escape(label)}' max='{total}' value='{done}'></progress>"

    def _epoch(self, label: str, bar: dict[str, Any]) -> str:
        """The epoch under way; how many there are at the most says nothing where a run ends by the clock."""
        if label in self._clocks and bar["done"] == bar["total"]:
            return "done"
        of_all = "" if label in self._clocks else f"/{bar['epochs']}"
        return f"epoch {min(bar['done'] // bar['steps'] + 1, bar['epochs'])}{of_all}"

    def _show(self) -> None:
        self._shown = time.monotonic()
        rows = [
            f"<tr><td>{html.escape(label)}</td>"
            f"<td>{self._bar(label, bar)}</td><td>{self._epoch(label, bar)}</td>"
            f"<td>{html.escape(bar['figures'])}</td></tr>"
            for label, bar in self._bars.items()
        ]
        text = html.escape("\n".join(self._lines))
        # A notebook that was made a page has no style for what is set out in columns, and would not end a note's lines.
        style = "font-family:monospace;white-space:pre-wrap"
        content = self._make(f"<pre style='{style}'>{text}</pre><table>{''.join(rows)}</table>")
        if self._handle is None:
            self._handle = self._display(content, display_id=True)
        else:
            self._handle.update(content)
