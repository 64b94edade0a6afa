"""The network of a classifier, with what its answers are calibrated by and joined with once it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatework.errors import UsageError
from gatework.nn.model import SequenceModel
from gatework.options import ModelOptions
from gatework.tasks._blend import MEAN, NETWORK, Blend
from gatework.tasks.classify.beside import Candidate
from gatework.tasks.classify.calibration import Joined, cost, joined, temperature
from gatework.tasks.classify.context import Context
from gatework.tasks.classify.familiarity import Familiarity
from gatework.tasks.classify.joint import Joint
from gatework.tasks.classify.spotting import COLUMNS, THRESHOLDS
from gatework.tasks.classify.voices import SimpleVoice, arrays_of, stored_voices

_PRESENCE = 32
"""Units between the view of the states and what says whether there is a word."""


class Classifier(SequenceModel):
    """A network that gives the scores of classes; `forward()` is the network alone.

    Args:
        config: The cell, its size and its options.
        vocabulary: Number of tokens where the inputs are tokens, else None.
        inputs: Values per step where the inputs are series, else None.
        classes: How many classes there are.
        seconds: As `SequenceModel` takes them.
        is_spotting: Whether it listens for its classes in streams of sound.
        contextual: Units, for each direction, of the language model that is read beside words; 0 without one.

    Attributes:
        spotting: What each threshold comes to, as `spotting.curve()` gives it; None of what reads no sound.
        listened: The hours of the stream by which that is known; None likewise.
        presence: What says from the view of the states whether there is a word at all; None likewise.
        familiar: What looks a second time at words in a stream; None likewise.
        joining: What its scores are calibrated by and joined with, once it is trained.
        context: What a language model knows at each word; None where there is none.
    """

    spotting: Tensor | None
    listened: Tensor | None

    def __init__(
        self,
        config: ModelOptions,
        *,
        vocabulary: int | None,
        inputs: int | None,
        classes: int,
        seconds: np.ndarray | None = None,
        is_spotting: bool = False,
        contextual: int = 0,
    ) -> None:
        super().__init__(config, vocabulary=vocabulary, inputs=inputs, outputs=classes, seconds=seconds)
        # What each threshold comes to on the validation part once training has ended; all 0 until then.
        curve = torch.zeros(len(THRESHOLDS), len(COLUMNS), dtype=torch.float64) if is_spotting else None
        self.register_buffer("spotting", curve)
        self.register_buffer("listened", torch.zeros((), dtype=torch.float64) if is_spotting else None)
        width = self.pooling.width
        self.presence = (
            nn.Sequential(nn.Linear(width, _PRESENCE), nn.ReLU(), nn.Linear(_PRESENCE, 1)) if is_spotting else None
        )
        self.familiar = Familiarity(classes, width) if is_spotting else None
        self.joining = Joining(classes)
        self.context = Context(config, contextual, vocabulary, seconds) if contextual and vocabulary else None

    @property
    def reads_words_alone(self) -> bool:
        """Whether no language model is read beside words."""
        return self.context is None

    def vectors(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What the recurrent layers read, shape (time, batch, features); see `forward()`."""
        if self.context is None or self.embedding is None:
            return super().vectors(inputs, lengths)
        inputs = inputs.transpose(0, 1)
        return self._drop_words(self.embedding(inputs) + self.context(inputs, lengths))

    def heard(self, inputs: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores of classes, and the logit that there is a word at all, shape (batch,).

        Args:
            inputs: Steps of recordings, shape (batch, time, input).
            lengths: Steps of each, shape (batch,); None if all have every step.

        Raises:
            UsageError: It reads no sound.
        """
        return self.said_of(self.dropout(self.view(inputs, lengths)))

    def view(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What the pooling makes of the states, shape (batch, width); the arguments are those of `heard()`."""
        sequence, last = self.states(inputs, lengths)
        view: Tensor = self.pooling(sequence, last, lengths)
        return view

    def said_of(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """As `heard()`, of views."""
        if self.presence is None:
            raise UsageError("only a network that was trained on recordings says whether there is a word")
        return self.output(view), self.presence(view).squeeze(1)

    def withstanding(
        self, loss: Callable[[Tensor], Tensor], share: float, inputs: Tensor, lengths: Tensor | None = None
    ) -> Tensor:
        r"""Scores of a batch, and below them those of the same batch with word vectors moved where that hurts most.

        With $x$ the word vectors of a text and $g$ the gradient of its loss by them, they are moved by
        $r = \epsilon \lVert x \rVert\, g / \lVert g \rVert$. Source: T. Miyato, A. Dai and I. Goodfellow, "Adversarial
        training methods for semi-supervised text classification", ICLR 2017, who normalise the vectors instead.

        Args:
            loss: The loss of scores, to be made larger.
            share: How far they are moved, as a share of their length: $\epsilon$.
            inputs: Token indices, shape (batch, time).
            lengths: Steps of each sequence, shape (batch,); None if all have every step.

        Returns:
            Shape (2 * batch, classes).
        """
        vectors = self.vectors(inputs, lengths)
        if not vectors.requires_grad:  # where the layers below the output do not learn yet
            vectors = vectors.detach().requires_grad_()
        plain = self.of_vectors(vectors, lengths)
        (gradient,) = torch.autograd.grad(loss(plain), vectors, retain_graph=True)
        length, steepness = (
            torch.linalg.vector_norm(v.detach(), dim=(0, 2), keepdim=True) for v in (vectors, gradient)
        )
        moved = vectors + share * length * gradient / steepness.clamp_min(torch.finfo(gradient.dtype).tiny)
        return torch.cat([plain, self.of_vectors(moved, lengths)])

    def depths(self) -> list[list[nn.Parameter]]:
        """The parameters from the output down: the output with the view of the states, the layers, the word vectors."""
        last = [*self.pooling.parameters(), *self.output.parameters()]
        words = [] if self.embedding is None else list(self.embedding.parameters())
        return [last, list(self.recurrent.parameters()), words]


class Calibrated(nn.Module):
    """The parts of a classifier that other people's systems compute, whose scores are divided by a temperature.

    Args:
        network: The classifier; it stays as it is.
        temperature: What its scores are divided by.
    """

    def __init__(self, network: Any, temperature: float) -> None:
        super().__init__()
        self.embedding = network.embedding
        self.recurrent = network.recurrent
        self.pooling = network.pooling
        self.output = deepcopy(network.output)
        with torch.no_grad():
            for weight in self.output.parameters():
                weight /= temperature


class Joining(nn.Module):
    """What a network's scores are calibrated by, and the simple methods that they are joined with: all buffers.

    Before it is fitted, scores stay as they are.

    Args:
        classes: How many classes there are.

    Attributes:
        voices: The simple methods; none where the network answers alone.
    """

    temperature: Tensor
    factors: Tensor
    shares: Tensor
    heat: Tensor

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.register_buffer("temperature", torch.ones((), dtype=torch.float64))
        self.register_buffer("factors", torch.ones(1, dtype=torch.float64))
        self.register_buffer("shares", torch.ones(1, dtype=torch.float64))
        self.register_buffer("heat", torch.zeros((), dtype=torch.float64))
        self.voices: tuple[SimpleVoice, ...] = ()

    def calibrate(self, outputs: np.ndarray, targets: np.ndarray) -> None:
        """Chooses the network's temperature.

        Args:
            outputs: The network's scores of the validation part, shape (examples, classes).
            targets: Its classes, shape (examples,).
        """
        self.temperature.fill_(temperature(outputs, targets))

    def join(
        self, methods: Sequence[Candidate], outputs: np.ndarray, targets: np.ndarray, *, is_equal: bool = False
    ) -> Blend:
        """Chooses the weight of the network beside simple methods; see `calibration`.

        Args:
            methods: The methods, with what they say of the validation part.
            outputs: The network's scores of it.
            targets: Its classes.
            is_equal: Whether all count alike.

        Returns:
            The weights, and the log loss of each on the validation part.
        """
        scores = {NETWORK: outputs} | {each.voice.short_name: each.said for each in methods}
        way = joined(list(scores.values()), targets, is_equal=is_equal)
        for name, values in way._asdict().items():
            setattr(self, name, torch.tensor(values, dtype=torch.float64))
        self.keep([each.voice for each in methods])
        weights = {name: round(share, 9) for name, share in zip(scores, way.shares, strict=True) if share}
        if len(weights) > 1:
            scores[MEAN] = way.of(scores.values())
        losses = {each: cost(values, targets) / max(len(targets), 1) for each, values in scores.items()}
        weights = dict(sorted(weights.items(), key=lambda item: -item[1]))
        in_order = dict(sorted(losses.items(), key=lambda item: item[1]))
        return Blend(weights, in_order, measure="log loss")

    def keep(self, voices: Iterable[SimpleVoice]) -> None:
        """Takes simple methods over, whose scores are joined with the network's from now on."""
        arrays = {name: array for voice in voices for name, array in arrays_of(voice).items()}
        self.voices = stored_voices(arrays, self.classes)[0]
        for name, array in arrays.items():
            self.register_buffer(name, torch.from_numpy(array))

    def calibrated(self, network: nn.Module) -> nn.Module:
        """The parts of a network whose scores are its calibrated ones."""
        return Calibrated(network, float(self.temperature))

    @property
    def joint(self) -> Joint:
        """How scores become those that are answered."""
        way = Joined(tuple(self.shares.tolist()), tuple(self.factors.tolist()), float(self.heat))
        return Joint(float(self.temperature), way, self.voices)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # What the methods consist of, and how many there are, is known only from the file.
        kept = {name.removeprefix(prefix): t.cpu().numpy() for name, t in state_dict.items() if name.startswith(prefix)}
        try:
            joint = Joint.of(kept, self.classes)
        except ValueError as error:
            raise RuntimeError(str(error)) from None
        self.factors, self.shares = (torch.ones(len(joint.joined.factors), dtype=torch.float64) for _ in range(2))
        self.keep(joint.voices)
        super()._load_from_state_dict(state_dict, prefix, *rest)
