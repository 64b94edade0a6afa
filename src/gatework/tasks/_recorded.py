"""Recordings as the examples of a task, whatever is known of each: a class, or what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

import numpy as np

from gatework.data.dataset import Dataset, Split
from gatework.data.recordings import Recordings
from gatework.data.sets import REGISTRY
from gatework.data.transcripts import Utterance
from gatework.errors import DataError
from gatework.formatting import counted
from gatework.options import RecordingOptions

Options = TypeVar("Options", bound=RecordingOptions)


@dataclass(frozen=True)
class Recorded(Split):
    """Recordings with what is known of each.

    Attributes:
        inputs: The recordings.
        speakers: Who speaks, empty where that is not known; shape (examples,), dtype object.
        remarks: What is to be said of the recordings, one sentence each.
    """

    inputs: Recordings
    speakers: np.ndarray | None = None
    remarks: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and why."""
        return self.remarks

    def take(self, index: np.ndarray) -> Self:
        """The recordings at these positions, in this order."""
        speakers = None if self.speakers is None else self.speakers[index]
        beside = None if self.beside is None else self.beside[index]
        return replace(self, inputs=self.inputs[index], targets=self.targets[index], speakers=speakers, beside=beside)


@dataclass(frozen=True)
class RecordedDataset(Dataset):
    """Recordings in three parts.

    Attributes:
        options: How they were read, and what is done to them in training.
        seconds: How long they took to read.
    """

    options: RecordingOptions = field(default_factory=RecordingOptions)
    seconds: float = 0.0


def recording_options(dataset: Dataset, kind: type[Options]) -> Options:
    """The options of a dataset of recordings; those that a task has by itself where it is another."""
    options = dataset.options if isinstance(dataset, RecordedDataset) else None
    return options if isinstance(options, kind) else kind()


def is_registered(source: object) -> bool:
    """Whether it is the name of a registered data set."""
    return isinstance(source, str) and source in REGISTRY


def speakers_of(utterances: Sequence[Utterance]) -> np.ndarray:
    """Who speaks in each, shape (utterances,), dtype object."""
    return np.array([one.speaker for one in utterances] + [None], dtype=object)[:-1]


def left_out(skipped: Sequence[str]) -> tuple[str, ...]:
    """That recordings were left out as bad, in a sentence; nothing where none was."""
    if not skipped:
        return ()
    return (f"{counted(len(skipped), 'recording')} left out as bad, the first because {skipped[0]}.",)


def refuse_none(places: Sequence[int], skipped: Sequence[str]) -> None:
    """Says why recordings cannot be read where all of them were left out.

    Raises:
        DataError: None is left.
    """
    if skipped and not places:
        raise DataError(skipped[0] if len(skipped) == 1 else f"all {len(skipped):,} are bad: {skipped[0]}")
