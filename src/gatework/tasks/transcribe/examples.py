"""Recordings and their letters as batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gatework.data.dataset import Batch, Split
from gatework.tasks._augment import unspoken
from gatework.tasks.transcribe.data import Spoken
from gatework.tasks.transcribe.letters import Alphabet, steps_needed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SpokenBatch(Batch):
    """Some recordings.

    Attributes:
        inputs: Features, shape (batch, frames, bands), float32, zero behind each recording's end.
        lengths: Frames of each.
        targets: The letters of all of them, one after the other, shape (letters,), int64.
        letters: How many of these each recording has, shape (batch,), int64.
        needed: The fewest steps that each text can be written in, shape (batch,), int64.
    """

    counts = ("lengths", "letters", "needed")

    letters: Tensor
    needed: Tensor


def with_silence(batch: SpokenBatch) -> SpokenBatch:
    """The batch with one more recording, in which nothing is said: nothing at all, a hiss, a hum, or notes.

    Without such recordings a network writes words into silence. Drawn by torch's generator.
    """
    inputs = batch.inputs
    frames = int(batch.lengths[0])
    quiet = torch.zeros(1, inputs.shape[1], inputs.shape[2])
    quiet[0, :frames] = unspoken(frames, inputs.shape[2], float(inputs[0, :frames].mean()))
    none = torch.zeros(1, dtype=torch.int64)
    return SpokenBatch(
        torch.cat([inputs, quiet.to(inputs.device)]),
        torch.cat([batch.lengths, batch.lengths[:1]]),
        batch.targets,
        torch.cat([batch.letters, none]),
        torch.cat([batch.needed, none]),
    )


class SpokenExamples:
    """Encoded recordings.

    Args:
        split: The recordings.
        alphabet: The letters.
    """

    split: Split

    def __init__(self, split: Spoken, alphabet: Alphabet) -> None:
        self.split, self.recordings = split, split.inputs
        self.lengths = np.array([len(frames) for frames in split.inputs.features], dtype=np.int64)
        self.letters = [alphabet.indices(text) for text in split.targets]

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, index: np.ndarray) -> SpokenBatch:
        """The recordings at these positions as one batch."""
        features = self.recordings.features
        return batch_of([features[place] for place in index], [self.letters[place] for place in index])


def batch_of(features: Sequence[np.ndarray], letters: Sequence[np.ndarray]) -> SpokenBatch:
    """Recordings as one batch.

    Args:
        features: Of each, shape (frames, bands).
        letters: Of each.
    """
    lengths = [len(frames) for frames in features]
    inputs = torch.zeros(len(features), max(lengths), features[0].shape[1])
    for row, frames in enumerate(features):
        inputs[row, : len(frames)] = torch.from_numpy(frames)
    return SpokenBatch(
        inputs,
        torch.tensor(lengths),
        torch.from_numpy(np.concatenate(letters)),
        torch.tensor(list(map(len, letters))),
        torch.tensor(list(map(steps_needed, letters))),
    )
