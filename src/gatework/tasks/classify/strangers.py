"""People who are not learnt from: what answers them best is found by leaving out each of those who are, in turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._recorded import Recorded

if TYPE_CHECKING:
    from gatework.data.dataset import Dataset, Split

_FEWEST = 3


def is_for_strangers(dataset: Dataset) -> bool:
    """Whether the test part is of people who are in no other part, while the validation part has those of training.

    The validation part then does not tell how well they are answered.
    """
    train, held, test = (_people(part) for part in (dataset.train, dataset.validation, dataset.test))
    return len(train) >= _FEWEST and bool(test) and bool(train & held) and not train & test


def left_out_in_turn(dataset: Dataset) -> Iterator[np.ndarray]:
    """For each speaker of the training part, which of its recordings are that one's, shape (examples,), bool.

    None where the validation part tells what is to be chosen; see `is_for_strangers()`.
    """
    train = dataset.train
    if is_for_strangers(dataset) and isinstance(train, Recorded) and train.speakers is not None:
        yield from (train.speakers == who for who in sorted(_people(train)))


def _people(part: Split) -> set[str]:
    """The speakers that are named in a part."""
    if not isinstance(part, Recorded) or part.speakers is None:
        return set()
    return set(part.speakers.tolist()) - {""}
