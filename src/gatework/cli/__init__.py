"""The command line: one file per command, no logic of its own, nothing heavy imported before it is needed."""

from __future__ import annotations

from gatework.cli._application import build, main

__all__ = ["build", "main"]
