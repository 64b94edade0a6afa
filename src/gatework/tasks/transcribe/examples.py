"""Recordings and their letters as batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from gatework.data.dataset import Batch, Split
from gatework.data.features import FLOOR
from gatework.tasks.transcribe.data import Spoken
from gatework.tasks.transcribe.letters import Alphabet, steps_needed

if TYPE_CHECKING:
    from torch import Tensor

# The share of silent recordings that hiss; the others hold nothing at all.
_HISS = 0.75


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

    letters: Tensor
    needed: Tensor


def with_silence(batch: SpokenBatch) -> SpokenBatch:
    """The batch with one more recording, in which nothing is said: none at all, or a hiss as loud as a pause may be.

    Without such recordings a network writes words into silence. Drawn by torch's generator.
    """
    inputs = batch.inputs
    frames, bands = int(batch.lengths[0]), inputs.shape[2]
    is_heard, loudness, tilt = torch.rand(1) < _HISS, torch.rand(1), torch.linspace(-1, 1, bands) * torch.randn(1)
    level = loudness * float(inputs[0, :frames].mean())
    hiss = torch.where(is_heard, level + tilt + 0.5 * torch.randn(frames, bands), FLOOR).clamp_min(FLOOR)
    quiet = torch.zeros(1, inputs.shape[1], bands)
    quiet[0, :frames] = hiss
    none = torch.zeros(1, dtype=torch.int64)
    return SpokenBatch(
        torch.cat([inputs, quiet]),
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
        self.needed = np.array([steps_needed(one) for one in self.letters], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, index: np.ndarray) -> SpokenBatch:
        """The recordings at these positions as one batch."""
        features, lengths = self.recordings.features, torch.from_numpy(self.lengths[index])
        inputs = torch.zeros(len(index), int(lengths.max()), self.recordings.spec.bands)
        for row, place in enumerate(index):
            inputs[row, : len(features[place])] = torch.from_numpy(features[place])
        letters = [self.letters[place] for place in index]
        targets = torch.from_numpy(np.concatenate(letters)) if letters else torch.zeros(0, dtype=torch.int64)
        return SpokenBatch(
            inputs, lengths, targets, torch.tensor(list(map(len, letters))), torch.from_numpy(self.needed[index])
        )
