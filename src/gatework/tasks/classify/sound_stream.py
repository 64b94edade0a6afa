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
from gatework.tasks.classify.metrics import probabilities
from gatework.tasks.classify.spotting import (
    COLUMNS,
    FALSE_ACCEPTS,
    HOP_FRAMES,
    THRESHOLDS,
    Scores,
    Spotted,
    Spotter,
    chosen_threshold,
    curve,
    is_moving,
    made_stream,
    watched,
)
from gatework.tasks.classify.wordless import wordless

if TYPE_CHECKING:
    from torch import nn

    from gatework.data.dataset import Split
    from gatework.tasks.classify.task import ClassifyTask

# The seed of the stream that is made of the test part.
_ANOTHER = 1
# A keyword that ends with the sound is seen in as many windows as any other.
_AFTER = 5 * HOP_FRAMES


class KeywordStream:
    """Raw sound, 16 bits a sample, little-endian, one channel, to keywords.

    Args:
        encoder: How sound becomes model inputs.
        scores: The trained network.
        spotter: What decides.
        classes: The names of the classes.
        rate: Samples per second of what comes.
    """

    def __init__(
        self, encoder: SoundEncoder, scores: Scores, spotter: Spotter, classes: Sequence[str], rate: int
    ) -> None:
        self.encoder, self.scores, self.spotter, self.classes = encoder, scores, spotter, classes
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
            heard = self.spotter.hear(self.scores(steps)[0] if is_sounding else np.zeros(len(self.classes)))
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
    encoder = _encoder(task)
    spotter = Spotter(float(threshold), [task.classes.index(name) for name in keywords], encoder.window)
    rate = options.get("input_rate") or encoder.spec.rate
    return KeywordStream(encoder, _scores(task, model), spotter, task.classes, rate)


def calibrate_spotting(task: ClassifyTask, model: nn.Module, held: Split) -> None:
    """Keeps in a network what each threshold comes to on a stream of held-back recordings."""
    network: Any = model
    rows = _curve(task, model, held)
    network.spotting.copy_(torch.from_numpy(rows))


def misheard(task: ClassifyTask, model: nn.Module, split: Split) -> dict[str, float]:
    """What is heard wrongly in a stream of recordings at the validation part's threshold; none of texts and series."""
    if task.sound is None:
        return {}
    threshold = chosen_threshold(_kept_curve(model), FALSE_ACCEPTS)[0]
    row = _curve(task, model, split, _ANOTHER)[int(np.abs(THRESHOLDS - threshold).argmin())]
    return dict(zip(COLUMNS[1:], row[1:].tolist(), strict=True))


def _curve(task: ClassifyTask, model: nn.Module, split: Split, seed: int = 0) -> np.ndarray:
    encoder = _encoder(task)
    features = [split.inputs[k] for k in range(len(split))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        frames, truths = made_stream(
            features,
            split.targets,
            lambda count, loudness: wordless(count, encoder.spec.bands, loudness, is_strange=True).numpy(),
            seed,
        )
    keywords = [task.classes.index(name) for name in task.keywords]
    return curve(watched(frames, encoder, _scores(task, model)), truths, keywords, encoder.window)


def _scores(task: ClassifyTask, model: nn.Module) -> Scores:
    """The probabilities that windows hold a word, times the network's calibrated ones of classes."""
    finish = task.alone(model)
    # A server's network holds the trained one inside.
    network: Any = getattr(model, "network", model).eval()

    def scores(windows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            outputs, presence = network.heard(torch.from_numpy(windows))
        chances: np.ndarray = presence.sigmoid().numpy()[:, None] * probabilities(finish(outputs.numpy()))
        return chances

    return scores


def _encoder(task: ClassifyTask) -> SoundEncoder:
    if not isinstance(task.encoder, SoundEncoder):
        raise UsageError("a stream of sound is answered by a run that was trained on recordings")
    return task.encoder


def _kept_curve(model: nn.Module) -> np.ndarray:
    # A server's network holds the trained one inside.
    kept = getattr(getattr(model, "network", model), "spotting", None)
    if kept is None or not bool(kept.any()):
        raise UsageError("no threshold has been chosen for this network's keywords; finish its training first")
    rows: np.ndarray = kept.numpy()
    return rows
