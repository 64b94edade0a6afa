"""Keywords in a stream of sound: where a classifier of short recordings hears one, and how often it is wrong.

The network is asked every 0.1 s what the last second or so was. A keyword is heard where its mean probability over two
neighbouring windows is highest once it has reached a threshold, and then not again until it has sunk below it. On a
stream that is made of held-back recordings with pauses, hisses and hums between them, each threshold has its false
accepts per hour, keywords that were heard and not said there, and its misses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gatework.data.features import FLOOR, HOP
from gatework.data.sounds import SoundEncoder
from gatework.tasks._voice import LEAST

HOP_FRAMES = 10
"""Frames from window to window: 0.1 s."""
THRESHOLDS = 1 - np.geomspace(0.7, 0.0005, 40)
"""Those that are tried: from 0.3, closer and closer to 1."""
FALSE_ACCEPTS = 1.0
"""What is allowed per hour where nothing else is said."""
_SMOOTHED = 2
# Windows that may be waited for a keyword to become likelier: its beginning may sound like another one.
_PATIENCE = 4
# Recordings of a made stream at most, the pauses between them in frames, and how many have a stretch of noise behind.
_MOST, _PAUSE, _STRETCH, _STRETCH_FRAMES = 200, (30, 100), 10, 300
# A keyword counts as heard from its beginning until so many frames after its end.
_LATE = 50
_BATCH = 256

Scores = Callable[[np.ndarray], np.ndarray]
"""The probabilities of classes, shape (windows, classes), of windows, shape (windows, steps, width)."""


class Spotted(NamedTuple):
    """A keyword that was heard.

    Attributes:
        window: The number of the window in which it was, from 0.
        label: The index of its class.
        probability: How sure that is.
    """

    window: int
    label: int
    probability: float


class Truth(NamedTuple):
    """A recording in a made stream, from one frame to before another.

    Attributes:
        start: Its first frame.
        end: The one after its last.
        label: The index of its class.
    """

    start: int
    end: int
    label: int


class Spotter:
    """Decides from window to window whether a keyword is heard.

    Args:
        threshold: The least probability.
        keywords: The indices of the classes that are listened for.
        window: Frames of a window.
    """

    def __init__(self, threshold: float, keywords: Sequence[int], window: int) -> None:
        self.threshold, self.keywords = threshold, np.array(keywords, dtype=np.int64)
        self._rest = -(-window // (2 * HOP_FRAMES))
        self._before: np.ndarray | None = None
        self._count, self._last, self._held = 0, -(10**9), -1
        self._likeliest: Spotted | None = None
        self._since = 0

    def hear(self, probabilities: np.ndarray, *, is_moving: bool) -> Spotted | None:
        """What is heard with one more window.

        Args:
            probabilities: Of each class, shape (classes,).
            is_moving: Whether the sound swells or sinks in it, as a word's does.
        """
        now = probabilities if is_moving else np.zeros_like(probabilities)
        mean = now if self._before is None else (now + self._before) / _SMOOTHED
        self._before, window = now, self._count
        self._count += 1
        best = int(self.keywords[mean[self.keywords].argmax()])
        if self._held >= 0 and mean[self._held] < self.threshold:
            self._held = -1
        is_due = mean[best] >= self.threshold and best != self._held and window - self._last >= self._rest
        candidate = self._likeliest
        if is_due and (candidate is None or mean[best] > candidate.probability):
            self._since = window if candidate is None else self._since
            self._likeliest = Spotted(window, best, float(mean[best]))
            if window - self._since < _PATIENCE:
                return None
        elif candidate is None:
            return None
        heard, self._likeliest = self._likeliest, None
        if heard is not None:
            self._last, self._held = heard.window, heard.label
        return heard


def is_moving(frames: np.ndarray) -> bool:
    """Whether the loudness of a window moves, shape (frames, bands); see `gatework.tasks._voice`."""
    return float(np.ptp(frames.mean(axis=1))) > LEAST


def windows_of(frames: np.ndarray, encoder: SoundEncoder) -> np.ndarray:
    """Every window of a stream, the first of which ends with its first 0.1 s, shape (windows, frames, bands)."""
    before = np.full((encoder.window - HOP_FRAMES, frames.shape[1]), FLOOR, frames.dtype)
    whole = np.concatenate([before, frames])
    views = np.lib.stride_tricks.sliding_window_view(whole, encoder.window, axis=0)[::HOP_FRAMES]
    return views.transpose(0, 2, 1)


def watched(frames: np.ndarray, encoder: SoundEncoder, scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of every window of a stream, and whether each moves."""
    windows = windows_of(frames, encoder)
    parts = [
        scores(np.stack([encoder.steps(one) for one in windows[start : start + _BATCH]]))
        for start in range(0, len(windows), _BATCH)
    ]
    return np.concatenate(parts), np.array([is_moving(one) for one in windows])


def made_stream(
    features: Sequence[np.ndarray], targets: np.ndarray, noise: Callable[[int, float], np.ndarray], seed: int = 0
) -> tuple[np.ndarray, list[Truth]]:
    """Recordings one after the other with pauses between, some of them of noise.

    Args:
        features: Of each recording, shape (frames, bands); some evenly chosen ones of many.
        targets: The class of each.
        noise: Gives a stretch of so many frames without speech, beside speech of this loudness.
        seed: Of the order and the pauses.
    """
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(features))[:_MOST]
    parts, truths, at = list[np.ndarray](), list[Truth](), 0
    for number, place in enumerate(chosen):
        one = features[place]
        floor = np.quantile(one, 0.1, axis=0)
        length = int(random.integers(*_PAUSE))
        pause = np.maximum(floor + 0.5 * random.standard_normal((length, one.shape[1])), FLOOR)
        parts += [pause.astype(one.dtype), one]
        truths.append(Truth(at + length, at + length + len(one), int(targets[place])))
        at = truths[-1].end
        if number % _STRETCH == _STRETCH - 1:
            parts.append(noise(_STRETCH_FRAMES, float(one.mean())).astype(one.dtype))
            at += _STRETCH_FRAMES
    return np.concatenate(parts), truths


def judged(heard: Iterable[Spotted], truths: Sequence[Truth], keywords: Sequence[int]) -> tuple[int, int]:
    """How many keywords were heard that were not said there, and how many that were said were missed."""
    open_truths = [truth for truth in truths if truth.label in set(keywords)]
    met: set[int] = set()
    false = 0
    starts = np.array([truth.start for truth in open_truths])
    for one in heard:
        frame = (one.window + 1) * HOP_FRAMES
        last = int(np.searchsorted(starts, frame)) - 1
        # What is heard belongs to the recording that began last, or to the one before where that has just begun.
        near = [k for k in (last, last - 1) if k >= 0 and frame <= open_truths[k].end + _LATE]
        right = next((k for k in near if open_truths[k].label == one.label and k not in met), None)
        if right is None:
            false += 1
        else:
            met.add(right)
    return false, len(open_truths) - len(met)


def curve(
    probabilities: np.ndarray, moving: np.ndarray, truths: Sequence[Truth], keywords: Sequence[int], window: int
) -> np.ndarray:
    """For each of `THRESHOLDS` the threshold, the false accepts per hour and the share of misses."""
    hours = len(probabilities) * HOP_FRAMES * HOP / 3600
    said = max(sum(truth.label in set(keywords) for truth in truths), 1)
    rows = []
    for threshold in THRESHOLDS:
        spotter = Spotter(float(threshold), keywords, window)
        each = (spotter.hear(p, is_moving=bool(m)) for p, m in zip(probabilities, moving, strict=True))
        false, missed = judged([one for one in each if one is not None], truths, keywords)
        rows.append((float(threshold), false / hours, missed / said))
    return np.array(rows)


def chosen_threshold(rows: np.ndarray, most: float) -> np.ndarray:
    """The row of the lowest threshold from which on there are at most so many false accepts per hour.

    The highest threshold where none has so few.
    """
    allowed = rows[:, 1] <= most
    first = len(rows) - int(np.argmin(allowed[::-1])) if not allowed.all() else 0
    row: np.ndarray = rows[min(first, len(rows) - 1)]
    return row
