"""Sentences read aloud by a person and recorded one by one, with a manifest that a training reads."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from gatework._files import make_folder, write_text
from gatework.data._content import as_utf8, file_content, lines_of, printable
from gatework.data.audio import AudioFacts, decibels, need_speech
from gatework.errors import DataError

MANIFEST = "metadata.csv"
_SOFT, _CLIPPED = -30.0, 0.001
# Nobody says more letters in a second.
_FASTEST = 28.0
_NAME = re.compile(r"[0-9]{1,9}\.wav")
_KEYS = "Enter: next, r: again, s: leave it out, q: stop"


class Recorder(Protocol):
    """What records sound.

    Attributes:
        rate: Samples per second.
    """

    rate: int

    def take(self, until: Callable[[], object]) -> np.ndarray:
        """Records until a call returns: mono samples, shape (samples,), float32, full scale at 1."""
        ...


def read_prompts(path: str | os.PathLike[str]) -> list[str]:
    """The sentences of a text file, one a line, each once.

    Raises:
        DataError: The file is missing, or holds none.
    """
    file = Path(path)
    content, _, _ = as_utf8(file_content(file), file)
    prompts = list(dict.fromkeys(line.strip() for line in lines_of(content.decode()) if line.strip()))
    if not prompts:
        raise DataError(f"{printable(str(file))} holds no sentence; one a line was expected")
    return prompts


def remark_on(samples: np.ndarray, rate: int, text: str) -> str:
    """What is wrong with a take, mono of shape (samples,), in a few words; nothing where it is good."""
    facts = AudioFacts(rate, 1)
    facts.add(samples)
    if facts.seconds < len(text) / _FASTEST:
        return "too short for the sentence"
    if decibels(facts.peak) < _SOFT:
        return "very soft; speak nearer"
    return "clipped; speak softer, or lower the gain" if facts.clipped > _CLIPPED * facts.samples else ""


def record_prompts(
    prompts: Sequence[str], folder: Path, recorder: Recorder, ask: Callable[[str], str], say: Callable[[str], None]
) -> int:
    """Shows sentences one by one and records each until it is right; those that a folder has already are left out.

    Args:
        prompts: The sentences.
        folder: Where a WAV file for each is written, and the manifest, which is whole after every sentence.
        recorder: What records.
        ask: Shows a line and waits for an answer, as `input` does.
        say: Shows a line.

    Returns:
        How many sentences the folder now has.

    Raises:
        DataError: The folder's manifest is not one of this kind.
    """
    import soundfile

    need_speech("recording")
    make_folder(folder)
    done = _manifest(folder / MANIFEST)
    for place, text in enumerate(prompts, start=1):
        if text in done:
            continue
        samples, answer = _taken(f"{place:,} of {len(prompts):,}", text, recorder, ask, say)
        if answer == "q":
            break
        if answer == "s":
            continue
        name = f"{max([0, *(int(Path(audio).stem) for audio in done.values())]) + 1:05}.wav"
        soundfile.write(folder / name, np.clip(samples, -1, 1), recorder.rate, subtype="PCM_16")
        done[text] = name
        _write(folder / MANIFEST, done)
    return len(done)


def _taken(
    where: str, text: str, recorder: Recorder, ask: Callable[[str], str], say: Callable[[str], None]
) -> tuple[np.ndarray, str]:
    """The take of a sentence that a person is content with, and the answer that ended it."""
    while True:
        say(f"\n{where}: {text}")
        answer = ask("Enter begins (s: leave it out, q: stop) ").strip().lower()
        if answer in ("s", "q"):
            return np.zeros(0, np.float32), answer
        samples = recorder.take(lambda: ask("recording; Enter ends "))
        if remark := remark_on(samples, recorder.rate, text):
            say(f"{len(samples) / recorder.rate:.1f} s, {remark}")
        answer = ask(f"{_KEYS} ").strip().lower()
        if answer != "r":
            return samples, answer


def _manifest(path: Path) -> dict[str, str]:
    """The recorded sentences of a folder with their files; none where it is new."""
    if not path.exists():
        return {}
    content, _, _ = as_utf8(file_content(path), path)
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    except csv.Error:
        rows = [{}]
    if not all(set(row) == {"audio", "text"} and row["text"] and _NAME.fullmatch(row["audio"]) for row in rows):
        raise DataError(f"{printable(str(path))} was not written by gatework record; choose another --out")
    return {row["text"]: row["audio"] for row in rows}


def _write(path: Path, done: dict[str, str]) -> None:
    content = io.StringIO()
    writer = csv.writer(content)
    writer.writerow(["audio", "text"])
    writer.writerows((audio, text) for text, audio in done.items())
    write_text(path, content.getvalue())
