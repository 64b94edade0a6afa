"""Keywords in a stream of sound: where a classifier of short recordings hears one, and how often it is wrong.

The network is asked every 0.1 s what the last second or so was: the probability of a class is that there is a word at
all times that of the class among the classes. Where its mean over four neighbouring windows is higher than in half a
window before and behind, a word may have been said, and a second look (see `familiarity`) says how likely that is: a
keyword is heard where that reaches a threshold. On a stream that is made of held-back recordings with pauses, noise,
scraps of words and words that there are not between them, each threshold has its false accepts per hour, keywords that
were heard where none was said; its misses, said ones that were not heard as what they are; and those of them that were
heard as another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gatework.data.features import FLOOR
from gatework.data.sounds import SoundEncoder
from gatework.tasks._voice import LEAST

HOP_FRAMES = 10
"""Frames from window to window: 0.1 s."""
THRESHOLDS = 1 / (1 + np.exp(-np.arange(-3, 12.01, 0.2)))
"""Those that are tried, evenly apart in log-odds."""
FALSE_ACCEPTS = 0.5
"""What is allowed per hour where nothing else is said."""
COLUMNS = ("threshold", "false_accepts", "missed_keywords", "mistaken_keywords")
"""What a curve says of each threshold."""
# A word is in several windows, and a noise that resembles one is in one or two.
_SMOOTHED = 4
_DOUBTFUL = 0.02
"""Below it the network is sure that no word was said, and nobody looks again."""
_EVEN = 0.5
# A threshold is stricter than it must be, up to this probability, while so few keywords are missed.
_LIKELY, _SPARED = 0.95, 0.03
# Recordings of a made stream at most, the pauses between them in frames, and how many have a stretch of noise behind.
_MOST, _PAUSE, _STRETCH, _STRETCH_FRAMES = 400, (30, 100), 10, 300
# Recordings at most from which it is learnt how words look.
_MOST_KNOWN = 700
# A keyword counts as heard from its beginning until so many frames after its end.
_LATE = 50
_BATCH = 256
_FRAMES_OF_AN_HOUR = 360_000

Scores = Callable[[np.ndarray], np.ndarray]
"""What a network says of windows, shape (windows, steps, width): a row each, which begins with the probabilities of the
classes and may go on with its view."""


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


class Peak(NamedTuple):
    """A window in which a word may have been said: likelier than in those around it.

    Attributes:
        window: Its number, from 0.
        label: The index of the likeliest class.
        row: The mean of what the network says of it and the windows before it.
        frames: What is heard in it, shape (frames, bands).
    """

    window: int
    label: int
    row: np.ndarray
    frames: np.ndarray


class Peaks:
    """Finds from window to window where words may have been said.

    Args:
        keywords: The indices of the classes that are listened for.
        window: Frames of a window.
    """

    def __init__(self, keywords: Sequence[int], window: int) -> None:
        self.keywords, self.around = np.array(keywords, dtype=np.int64), _around(window)
        self._recent: deque[np.ndarray] = deque(maxlen=_SMOOTHED)
        self._chances = deque([0.0] * self.around, maxlen=2 * self.around + 1)
        self._waiting: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=self.around + 1)
        self._count = 0

    def hear(self, row: np.ndarray, frames: np.ndarray) -> Peak | None:
        """The peak that is known with one more window: half a window before it.

        Args:
            row: What the network says of it.
            frames: What is heard in it.
        """
        self._recent.append(row)
        mean = np.sum(self._recent, axis=0) / _SMOOTHED
        self._chances.append(float(mean[self.keywords].max()))
        self._waiting.append((mean, frames))
        self._count += 1
        if len(self._waiting) <= self.around or not _is_peak(np.array(self._chances), self.around):
            return None
        row, frames = self._waiting[0]
        label = int(self.keywords[row[self.keywords].argmax()])
        return Peak(self._count - 1 - self.around, label, row, frames)


def _around(window: int) -> int:
    """Windows before and behind a peak that are less likely: half a window of frames."""
    return -(-window // (2 * HOP_FRAMES))


def _is_peak(chances: np.ndarray, around: int) -> np.ndarray:
    """Whether the middle one of the chances along the last axis is higher than those before, and none behind higher."""
    middle = chances[..., around]
    before, behind = chances[..., :around].max(axis=-1), chances[..., around + 1 :].max(axis=-1)
    is_peak: np.ndarray = (middle >= _DOUBTFUL) & (middle > before) & (middle >= behind)
    return is_peak


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
    hours: float | None = None,
) -> tuple[np.ndarray, list[Truth]]:
    """Recordings one after the other with pauses between, some of them of noise, and then a long time of noise.

    Args:
        features: Of each recording, shape (frames, bands); some that are drawn of many.
        targets: The class of each.
        noise: Gives a stretch of so many frames without speech, beside speech of this loudness.
        seed: Of the order and the pauses.
        hours: How long the noise behind them is; without it more recordings are taken, and none of noise follows.
    """
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(features))[: _MOST_KNOWN if hours is None else _MOST]
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
    without = round((hours or 0) * _FRAMES_OF_AN_HOUR) if len(chosen) else 0
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
        # What is heard belongs to the recording that began last, or to the one before where that has just begun; of two
        # of one class that are near, to the earlier one unless that was heard before.
        near = [k for k in (last - 1, last) if k >= 0 and frame <= open_truths[k].end + _LATE and k not in met]
        right = next((k for k in near if open_truths[k].label == one.label), None)
        other = next((k for k in reversed(near) if k not in mistaken), None)
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


def peaks(means: np.ndarray, windows: np.ndarray, keywords: Sequence[int], window: int) -> list[Peak]:
    """Where words may have been said in a whole stream, as `Peaks` finds them.

    Args:
        means: Of what is said of the windows, shape (windows, classes or more).
        windows: The frames of each, shape (windows, frames, bands).
        keywords: The indices of the classes that are listened for.
        window: Frames of a window.
    """
    listened, around = list(keywords), _around(window)
    chances = np.pad(means[:, listened].max(axis=1), around)
    is_peak = _is_peak(np.lib.stride_tricks.sliding_window_view(chances, 2 * around + 1), around)
    labels = np.array(listened)[means[:, listened].argmax(axis=1)]
    return [Peak(k, int(labels[k]), means[k], windows[k]) for k in np.flatnonzero(is_peak).tolist()]


def true_labels(each: Sequence[Peak], truths: Sequence[Truth]) -> np.ndarray:
    """Whether each peak is a word that was said: 1 where it is, -1 where another was said, 0 where none was."""
    starts = np.array([truth.start for truth in truths])
    said = np.zeros(len(each), dtype=np.int64)
    for place, one in enumerate(each):
        frame = (one.window + 1) * HOP_FRAMES
        last = int(np.searchsorted(starts, frame)) - 1
        near = [truths[k].label for k in (last, last - 1) if k >= 0 and frame <= truths[k].end + _LATE]
        said[place] = 1 if one.label in near else -1 if near else 0
    return said


def curve(heard: Sequence[Spotted], truths: Sequence[Truth], keywords: Sequence[int], hours: float) -> np.ndarray:
    """For each of `THRESHOLDS` what `COLUMNS` say: accepts per hour, and shares of the keywords that were said.

    Args:
        heard: What was heard however unlikely.
        truths: What is said where.
        keywords: The indices of the classes that are listened for.
        hours: How long the stream is.
    """
    said = max(sum(truth.label in set(keywords) for truth in truths), 1)
    rows = []
    for threshold in THRESHOLDS.tolist():
        likely = [one for one in heard if one.probability >= threshold]
        false, missed, mistaken = judged(likely, truths, keywords)
        rows.append((threshold, false / hours, missed / said, mistaken / said))
    return np.array(rows)


def chosen_threshold(rows: np.ndarray, hours: float, most: float) -> np.ndarray:
    """The row of the lowest threshold from which on at most so many false accepts per hour are to be expected.

    The k-th likeliest of the false accepts of H hours is passed k / H times an hour on average: so a threshold above
    it, which k - 1 of them pass, is one for k / H. Where not even one is allowed in these hours, a threshold that none
    passes is taken, and at which a keyword is likelier than not; and the highest one where some pass each.

    Sounds of a room are other ones than those of the stream, and more of them pass. So the threshold is higher than
    that, up to 0.95, as long as at most 3 in 100 keywords are missed in the stream.

    Args:
        rows: As `curve()` gives them.
        hours: How long the stream was.
        most: False accepts per hour.
    """
    allowed = rows[:, 1] * hours + 1 <= max(most * hours, 1) + 1e-9
    first = len(rows) - int(np.argmin(allowed[::-1])) if not allowed.all() else 0
    if most * hours < 1:
        first = max(first, int(np.searchsorted(rows[:, 0], _EVEN)))
    spared = np.flatnonzero((rows[:, 0] <= _LIKELY) & (rows[:, 2] <= _SPARED))
    first = max(first, int(spared.max(initial=0)))
    row: np.ndarray = rows[min(first, len(rows) - 1)]
    return row
