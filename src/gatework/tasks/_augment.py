r"""What is done to recordings while a network learns, on their features, by torch's generator.

With a speed of $r$ the sound of time $t$ and frequency $f$ is that of $r t$ and $f / r$ in the recording, as if a tape
ran faster; with a tempo of $q$ beside it, that of $q r t$ and $f / r$, as if somebody spoke faster. A gain adds to
every logarithm of an energy; a hiss is added to the energies themselves, $\log(e^x + e^n)$. Masks, as in SpecAugment
(Park et al., 2019), are shares of each recording's own length: masks of a fixed size wipe out short words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from gatework.data.features import FLOOR

if TYPE_CHECKING:
    from gatework.options import RecordingOptions

_LEAST_SNR, _MOST_SNR = 5.0, 35.0
_BAND_MASKS, _STEP_MASKS = 2, 4
_NEPER = math.log(10) / 10
"""A decibel as the logarithm of an energy."""
_UNSPOKEN = ("nothing", "hiss", "hiss", "hum", "notes")
# In logarithms of energy: how much louder than a recording's mean a hiss may be, and than the hiss a tone.
_LOUDER, _LOUDEST_TONE = 4.0, 8.0
# The share of bands with a tone, and the frames that a note may last.
_TONES, _NOTE = 0.15, (8, 60)


@dataclass(frozen=True)
class Augmentation:
    """How far recordings are changed; see `RecordingOptions`.

    Attributes:
        speed: The most that speed differs, as a share.
        gain: The most that loudness differs, in dB.
        noise: The share of recordings with a hiss.
        masking: The share of bands and of frames that are masked at most.
        warp: The most that frequencies are moved beside the speed, as a share.
        tempo: The most that a recording is faster at the same pitch, beside the speed, as a share.
    """

    speed: float = 0.0
    gain: float = 0.0
    noise: float = 0.0
    masking: float = 0.0
    warp: float = 0.0
    tempo: float = 0.0

    @classmethod
    def of(cls, options: RecordingOptions, *, warp: float = 0.0, tempo: float = 0.0) -> Augmentation:
        """What the options say."""
        return cls(options.speed, options.gain, options.noise, options.masking, warp, tempo)

    def sound(self, x: Tensor, lengths: Tensor, mels: Tensor) -> tuple[Tensor, Tensor]:
        """Recordings as if they had been spoken and recorded otherwise.

        Args:
            x: Log energies, shape (batch, frames, bands).
            lengths: Frames of each, shape (batch,).
            mels: For each speed of `speeds()` where a band is read, shape (speeds, bands); see `band_places()`.

        Returns:
            Changed ones, and their lengths.
        """
        if self.speed or self.tempo:
            x, lengths = self._at_speed(x, lengths, mels)
        if self.gain:
            x = x + self.gain * _NEPER * (2 * torch.rand(len(x), 1, 1, device=x.device) - 1)
        if self.noise:
            x = self._with_hiss(x, lengths)
        return x.clamp_min(FLOOR), lengths

    def warped(self, x: Tensor, rate: int) -> Tensor:
        """Recordings with their frequencies moved, as if by another vocal tract, and their speed as it is.

        Args:
            x: Log energies, shape (batch, frames, bands).
            rate: Samples per second.
        """
        if not self.warp:
            return x
        factors = 1 + self.warp * (2 * torch.rand(len(x)) - 1)
        places = band_places(x.shape[2], rate, factors).to(x.device)
        below = places.long().clamp_max(x.shape[2] - 2)
        share = (places - below)[:, None, :]
        low, high = (x.gather(2, at[:, None, :].expand_as(x)) for at in (below, below + 1))
        return low + share * (high - low)

    def _at_speed(self, x: Tensor, lengths: Tensor, mels: Tensor) -> tuple[Tensor, Tensor]:
        choice = torch.randint(len(mels), (len(x),))
        speed = self.speeds()[choice]
        if self.tempo:
            speed = speed * (1 + self.tempo * torch.rand(len(x)))
        spoken = (lengths / speed).long().clamp_min(1)
        frames, bands = int(spoken.max()), x.shape[2]
        at = torch.arange(frames) * speed[:, None]
        at = torch.minimum(at, (lengths - 1)[:, None].to(at))
        grid = torch.empty(len(x), frames, bands, 2, device=x.device)
        grid[..., 0] = (2 * mels[choice.to(mels.device)] / max(bands - 1, 1) - 1)[:, None, :]
        grid[..., 1] = (2 * at / max(x.shape[1] - 1, 1) - 1)[:, :, None]
        changed = grid_sample(x[:, None], grid, padding_mode="border", align_corners=True)
        return changed[:, 0], spoken

    def _with_hiss(self, x: Tensor, lengths: Tensor) -> Tensor:
        count, there = len(x), x.device
        is_heard = torch.rand(count, device=there) < self.noise
        snr = _LEAST_SNR + (_MOST_SNR - _LEAST_SNR) * torch.rand(count, device=there)
        tilt = torch.linspace(-1, 1, x.shape[2], device=there) * torch.randn(count, 1, device=there)
        level = _loudness(x, lengths) - _NEPER * snr
        hiss = level[:, None, None] + tilt[:, None, :] + 0.5 * torch.randn(x.shape, device=there)
        return torch.where(is_heard[:, None, None], torch.logaddexp(x, hiss), x)

    def masked(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features with some bands and some stretches of time at their mean, 0.

        Args:
            x: Shape (batch, frames, bands).
            lengths: Frames of each, shape (batch,).
        """
        if not self.masking:
            return x
        bands = torch.full((len(x),), x.shape[2])
        of_bands = _masks(bands, x.shape[2], self.masking, _BAND_MASKS).to(x.device)
        of_frames = _masks(lengths, x.shape[1], self.masking, _STEP_MASKS).to(x.device)
        return x.masked_fill(of_bands[:, None, :], 0.0).masked_fill(of_frames[:, :, None], 0.0)

    def speeds(self) -> Tensor:
        """The speeds that a recording may have, shape (speeds,)."""
        return torch.linspace(1 - self.speed, 1 + self.speed, 5) if self.speed else torch.ones(1)


def unspoken(frames: int, bands: int, loudness: float) -> Tensor:
    """Log energies of no speech, shape (frames, bands): of nothing, or of a hiss, alone or below a hum or notes.

    Args:
        frames: How many.
        bands: How many.
        loudness: The mean of a recording's; the hiss is between nothing and somewhat louder.
    """
    kind, level = int(torch.randint(len(_UNSPOKEN), (1,))), (loudness + _LOUDER) * torch.rand(1)
    tilt = torch.linspace(-1, 1, bands) * torch.randn(1)
    hiss = level + tilt + 0.5 * torch.randn(frames, bands)
    lasting = frames if _UNSPOKEN[kind] == "hum" else int(torch.randint(*_NOTE, (1,)))
    notes = -(-frames // lasting)
    tones = (torch.rand(notes, bands) < _TONES) * (_LOUDEST_TONE * torch.rand(notes, 1))
    if _UNSPOKEN[kind] == "nothing":
        return torch.full((frames, bands), FLOOR)
    if _UNSPOKEN[kind] != "hiss":
        hiss = hiss + tones.repeat_interleave(lasting, 0)[:frames]
    return hiss.clamp_min(FLOOR)


def _masks(sizes: Tensor, width: int, share: float, count: int) -> Tensor:
    """Where masks lie, shape (batch, width): `count` of them, which together cover at most this share of each size."""
    long = sizes[:, None] * (share / count) * torch.rand(len(sizes), count)
    start = torch.rand(len(sizes), count) * (sizes[:, None] - long)
    place = torch.arange(width)[None, :, None]
    return ((place >= start[:, None, :]) & (place < (start + long)[:, None, :])).any(2)


def _loudness(x: Tensor, lengths: Tensor) -> Tensor:
    """The mean log energy of each recording, shape (batch,)."""
    lengths = lengths.to(x.device)
    is_within = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return (x.mean(2) * is_within).sum(1) / lengths


def band_places(bands: int, rate: int, speeds: Tensor) -> Tensor:
    """Where each band is read at each speed, as a place among the bands, shape (speeds, bands).

    Args:
        bands: Mel bands between 20 Hz and half the rate.
        rate: Samples per second.
        speeds: Shape (speeds,).
    """
    low, high = _mel(torch.tensor(20.0)), _mel(torch.tensor(rate / 2))
    step = (high - low) / (bands + 1)
    centres = low + step * torch.arange(1, bands + 1)
    hertz = 700 * (torch.exp(centres / 1127) - 1)
    places = (_mel(hertz[None, :] / speeds[:, None]) - low) / step - 1
    return places.clamp(0, bands - 1)


def _mel(hertz: Tensor) -> Tensor:
    return 1127 * torch.log1p(hertz / 700)
