"""Recordings to the steps of a network: bands standardised, and frames joined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from gatework._stored import Stored
from gatework.data.dataset import Batch, Split
from gatework.data.features import FLOOR, FeatureSpec
from gatework.data.recordings import Recordings
from gatework.data.series import Scale

if TYPE_CHECKING:
    from gatework.data.dataset import SequenceExamples

# A window holds all of this share of recordings, and is never shorter than so many frames.
_MOST, _SHORTEST = 0.9, 20
_NEPER = math.log(10) / 10
"""A decibel as the logarithm of an energy."""


@dataclass(frozen=True)
class SoundEncoder(Stored):
    """How recordings become model inputs.

    Attributes:
        spec: How sound becomes features.
        scale: The training part's statistics of each band.
        stack: Frames that are one step.
        is_own_mean: Whether a recording's own mean is taken off, rather than the training part's.
        window: As many frames as most recordings have, in which a stream is heard.
        dynamic_range: Decibels below a recording's loudest band at which quiet begins; 0 where nothing is quiet.
    """

    kind: ClassVar[Literal["sound"]] = "sound"

    spec: FeatureSpec
    scale: Scale
    stack: int
    is_own_mean: bool
    window: int
    dynamic_range: float

    @classmethod
    def fit(cls, inputs: Recordings, stack: int, dynamic_range: float, *, is_own_mean: bool) -> SoundEncoder:
        """Learns the scale from the training part."""
        lengths = np.array([len(frames) for frames in inputs.features])
        window = max(int(np.quantile(lengths, _MOST)), _SHORTEST)
        scale = Scale.fit(np.concatenate([_within(frames, dynamic_range) for frames in inputs.features]))
        return cls(inputs.spec, scale, stack, is_own_mean, window, dynamic_range)

    @property
    def width(self) -> int:
        """Values of a step."""
        return self.stack * len(self.scale.mean)

    def normalised(self, frames: np.ndarray) -> np.ndarray:
        """Features of one recording in standard deviations from their mean, shape (frames, bands), float32."""
        # What an editor has put before or behind a recording, nothing at all, is no part of it.
        is_heard = (frames > FLOOR).any(axis=1)
        frames = _within(frames, self.dynamic_range)
        if not self.is_own_mean:
            return self.scale.apply(frames)
        heard = frames[is_heard]
        mean = heard.mean(axis=0) if len(heard) else np.array(self.scale.mean)
        return ((frames - mean) / np.array(self.scale.std)).astype(np.float32)

    def steps(self, frames: np.ndarray) -> np.ndarray:
        """The steps of one recording, the last one filled with zeros, shape (steps, width), float32."""
        x = self.normalised(frames)
        missing = -len(x) % self.stack
        return np.concatenate([x, np.zeros((missing, x.shape[1]), np.float32)]).reshape(-1, self.width)

    def encode(self, split: Split, targets: np.ndarray) -> SequenceExamples:
        """Examples ready to be batched, with their targets, shape (examples,) or (examples, targets)."""
        if not isinstance(split.inputs, Recordings):
            raise TypeError(f"expected recordings, not {type(split.inputs).__name__}")
        return SoundExamples(split, [self.steps(frames) for frames in split.inputs.features], targets)


def _within(frames: np.ndarray, dynamic_range: float) -> np.ndarray:
    """Log energies that are no further below the highest of them than so many decibels."""
    if not dynamic_range:
        return frames
    result: np.ndarray = np.maximum(frames, frames.max() - np.float32(_NEPER * dynamic_range))
    return result


class SoundExamples:
    """Recordings as model inputs.

    Args:
        split: The examples before encoding.
        steps: Of each, shape (steps, width), float32.
        targets: Class indices, shape (examples,), int64.

    Attributes:
        split: The examples before encoding.
        lengths: Steps of each example, shape (examples,), int64.
    """

    def __init__(self, split: Split, steps: Sequence[np.ndarray], targets: np.ndarray) -> None:
        self.split, self.steps, self.targets = split, steps, targets
        self.lengths = np.array([len(one) for one in steps], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.steps)

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at these positions: inputs of shape (batch, time, width), float32, zero after each end."""
        import torch

        return Batch(*(torch.from_numpy(array) for array in (*self.arrays(index), self.targets[index])))

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""
        lengths = self.lengths[index]
        inputs = np.zeros((len(index), int(lengths.max()), self.steps[0].shape[1]), dtype=np.float32)
        for row, place in zip(inputs, index, strict=True):
            row[: self.lengths[place]] = self.steps[int(place)]
        return inputs, lengths
