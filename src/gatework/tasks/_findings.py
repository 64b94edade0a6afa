"""What is found in data before anything is learnt from them."""

from __future__ import annotations

from dataclasses import dataclass


def sentence(error: Exception) -> str:
    """An error as a whole sentence: with a stop, unless it ends as a question does."""
    said = str(error)
    return said if said.endswith("?") else f"{said}."


@dataclass(frozen=True)
class Findings:
    """What a dry look at data says.

    Attributes:
        lines: What there is, a line each.
        problems: What would stop a training, or spoil it, and the way out, one sentence each.
        remarks: What is worth knowing, one sentence each.
    """

    lines: tuple[str, ...]
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
