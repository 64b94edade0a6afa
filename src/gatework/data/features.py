"""Sound to what a network reads: the energies of mel bands every 10 ms. The same code reads files and streams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from gatework._stored import Stored
from gatework.errors import DataError

if TYPE_CHECKING:
    import kaldi_native_fbank

HOP = 0.01
"""Seconds from frame to frame."""
WINDOW = 0.025
"""Seconds that a frame looks at."""
FLOOR = 5.0
"""What stands for silence: the logarithm of a band's energy where each sample of 16 bits is off by about one.

Full scale is 32768, as in Kaldi, which adds such noise (dither) to the same end: nothing at all, as an editor leaves
it, is not told from a quiet room.
"""
_FULL_SCALE = 32768.0
COEFFICIENTS = 13
"""Cepstral coefficients of a frame, fewer where there are fewer bands."""
Coding = Literal["fbank", "mfcc"]


@dataclass(frozen=True)
class FeatureSpec(Stored):
    """How sound becomes features.

    Attributes:
        rate: Samples per second; sound of another rate is resampled.
        bands: Mel bands between 20 Hz and half the rate, or cepstral coefficients.
        coding: The logarithms of mel energies, or their cepstral coefficients.
    """

    rate: int
    bands: int
    coding: Coding = "fbank"

    def of(self, blocks: Iterable[np.ndarray], rate: int) -> np.ndarray:
        """The features of a whole sound.

        Args:
            blocks: Mono samples, float32, full scale at 1.
            rate: Their samples per second.

        Returns:
            Shape (frames, bands), float32, at least one frame: a sound shorter than a window is followed by silence.
        """
        stream = FeatureStream(self, rate)
        parts = [stream.accept(block) for block in blocks]
        return np.concatenate([*parts, stream.finish()])


def cepstra(frames: np.ndarray) -> np.ndarray:
    r"""The first cepstral coefficients (MFCC) of log mel energies.

    $c_k = \sqrt{2 / N} \sum_n x_n \cos(\pi k (n + 1/2) / N)$, the discrete cosine transform of the $N$ bands.

    Args:
        frames: Shape (frames, bands).

    Returns:
        Shape (frames, coefficients), float64.
    """
    bands = frames.shape[1]
    places, orders = np.arange(bands) + 0.5, np.arange(min(COEFFICIENTS, bands))
    basis = np.sqrt(2 / bands) * np.cos(np.pi / bands * places[:, None] * orders)
    result: np.ndarray = frames.astype(np.float64) @ basis
    return result


class FeatureStream:
    """Features of sound that comes bit by bit: the same frames however it is cut, and memory that does not grow.

    Args:
        spec: How sound becomes features.
        rate: Samples per second of what comes.

    Raises:
        DataError: There are too few samples in a second for so many bands, or too few bands.
    """

    def __init__(self, spec: FeatureSpec, rate: int) -> None:
        self.spec, self.given, self.taken = spec, 0, 0
        self._resampler = None
        if rate != spec.rate:
            import soxr

            self._resampler = soxr.ResampleStream(rate, spec.rate, 1, dtype="float32")
        try:
            self._extractor = _extractor(spec)
        except ValueError:
            raise DataError(
                f"{spec.bands} mel bands cannot be told apart at {spec.rate:,} samples per second; 40 bands at 2,000 "
                "samples or more can, and at least 3 are needed (--bands, --sample-rate)"
            ) from None

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """The frames that are complete with these samples, shape (frames, bands)."""
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return self._frames(samples)

    def finish(self) -> np.ndarray:
        """The frames that are left, shape (frames, features); the first one of a sound that has none yet."""
        rest = np.zeros(0, np.float32)
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(rest, last=True)
        frames = self._frames(rest)
        if not self.taken:
            missing = int(np.ceil(WINDOW * self.spec.rate)) - self.given
            frames = np.concatenate([frames, self._frames(np.zeros(missing, np.float32))])
        return frames

    def _frames(self, samples: np.ndarray) -> np.ndarray:
        if len(samples):
            self.given += len(samples)
            # A list is taken in half the time of an array.
            self._extractor.accept_waveform(self.spec.rate, (samples * np.float32(_FULL_SCALE)).tolist())
        ready = self._extractor.num_frames_ready
        frames = np.empty((ready - self.taken, self.spec.bands), np.float32)
        for place in range(len(frames)):
            frames[place] = self._extractor.get_frame(self.taken + place)
        self._extractor.pop(len(frames))
        self.taken = ready
        return np.maximum(frames, FLOOR) if self.spec.coding == "fbank" else frames


def _extractor(spec: FeatureSpec) -> kaldi_native_fbank.OnlineFbank:
    import kaldi_native_fbank as kaldi

    options = kaldi.MfccOptions() if spec.coding == "mfcc" else kaldi.FbankOptions()
    frames = options.frame_opts
    frames.samp_freq, frames.dither, frames.snip_edges = float(spec.rate), 0.0, True
    frames.frame_shift_ms, frames.frame_length_ms = 1000 * HOP, 1000 * WINDOW
    options.mel_opts.high_freq = 0.0
    if spec.coding == "mfcc":
        options.num_ceps, options.mel_opts.num_bins, options.use_energy = spec.bands, max(23, spec.bands), False
        return kaldi.OnlineMfcc(options)
    options.mel_opts.num_bins = spec.bands
    return kaldi.OnlineFbank(options)
