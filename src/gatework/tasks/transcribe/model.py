r"""The network that listens: frames, stacked to steps, through recurrent layers to the probability of every letter.

At each step $t$ it gives $\log p_t(k)$ for each letter $k$ and for the blank, 0. The probability of a text is the sum
over every way to write it with blanks between and letters held for several steps: connectionist temporal classification
(Graves et al., 2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import ctc_loss

from gatework.data.features import FLOOR
from gatework.errors import UsageError
from gatework.nn._dropout import Dropout
from gatework.nn.model import layers
from gatework.options import ModelOptions
from gatework.tasks._augment import Augmentation, band_places
from gatework.tasks.transcribe.examples import SpokenBatch
from gatework.tasks.transcribe.letters import BLANK
from gatework.tasks.transcribe.recurrent import KeptLanguage, LanguageSize
from gatework.tasks.transcribe.splicing import UNKNOWN
from gatework.tasks.transcribe.tuning import COUNT


@dataclass(frozen=True)
class Hearing:
    """How features are prepared for the layers.

    Attributes:
        mean: Of each band over the training part.
        std: Likewise.
        stack: Frames that are one step.
        is_own_mean: Whether a recording's own mean is taken off, rather than the training part's.
        rate: Samples per second.
        lookahead: Steps that are waited for.
    """

    mean: Sequence[float]
    std: Sequence[float]
    stack: int
    is_own_mean: bool
    rate: int
    lookahead: int = 0


class StepScores(NamedTuple):
    """What a network says of a batch.

    Attributes:
        log_probs: Shape (steps, batch, letters + 1).
        steps: Of each recording, shape (batch,), int64.
    """

    log_probs: Tensor
    steps: Tensor


class SpeechModel(nn.Module):
    """A recurrent network with one output for each letter and the blank at every step.

    Args:
        config: The cell, its size and its options.
        hearing: How features are prepared.
        outputs: Letters and the blank.
        augmentation: What is done to recordings in training.
        cuts: How many places between words are remembered in training; see `splicing`.
        language: A recurrent language model that is kept beside it.
    """

    mean: Tensor
    std: Tensor
    places: Tensor
    decoding: Tensor
    cuts: Tensor
    hearings: Tensor

    def __init__(
        self,
        config: ModelOptions,
        hearing: Hearing,
        outputs: int,
        augmentation: Augmentation,
        cuts: int = 0,
        language: LanguageSize | None = None,
    ) -> None:
        super().__init__()
        bands = len(hearing.mean)
        self.hearing, self.augmentation = hearing, augmentation
        self.register_buffer("mean", torch.tensor(hearing.mean), persistent=False)
        self.register_buffer("std", torch.tensor(hearing.std), persistent=False)
        places = band_places(bands, hearing.rate, augmentation.speeds())
        self.register_buffer("places", places, persistent=False)
        # What is chosen on the validation part once training has ended; all 0 until then.
        self.register_buffer("decoding", torch.zeros(COUNT, dtype=torch.float64))
        # Kept with the weights, as a training that goes on where it was stopped must know them.
        self.register_buffer("cuts", torch.full((cuts,), UNKNOWN))
        self.register_buffer("hearings", torch.tensor(0))
        self.language = None if language is None else KeptLanguage(language)
        self.recurrent = layers(config, bands * hearing.stack, bidirectional=config.bidirectional)
        if hearing.lookahead and config.bidirectional:
            raise UsageError("--lookahead is of a network in one direction: give --no-bidirectional, or leave it out")
        self.lookahead = Lookahead(config.hidden, hearing.lookahead) if hearing.lookahead else None
        self.dropout = Dropout(config.dropout)
        self.output = nn.Linear(config.hidden * (2 if config.bidirectional else 1), outputs)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The log-probabilities of every letter at every step, shape (batch, steps, letters + 1).

        Args:
            inputs: Features, shape (batch, frames, bands).
            lengths: Frames of each recording, shape (batch,); None if all have every one.
        """
        return self.scores(inputs, lengths).log_probs.transpose(0, 1)

    def scores(self, inputs: Tensor, lengths: Tensor | None = None) -> StepScores:
        """As `forward()`, time first, with the steps of each recording."""
        if lengths is None:
            lengths = torch.full((len(inputs),), inputs.shape[1])
        if self.training:
            inputs, lengths = self.augmentation.sound(inputs, lengths, self.places)
        x = self.normalised(inputs, lengths)
        if self.training:
            x = self.augmentation.masked(x, lengths)
        steps = -(-lengths // self.hearing.stack)
        x = self.stacked(x).transpose(0, 1)
        is_ragged = bool((steps != x.shape[0]).any())
        hidden, _ = self.recurrent(x, lengths=steps if is_ragged else None)
        if self.lookahead is not None:
            hidden = self.lookahead(hidden)
        return StepScores(self.read(self.dropout(hidden)), steps)

    def normalised(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Features in standard deviations from their mean, 0 behind each recording's end.

        Args:
            x: Shape (batch, frames, bands).
            lengths: Frames of each, shape (batch,).
        """
        is_within = (torch.arange(x.shape[1]) < lengths[:, None])[..., None].to(x.device)
        mean = self.mean
        if self.hearing.is_own_mean:
            # What an editor has put before or behind a recording, nothing at all, is no part of it.
            is_heard = is_within & (x > FLOOR).any(2, keepdim=True)
            count = is_heard.sum(1, keepdim=True)
            mean = torch.where(count > 0, (x * is_heard).sum(1, keepdim=True) / count.clamp_min(1), self.mean)
        return (x - mean) / self.std * is_within

    def stacked(self, x: Tensor) -> Tensor:
        """Frames joined to steps, the last one filled with zeros: (batch, steps, stack * bands)."""
        stack = self.hearing.stack
        missing = -x.shape[1] % stack
        x = nn.functional.pad(x, (0, 0, 0, missing)) if missing else x
        return x.reshape(len(x), -1, stack * x.shape[2])

    def read(self, hidden: Tensor) -> Tensor:
        """The log-probabilities of states of the top layer."""
        output: Tensor = self.output(hidden).log_softmax(-1)
        return output


class Lookahead(nn.Module):
    r"""Each state with some of those after it, $\sum_j w_j \odot h_{t + j}$, and zeros after the end.

    Source: C. Wang, D. Yogatama, A. Coates, T. Han, A. Hannun and B. Xiao, "Lookahead convolution layer for
    unidirectional recurrent neural networks", ICLR 2016 workshop.

    Args:
        hidden: Numbers of a state.
        steps: How many are waited for.
    """

    def __init__(self, hidden: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        # At first each state is what it is.
        self.weight = nn.Parameter(torch.cat([torch.ones(1, hidden), torch.zeros(steps, hidden)]))

    def forward(self, hidden: Tensor) -> Tensor:
        """The states, shape (steps, batch, hidden), zero after each recording's end."""
        padded = nn.functional.pad(hidden, (0, 0, 0, 0, 0, self.steps))
        count = hidden.shape[0]
        return torch.stack([w * padded[j : j + count] for j, w in enumerate(self.weight)]).sum(0)


def loss_of(scores: StepScores, batch: SpokenBatch) -> Tensor:
    """How improbable the texts of a batch are to a network: the sum of their negative log-likelihoods.

    A text that has fewer steps than it needs has no likelihood and is left out; whoever reads the training part has
    seen to it that there is none such in it.

    Args:
        scores: What the network says.
        batch: The recordings.
    """
    is_possible = batch.needed <= scores.steps
    log_probs, steps, targets, letters = scores.log_probs, scores.steps, batch.targets, batch.letters
    if not bool(is_possible.all()):
        targets = targets[is_possible.repeat_interleave(letters)]
        log_probs, steps, letters = log_probs[:, is_possible], steps[is_possible], letters[is_possible]
        if not len(letters):
            return scores.log_probs.sum() * 0
    total: Tensor = ctc_loss(log_probs, targets, steps, letters, blank=BLANK, reduction="sum")
    return total
