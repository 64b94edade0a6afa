"""Answers of trained runs over HTTP: for people, for the Open Inference Protocol, and streams with carried state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatework._lazy import lazy

if TYPE_CHECKING:
    from gatework.serve._application import application
    from gatework.serve._limits import Limits
    from gatework.serve._server import serve

__all__ = ["Limits", "application", "serve"]

__getattr__, __dir__ = lazy(__name__, {"_application": ("application",), "_limits": ("Limits",), "_server": ("serve",)})
