"""Predictions of classes against the actual ones: disagreements, confident mistakes, confusion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from gatework.errors import RunError
from gatework.reports.folders import Entry
from gatework.reports.thresholds import thresholds

_SHORT = 320
_LONGEST = 20_000
_DISAGREEMENTS = 10
_MISTAKES = 6
_MOST_CLASSES = 30
_LINE_POINTS = 200
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
        series: The points of a line, where the examples are series rather than texts.
        start: The text's beginning.
        rest: What follows it, shown on request.
        dropped: How many characters are not in the page at all.
        actual: Its class.
        opinions: One per model.
    """

    number: int
    series: str
    start: str
    rest: str
    dropped: int
    actual: str
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: counts, and each as a share of its row (the actual class)."""

    model: str
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Classification:
    """All that the page shows about classes.

    Attributes:
        disagreements: Texts on which the networks answer differently, the widest apart first.
        disagreeing: How many there are in all.
        never_right: How many texts no network gets right.
        mistakes: Per network, the wrong answers given with the highest probability.
        confusions: One matrix per model; empty where there are too many classes to read.
        examples: How many texts the test part has.
        roc: Curves of every model for the script, and how far its probabilities can be trusted; None unless there are
            two classes.
    """

    disagreements: tuple[Example, ...]
    disagreeing: int
    never_right: int
    mistakes: tuple[tuple[str, tuple[Example, ...], int], ...]
    confusions: tuple[Confusion, ...]
    examples: int
    roc: dict[str, Any] | None


def probabilities(scores: np.ndarray, classes: int) -> np.ndarray:
    """Class probabilities, the softmax of a model's scores; both of shape (examples, classes).

    Raises:
        RunError: The scores do not have one column per class.
    """
    if scores.shape[1] != classes:
        raise RunError(f"the predictions have {scores.shape[1]} columns for {classes} classes; compare again")
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def classification(
    entries: Sequence[Entry], metric: str, test: pl.DataFrame, classes: Sequence[str]
) -> Classification | None:
    """Where models disagree and err; every model is represented by its seed with the median metric.

    Raises:
        RunError: Predictions, targets and class names do not fit each other.
    """
    entries = [e for e in entries if e.outputs]
    if not entries or not len(test):
        return None
    actual = test["target"].to_numpy().astype(np.int64)
    if actual.min() < 0 or actual.max() >= len(classes):
        raise RunError(f"test.parquet holds the class index {actual.max()}, but there are {len(classes)} classes")
    chances = {e.name: probabilities(e.outputs[e.typical(metric)], len(classes)) for e in entries}
    networks = [e.name for e in entries if e.is_network] or [e.name for e in entries]
    # Each text shows the networks and the best baseline; all baselines would bury the networks.
    shown = networks + [e.name for e in entries if not e.is_network and e.name not in networks][:1]
    inputs = test["text" if "text" in test.columns else "input"].to_list()
    reader = _Reader(inputs, actual, classes, {name: chances[name] for name in shown})
    rivals = networks if len(networks) > 1 else shown
    answers = np.stack([chances[name].argmax(axis=1) for name in rivals])
    differs = np.flatnonzero((answers != answers[0]).any(axis=0))
    on_actual = np.stack([chances[name][np.arange(len(actual)), actual] for name in rivals])
    width = on_actual.max(axis=0) - on_actual.min(axis=0)
    widest = differs[np.argsort(-width[differs], kind="stable")][:_DISAGREEMENTS]
    wrong_everywhere = np.stack([chances[name].argmax(axis=1) != actual for name in networks]).all(axis=0)
    return Classification(
        disagreements=tuple(reader.example(int(k)) for k in widest),
        disagreeing=len(differs),
        never_right=int(wrong_everywhere.sum()),
        mistakes=tuple(_mistakes(reader, name, chances[name], actual) for name in networks),
        confusions=_confusions(chances, actual, len(classes)),
        examples=len(actual),
        roc=thresholds(chances, actual, classes[1]) if len(classes) == 2 else None,
    )


@dataclass(frozen=True)
class _Reader:
    inputs: list[Any]
    actual: np.ndarray
    classes: Sequence[str]
    chances: dict[str, np.ndarray]

    def example(self, k: int) -> Example:
        shown = self.inputs[k]
        opinions = tuple(self._opinion(name, chance[k], int(self.actual[k])) for name, chance in self.chances.items())
        actual = self.classes[self.actual[k]]
        if isinstance(shown, list):
            return Example(k + 1, _line(shown), "", "", 0, actual, opinions)
        text = _CONTROLS.sub("\ufffd", (shown or "").strip())
        start = text if len(text) <= _SHORT * 1.2 else _until_word(text, _SHORT)
        dropped = max(len(text) - _LONGEST, 0)
        return Example(k + 1, "", start, text[len(start) : _LONGEST], dropped, actual, opinions)

    def _opinion(self, name: str, chance: np.ndarray, actual: int) -> Opinion:
        answer = int(chance.argmax())
        at = chance[1] if len(chance) == 2 else chance[answer]
        return Opinion(name, self.classes[answer], answer == actual, float(chance[answer]), round(100 * float(at), 1))


def _line(values: list[Any]) -> str:
    # Points in a box of 100 by 20, the way SVG writes them.
    series = np.ravel(np.asarray(values, dtype=np.float64))
    kept = np.unique(np.linspace(0, len(series) - 1, min(_LINE_POINTS, len(series))).astype(int))
    low, high = np.nanmin(series), np.nanmax(series)
    heights = 19 - 18 * (series[kept] - low) / ((high - low) or 1.0)
    across = 100 * kept / max(len(series) - 1, 1)
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, heights, strict=True) if y == y)


def _until_word(text: str, length: int) -> str:
    cut = text.rfind(" ", length // 2, length)
    return text[: cut if cut > 0 else length]


def _mistakes(
    reader: _Reader, name: str, chance: np.ndarray, actual: np.ndarray
) -> tuple[str, tuple[Example, ...], int]:
    wrong = np.flatnonzero(chance.argmax(axis=1) != actual)
    surest = wrong[np.argsort(-chance[wrong].max(axis=1), kind="stable")][:_MISTAKES]
    return name, tuple(reader.example(int(k)) for k in surest), len(wrong)


def _confusions(chances: dict[str, np.ndarray], actual: np.ndarray, classes: int) -> tuple[Confusion, ...]:
    if classes > _MOST_CLASSES:
        return ()
    found = []
    for name, chance in chances.items():
        counts = np.zeros((classes, classes), dtype=int)
        np.add.at(counts, (actual, chance.argmax(axis=1)), 1)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        found.append(Confusion(name, tuple(map(tuple, counts.tolist())), tuple(map(tuple, shares.round(3).tolist()))))
    return tuple(found)
