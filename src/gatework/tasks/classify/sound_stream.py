"""Raw sound that comes bit by bit to the keywords in it: the same ones however it is cut, and memory that is flat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gatework.data.features import FLOOR, HOP, FeatureStream
from gatework.data.samples import SampleReader
from gatework.data.sounds import SoundEncoder
from gatework.errors import UsageError, nearest
from gatework.options import column_names
from gatework.tasks.classify.familiarity import Familiarity, Taken
from gatework.tasks.classify.metrics import probabilities
from gatework.tasks.classify.spotting import (
    COLUMNS,
    FALSE_ACCEPTS,
    HOP_FRAMES,
    THRESHOLDS,
    Peak,
    Peaks,
    Scores,
    Spotted,
    Truth,
    chosen_threshold,
    curve,
    is_moving,
    made_stream,
    peaks,
    smoothed,
    true_labels,
    watched,
    windows_of,
)
from gatework.tasks.classify.wordless import wordless

if TYPE_CHECKING:
    from torch import nn

    from gatework.data.dataset import Dataset, Split
    from gatework.tasks.classify.task import ClassifyTask

# The seed of the stream that is made of the test part.
_ANOTHER = 1
# How words look is learnt where the network hears them this clearly.
_SURE = 0.3
_LEAST = 1e-9
# How long one listens without a word, beside the recordings and at most, where nothing else is said.
_TIMES, _MOST_HOURS = 120, 3.0


class KeywordStream:
    """Raw sound, 16 bits a sample, little-endian, one channel, to keywords.

    Args:
        encoder: How sound becomes model inputs.
        scores: The trained network.
        familiar: What looks a second time at what the network hears.
        threshold: The least probability.
        keywords: The indices of the classes that are listened for.
        classes: The names of the classes.
        rate: Samples per second of what comes.
        notes: What there is to say before it begins.
    """

    def __init__(
        self,
        encoder: SoundEncoder,
        scores: Scores,
        familiar: Familiarity,
        threshold: float,
        keywords: Sequence[int],
        classes: Sequence[str],
        rate: int,
        notes: Sequence[str] = (),
    ) -> None:
        self.notes = notes
        self.encoder, self.scores, self.familiar, self.classes = encoder, scores, familiar, classes
        self.threshold, self.peaks = threshold, Peaks(keywords, encoder.window)
        self._nothing = np.zeros(len(classes) + familiar.width)
        self.samples, self.features = SampleReader(), FeatureStream(encoder.spec, rate)
        self.waiting = np.full((encoder.window - HOP_FRAMES, encoder.spec.bands), FLOOR, np.float32)

    def answer_bytes(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The keywords that are known once this piece has been heard."""
        yield from self._heard(self.features.accept(self.samples.accept(piece)))

    def finish(self) -> Iterator[dict[str, Any]]:
        """The keywords that end with the sound."""
        rest = self.features.finish()
        yield from self._heard(rest)
        # Silence until a keyword that ends with the sound has been seen in as many windows as any other.
        missing = HOP_FRAMES - (len(self.waiting) - self.encoder.window) % HOP_FRAMES
        after = missing + 2 * self.encoder.window
        yield from self._heard(np.full((after, rest.shape[1]), FLOOR, np.float32))

    def _heard(self, frames: np.ndarray) -> Iterator[dict[str, Any]]:
        self.waiting = np.concatenate([self.waiting, frames])
        while len(self.waiting) >= self.encoder.window:
            window = self.waiting[: self.encoder.window].copy()
            row = self.scores(self.encoder.steps(window)[None])[0] if is_moving(window) else self._nothing
            self.waiting = self.waiting[HOP_FRAMES:]
            peak = self.peaks.hear(row, window)
            if peak is not None:
                (heard,) = looked_at([peak], self.familiar)
                if heard.probability >= self.threshold:
                    yield self._said(heard)

    def _said(self, heard: Spotted) -> dict[str, Any]:
        end = (heard.window + 1) * HOP_FRAMES * HOP
        start = max(end - self.encoder.window * HOP, 0.0)
        label = self.classes[heard.label]
        return {
            "label": label,
            "start": round(start, 2),
            "end": round(end, 2),
            "probability": round(heard.probability, 4),
        }


def looked_at(each: Sequence[Peak], familiar: Familiarity) -> list[Spotted]:
    """How likely it is at each peak that its word was said."""
    chances = familiar.probabilities(_taken(each, familiar)).tolist()
    return [Spotted(one.window, one.label, chance) for one, chance in zip(each, chances, strict=True)]


def _taken(each: Sequence[Peak], familiar: Familiarity) -> Taken:
    """Peaks as what the network takes for words."""
    labels, count = np.array([one.label for one in each], dtype=np.int64), familiar.classes
    rows = np.array([one.row for one in each]).reshape(len(each), count + familiar.width)
    return Taken(labels, rows[np.arange(len(each)), labels], rows[:, count:], [one.frames for one in each])


def keyword_stream(task: ClassifyTask, model: nn.Module, **options: Any) -> KeywordStream:
    """What searches raw sound for a trained network's keywords.

    Args:
        task: The task.
        model: Its network.
        options: As `SoundAnswerOptions` has them.

    Raises:
        UsageError: A keyword is none of the classes, or the network has not been calibrated.
    """
    keywords = column_names(options.get("keywords"), task.classes) or task.keywords
    unknown = next((name for name in keywords if name not in task.classes), None)
    if unknown is not None:
        raise UsageError(f'--keywords: there is no class "{unknown}": {nearest(unknown, task.classes)}')
    most = FALSE_ACCEPTS if options.get("false_accepts") is None else options["false_accepts"]
    rows, hours = _kept_curve(model)
    row = chosen_threshold(rows, hours, most)
    encoder, familiar = _encoder(task), _trained(model).familiar
    listened = [task.classes.index(name) for name in keywords]
    rate = options.get("input_rate") or encoder.spec.rate
    notes = _untold(row, hours, most)
    return KeywordStream(encoder, _scores(task, model), familiar, float(row[0]), listened, task.classes, rate, notes)


def _untold(row: np.ndarray, hours: float, most: float) -> list[str]:
    """What the stream by which the threshold was chosen cannot tell."""
    told, length = (row[1] * hours + 1) / hours, f"{hours:.2g} hours of sound"
    if told <= most + _LEAST:
        return []
    if row[1]:
        return [
            f"{row[1]:.2g} false accepts per hour are to be expected at the strictest threshold, {most:g} are wished"
        ]
    more = "train with a longer --stream-hours to tell"
    return [
        f"{most:g} false accepts per hour are not told by {length}: none in them, up to {told:.2g} expected; {more}"
    ]


def calibrate_spotting(task: ClassifyTask, model: nn.Module, dataset: Dataset) -> None:
    """Keeps in a network how words look to it and sound, and what each threshold comes to on held-back recordings."""
    network: Any = model
    familiar: Familiarity = network.familiar
    each, truths, _ = _overheard(task, model, dataset.train, None)
    words = [peak for peak, said in zip(each, true_labels(each, truths), strict=True) if said > 0]
    familiar.fit(_taken([peak for peak in words if peak.row[peak.label] >= _SURE], familiar))
    of_keyword = np.flatnonzero(np.isin(dataset.train.targets, _keywords(task)))
    familiar.keep([dataset.train.inputs[int(place)] for place in of_keyword], dataset.train.targets[of_keyword])
    each, truths, hours = _overheard(task, model, dataset.validation, _hours(task, dataset.validation))
    said = true_labels(each, truths)
    known = [peak for peak, one in zip(each, said, strict=True) if one >= 0]
    familiar.learn(_taken(known, familiar), said[said >= 0] > 0)
    network.spotting.copy_(torch.from_numpy(curve(looked_at(each, familiar), truths, _keywords(task), hours)))
    network.listened.fill_(hours)


def misheard(task: ClassifyTask, model: nn.Module, split: Split) -> dict[str, float]:
    """What is heard wrongly in a stream of recordings at the validation part's threshold; none of texts and series."""
    if task.sound is None:
        return {}
    threshold = chosen_threshold(*_kept_curve(model), FALSE_ACCEPTS)[0]
    each, truths, hours = _overheard(task, model, split, _hours(task, split), _ANOTHER)
    rows = curve(looked_at(each, _trained(model).familiar), truths, _keywords(task), hours)
    row = rows[int(np.abs(THRESHOLDS - threshold).argmin())]
    return {"stream_hours": hours, **dict(zip(COLUMNS[1:], row[1:].tolist(), strict=True))}


def _overheard(
    task: ClassifyTask, model: nn.Module, split: Split, hours: float | None, seed: int = 0
) -> tuple[list[Peak], list[Truth], float]:
    """Where words may have been said in a stream that is made of recordings, what is said, and the stream's hours."""
    encoder = _encoder(task)
    features = [split.inputs[k] for k in range(len(split))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        frames, truths = made_stream(
            features,
            split.targets,
            lambda count, loudness: wordless(count, encoder.spec.bands, loudness, is_strange=True).numpy(),
            seed,
            hours=hours,
        )
    means = smoothed(watched(frames, encoder, _scores(task, model)))
    each = peaks(means, windows_of(frames, encoder), _keywords(task), encoder.window)
    return each, truths, len(frames) * HOP / 3600


def _hours(task: ClassifyTask, split: Split) -> float:
    """Hours without a word in which false accepts are counted."""
    given = None if task.sound is None else task.sound.stream_hours
    if given is not None:
        return given
    return min(_TIMES * sum(len(split.inputs[k]) for k in range(len(split))) * HOP / 3600, _MOST_HOURS)


def _keywords(task: ClassifyTask) -> list[int]:
    return [task.classes.index(name) for name in task.keywords]


def _trained(model: nn.Module) -> Any:
    """The trained network, which a server's holds inside."""
    return getattr(model, "network", model)


def _scores(task: ClassifyTask, model: nn.Module) -> Scores:
    """The probabilities that windows hold a word, times the network's calibrated ones of classes, and its views."""
    finish, network = task.alone(model), _trained(model).eval()

    def scores(windows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            view = network.view(torch.from_numpy(windows))
            outputs, presence = network.said_of(view)
        chances = presence.sigmoid().numpy()[:, None] * probabilities(finish(outputs.numpy()))
        return np.concatenate([chances, view.numpy()], axis=1)

    return scores


def _encoder(task: ClassifyTask) -> SoundEncoder:
    if not isinstance(task.encoder, SoundEncoder):
        raise UsageError("a stream of sound is answered by a run that was trained on recordings")
    return task.encoder


def _kept_curve(model: nn.Module) -> tuple[np.ndarray, float]:
    """What each threshold comes to on the validation part's stream, and the hours of that."""
    network = _trained(model)
    kept = getattr(network, "spotting", None)
    if kept is None or not bool(kept.any()):
        raise UsageError("no threshold has been chosen for this network's keywords; finish its training first")
    return kept.numpy(), float(network.listened)
