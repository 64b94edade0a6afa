"""How long a test waits for what must come: never so short that a busy machine decides."""

from __future__ import annotations

SECONDS = 300.0
