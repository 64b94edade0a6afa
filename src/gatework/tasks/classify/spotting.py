"""Keywords in a stream of sound: where a classifier of short recordings hears one, and how often it is wrong.

The network is asked every 0.1 s what the last second or so was: the probability of a class is that there is a word at
all times that of the class among the classes. Of its mean over four neighbouring windows so much is left as what is
heard is familiar (see `familiarity`), and a keyword is heard where that is highest once it has reached a threshold, and
then not again until it has sunk below it. On a stream that is made of held-back recordings with pauses, noise, scraps
of words and words that there are not between them, each threshold has its false accepts per hour, keywords that were
heard where none was said; its misses, said ones that were not heard as what they are; and those of them that were heard
as another.
"""

from __future__ import annotations

from collections import deque
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
FALSE_ACCEPTS = 0.5
"""What is allowed per hour where nothing else is said."""
COLUMNS = ("threshold", "false_accepts", "missed_keywords", "mistaken_keywords")
"""What a curve says of each threshold."""
# A word is in several windows, and a noise that resembles one is in one or two.
_SMOOTHED = 4
# Windows that may be waited for a keyword to become likelier: its beginning may sound like another one.
_PATIENCE = 4
# Recordings of a made stream at most, the pauses between them in frames, and how many have a stretch of noise behind.
_MOST, _PAUSE, _STRETCH, _STRETCH_FRAMES = 400, (30, 100), 10, 300
# Recordings at most from which it is learnt how words look.
_MOST_KNOWN = 700
# So many times as long as these the stream goes on without a word, an hour at most.
_WITHOUT, _LONGEST = 40, 360_000
# A keyword counts as heard from its beginning until so many frames after its end.
_LATE = 50
_BATCH = 256

Scores = Callable[[np.ndarray], np.ndarray]
"""What a network says of windows, shape (windows, steps, width): a row each, which begins with the probabilities of the
classes and may go on with its view."""
Finish = Callable[[np.ndarray], np.ndarray]
"""The probabilities of classes, shape (windows, classes), of the means of such rows."""


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
        finish: What the means over windows come to; they are probabilities already if absent.
    """

    def __init__(self, threshold: float, keywords: Sequence[int], window: int, finish: Finish | None = None) -> None:
        self.threshold, self.keywords, self._finish = threshold, np.array(keywords, dtype=np.int64), finish
        self._rest = -(-window // (2 * HOP_FRAMES))
        self._recent: deque[np.ndarray] = deque(maxlen=_SMOOTHED)
        self._count, self._asked, self._last, self._held = 0, -1, -(10**9), -1
        self._likeliest: Spotted | None = None
        self._since = 0

    def hear(self, row: np.ndarray) -> Spotted | None:
        """What is heard with one more window.

        Args:
            row: What the network says of it.
        """
        self._recent.append(row)
        self._count += 1
        mean = np.sum(self._recent, axis=0) / _SMOOTHED
        return self.decide(self._count - 1, mean if self._finish is None else self._finish(mean[None])[0])

    def decide(self, window: int, mean: np.ndarray) -> Spotted | None:
        """What is heard in a window; of those since the last one that was asked about, none reaches the threshold.

        Args:
            window: Its number.
            mean: The mean probabilities of the classes, shape (classes,).
        """
        best = int(self.keywords[mean[self.keywords].argmax()])
        if self._held >= 0 and (mean[self._held] < self.threshold or window > self._asked + 1):
            self._held = -1
        self._asked = window
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


def watched(frames: np.ndarray, encoder: SoundEncoder, scores: Scores) -> np.ndarray:
    """What is said of every window of a stream, a row each; 0 where its loudness does not move."""
    windows, parts = windows_of(frames, encoder), list[np.ndarray]()
    for start in range(0, len(windows), _BATCH):
        batch = windows[start : start + _BATCH]
        moving = np.array([is_moving(one) for one in batch])
        steps = [encoder.steps(one) for one in batch[moving]]
        heard = scores(np.stack(steps)) if steps else np.zeros((0, 1))
        each = np.zeros((len(batch), heard.shape[1]))
        each[moving] = heard
        parts.append(each)
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.broadcast_to(part, (len(part), width)) for part in parts])


def made_stream(
    features: Sequence[np.ndarray],
    targets: np.ndarray,
    noise: Callable[[int, float], np.ndarray],
    seed: int = 0,
    *,
    is_long: bool = True,
) -> tuple[np.ndarray, list[Truth]]:
    """Recordings one after the other with pauses between, some of them of noise, and then a long time of noise.

    Args:
        features: Of each recording, shape (frames, bands); some that are drawn of many.
        targets: The class of each.
        noise: Gives a stretch of so many frames without speech, beside speech of this loudness.
        seed: Of the order and the pauses.
        is_long: Whether the long time of noise follows.
    """
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(features))[: _MOST if is_long else _MOST_KNOWN]
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
    without = min(_WITHOUT * sum(len(features[k]) for k in chosen), _LONGEST) if is_long else 0
    for place in range(0, without, _STRETCH_FRAMES):
        beside = features[chosen[place // _STRETCH_FRAMES % len(chosen)]]
        parts.append(noise(_STRETCH_FRAMES, float(beside.mean())).astype(beside.dtype))
    return np.concatenate(parts), truths


def judged(heard: Iterable[Spotted], truths: Sequence[Truth], keywords: Sequence[int]) -> tuple[int, int, int]:
    """How many keywords were heard where none was said, were said and not heard, and were heard as another one.

    Those of the last kind are among those of the second.
    """
    open_truths = [truth for truth in truths if truth.label in set(keywords)]
    met, mistaken = set[int](), set[int]()
    false = 0
    starts = np.array([truth.start for truth in open_truths])
    for one in heard:
        frame = (one.window + 1) * HOP_FRAMES
        last = int(np.searchsorted(starts, frame)) - 1
        # What is heard belongs to the recording that began last, or to the one before where that has just begun.
        near = [k for k in (last, last - 1) if k >= 0 and frame <= open_truths[k].end + _LATE and k not in met]
        right = next((k for k in near if open_truths[k].label == one.label), None)
        other = next((k for k in near if k not in mistaken), None)
        if right is not None:
            met.add(right)
        elif other is not None:
            mistaken.add(other)
        else:
            false += 1
    return false, len(open_truths) - len(met), len(mistaken - met)


def smoothed(rows: np.ndarray) -> np.ndarray:
    """The mean of each window's row and those of the three before it."""
    before = np.concatenate([np.zeros((_SMOOTHED - 1, rows.shape[1])), rows])
    means: np.ndarray = np.lib.stride_tricks.sliding_window_view(before, _SMOOTHED, axis=0).sum(axis=2) / _SMOOTHED
    return means


def spotted(means: np.ndarray, threshold: float, keywords: Sequence[int], window: int) -> list[Spotted]:
    """The keywords that are heard in a stream.

    Args:
        means: Of the probabilities of the classes, shape (windows, classes).
        threshold: The least of them.
        keywords: The indices of the classes that are listened for.
        window: Frames of a window.
    """
    spotter, is_high = Spotter(threshold, keywords, window), means[:, list(keywords)].max(axis=1) >= threshold
    is_high[1:] |= is_high[:-1]  # what was likeliest is heard one window later
    each = (spotter.decide(k, means[k]) for k in np.flatnonzero(is_high).tolist())
    return [one for one in each if one is not None]


def words_heard(
    means: np.ndarray, truths: Sequence[Truth], keywords: Sequence[int], window: int
) -> tuple[np.ndarray, np.ndarray]:
    """The windows in which keywords that were said are heard as what they are, and the class of each.

    Args:
        means: Of the probabilities of the classes, shape (windows, classes).
        truths: What is said where.
        keywords: The indices of the classes that are listened for.
        window: Frames of a window.
    """
    starts = np.array([truth.start for truth in truths])
    heard = []
    for one in spotted(means, float(THRESHOLDS[0]), keywords, window):
        frame = (one.window + 1) * HOP_FRAMES
        last = int(np.searchsorted(starts, frame)) - 1
        if any(truths[k].label == one.label and frame <= truths[k].end + _LATE for k in (last, last - 1) if k >= 0):
            heard.append((one.window, one.label))
    windows, labels = np.array(heard, dtype=np.int64).reshape(-1, 2).T
    return windows, labels


def curve(means: np.ndarray, truths: Sequence[Truth], keywords: Sequence[int], window: int) -> np.ndarray:
    """For each of `THRESHOLDS` what `COLUMNS` say: accepts per hour, and shares of the keywords that were said.

    Args:
        means: Of the probabilities of the classes, shape (windows, classes).
        truths: What is said where.
        keywords: The indices of the classes that are listened for.
        window: Frames of a window.
    """
    hours = len(means) * HOP_FRAMES * HOP / 3600
    said = max(sum(truth.label in set(keywords) for truth in truths), 1)
    rows = []
    for threshold in THRESHOLDS.tolist():
        false, missed, mistaken = judged(spotted(means, threshold, keywords, window), truths, keywords)
        rows.append((threshold, false / hours, missed / said, mistaken / said))
    return np.array(rows)


def chosen_threshold(rows: np.ndarray, most: float) -> np.ndarray:
    """The row of the lowest threshold from which on there are at most so many false accepts per hour.

    The highest threshold where none has so few.
    """
    allowed = rows[:, 1] <= most
    first = len(rows) - int(np.argmin(allowed[::-1])) if not allowed.all() else 0
    row: np.ndarray = rows[min(first, len(rows) - 1)]
    return row
