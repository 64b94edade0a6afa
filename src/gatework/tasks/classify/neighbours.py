"""The nearest recordings by dynamic time warping, as a classifier: what is said is what they say.

Known recordings, up to a number of frames, are kept as cepstral coefficients of what is spoken, each in its own
deviations from its own mean, as they are and with their frequencies a tenth higher and lower, as if by other vocal
tracts. A class is as near as the mean of its three nearest, by their distance for each step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from gatework.data.inputs import RaggedSeries
from gatework.tasks._heard import heard
from gatework.tasks._warping import distances
from gatework.tasks.classify.warping import class_scores

# Chosen on speakers of spoken digits who were held out in pairs; docs/sounds.md.
_COUNT = 3


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Known recordings, to be compared with.

    Attributes:
        known: Their cepstral coefficients, float32.
        targets: The class of each, shape (known,), int64.
        classes: How many classes there are.
        about: One sentence: what it does.
        seconds: What keeping them took.
    """

    known: RaggedSeries
    targets: np.ndarray
    classes: int
    about: str
    seconds: float = 0.0

    name: ClassVar[str] = "nearest recordings by time warping"
    short_name: ClassVar[str] = "nearest recordings"

    @property
    def parameters(self) -> int:
        """How many numbers are kept."""
        return int(self.known.values.size)

    def scores(self, inputs: Any) -> np.ndarray:
        """How near each class is, 0 at the nearest, shape (examples, classes), float64.

        Args:
            inputs: Recordings.
        """
        if not len(inputs):
            return np.zeros((0, self.classes))
        asked = RaggedSeries.of([heard(inputs[place]) for place in range(len(inputs))])
        apart = distances(asked, self.known) / (asked.lengths[:, None] + self.known.lengths)
        return class_scores(apart, self.targets, self.classes, _COUNT)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that is needed to answer."""
        return {"values": self.known.values, "ends": self.known.ends, "targets": self.targets}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], classes: int) -> Neighbours:
        """The one whose `to_arrays()` these are.

        Args:
            arrays: By name.
            classes: How many classes it tells apart.

        Raises:
            ValueError: They do not fit each other.
        """
        if set(arrays) != {"values", "ends", "targets"}:
            raise ValueError(f"the nearest recordings have {', '.join(arrays)}")
        values, ends, targets = arrays["values"].astype(np.float32), arrays["ends"], arrays["targets"]
        is_whole = all(each.ndim == 1 and each.dtype == np.int64 and len(each) for each in (ends, targets))
        if values.ndim != 2 or not is_whole or len(ends) != len(targets) or ends[-1] != len(values):
            raise ValueError("the nearest recordings are of another shape or type")
        if np.diff(ends, prepend=0).min() < 1 or targets.min() < 0 or targets.max() >= classes:
            raise ValueError(f"the nearest recordings do not fit {classes} classes")
        return cls(RaggedSeries(values, ends), targets, classes, "")
