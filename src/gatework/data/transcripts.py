"""Who said what in which recording: manifests and folders as people and toolkits write them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gatework.data._content import as_utf8, existing, file_content, lines_of, printable
from gatework.data._listing import files_of
from gatework.data._row_times import RowTimes, kaldi_excerpt
from gatework.data._sound_files import SUFFIXES, is_recording, unread
from gatework.data._texts_beside import content_of, lists_of, named_texts, recording_of, texts_of, timed_texts
from gatework.data.audio import Excerpt, name_of
from gatework.data.reading import Reading
from gatework.data.tables import SUFFIXES as TABLES
from gatework.data.tables import Table, read_table, stem
from gatework.errors import DataError, UsageError

if TYPE_CHECKING:
    from gatework.options import DataOptions

# What DeepSpeech, Common Voice, NeMo and the Hub's data sets call them.
AUDIO = ("audio", "audio_filepath", "audio_path", "wav_filename", "path", "file", "filename", "file_name", "wav")
_TEXT = ("text", "transcript", "sentence", "transcription", "normalized_text")
_SPEAKER = ("speaker", "speaker_id", "client_id", "reader")
_LABEL = ("label", "class", "category", "command", "word")
_PART = ("split", "subset", "part")
MANIFESTS = ("metadata", "manifest", "transcripts", "train", "data", "index", "validated")
PARTS = {"train": "train", "training": "train", "valid": "validation", "validation": "validation"}
PARTS |= {"dev": "validation", "val": "validation", "test": "test", "testing": "test", "eval": "test"}


@dataclass(frozen=True)
class Utterance:
    """A recording with what is said in it.

    Attributes:
        audio: The file.
        text: What is said, as the person wrote it; empty where that is not known or nothing is said.
        speaker: Who says it; empty where that is not known.
        part: "train", "validation" or "test" where the manifest says so; else empty.
        where: What to call it in messages, such as "metadata.csv, row 7".
        excerpt: The part of the file that it is; None for all of it.
    """

    audio: Path
    text: str
    speaker: str = ""
    part: str = ""
    where: str = ""
    excerpt: Excerpt | None = None

    @property
    def name(self) -> str:
        """What to call the recording: its file's name, with the times of an excerpt."""
        return name_of(self.audio, self.excerpt)


@dataclass(frozen=True)
class Transcripts:
    """Recordings with their texts.

    Attributes:
        utterances: In the order of the manifest, or of the files' names.
        where: The path that they were read from.
        name: Its last part without its ending.
        layout: How they are laid out, in a few words.
        remarks: On what lies beside them and is left out, in sentences.
    """

    utterances: tuple[Utterance, ...]
    where: str
    name: str
    layout: str
    remarks: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """SHA-256 of every text, speaker and recording, in hexadecimal."""
        digest, sounds = hashlib.sha256(), dict[Path, bytes]()
        for one in self.utterances:
            digest.update(f"{os.fsencode(one.audio.name)!r}\0{one.text}\0{one.speaker}\0{one.part}\0".encode())
            if one.excerpt is not None:
                digest.update(f"{one.excerpt.start}\0{one.excerpt.end}\0".encode())
            if one.audio not in sounds:
                sounds[one.audio] = _sha256(one.audio)
            digest.update(sounds[one.audio])
        return digest.hexdigest()


def _sha256(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:  # whoever reads the recording says what is wrong with it
        return b"unreadable"


class _Said(NamedTuple):
    """What a table says of each recording.

    Attributes:
        column: The column that a person names; None if none is.
        usual: What such columns are called.
        flag: The option that names it.
        what: What it holds, in words.
    """

    column: str | None
    usual: tuple[str, ...]
    flag: str
    what: str


def read_labels(
    source: Any, data: DataOptions, audio: str | None = None, speaker: str | None = None, *, has_labels: bool = True
) -> Transcripts:
    """Reads a table of recordings with a class each, as `text`; the arguments are those of `read_transcripts()`."""
    said = _Said(data.label, _LABEL, "--label", "the classes")
    table = read_table(source, Reading.given(data))
    return _Reader(data, audio, speaker, has_labels, said).table(table, _home_of(source))


def _home_of(source: Any) -> Path:
    return Path(source).parent if isinstance(source, (str, os.PathLike)) else Path()


def read_transcripts(
    source: Any, data: DataOptions, audio: str | None = None, speaker: str | None = None, *, has_texts: bool = True
) -> Transcripts:
    """Reads a manifest, a folder or a data frame.

    Args:
        source: A CSV, TSV, JSONL or Parquet file, or a data frame, with a column of paths and one of texts, and perhaps
            two of times; a text file with lines `name: text`; or a folder: with such a file in it, or one for each
            part, LJSpeech's `metadata.csv` beside `wavs/`, Kaldi's `wav.scp`, `text`, `segments` and `utt2spk`, or
            recordings each with a text file, subtitles or labels of its name.
        data: Which column holds the text, and how a table is read.
        audio: The column of the paths.
        speaker: The column of the speakers.
        has_texts: Whether every recording must have its text.

    Raises:
        UsageError: A column must be named.
        DataError: Files are missing, or nothing is there.
    """
    reader = _Reader(data, audio, speaker, has_texts, _Said(data.text, _TEXT, "--text", "the texts"))
    if not isinstance(source, (str, os.PathLike)):
        return reader.table(read_table(source, Reading.given(data)), Path())
    path = existing(Path(source))
    if path.is_dir():
        return reader.folder(path)
    if path.name.lower().removesuffix(".gz").endswith(TABLES):
        return reader.manifest(path)
    if path.suffix.lower() == ".json":
        raise DataError(f"{printable(str(path))}: an object on each line is read from a file whose name ends in .jsonl")
    if path.suffix.lower() in SUFFIXES or not has_texts:
        one = Utterance(path, "", where=printable(str(path)))
        return Transcripts((one,), printable(str(path)), printable(path.stem), "one recording")
    return reader.lines(path, path.parent)


@dataclass(frozen=True)
class _Reader:
    data: DataOptions
    audio: str | None
    speaker: str | None
    has_texts: bool
    said: _Said

    def folder(self, path: Path) -> Transcripts:
        """A folder in whichever layout it has."""
        if (path / "wav.scp").is_file():
            return self.kaldi(path)
        if tables := tables_of(path):
            return joined(path, {file: self.manifest(file) for file in tables}, tables)
        files = files_of(path, "**/*")
        recordings, others = list(filter(is_recording, files)), unread(files)
        if not recordings:
            raise DataError(
                f"{printable(str(path))} holds no recordings ({', '.join(SUFFIXES[:5])} and others) and no manifest "
                "(metadata.csv with the columns audio and text); "
                + (others[0].rstrip(".") if others else "name the file that lists them")
            )
        beside = texts_of(recordings, files)
        if not beside and (lists := lists_of(files, path)):
            each = [self.lines(file, path if file.parent == path else file.parent, recordings) for file in lists]
            utterances = tuple(utterance for one in each for utterance in one.utterances)
            name = printable(path.resolve().name)
            return Transcripts(utterances, printable(str(path)), name, each[0].layout, others)
        return replace(self.pairs(path, recordings, beside), remarks=others)

    def pairs(self, path: Path, recordings: Sequence[Path], beside: Mapping[Path, Path]) -> Transcripts:
        """Recordings each with a text file of the same name; a folder below is no speaker unless it is told."""
        if self.has_texts and len(beside) < len(recordings):
            without = next(file for file in recordings if file not in beside)
            raise DataError(
                f"{len(recordings) - len(beside):,} of {len(recordings):,} recordings of {printable(str(path))} have "
                f"no text, the first of them {printable(without.name)}: write {printable(without.stem)}.txt beside it, "
                "or list the recordings in metadata.csv with the columns audio and text"
            )
        utterances = tuple(
            utterance
            for file in recordings
            for utterance in (
                self.beside(file, beside[file]) if self.has_texts else [Utterance(file, "", where=printable(str(file)))]
            )
        )
        layout = "recordings" if not self.has_texts else "recordings with a text file each"
        if any(one.excerpt for one in utterances):
            layout = "recordings with subtitles or labels each, which say from when to when each text is said"
        return self._checked(utterances, path, layout)

    def beside(self, file: Path, text: Path) -> list[Utterance]:
        """A recording with its text, or the excerpts of it that subtitles or labels name."""
        timed = timed_texts(text)
        if timed is None:
            return [Utterance(file, re.sub(r"\s+", " ", content_of(text)).strip(), where=printable(str(file)))]
        where = printable(str(text))
        return [
            Utterance(file, one.text, one.speaker, "", f"{where}, text {number:,}", one.excerpt)
            for number, one in enumerate(timed, start=1)
        ]

    def manifest(self, path: Path) -> Transcripts:
        """A table of recordings; one whose first line has bars and names no column is LJSpeech's."""
        if path.suffix.lower() == ".csv":
            content, _, _ = as_utf8(file_content(path), path, self.data.encoding)
            first = content.decode().partition("\n")[0]
            if "|" in first and not {c.strip().lower() for c in first.split("|")} & {*AUDIO, str(self.audio).lower()}:
                return self.bars(path, content.decode())
        return self.table(read_table(path, Reading.given(self.data)), path.parent)

    def bars(self, path: Path, content: str) -> Transcripts:
        """LJSpeech's lines: a name, the text, and the text with its numbers spelt out, with bars between."""
        utterances = []
        for number, line in enumerate(lines_of(content), start=1):
            if line.strip():
                name, *texts = line.split("|")
                where = f"{printable(str(path))}, row {number:,}"
                utterances.append(
                    Utterance(recording_of(path.parent, name.strip()), texts[-1] if texts else "", "", "", where)
                )
        return self._checked(utterances, path, "LJSpeech's metadata.csv")

    def table(self, table: Table, home: Path) -> Transcripts:
        """A table with a column of paths and one of texts."""
        audio = _column(table, self.audio, AUDIO, "--audio", "the recordings' paths")
        asked = self.said
        text = _column(table, asked.column, asked.usual, asked.flag, asked.what, is_needed=self.has_texts)
        speaker = _column(table, self.speaker, _SPEAKER, "--speaker", "the speakers", is_needed=False)
        part = _column(table, None, _PART, "", "", is_needed=False)
        blank = [""] * len(table)
        paths, texts, speakers, parts = (
            table.texts(name).to_list() if name else blank for name in (audio, text, speaker, part)
        )
        utterances = []
        times = RowTimes.of(table, paths)
        for at, (name, said, who, of) in enumerate(zip(paths, texts, speakers, parts, strict=True)):
            where = f"{table.where}, {table.row(at)}"
            if not name.strip():
                raise DataError(f'{where} names no recording in the column "{audio}"; fill it in or remove the row')
            file, excerpt = recording_of(home, name.strip()), times.excerpt(at, where)
            utterances.append(Utterance(file, said, who, PARTS.get(of.strip().lower(), ""), where, excerpt))
        layout = f'a table with the columns "{audio}"' + (f' and "{text}"' if text else "") + times.layout
        return Transcripts(tuple(utterances), table.where, table.name, layout, times.remarks)

    def lines(self, path: Path, home: Path, recordings: Sequence[Path] = ()) -> Transcripts:
        """Lines of names and texts, as Asterisk, LibriSpeech and Sphinx have them."""
        each = named_texts(path, home, recordings, self.data.encoding)
        utterances = [Utterance(file, text, _libri_speaker(path, file), "", where) for where, file, text in each]
        return self._checked(utterances, path, "lines of names and texts")

    def kaldi(self, path: Path) -> Transcripts:
        """Kaldi's data folder: `wav.scp`, `text` and, where it is there, `utt2spk`."""
        scp, texts = _keyed(path / "wav.scp"), _keyed(path / "text") if self.has_texts else {}
        speakers = _keyed(path / "utt2spk") if (path / "utt2spk").is_file() else {}
        cut = (path / "segments").is_file()
        segments = _keyed(path / "segments") if cut else {key: key for key in scp}
        utterances = []
        for key, segment in segments.items():
            where = f"{printable(str(path / ('segments' if cut else 'wav.scp')))}, {key}"
            recording, *times = segment.split()[: 3 if cut else 1]
            if recording not in scp:
                raise DataError(f"{where} is of {recording}, which has no line in {printable(str(path / 'wav.scp'))}")
            if scp[recording].rstrip().endswith("|"):
                raise DataError(f"{where} is a command and no file, and commands are not run; convert it to WAV first")
            if self.has_texts and key not in texts:
                raise DataError(
                    f"{where} has no line in {printable(str(path / 'text'))}; add it, or remove the recording"
                )
            excerpt = kaldi_excerpt(times, where) if cut else None
            file = recording_of(path, scp[recording].strip())
            file = file if file.is_file() else recording_of(Path(), scp[recording].strip())
            utterances.append(Utterance(file, texts.get(key, ""), speakers.get(key, ""), "", where, excerpt))
        return self._checked(utterances, path, "Kaldi's wav.scp and text" + (" with segments" if cut else ""))

    def _checked(self, utterances: Sequence[Utterance], path: Path, layout: str) -> Transcripts:
        if not utterances:
            raise DataError(f"{printable(str(path))} lists no recording; at least one was expected")
        return Transcripts(tuple(utterances), printable(str(path)), stem(path), layout)


def _column(
    table: Table, given: str | None, usual: Sequence[str], flag: str, what: str, *, is_needed: bool = True
) -> str | None:
    """The column that is meant: the one given, or the first of those that such tables have."""
    if given is not None:
        table.column(given)
        return given
    by_lower = {name.lower(): name for name in table.frame.columns}
    column = next((by_lower[name] for name in usual if name in by_lower), None)
    if column is None and is_needed:
        raise UsageError(
            f"which column of {table.where} holds {what}? Name it with {flag}: there is "
            f"{', '.join(table.frame.columns)}"
        )
    return column


def tables_of(path: Path) -> dict[Path, str]:
    """The tables that list a folder's recordings, with the part of each: `train.csv` and `test.csv`, or those below.

    Returns:
        A single one, of no part, where it is of all recordings; none where there is none.
    """
    manifest = _manifest_in(path)
    if manifest is not None and stem(manifest).lower() not in PARTS:
        return {manifest: ""}
    parts = dict[Path, str]()
    for ending in TABLES:
        beside = (file for file in sorted(path.glob(f"*{ending}")) if file.is_file())
        parts = parts or {file: PARTS[stem(file).lower()] for file in beside if stem(file).lower() in PARTS}
    if len(parts) > 1 and "train" in parts.values():
        return parts
    if manifest is not None:
        return {manifest: ""}
    folders = (folder for folder in sorted(path.iterdir()) if folder.name.lower() in PARTS and folder.is_dir())
    return {file: PARTS[folder.name.lower()] for folder in folders if (file := _manifest_in(folder)) is not None}


def _manifest_in(path: Path) -> Path | None:
    named = (path / f"{name}{ending}" for name in MANIFESTS for ending in TABLES)
    return next((file for file in named if file.is_file()), None)


def joined(path: Path, listed: Mapping[Path, Transcripts], tables: Mapping[Path, str]) -> Transcripts:
    """What the tables of a folder list.

    Args:
        path: The folder.
        listed: What each lists.
        tables: The part of each, as `tables_of()` says.
    """
    name, first = printable(path.resolve().name), next(iter(listed))
    if len(listed) == 1 and not tables[first]:
        return replace(listed[first], name=name)
    utterances = tuple(
        replace(one, part=one.part or tables[file]) for file, each in listed.items() for one in each.utterances
    )
    remarks = tuple(dict.fromkeys(remark for each in listed.values() for remark in each.remarks))
    names = ", ".join(printable(str(file.relative_to(path))) for file in listed)
    return Transcripts(utterances, printable(str(path)), name, f"a table for each part: {names}", remarks)


def _libri_speaker(path: Path, file: Path) -> str:
    """Who speaks by LibriSpeech's names, `speaker/chapter/speaker-chapter-number.flac`; nobody by others."""
    who = file.name.partition("-")[0]
    return who if path.name.endswith(".trans.txt") and file.parent.parent.name == who else ""


def _keyed(path: Path) -> dict[str, str]:
    content, _, _ = as_utf8(file_content(path), path)
    split = (line.strip().partition(" ") for line in lines_of(content.decode().replace("\t", " ")) if line.strip())
    return {key: rest.strip() for key, _, rest in split}
