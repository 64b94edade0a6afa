r"""Problems that need memory: adding, copying, and digits read as a sequence.

- Adding (S. Hochreiter and J. Schmidhuber, "Long short-term memory", 1997, experiment 4): each step has a value uniform
  on [-1, 1] and a marker, 1 at two steps, -1 at the first and last step unless marked, else 0. One marked step is among
  the first ten, the other among the first half. The target after the last step is $0.5 + (x_1 + x_2) / 4$; a sequence
  counts as solved if the absolute error is below 0.04. The length is uniform from T to T + T/10.
- Copy (M. Arjovsky, A. Shah and Y. Bengio, "Unitary evolution recurrent neural networks", 2016, after experiment 2 of
  1997): some symbols, then T blanks, the last of which is a signal, then the symbols must be recalled in order.
- Digits: the 8 x 8 digits that scikit-learn ships, read row by row, pixel by pixel, or pixel by pixel in one fixed
  random order, which spreads what belongs together over the whole sequence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, one_hot

TOLERANCE = 0.04
"""The absolute error below which an adding sequence is solved."""
ITEMS, ALPHABET = 5, 8
"""How many symbols the copy task asks for, and how many there are."""
TEST_DIGITS = 497
_PERMUTATION_SEED = 92
_SPLIT_SEED = 0


@dataclass(frozen=True)
class Drawn:
    """Sequences with what is to be said of them.

    Attributes:
        inputs: Shape (time, batch, features), float32.
        targets: Values of shape (batch,), or class indices of shape (batch,) or (items, batch).
        lengths: Steps of each sequence, shape (batch,), int64; None if all have the same.
    """

    inputs: Tensor
    targets: Tensor
    lengths: Tensor | None = None


class Problem(ABC):
    """A problem of one span.

    Attributes:
        span: Steps over which something must be remembered.
        features: Values per step.
        outputs: Outputs of the network.
    """

    name: ClassVar[str]
    features: ClassVar[int]
    outputs: ClassVar[int]
    recalled: ClassVar[int] = 0
    """How many of the last steps have an output; 0 for an output after the sequence."""

    def __init__(self, span: int) -> None:
        self.span = span

    @abstractmethod
    def draw(self, random: np.random.Generator, count: int, *, is_test: bool = False) -> Drawn:
        """Fresh sequences."""

    @abstractmethod
    def loss(self, outputs: Tensor, drawn: Drawn) -> Tensor:
        """The mean loss, from outputs of shape (batch, outputs), or (items, batch, outputs)."""

    @abstractmethod
    def solved(self, outputs: Tensor, drawn: Drawn) -> float:
        """The share of sequences that are right."""


class Adding(Problem):
    """The adding problem; the span is T."""

    name = "adding"
    features = 2
    outputs = 1

    def draw(self, random: np.random.Generator, count: int, *, is_test: bool = False) -> Drawn:
        """Fresh sequences of T to T + T/10 steps."""
        span = self.span
        lengths = random.integers(span, span + span // 10 + 1, count)
        steps = int(lengths.max())
        inputs = np.zeros((steps, count, 2), dtype=np.float32)
        inputs[..., 0] = random.uniform(-1, 1, (steps, count))
        each = np.arange(count)
        first = random.integers(0, min(10, span // 2), count)
        # The second mark is a step of the first half other than the first mark.
        second = random.integers(0, max(span // 2, 2) - 1, count)
        second += second >= first
        inputs[0, :, 1] = -1
        inputs[lengths - 1, each, 1] = -1
        inputs[first, each, 1] = 1
        inputs[second, each, 1] = 1
        targets = 0.5 + (inputs[first, each, 0] + inputs[second, each, 0]) / 4
        return Drawn(torch.from_numpy(inputs), torch.from_numpy(targets), torch.from_numpy(lengths))

    def loss(self, outputs: Tensor, drawn: Drawn) -> Tensor:
        """The mean squared error."""
        return mse_loss(outputs[:, 0], drawn.targets)

    def solved(self, outputs: Tensor, drawn: Drawn) -> float:
        """The share of sequences with an absolute error below 0.04."""
        return float(((outputs[:, 0] - drawn.targets).abs() < TOLERANCE).double().mean())


class Copy(Problem):
    """The copy task; the span is the number of blanks."""

    name = "copy"
    features = ALPHABET + 2
    outputs = ALPHABET
    recalled = ITEMS

    def draw(self, random: np.random.Generator, count: int, *, is_test: bool = False) -> Drawn:
        """Fresh sequences of ITEMS + T + ITEMS steps."""
        symbols = torch.from_numpy(random.integers(0, ALPHABET, (ITEMS, count)))
        blank, signal = ALPHABET, ALPHABET + 1
        tokens = torch.full((2 * ITEMS + self.span, count), blank)
        tokens[:ITEMS] = symbols
        tokens[ITEMS + self.span - 1] = signal
        return Drawn(one_hot(tokens, ALPHABET + 2).float(), symbols)

    def loss(self, outputs: Tensor, drawn: Drawn) -> Tensor:
        """The mean cross-entropy of the recalled symbols."""
        return cross_entropy(outputs.flatten(0, 1), drawn.targets.flatten())

    def solved(self, outputs: Tensor, drawn: Drawn) -> float:
        """The share of sequences with every symbol right."""
        return float((outputs.argmax(-1) == drawn.targets).all(0).double().mean())


class Digits(Problem):
    """A digit's class after its last step; drawn from the training digits, or all of the testing ones."""

    outputs = 10

    def draw(self, random: np.random.Generator, count: int, *, is_test: bool = False) -> Drawn:
        """Training digits at random, or every test digit."""
        images, classes, order = _digits()
        rows = order[:TEST_DIGITS] if is_test else random.choice(order[TEST_DIGITS:], count)
        return Drawn(self.sequence(images[rows]), torch.from_numpy(classes[rows]))

    @abstractmethod
    def sequence(self, images: np.ndarray) -> Tensor:
        """Images of shape (batch, 8, 8) as sequences of shape (time, batch, features)."""

    def loss(self, outputs: Tensor, drawn: Drawn) -> Tensor:
        """The mean cross-entropy."""
        return cross_entropy(outputs, drawn.targets)

    def solved(self, outputs: Tensor, drawn: Drawn) -> float:
        """The accuracy."""
        return float((outputs.argmax(-1) == drawn.targets).double().mean())


class Rows(Digits):
    """Eight steps of eight pixels."""

    name = "digits, rows"
    features = 8

    def sequence(self, images: np.ndarray) -> Tensor:
        """Shape (8, batch, 8)."""
        return torch.from_numpy(images).transpose(0, 1).contiguous()


class Pixels(Digits):
    """Sixty-four steps of one pixel."""

    name = "digits, pixels"
    features = 1

    def sequence(self, images: np.ndarray) -> Tensor:
        """Shape (64, batch, 1)."""
        return torch.from_numpy(images.reshape(len(images), 64, 1)).transpose(0, 1).contiguous()


class Permuted(Pixels):
    """Sixty-four steps of one pixel, in one fixed random order."""

    name = "digits, permuted"

    def sequence(self, images: np.ndarray) -> Tensor:
        """Shape (64, batch, 1)."""
        order = np.random.default_rng(_PERMUTATION_SEED).permutation(64)
        return super().sequence(images)[order]


@cache
def _digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The images from 0 to 1, their classes, and the order of which the first TEST_DIGITS are for testing."""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(classes))
    return images.reshape(-1, 8, 8).astype(np.float32) / 16, classes.astype(np.int64), order


PROBLEMS: dict[str, type[Problem]] = {p.name: p for p in (Adding, Copy, Rows, Pixels, Permuted)}
