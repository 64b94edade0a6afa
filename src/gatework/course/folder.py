"""A place for what a lesson writes."""

from __future__ import annotations

import tempfile
from pathlib import Path


def workspace() -> Path:
    """A fresh, empty folder, so that a lesson can be run again from the top."""
    return Path(tempfile.mkdtemp(prefix="gatework-lesson-"))
