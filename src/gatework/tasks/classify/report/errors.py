"""Where models of classes disagree and err, example by example."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gatework.tasks._section import Answered, ReportSection, section_file
from gatework.tasks.classify.report.chances import Chances

_SHORT = 320
_LONGEST = 20_000
_DISAGREEMENTS = 10
_MISTAKES = 6
_LINE_POINTS = 200
_LANES = 6
# Control characters show as the replacement character; the page's encoding has no other form for them.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Opinion:
    """What one model says about one text.

    Attributes:
        model: The model's name.
        answer: The class it chooses.
        is_right: Whether that is the actual class.
        probability: Of the class it chooses.
        at: Where its mark lies on the track, in per cent: the probability of the second of two classes, or of the
            class it chooses among more.
    """

    model: str
    answer: str
    is_right: bool
    probability: float
    at: float


@dataclass(frozen=True)
class Example:
    """A text of the test part with every model's opinion.

    Attributes:
        number: Its place in the test part, from 1.
        series: The points of a line for each variable, where the examples are series rather than texts.
        start: The text's beginning.
        rest: What follows it, shown on request.
        dropped: How many characters are not in the page at all.
        actual: Its class.
        opinions: One per model.
    """

    number: int
    series: tuple[str, ...]
    start: str
    rest: str
    dropped: int
    actual: str
    opinions: tuple[Opinion, ...]


def errors(chances: Chances, answered: Answered) -> ReportSection | None:
    """Where the networks disagree, and their most confident mistakes; None of examples that were not kept."""
    if answered.test.columns == ["target"]:
        return None
    names, networks, actual = list(chances.by_name), list(chances.networks), chances.actual
    # Each text shows the networks and the best baseline; all baselines would bury the networks.
    shown = networks + [name for name in names if name not in networks][:1]
    inputs = answered.column("text", "input", "audio").to_list()
    opinions = {name: chances.by_name[name] for name in shown}
    reader = _Reader(inputs, actual, chances.classes, opinions, series_width(answered.state))
    rivals = networks if len(networks) > 1 else shown
    differs, widest = _disagreements([chances.by_name[name] for name in rivals], actual)
    wrong_everywhere = np.stack([chances.predicted(name) != actual for name in networks]).all(axis=0)
    never_right = int(wrong_everywhere.sum())
    first = int((chances.predicted(networks[0]) == actual).sum())
    return ReportSection(
        name="errors",
        title="What the errors look like",
        template=section_file(__package__, "errors.html"),
        context={
            "classes": chances.classes,
            "examples": len(actual),
            "is_alone": len(names) == 1,
            "has_seeds": any(len(entry.answers) > 1 for entry in answered.entries),
            "disagreements": [reader.example(int(k)) for k in widest],
            "disagreeing": differs,
            "never_right": never_right,
            "mistakes": [_mistakes(reader, name, chances.by_name[name], actual) for name in networks],
        },
        headline=f"Right on {first:,} of {len(actual):,} test examples ({100 * first / len(actual):.1f} %).",
    )


def _disagreements(chances: list[np.ndarray], actual: np.ndarray) -> tuple[int, np.ndarray]:
    """How many examples models answer differently, and the positions of those on which they lie widest apart."""
    answers = np.stack([chance.argmax(axis=1) for chance in chances])
    differs = np.flatnonzero((answers != answers[0]).any(axis=0))
    on_actual = np.stack([chance[np.arange(len(actual)), actual] for chance in chances])
    width = on_actual.max(axis=0) - on_actual.min(axis=0)
    return len(differs), differs[np.argsort(-width[differs], kind="stable")][:_DISAGREEMENTS]


@dataclass(frozen=True)
class _Reader:
    inputs: list[Any]
    actual: np.ndarray
    classes: Sequence[str]
    chances: dict[str, np.ndarray]
    width: int = 1

    def example(self, k: int) -> Example:
        shown = self.inputs[k]
        opinions = tuple(self._opinion(name, chance[k], int(self.actual[k])) for name, chance in self.chances.items())
        actual = self.classes[self.actual[k]]
        if isinstance(shown, list):
            return Example(k + 1, _lines(shown, self.width), "", "", 0, actual, opinions)
        text = _CONTROLS.sub("\ufffd", (shown or "").strip())
        start = text if len(text) <= _SHORT * 1.2 else _until_word(text, _SHORT)
        dropped = max(len(text) - _LONGEST, 0)
        return Example(k + 1, (), start, text[len(start) : _LONGEST], dropped, actual, opinions)

    def _opinion(self, name: str, chance: np.ndarray, actual: int) -> Opinion:
        answer = int(chance.argmax())
        at = chance[1] if len(chance) == 2 else chance[answer]
        return Opinion(name, self.classes[answer], answer == actual, float(chance[answer]), round(100 * float(at), 1))


def series_width(state: Mapping[str, Any]) -> int:
    """How many values a step of a series has, by the state of a fitted task; 1 of what is no series."""
    return len(((state.get("encoder") or {}).get("scale") or {}).get("mean") or (0,))


def _lines(values: list[Any], width: int) -> tuple[str, ...]:
    """A line for each variable, one below the other in a box of 100 by 20, the way SVG writes their points."""
    steps = np.asarray(values, dtype=np.float64).reshape(-1, width)
    kept = np.unique(np.linspace(0, len(steps) - 1, min(_LINE_POINTS, len(steps))).astype(int))
    across = 100 * kept / max(len(steps) - 1, 1)
    lanes = min(width, _LANES)
    drawn = []
    for lane, series in enumerate(steps.T[:lanes]):
        low, high = np.nanmin(series), np.nanmax(series)
        heights = (20 * lane + 19 - 18 * (series[kept] - low) / ((high - low) or 1.0)) / lanes
        drawn.append(" ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True) if y == y))
    return tuple(drawn)


def _until_word(text: str, length: int) -> str:
    cut = text.rfind(" ", length // 2, length)
    return text[: cut if cut > 0 else length]


def _mistakes(
    reader: _Reader, name: str, chance: np.ndarray, actual: np.ndarray
) -> tuple[str, tuple[Example, ...], int]:
    wrong = np.flatnonzero(chance.argmax(axis=1) != actual)
    surest = wrong[np.argsort(-chance[wrong].max(axis=1), kind="stable")][:_MISTAKES]
    return name, tuple(reader.example(int(k)) for k in surest), len(wrong)
