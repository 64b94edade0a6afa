"""Recordings as a network hears them in training: each time somewhat otherwise, and one of nothing in each batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gatework.data.dataset import Batch
from gatework.data.features import FLOOR
from gatework.data.sounds import SoundEncoder, SoundExamples
from gatework.tasks._augment import Augmentation, band_places, unspoken
from gatework.tasks.classify.options import SoundOptions
from gatework.tasks.classify.sounds import Sounds

# How loud the quiet around a word is, as a share of its frames; how often nothing is a scrap of a word, and how long.
_QUIET, _SCRAPS, _SCRAP = 0.1, 0.5, 0.3
# How often a neighbour is in the window too, and how many frames lie between at least.
_NEIGHBOURS, _APART = 0.4, 15


class AugmentedExamples(SoundExamples):
    """Recordings that are changed whenever they are batched, by torch's generator.

    Args:
        split: The recordings.
        encoder: How they become model inputs.
        options: How far they are changed.
        nothing: The target of a recording of nothing.
    """

    def __init__(self, split: Sounds, encoder: SoundEncoder, options: SoundOptions, nothing: int) -> None:
        super().__init__(split, [encoder.steps(frames) for frames in split.inputs.features], split.targets)
        self.recordings, self.encoder, self.nothing = split.inputs, encoder, nothing
        self.augmentation, self.surround = Augmentation.of(options, options.warp), options.surround
        spec = encoder.spec
        self._places = band_places(spec.bands, spec.rate, self.augmentation.speeds())

    def batch(self, index: np.ndarray) -> Batch:
        """The recordings at these positions, changed, and one of nothing."""
        is_in_quiet = (torch.rand(len(index)) < self.surround).tolist()
        features = [torch.from_numpy(self.recordings.features[int(place)]) for place in index]
        places = zip(features, [*features[1:], *features[:1]], is_in_quiet, strict=True)
        features = [self._in_quiet(one, other) if quiet else one for one, other, quiet in places]
        x, lengths = _padded(features)
        changes = self.augmentation
        x, lengths = changes.sound(x, lengths, self._places)
        x, targets = changes.warped(x, self.encoder.spec.rate), torch.from_numpy(self.targets[index])
        frames = [one[: int(length)] for one, length in zip(x, lengths, strict=True)]
        if changes.noise:
            frames.append(self._nothing(frames[0], frames[-1]))
            targets = torch.cat([targets, torch.tensor([self.nothing])])
        x, lengths = _padded([torch.from_numpy(self.encoder.normalised(one.numpy())) for one in frames])
        x = changes.masked(x, lengths)
        stack = self.encoder.stack
        x = torch.nn.functional.pad(x, (0, 0, 0, -x.shape[1] % stack))
        return Batch(x.reshape(len(x), -1, self.encoder.width), -(-lengths // stack), targets)

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
        """What is no recording of a class: silence, a hiss, a hum, notes; or a scrap of one."""
        if self.surround and float(torch.rand(1)) < _SCRAPS:
            scrap = max(int(len(frames) * _SCRAP * float(torch.rand(1))), 1)
            return self._in_quiet(frames[:scrap] if float(torch.rand(1)) < 0.5 else frames[-scrap:], other)
        return unspoken(len(frames), frames.shape[1], float(frames.mean()))


def _padded(frames: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Features of several recordings as one tensor with zeros behind each, and their lengths."""
    return torch.nn.utils.rnn.pad_sequence(list(frames), batch_first=True), torch.tensor([len(one) for one in frames])
