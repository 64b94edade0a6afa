"""Texts that lie beside recordings: a file for each, lists of names and texts, and trees of the same names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gatework.data._content import as_utf8, file_content, lines_of, printable
from gatework.data._sound_files import SUFFIXES
from gatework.data._timed_texts import SUBTITLES, TimedText, labels_of, subtitles_of
from gatework.errors import DataError

_TEXTS = (".txt", ".lab")
_LANGUAGE = re.compile(r"\.[a-z]{2,3}([-_][A-Za-z]{2,8})?")
# Folders beside a list in which data sets keep what it names.
_FOLDERS = ("", "wavs", "clips", "wav", "audio", "recordings")
_SPHINX = re.compile(r"(?:<s>\s*)?(.*?)\s*(?:</s>)?\s*\(([^()\s]+)\)")
_LISTS = (".trans.txt", ".transcription")


def recording_of(home: Path, name: str, known: Mapping[str, Path] | None = None) -> Path:
    """The file that a list means: as it stands, beside the list, or with the ending of a recording added.

    Whoever opens a file that is not there says so.

    Args:
        home: The list's folder.
        name: What the list says.
        known: Recordings by their bare names, where a list says no more.
    """
    spelt = [name, name.replace("\\", "/")] if "\\" in name else [name]
    if spelt[-1].startswith("/") or re.match("[A-Za-z]:/", spelt[-1]):  # as it lay on another machine
        spelt.append(spelt[-1].rpartition("/")[2])
    candidates = [home / folder / one for one in spelt for folder in _FOLDERS]
    candidates += [file.with_name(f"{file.name}{ending}") for file in candidates if file.name for ending in SUFFIXES]
    there = next((path for path in candidates if path.is_file()), None)
    return there or (known or {}).get(name) or candidates[0]


def texts_of(recordings: Sequence[Path], files: Iterable[Path]) -> dict[Path, Path]:
    """The text file of each recording: of the same name beside it, or in another tree where no two have the same name.

    Args:
        recordings: The recordings.
        files: All files that lie below the folder.
    """
    by_ending = {ending: dict[Path, Path]() for ending in (*_TEXTS, *SUBTITLES)}
    for file in files:
        if (ending := file.suffix.lower()) in by_ending and not file.name.endswith(_LISTS):
            bare = file.with_suffix("")
            is_subtitle = ending in SUBTITLES and _LANGUAGE.fullmatch(bare.suffix)
            by_ending[ending].setdefault(bare.with_suffix("") if is_subtitle else bare, file)
    beside = {
        one: texts[bare]
        for texts in reversed(by_ending.values())
        for one in recordings
        if (bare := one.with_suffix("")) in texts
    }
    if beside:
        return beside
    texts = [file for of_ending in by_ending.values() for file in of_ending.values()]
    names = [Counter(file.stem for file in each) for each in (texts, recordings)]
    if any(count > 1 for each in names for count in each.values()):
        return {}
    by_stem = {file.stem: file for file in texts}
    return {one: by_stem[one.stem] for one in recordings if one.stem in by_stem}


def timed_texts(file: Path) -> list[TimedText] | None:
    """The texts of subtitles or of a track of labels; None of any other text file."""
    content = content_of(file)
    if file.suffix.lower() in SUBTITLES:
        return subtitles_of(content)
    return labels_of(content) or None


def lists_of(files: Iterable[Path], folder: Path) -> list[Path]:
    """The files of a folder that list names with texts: LibriSpeech's, Sphinx's, or the only text in the folder."""
    files = list(files)
    lists = [file for file in files if file.name.endswith(_LISTS)]
    single = [file for file in files if file.suffix.lower() == ".txt" and file.parent == folder]
    return lists or (single if len(single) == 1 else [])


def named_texts(
    file: Path, home: Path, recordings: Iterable[Path], encoding: str | None
) -> list[tuple[str, Path, str]]:
    """What a list says: where each line is, its recording and its text.

    Lines are `name: text`, also with a tab, a bar or, where such a recording is there, a space between; or Sphinx's,
    `text (name)`. One that begins with ";" is a comment.

    Args:
        file: The list.
        home: The folder in which its recordings lie.
        recordings: Those below it, which may be named without their folder.
        encoding: The list's; found from its bytes if None.
    """
    recordings = list(recordings)
    names = Counter(one.stem for one in recordings)
    known = {one.stem: one for one in recordings if names[one.stem] == 1}
    texts = []
    for number, line in enumerate(lines_of(content_of(file, encoding)), start=1):
        if not line.strip() or line.lstrip().startswith(";"):
            continue
        where = f"{printable(str(file))}, line {number:,}"
        sphinx = _SPHINX.fullmatch(line.strip()) if file.suffix.lower() == ".transcription" else None
        pairs = [(sphinx[2], sphinx[1])] if sphinx else _split(line)
        each = [(recording_of(home, name, known), text) for name, text in pairs if name]
        best = next(
            (one for one in each if one[0].is_file()), each[0] if each and pairs[0][1:] and _mark(line) else None
        )
        if best is None:
            raise DataError(f'{where} is "{line.strip()[:40]}", expected the name of a recording, ":" and its text')
        texts.append((where, *best))
    return texts


def content_of(file: Path, encoding: str | None = None) -> str:
    """A text file's content."""
    return as_utf8(file_content(file), file, encoding)[0].decode()


def _mark(line: str) -> bool:
    return any(mark in line for mark in "\t|:")


def _split(line: str) -> list[tuple[str, str]]:
    """Every way to part a line into a name and a text."""
    parted = [line.strip().partition(mark) for mark in ("\t", "|", ":", " ")]
    return [(name.strip(), text.strip()) for name, mark, text in parted if mark]
