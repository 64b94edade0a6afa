"""Files of keys, one a line."""

from __future__ import annotations

from pathlib import Path

from gatework.errors import UsageError


def read_key_lines(file: Path, shortest: int, way_out: str = "") -> list[str]:
    """The keys of a file, one a line; lines that begin with # are not read.

    Args:
        file: The file.
        shortest: The characters that a key has at least.
        way_out: What is said beside, where there is none.

    Raises:
        UsageError: There is no such file, no key in it, or one that is short enough to be guessed.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{file}: {reason.lower()}; a text file with one key a line was expected") from None
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not keys or min(map(len, keys)) < shortest:
        raise UsageError(f"{file} needs one key a line, each of {shortest} characters at least{way_out}")
    return keys
