"""Series to model inputs: standardised with the training part's statistics where asked for, and batched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from gatework._stored import Stored
from gatework.data.dataset import Batch, Split
from gatework.data.inputs import RaggedSeries

if TYPE_CHECKING:
    from torch import Tensor

    from gatework.data.dataset import SequenceExamples
    from gatework.options import DataOptions


_LARGEST = float(np.finfo(np.float32).max)
LARGEST_LEVEL = 1e5
"""A level of so many standard deviations leaves a float32, of seven digits, too few for what varies about it."""


@dataclass(frozen=True)
class Scale(Stored):
    r"""Standardisation $(x - \mu) / \sigma$ per variable.

    Attributes:
        mean: $\mu$ of each variable.
        std: $\sigma$ of each variable; 1 where the variable never changes.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.std):
            raise ValueError(f"{len(self.mean)} means with {len(self.std)} deviations")
        if not all(abs(mean) <= _LARGEST for mean in self.mean) or not all(0 < std <= _LARGEST for std in self.std):
            raise ValueError("a mean or a deviation is none of the numbers that float32 holds")

    @classmethod
    def fit(cls, values: np.ndarray, weights: np.ndarray | None = None) -> Scale:
        """The statistics of values of shape (..., variables), over every axis but the last, computed in float64.

        Args:
            values: The values.
            weights: How many times each row of them counts, of the shape of all axes but the last; once if None.
        """
        flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
        if weights is None:
            mean, std = flat.mean(axis=0), flat.std(axis=0)
        else:
            mean = np.average(flat, axis=0, weights=weights.ravel())
            std = np.sqrt(np.average((flat - mean) ** 2, axis=0, weights=weights.ravel()))
        # A constant column's computed deviation is not exactly 0: it is rounding error of the size of the values.
        is_constant = std <= 1e-12 * np.abs(flat).max(axis=0)
        return cls(tuple(mean.tolist()), tuple(np.where(is_constant, 1.0, std).tolist()))

    @classmethod
    def identity(cls, variables: int) -> Scale:
        """Leaves values as they are."""
        return cls((0.0,) * variables, (1.0,) * variables)

    @classmethod
    def learnt(cls, values: np.ndarray, weights: np.ndarray | None = None, *, is_scaled: bool) -> Scale:
        """The scale of a training part, shape (..., variables): its statistics, or next to nothing.

        Args:
            values: The training part.
            weights: As `fit()` takes them.
            is_scaled: Whether it is standardised; if not, a variable is left as it is, but centred where its level
                would hide its changes from float32.
        """
        fitted = cls.fit(values, weights)
        if is_scaled:
            return cls.fit(fitted.single(values), weights)
        return fitted.centring()

    def centring(self) -> Scale:
        """What only takes the level off the variables of which float32 would hide the changes."""
        centre = np.where(self.is_hidden, self.mean, 0.0)
        return Scale(tuple(centre.tolist()), (1.0,) * len(self.std))

    @property
    def is_hidden(self) -> np.ndarray:
        """Of which variables the level would hide the changes from float32, shape (variables,)."""
        return np.abs(self.mean) > LARGEST_LEVEL * np.array(self.std)

    def single(self, values: np.ndarray) -> np.ndarray:
        """Values as float32 holds them, so that it does not matter where they come from; not where it holds too little.

        Returns:
            The same shape, float64.
        """
        return np.where(self.is_hidden, values, np.asarray(values, dtype=np.float32)).astype(np.float64)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Standardised values of the same shape, float32."""
        return ((values - np.array(self.mean)) / np.array(self.std)).astype(np.float32)

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Values of shape (..., variables) in their own unit, float64."""
        return values * np.array(self.std) + np.array(self.mean)


class SeriesExamples:
    """Series of equal length as model inputs.

    Attributes:
        split: The examples before encoding.
        lengths: Steps of each example, shape (examples,), int64.
    """

    def __init__(self, split: Split, values: np.ndarray, targets: np.ndarray) -> None:
        """Takes values that are scaled already.

        Args:
            split: The examples before encoding.
            values: Shape (examples, time, input), float32.
            targets: Values of shape (examples, output), float32, or class indices of shape (examples,), int64.
        """
        self.split = split
        self._values = values
        self._targets = targets
        self.lengths = np.full(len(values), values.shape[1], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._targets)

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at these positions: inputs of shape (batch, time, input), float32."""
        import torch

        arrays = *self.arrays(index), self._targets.take(index, axis=0)
        return Batch(*map(torch.from_numpy, arrays), weights=_weights(self.split, index))

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""
        return self._values.take(index, axis=0), self.lengths.take(index)


class RaggedExamples:
    """Series of several lengths as model inputs.

    Attributes:
        split: The examples before encoding.
        lengths: Steps of each example, shape (examples,), int64.
    """

    def __init__(self, split: Split, series: RaggedSeries, targets: np.ndarray) -> None:
        """Takes values that are scaled already; the other arguments are those of `SeriesExamples`."""
        self.split = split
        self._series, self._targets = series, targets
        self.lengths = series.lengths

    def __len__(self) -> int:
        return len(self._targets)

    def batch(self, index: np.ndarray) -> Batch:
        """The examples at these positions: inputs of shape (batch, time, input), float32, zero after each end."""
        import torch

        arrays = *self.arrays(index), self._targets[index]
        return Batch(*map(torch.from_numpy, arrays), weights=_weights(self.split, index))

    def arrays(self, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The inputs and the lengths of the examples at these positions, shape (batch,), as `Batch` has them."""
        lengths = self.lengths[index]
        inputs = np.zeros((len(index), int(lengths.max()), self._series.values.shape[1]), dtype=np.float32)
        for row, place in zip(inputs, index, strict=True):
            row[: self.lengths[place]] = self._series[int(place)]
        return inputs, lengths


def _weights(split: Split, index: np.ndarray) -> Tensor | None:
    """How many times the examples at these positions count, as a batch has it."""
    import torch

    return None if split.weights is None else torch.from_numpy(split.weights[index].astype(np.float32))


@dataclass(frozen=True)
class SeriesEncoder(Stored):
    """How series become model inputs.

    Attributes:
        scale: The training part's statistics, or the identity.
    """

    kind: ClassVar[Literal["series"]] = "series"

    scale: Scale

    @classmethod
    def fit(
        cls, inputs: np.ndarray | RaggedSeries, config: DataOptions, *, weights: np.ndarray | None = None
    ) -> SeriesEncoder:
        """Learns the scale from the training part, shape (examples, steps, variables), or series of several lengths.

        Args:
            inputs: The training part.
            config: Whether it is scaled.
            weights: How many times each example counts, shape (examples,); once if None.
        """
        steps: int | np.ndarray
        if isinstance(inputs, RaggedSeries):
            values, steps = inputs.values, inputs.lengths
        else:
            values, steps = inputs, inputs.shape[1]
        of_steps = None if weights is None else np.repeat(weights, steps)
        return cls(Scale.learnt(values, of_steps, is_scaled=config.scale))

    @property
    def width(self) -> int:
        """Values of a step."""
        return len(self.scale.mean)

    def encode(self, split: Split, targets: np.ndarray) -> SequenceExamples:
        """Examples ready to be batched, with their targets, shape (examples,) or (examples, targets)."""
        if isinstance(split.inputs, RaggedSeries):
            values = self.scale.apply(self.scale.single(split.inputs.values))
            return RaggedExamples(split, RaggedSeries(values, split.inputs.ends), targets)
        return SeriesExamples(split, self.scale.apply(self.scale.single(np.asarray(split.inputs))), targets)
