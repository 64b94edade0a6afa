"""The simple methods that answer beside a network: a linear classifier, and of recordings the nearest ones too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from gatework.tasks.classify.linear import LinearClassifier
from gatework.tasks.classify.neighbours import Neighbours
from gatework.tasks.classify.stored import from_arrays, to_arrays

_LINEAR, _NEIGHBOURS = "linear_", "neighbours_"
"""What the names of a voice's arrays begin with, in the order in which voices are joined."""


class SimpleVoice(Protocol):
    """A simple method that answers beside a network."""

    @property
    def short_name(self) -> str:
        """Its name in tables."""
        ...

    def scores(self, inputs: Any) -> np.ndarray:
        """The score of each class, shape (examples, classes), float64."""
        ...


def arrays_of(voice: SimpleVoice) -> dict[str, np.ndarray]:
    """A voice as named arrays."""
    if isinstance(voice, Neighbours):
        return {f"{_NEIGHBOURS}{name}": array for name, array in voice.to_arrays().items()}
    if isinstance(voice, LinearClassifier):
        return {f"{_LINEAR}{name}": array for name, array in to_arrays(voice).items()}
    raise TypeError(f"{voice.short_name} is not kept")


def stored_voices(
    arrays: Mapping[str, np.ndarray], classes: int
) -> tuple[tuple[SimpleVoice, ...], dict[str, np.ndarray]]:
    """The voices whose `arrays_of()` are among these, and the arrays that are of none.

    Args:
        arrays: By name.
        classes: How many classes there are.

    Raises:
        ValueError: They do not fit each other.
    """
    voices: list[SimpleVoice] = []
    rest = dict(arrays)
    readers: dict[str, Callable[[Mapping[str, np.ndarray], int], SimpleVoice]] = {
        _LINEAR: from_arrays,
        _NEIGHBOURS: Neighbours.from_arrays,
    }
    for start, read in readers.items():
        kept = {name.removeprefix(start): rest.pop(name) for name in arrays if name.startswith(start)}
        voices += [read(kept, classes)] if kept else []
    return tuple(voices), rest
