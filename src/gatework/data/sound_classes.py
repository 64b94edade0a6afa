"""Recordings with a class each: a folder for each class, Google's Speech Commands, or a table that lists them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework.data._content import as_utf8, existing, file_content, lines_of, printable
from gatework.data._listing import files_of
from gatework.data._sound_files import SUFFIXES, is_recording, unread
from gatework.data.tables import SUFFIXES as TABLES
from gatework.data.transcripts import (
    PARTS,
    Transcripts,
    Utterance,
    joined,
    read_labels,
    read_transcripts,
    tables_of,
)
from gatework.errors import DataError

if TYPE_CHECKING:
    from gatework.options import DataOptions

BACKGROUND = "background"
"""The class of what is none of the others: noise, music, or nothing."""
_NOISE = "_background_noise_"
_LISTS = {"validation_list.txt": "validation", "testing_list.txt": "test"}
# Speech Commands names a file after who speaks: 0a7c2a8d_nohash_0.wav.
_SPEAKER = re.compile(r"([0-9a-f]{8})_nohash_\d+")


def read_sound_classes(
    source: Any, data: DataOptions, audio: str | None = None, speaker: str | None = None, *, has_labels: bool = True
) -> Transcripts:
    """Reads recordings with their classes, each as the `text` of an utterance.

    Args:
        source: A folder with a folder of recordings for each class, also below `train/`, `validation/` and `test/`, or
            with a table in it; a table or a frame with a column of paths and one of classes; without classes also one
            recording, or any folder of recordings.
        data: Which column holds the class, and how a table is read.
        audio: The column of the paths.
        speaker: The column of the speakers.
        has_labels: Whether every recording must have its class.

    Raises:
        UsageError: A column must be named.
        DataError: Files are missing, or nothing is there.
    """
    if not isinstance(source, (str, Path)):
        return read_labels(source, data, audio, speaker, has_labels=has_labels)
    path = existing(Path(source))
    if path.is_dir():
        if tables := tables_of(path):
            each = {file: read_labels(file, data, audio, speaker, has_labels=has_labels) for file in tables}
            return joined(path, each, tables)
        return _by_folder(path) if has_labels else read_transcripts(path, data, has_texts=False)
    if not has_labels and not path.name.lower().removesuffix(".gz").endswith(TABLES):
        return read_transcripts(path, data, has_texts=False)
    return read_labels(path, data, audio, speaker, has_labels=has_labels)


def _by_folder(path: Path) -> Transcripts:
    below = {folder: PARTS[folder.name.lower()] for folder in sorted(path.iterdir()) if _is_part(folder)}
    homes = below or {path: ""}
    utterances = [one for home, part in homes.items() for one in _classes(home, part)]
    others = unread(files_of(path, "**/*"))
    if not utterances:
        raise DataError(
            f"{printable(str(path))} holds no recordings by class ({', '.join(SUFFIXES[:4])} and others): a folder for "
            "each class with its recordings was expected, as yes/1.wav, or a table with the columns audio and label"
            + "".join(f"; {remark}" for remark in others).rstrip(".")
        )
    utterances = _with_lists(path, utterances)
    where, name = printable(str(path)), printable(path.resolve().name)
    return Transcripts(tuple(utterances), where, name, "a folder for each class", others)


def _is_part(folder: Path) -> bool:
    """Whether a folder is that of a part, which has folders for the classes in it."""
    return folder.is_dir() and folder.name.lower() in PARTS and any(one.is_dir() for one in folder.iterdir())


def _classes(home: Path, part: str) -> list[Utterance]:
    utterances = []
    for file in filter(is_recording, files_of(home, "*/*")):
        label = BACKGROUND if file.parent.name == _NOISE else printable(file.parent.name)
        named = _SPEAKER.fullmatch(file.stem)
        utterances.append(Utterance(file, label, named[1] if named else "", part, printable(str(file))))
    return utterances


def _with_lists(path: Path, utterances: Sequence[Utterance]) -> list[Utterance]:
    """The recordings with the parts that Speech Commands' lists put them in; what they do not name trains."""
    parts = {name: part for file, part in _LISTS.items() for name in _lines(path / file)}
    if not parts:
        return list(utterances)
    noise = path / _NOISE
    return [
        one if one.audio.parent == noise else replace(one, part=parts.get(_listed(one.audio), "train"))
        for one in utterances
    ]


def _listed(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    content, _, _ = as_utf8(file_content(path), path)
    return [line.strip() for line in lines_of(content.decode()) if line.strip()]
