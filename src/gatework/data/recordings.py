"""Recordings as the inputs of examples: their features, and what was noticed while they were read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gatework.data.audio import AudioFacts, Excerpt, Recording, name_of, need_speech
from gatework.data.features import FeatureSpec
from gatework.errors import DataError
from gatework.formatting import counted

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.transcripts import Utterance

_MOST_RATE = 16_000
"""Speech holds little above 8 kHz."""
_WIDE = 12_000


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recordings.

    Attributes:
        features: Of each, shape (frames, bands), float32.
        seconds: The length of each.
        files: Where each was read from; an empty path for a sound in memory.
        spec: How sound became features.
        excerpts: The part of its file that each is, None for all of it; nothing where all are whole files.
    """

    features: tuple[np.ndarray, ...]
    seconds: np.ndarray
    files: tuple[Path, ...]
    spec: FeatureSpec
    excerpts: tuple[Excerpt | None, ...] = ()

    @property
    def kind(self) -> Literal["sound"]:
        """What they are."""
        return "sound"

    @classmethod
    def of(cls, sounds: Iterable[np.ndarray], rate: int, spec: FeatureSpec) -> Recordings:
        """Recordings of sounds in memory.

        Args:
            sounds: Mono samples, each of shape (samples,), float32, full scale at 1.
            rate: Their samples per second.
            spec: How they become features.
        """
        need_speech()
        sounds = list(sounds)
        seconds = np.array([len(sound) / rate for sound in sounds])
        return cls(tuple(spec.of([sound], rate) for sound in sounds), seconds, (Path(),) * len(sounds), spec)

    @classmethod
    def joined(cls, parts: Sequence[Recordings]) -> Recordings:
        """Recordings of the same features, one after the other."""
        features = tuple(frames for part in parts for frames in part.features)
        files = tuple(file for part in parts for file in part.files)
        excerpts = tuple(part.excerpt(k) for part in parts for k in range(len(part)))
        return cls(features, np.concatenate([part.seconds for part in parts]), files, parts[0].spec, excerpts)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, (int, np.integer)):
            return self.features[int(index)]
        taken = [int(k) for k in index]
        features, files = tuple(self.features[k] for k in taken), tuple(self.files[k] for k in taken)
        return Recordings(features, self.seconds[taken], files, self.spec, tuple(map(self.excerpt, taken)))

    def excerpt(self, place: int) -> Excerpt | None:
        """The part of its file that a recording is; None for all of it."""
        return self.excerpts[place] if self.excerpts else None

    def name(self, place: int) -> str:
        """What to call a recording: its file's name, with the times of an excerpt."""
        return name_of(self.files[place], self.excerpt(place))

    def identities(self) -> list[Hashable]:
        """The very sounds, by their features."""
        return [hashlib.sha256(frames.tobytes()).digest() for frames in self.features]

    def columns(self) -> dict[str, pl.Series | list[np.ndarray]]:
        """The files' names and lengths in seconds, columns of shape (recordings,)."""
        import polars as pl

        names = [self.name(place) for place in range(len(self))]
        return {"audio": pl.Series(names, dtype=pl.String), "seconds": pl.Series(self.seconds, dtype=pl.Float64)}

    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


def names_apart(recordings: Recordings) -> list[str]:
    """The recordings' names, below the folder that they have in common where two of them have the same."""
    names = [recordings.name(place) for place in range(len(recordings))]
    if len(set(names)) == len(names) or "" in names:
        return names
    whole = [Path(os.path.abspath(file)) for file in recordings.files]
    home = os.path.commonpath([file.parent for file in whole])
    return [(file.parent.relative_to(home) / name).as_posix() for file, name in zip(whole, names, strict=True)]


def chosen_spec(facts: Sequence[AudioFacts], rate: int, bands: int) -> FeatureSpec:
    """How recordings become features.

    Args:
        facts: What the recordings' headers say.
        rate: Samples per second; 0 for the lowest rate among them, and at most 16,000.
        bands: Mel bands; 0 for 40 of a narrow band, as a telephone's, and 80 of a wide one.
    """
    rate = rate or min(_MOST_RATE, *(one.rate for one in facts))
    return FeatureSpec(rate, bands or (80 if rate >= _WIDE else 40))


def rate_remarks(facts: Sequence[AudioFacts], rate: int) -> list[str]:
    """That a few recordings of a low rate have all others read without what is above their band.

    Args:
        facts: What the recordings' headers say.
        rate: The samples per second that all are read at.
    """
    low = sum(one.rate <= rate for one in facts)
    if rate >= _MOST_RATE or 2 * low > len(facts):
        return []
    have = "has" if low == 1 else "have"
    return [
        f"{low:,} of {counted(len(facts), 'recording')} {have} {rate:,} samples per second and the others more: all "
        f"are read at {rate:,}. Record those anew, leave them out, or name a higher --sample-rate."
    ]


def open_all(utterances: Sequence[Utterance], skipped: list[str] | None = None) -> dict[int, Recording]:
    """The recordings of these utterances by their positions.

    Args:
        utterances: What is said in which file.
        skipped: What is wrong with each file that cannot be read is added here; if None, the first of them raises.
    """
    recordings = {}
    for place, one in enumerate(utterances):
        try:
            recordings[place] = Recording.open(one.audio, one.excerpt)
        except DataError as error:
            # A whole file that is there says enough by its own name.
            is_clear = (one.audio.exists() and one.excerpt is None) or one.where in str(error)
            where = "" if is_clear else f"{one.where}: "
            if skipped is None:
                raise DataError(f"{where}{error}") from None
            skipped.append(f"{where}{error}")
    return recordings


def read_all(
    recordings: dict[int, Recording], spec: FeatureSpec, skipped: list[str] | None = None
) -> tuple[Recordings, list[int]]:
    """Reads recordings.

    Args:
        recordings: By their positions in a list.
        spec: How sound becomes features.
        skipped: As for `open_all()`.

    Returns:
        The recordings, and the positions of those that could be read.
    """
    features, places = [], []
    for place, recording in recordings.items():
        try:
            features.append(spec.of(recording.blocks(), recording.facts.rate))
        except DataError as error:
            if skipped is None:
                raise
            skipped.append(str(error))
            continue
        places.append(place)
    kept = [recordings[place] for place in places]
    seconds = np.array([recording.facts.seconds for recording in kept])
    excerpts = tuple(recording.excerpt for recording in kept)
    return Recordings(tuple(features), seconds, tuple(recording.path for recording in kept), spec, excerpts), places
