"""The endings of recordings; apart from what reads them, which is heavy to import."""

from __future__ import annotations

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".sph", ".w64")
"""The endings by which a file in a folder is taken for a recording; any file that is named is tried."""
