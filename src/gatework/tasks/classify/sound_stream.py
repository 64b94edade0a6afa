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
from gatework.tasks.classify.familiarity import STRICTNESS
from gatework.tasks.classify.metrics import probabilities
from gatework.tasks.classify.spotting import (
    COLUMNS,
    FALSE_ACCEPTS,
    HOP_FRAMES,
    THRESHOLDS,
    Scores,
    Spotted,
    Spotter,
    Truth,
    chosen_threshold,
    curve,
    is_moving,
    made_stream,
    smoothed,
    watched,
    words_heard,
)
from gatework.tasks.classify.wordless import wordless

if TYPE_CHECKING:
    from torch import nn

    from gatework.data.dataset import Dataset, Split
    from gatework.tasks.classify.task import ClassifyTask

# The seed of the stream that is made of the test part.
_ANOTHER = 1
# False accepts per hour at which misses are compared: those at one number are settled by a noise or two.
_ALLOWED = (FALSE_ACCEPTS, 1.0, 2.0, 4.0)
# A keyword that ends with the sound is seen in as many windows as any other.
_AFTER = 5 * HOP_FRAMES


class KeywordStream:
    """Raw sound, 16 bits a sample, little-endian, one channel, to keywords.

    Args:
        encoder: How sound becomes model inputs.
        scores: The trained network.
        spotter: What decides.
        classes: The names of the classes.
        width: Numbers that the network says of a window.
        rate: Samples per second of what comes.
    """

    def __init__(
        self, encoder: SoundEncoder, scores: Scores, spotter: Spotter, classes: Sequence[str], width: int, rate: int
    ) -> None:
        self.encoder, self.scores, self.spotter, self.classes = encoder, scores, spotter, classes
        self._nothing = np.zeros(width)
        self.samples, self.features = SampleReader(), FeatureStream(encoder.spec, rate)
        self.waiting = np.full((encoder.window - HOP_FRAMES, encoder.spec.bands), FLOOR, np.float32)

    def answer_bytes(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The keywords that are known once this piece has been heard."""
        yield from self._heard(self.features.accept(self.samples.accept(piece)))

    def finish(self) -> Iterator[dict[str, Any]]:
        """The keywords that end with the sound."""
        rest = self.features.finish()
        yield from self._heard(rest)
        missing = HOP_FRAMES - (len(self.waiting) - self.encoder.window) % HOP_FRAMES
        yield from self._heard(np.full((missing + _AFTER, rest.shape[1]), FLOOR, np.float32))

    def _heard(self, frames: np.ndarray) -> Iterator[dict[str, Any]]:
        self.waiting = np.concatenate([self.waiting, frames])
        while len(self.waiting) >= self.encoder.window:
            window = self.waiting[: self.encoder.window]
            is_sounding = is_moving(window)
            steps = self.encoder.steps(window)[None]
            heard = self.spotter.hear(self.scores(steps)[0] if is_sounding else self._nothing)
            self.waiting = self.waiting[HOP_FRAMES:]
            if heard is not None:
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
    most = options.get("false_accepts")
    threshold = chosen_threshold(_kept_curve(model), FALSE_ACCEPTS if most is None else most)[0]
    encoder, network = _encoder(task), _trained(model)
    listened = [task.classes.index(name) for name in keywords]
    spotter = Spotter(float(threshold), listened, encoder.window, network.familiar.chances)
    rate, width = options.get("input_rate") or encoder.spec.rate, len(task.classes) + network.pooling.width
    return KeywordStream(encoder, _scores(task, model), spotter, task.classes, width, rate)


def calibrate_spotting(task: ClassifyTask, model: nn.Module, dataset: Dataset) -> None:
    """Keeps in a network how words look to it, and what each threshold comes to on a stream of held-back recordings."""
    network: Any = model
    familiar, count = network.familiar, len(task.classes)
    means, truths = _overheard(task, model, dataset.train, is_long=False)
    windows, labels = words_heard(means[:, :count], truths, _keywords(task), _encoder(task).window)
    familiar.fit(means[windows, count:], labels)
    means, truths = _overheard(task, model, dataset.validation)
    windows, labels = words_heard(means[:, :count], truths, _keywords(task), _encoder(task).window)
    familiar.settle(means[windows, count:], labels)
    tried = {}
    for strictness in STRICTNESS:
        familiar.strictness.fill_(strictness)
        tried[strictness] = curve(familiar.chances(means), truths, _keywords(task), _encoder(task).window)
    best = min(tried, key=lambda strictness: sum(chosen_threshold(tried[strictness], most)[2] for most in _ALLOWED))
    familiar.strictness.fill_(best)
    network.spotting.copy_(torch.from_numpy(tried[best]))


def misheard(task: ClassifyTask, model: nn.Module, split: Split) -> dict[str, float]:
    """What is heard wrongly in a stream of recordings at the validation part's threshold; none of texts and series."""
    if task.sound is None:
        return {}
    threshold = chosen_threshold(_kept_curve(model), FALSE_ACCEPTS)[0]
    means, truths = _overheard(task, model, split, _ANOTHER)
    rows = curve(_trained(model).familiar.chances(means), truths, _keywords(task), _encoder(task).window)
    row = rows[int(np.abs(THRESHOLDS - threshold).argmin())]
    return dict(zip(COLUMNS[1:], row[1:].tolist(), strict=True))


def _overheard(
    task: ClassifyTask, model: nn.Module, split: Split, seed: int = 0, *, is_long: bool = True
) -> tuple[np.ndarray, list[Truth]]:
    """What is said of the windows of a stream that is made of recordings, as means, and what is said where in it."""
    encoder = _encoder(task)
    features = [split.inputs[k] for k in range(len(split))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        frames, truths = made_stream(
            features,
            split.targets,
            lambda count, loudness: wordless(count, encoder.spec.bands, loudness, is_strange=True).numpy(),
            seed,
            is_long=is_long,
        )
    return smoothed(watched(frames, encoder, _scores(task, model))), truths


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


def _kept_curve(model: nn.Module) -> np.ndarray:
    kept = getattr(_trained(model), "spotting", None)
    if kept is None or not bool(kept.any()):
        raise UsageError("no threshold has been chosen for this network's keywords; finish its training first")
    rows: np.ndarray = kept.numpy()
    return rows
