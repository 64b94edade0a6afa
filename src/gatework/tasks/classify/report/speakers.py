"""How well each speaker is understood."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.classify.report.chances import Chances

_SPEAKER = "speaker"
_MOST_NAMES = 3
_QUANTILE = 1.96


class SpeakerRow(NamedTuple):
    """A speaker of the test part.

    Attributes:
        speaker: The name.
        recordings: How many there are.
        accuracy: The share that each entry is right in.
        low: The lower end of the first entry's interval.
        high: The upper one.
    """

    speaker: str
    recordings: int
    accuracy: tuple[float, ...]
    low: float
    high: float


def speakers(chances: Chances, answered: Answered) -> ReportSection | None:
    """The accuracy of each speaker; None where who speaks is not known, or one speaker has all recordings."""
    if _SPEAKER not in answered.test.columns:
        return None
    who = answered.test[_SPEAKER].to_numpy()
    people = sorted(set(who.tolist()) - {""})
    if len(people) < 2:
        return None
    names = list(chances.by_name)[:_MOST_NAMES]
    right = [chances.predicted(name) == chances.actual for name in names]
    rows = [_row(name, [each[who == name] for each in right]) for name in people]
    rows.sort(key=lambda row: row.accuracy[0])
    worst = rows[0]
    return ReportSection(
        name="speakers",
        title="By speaker",
        template=section_file(__package__, "speakers.html"),
        context={"names": names, "rows": rows, "summary": f"{worst.speaker}: {worst.accuracy[0]:.3f} at the least."},
    )


def _row(name: str, right: list[np.ndarray]) -> SpeakerRow:
    low, high = interval(float(right[0].mean()), len(right[0]))
    return SpeakerRow(name, len(right[0]), tuple(float(each.mean()) for each in right), low, high)


def interval(share: float, count: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 %."""
    z = _QUANTILE**2 / count
    middle = (share + z / 2) / (1 + z)
    half = _QUANTILE * math.sqrt(share * (1 - share) / count + z / (4 * count)) / (1 + z)
    return max(middle - half, 0.0), min(middle + half, 1.0)
