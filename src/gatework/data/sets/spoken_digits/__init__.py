"""Digits, one alone or up to four in a row, in twelve voices made from one; built in.

A telephone exchange says a number by playing one recording per digit; these are made so, of ten of Asterisk's
(`README.md` says whose). A voice is the same recordings played faster or slower, as a tape would be: pitch and vocal
tract change together. So the test part holds voices near those that were learnt from, and two far from all of them. It
is no substitute for people: each digit has a single recording at its root.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatework._files import cache_folder, whole_folder
from gatework.data.audio import need_speech
from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.recordings import chosen_spec, open_all, read_all
from gatework.data.sets._spec import SetSpec
from gatework.data.transcripts import Utterance, read_labels, read_transcripts
from gatework.errors import DataError

if TYPE_CHECKING:
    from gatework.options import DataOptions

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE = 8000
LICENCE = "CC BY-SA 3.0, Allison Smith for Asterisk"
_HOME = Path(__file__).parent
_SEED = 0
_LOUDNESS, _AUDIBLE = 0.1, 0.02
_IN_A_ROW, _ALONE = 4, 1
"""The most digits of a recording, by the set."""


@dataclass(frozen=True)
class Voice:
    """A voice of the set.

    Attributes:
        pitch: Its pitch, as a multiple of the one that was recorded.
        part: The part that its recordings are in.
        recordings: How many there are.
    """

    pitch: float
    part: str
    recordings: int

    @property
    def name(self) -> str:
        """What stands in the column of speakers."""
        return f"pitch {self.pitch:.2f}"


VOICES = (
    *(Voice(pitch, "train", 40) for pitch in (0.90, 0.95, 1.00, 1.05, 1.10)),
    *(Voice(pitch, "validation", 15) for pitch in (0.97, 1.03)),
    *(Voice(pitch, "test", 24) for pitch in (0.75, 0.92, 1.02, 1.08, 1.35)),
)


def load(config: DataOptions) -> Dataset:
    """The recordings in their three parts, which are the same for every configuration.

    Raises:
        UsageError: What reads recordings is not installed.
        DataError: They cannot be written into the cache.
    """
    utterances = read_transcripts(folder(), config).utterances
    train, validation, test = _read(utterances, np.array([one.text for one in utterances], dtype=object))
    return Dataset(SPEC.name, "sound", train, validation, test, provenance())


def _read(utterances: Sequence[Utterance], targets: np.ndarray) -> tuple[Split, Split, Split]:
    """The recordings of each part."""
    opened = open_all(utterances)
    spec = chosen_spec([recording.facts for recording in opened.values()], 0, 0)
    recordings, _ = read_all(opened, spec)
    whole, parts = Split(recordings, targets), np.array([one.part for one in utterances])
    train, validation, test = (whole.take(np.flatnonzero(parts == part)) for part in ("train", "validation", "test"))
    return train, validation, test


def load_single(config: DataOptions) -> Dataset:
    """Recordings of one digit each, with the digit as their class; as `load()`.

    Raises:
        UsageError: What reads recordings is not installed.
        DataError: They cannot be written into the cache.
    """
    listed = read_labels(single_folder() / "metadata.csv", config)
    places = np.array([WORDS.index(one.text) for one in listed.utterances])
    train, validation, test = _read(listed.utterances, places)
    return Dataset(SINGLE.name, "sound", train, validation, test, provenance(), WORDS)


def provenance() -> Provenance:
    """Where the recordings come from."""
    notes = ("Every voice is one recording of each digit, played faster or slower.",)
    return Provenance("gatework.data.sets.spoken_digits", LICENCE, _fingerprint(), notes)


def folder() -> Path:
    """The recordings as files beside their `metadata.csv`; they are made once and kept in the cache.

    Raises:
        UsageError: What writes recordings is not installed.
        DataError: They cannot be written into the cache.
    """
    return _folder(SPEC.name, _IN_A_ROW)


def single_folder() -> Path:
    """As `folder()`, with one digit a recording, which is its label."""
    return _folder(SINGLE.name, _ALONE)


def _folder(name: str, longest: int) -> Path:
    need_speech()
    kept = cache_folder() / name / _fingerprint()[:16]
    if not kept.is_dir():
        try:
            _keep(kept, longest)
        except OSError as error:
            raise DataError(
                f"{kept} cannot be written ({error.strerror}); name another folder with GATEWORK_CACHE"
            ) from None
    return kept


def _fingerprint() -> str:
    """SHA-256 of the digits and of what is made of them."""
    digest = hashlib.sha256(f"{_SEED} {VOICES}".encode())
    for digit in range(len(WORDS)):
        digest.update((_HOME / f"{digit}.flac").read_bytes())
    return digest.hexdigest()


def _keep(kept: Path, longest: int) -> None:
    """Writes the folder in one piece."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_folder(kept) as temporary:
            _write(temporary, longest)
    except OSError:
        if not kept.is_dir():  # unless another process was first
            raise


def _write(home: Path, longest: int) -> None:
    import soundfile

    draw, digits = np.random.default_rng(_SEED), [_digit(digit) for digit in range(len(WORDS))]
    with (home / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("audio", "label" if longest == _ALONE else "text", "speaker", "split"))
        for place, voice in enumerate(VOICES):
            for number in range(voice.recordings):
                # As often each, in an order that lets every few recordings at even distances have all of them.
                said = [(number + number // len(WORDS) + 4 * place) % len(WORDS)]
                if longest > _ALONE:
                    said = draw.integers(len(WORDS), size=draw.integers(1, longest + 1)).tolist()
                name = f"{voice.name.replace(' ', '-')}-{number:02}.flac"
                sound = _spoken(draw, [digits[digit] for digit in said], voice.pitch)
                soundfile.write(home / name, np.clip(sound, -1, 1), RATE, subtype="PCM_16")
                rows.writerow((name, " ".join(WORDS[digit] for digit in said), voice.name, voice.part))


def _digit(digit: int) -> np.ndarray:
    """A digit as it was recorded, without the silence around it, at the loudness of the others."""
    import soundfile

    sound, _ = soundfile.read(_HOME / f"{digit}.flac")
    audible = np.flatnonzero(np.abs(sound) > _AUDIBLE)
    sound = sound[max(audible[0] - RATE // 20, 0) : audible[-1] + RATE // 10]
    return np.asarray(sound * (_LOUDNESS / np.sqrt(np.square(sound).mean())))


def _spoken(draw: np.random.Generator, digits: list[np.ndarray], pitch: float) -> np.ndarray:
    """Digits one after the other, with pauses, over a hiss."""
    import soxr

    parts = [_pause(draw, 0.05, 0.2)]
    for digit in digits:
        played = soxr.resample(digit, RATE * pitch * draw.uniform(0.97, 1.03), RATE)
        parts += [played * _decibels(draw.uniform(-3, 3)), _pause(draw, 0.02, 0.12)]
    sound = np.concatenate(parts)
    hiss = draw.standard_normal(len(sound)) * np.sqrt(np.square(sound).mean())
    return np.asarray((sound + hiss * _decibels(-draw.uniform(10, 30))) * _decibels(draw.uniform(-6, 3)))


def _pause(draw: np.random.Generator, shortest: float, longest: float) -> np.ndarray:
    return np.zeros(int(draw.uniform(shortest, longest) * RATE))


def _decibels(level: float) -> float:
    return float(10 ** (level / 20))


SPEC = SetSpec(
    name="spoken-digits",
    title="One to four digits in a row, 350 recordings in twelve voices made from one; built in",
    licence=LICENCE,
    load=load,
    recipe="spoken-digits",
    folder=folder,
)
SINGLE = SetSpec(
    name="single-digits",
    title="One spoken digit each, 350 recordings in twelve voices made from one; built in",
    licence=LICENCE,
    load=load_single,
    recipe="single-digits",
    folder=single_folder,
)
