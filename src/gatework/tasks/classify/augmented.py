"""Recordings as a network hears them in training: each time somewhat otherwise, and some of no word in each batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Beta

from gatework.data.dataset import Batch
from gatework.data.features import FLOOR
from gatework.data.sounds import SoundEncoder, SoundExamples
from gatework.tasks._augment import Augmentation, band_places
from gatework.tasks.classify.options import SoundOptions
from gatework.tasks.classify.sounds import Sounds
from gatework.tasks.classify.wordless import wordless

# How loud the quiet around a word is, as a share of its frames.
_QUIET = 0.1
_EACH = 2
"""Recordings of a batch to one of no word."""
_MIXED = 0.5
"""The share of batches that are mixed: two words at once are no example of what a word in a stream is."""
# How often such a one is noise, or a scrap of a word, at most so long a share of it; else it is another word, made of
# pieces of words, the first of which ends between these shares.
_NOISES, _SCRAPS, _SCRAP = 0.65, 0.2, 0.4
_FIRST, _LAST = 0.35, 0.65
# How often a neighbour is in the window too, and how many frames lie between at least.
_NEIGHBOURS, _APART = 0.4, 15


@dataclass(frozen=True)
class MixedBatch(Batch):
    """A batch of mixed recordings.

    Attributes:
        others: The class indices of what each is mixed with.
        share: The share of each recording's own, shape ().
    """

    others: Tensor
    share: Tensor


class AugmentedExamples(SoundExamples):
    """Recordings that are changed whenever they are batched, by torch's generator.

    Args:
        split: The recordings.
        encoder: How they become model inputs.
        options: How far they are changed.
        nothing: The target of a recording of no word.
    """

    def __init__(self, split: Sounds, encoder: SoundEncoder, options: SoundOptions, nothing: int) -> None:
        super().__init__(split, [encoder.steps(frames) for frames in split.inputs.features], split.targets)
        self.recordings, self.encoder, self.nothing = split.inputs, encoder, nothing
        self.augmentation, self.surround = Augmentation.of(options, warp=options.warp), options.surround
        self.mixing = options.mixing
        spec = encoder.spec
        self._places = band_places(spec.bands, spec.rate, self.augmentation.speeds())

    def batch(self, index: np.ndarray) -> Batch:
        """The recordings at these positions, changed, and some of no word."""
        is_in_quiet = (torch.rand(len(index)) < self.surround).tolist()
        features = [torch.from_numpy(self.recordings.features[int(place)]) for place in index]
        places = zip(features, [*features[1:], *features[:1]], is_in_quiet, strict=True)
        features = [self._in_quiet(one, other) if quiet else one for one, other, quiet in places]
        x, lengths = _padded(features)
        changes = self.augmentation
        x, lengths = changes.sound(x, lengths, self._places)
        x, targets = changes.warped(x, self.encoder.spec.rate), torch.from_numpy(self.targets[index])
        frames = [one[: int(length)] for one, length in zip(x, lengths, strict=True)]
        is_mixed = self.mixing > 0 and float(torch.rand(1)) < _MIXED
        if changes.noise and not is_mixed:
            count = -(-len(index) // _EACH)
            frames += [self._nothing(frames[k], frames[k - 1]) for k in range(count)]
            targets = torch.cat([targets, torch.full((count,), self.nothing)])
        x, lengths = _padded([torch.from_numpy(self.encoder.normalised(one.numpy())) for one in frames])
        x = changes.masked(x, lengths)
        stack = self.encoder.stack
        x = torch.nn.functional.pad(x, (0, 0, 0, -x.shape[1] % stack))
        x, lengths = x.reshape(len(x), -1, self.encoder.width), -(-lengths // stack)
        return self._mixed(x, lengths, targets) if is_mixed else Batch(x, lengths, targets)

    def _mixed(self, x: Tensor, lengths: Tensor, targets: Tensor) -> MixedBatch:
        """The batch with each recording mixed with another.

        Source: H. Zhang, M. Cisse, Y. Dauphin and D. Lopez-Paz, "mixup: beyond empirical risk minimization", 2018.
        """
        others = torch.randperm(len(x))
        share = Beta(self.mixing, self.mixing).sample()
        mixed = share * x + (1 - share) * x[others]
        longer = torch.maximum(lengths, lengths[others])
        return MixedBatch(mixed, longer, targets, targets[others], share)

    def _in_quiet(self, frames: Tensor, other: Tensor) -> Tensor:
        """A recording somewhere in a window of a stream, with quiet around it, and perhaps the end of another before it
        or the beginning of that behind it.
        """
        room = max(self.encoder.window - len(frames), 0)
        before = int(torch.randint(room + 1, (1,)))
        floor = frames.quantile(_QUIET, dim=0)
        quiet = (floor + 0.5 * torch.randn(room, frames.shape[1])).clamp_min(FLOOR)
        if float(torch.rand(1)) < _NEIGHBOURS and (rest := min(max(before - _APART, 0), len(other) - 1)):
            quiet[:rest] = other[-rest:]
        if float(torch.rand(1)) < _NEIGHBOURS and (rest := min(max(room - before - _APART, 0), len(other) - 1)):
            quiet[room - rest :] = other[:rest]
        return torch.cat([quiet[:before], frames, quiet[before:]])

    def _nothing(self, frames: Tensor, other: Tensor) -> Tensor:
        """What is no recording of a class: noise, a scrap of a word, or a word that is made of pieces of words."""
        kind = float(torch.rand(1))
        if kind < _NOISES or not self.surround:
            return wordless(
                self.encoder.window if self.surround else len(frames), frames.shape[1], float(frames.mean())
            )
        if kind < _NOISES + _SCRAPS:
            scrap = max(int(len(frames) * _SCRAP * float(torch.rand(1))), 1)
            return self._in_quiet(frames[:scrap] if float(torch.rand(1)) < 0.5 else frames[-scrap:], other)
        return self._in_quiet(other_word(frames, other), other)


def other_word(frames: Tensor, other: Tensor) -> Tensor:
    """A word that there is not: one read backwards, its second half before its first, or halves of two words.

    Args:
        frames: A recording, shape (frames, bands).
        other: Another one.
    """
    kind, share = int(torch.randint(3, (1,))), _FIRST + (_LAST - _FIRST) * float(torch.rand(1))
    if kind == 0:
        return frames.flip(0)
    cut = int(share * len(frames))
    if kind == 1:
        return torch.cat([frames[cut:], frames[:cut]])
    return torch.cat([frames[:cut], other[int(share * len(other)) :]])


def _padded(frames: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Features of several recordings as one tensor with zeros behind each, and their lengths."""
    return torch.nn.utils.rnn.pad_sequence(list(frames), batch_first=True), torch.tensor([len(one) for one in frames])
