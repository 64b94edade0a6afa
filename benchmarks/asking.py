"""What every benchmark without options of its own says when it is asked for help, or when its data is missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def help_if_asked(about: str | None) -> None:
    """Prints what a benchmark is and ends, where --help or -h stands alone behind its name."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(about)
        sys.exit(0)


def data_folder(*parts: str) -> Path:
    """A folder or file below GATEWORK_DATA; without it one sentence, and the end."""
    home = os.environ.get("GATEWORK_DATA")
    if not home:
        sys.exit(f"this reads {'/'.join(parts) or 'a folder'} below the folder that GATEWORK_DATA names; it is not set")
    path = Path(home, *parts)
    if not path.exists():
        sys.exit(f"{path} is not there: this reads it below GATEWORK_DATA")
    return path


def argument(what: str) -> str:
    """The first word behind a benchmark's name; without it one sentence, and the end."""
    if len(sys.argv) < 2:
        sys.exit(f"{Path(sys.argv[0]).name} expects {what} behind its name; --help says more")
    return sys.argv[1]
