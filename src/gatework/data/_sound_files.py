"""The endings of recordings, and the files that list some; apart from what reads them, which is heavy to import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from gatework.data._content import printable
from gatework.data._listing import files_of
from gatework.formatting import counted

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".sph", ".w64")
"""The endings by which a file in a folder is taken for a recording; any file that is named is tried."""
_OTHERS = (".m4a", ".aac", ".mp4", ".3gp", ".amr", ".wma", ".webm", ".mov", ".mka")
"""Those of recordings that have to be converted first, as telephones write them."""
_LISTING = {"audio", "audio_filepath", "wav_filename"}
_PATHS = {*_LISTING, "audio_path", "path", "file", "filename", "file_name", "wav"}
_LABELS = {"label", "class", "category", "command"}
_HEAD = 10_000


def is_recording(path: Path) -> bool:
    """Whether a path is that of a recording, by its ending."""
    return path.suffix.lower() in SUFFIXES and path.is_file()


def unread(files: Iterable[Path]) -> tuple[str, ...]:
    """A remark on the recordings among files that have to be converted before they can be read, if there are any."""
    others = [file for file in files if file.suffix.lower() in _OTHERS]
    if not others:
        return ()
    first, verb = printable(others[0].name), "is" if len(others) == 1 else "are"
    way = f"ffmpeg -i {first} {printable(others[0].stem)}.wav"
    return (
        f"{counted(len(others), 'recording')} {verb} in a format that is not read, the first of them {first}: {way}.",
    )


def lists_recordings(path: Path) -> bool:
    """Whether the first line of a table names a column of recordings."""
    return bool(_columns(path) & _LISTING)


def lists_labelled_recordings(path: Path) -> bool:
    """Whether a table has a column of recordings and one of classes, by its first lines."""
    columns = _columns(path)
    if not (columns & _PATHS and columns & _LABELS):
        return False
    return bool(re.search(rf"(?i)({'|'.join(map(re.escape, SUFFIXES))})\b", _head(path)))


def recordings_by_class(folder: Path) -> Iterator[Path]:
    """The recordings of a folder with a folder for each class, also below folders for each part."""
    return (file for depth in ("*/*", "*/*/*") for file in files_of(folder, depth) if is_recording(file))


def _columns(path: Path) -> set[str]:
    """The names in the first line of a table, or those of its first object, in lower case."""
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return set(re.findall(r'"(\w+)"\s*:', _head(path).partition("\n")[0].lower()))
    if path.suffix.lower() not in (".csv", ".tsv"):
        return set()
    columns = re.split(r"[,;\t|]", _head(path).partition("\n")[0].lower())
    return {column.strip(' "\ufeff\r') for column in columns}


def _head(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_HEAD)
