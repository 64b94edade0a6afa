"""Recordings: files of any rate, channels and format that libsndfile reads, as blocks of mono sound in float32."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatework.data._content import existing, printable
from gatework.errors import DataError, UsageError

if TYPE_CHECKING:
    import soundfile

LOWEST_RATE, HIGHEST_RATE = 2_000, 768_000
_BLOCK = 1 << 16
# Nearer to full scale than this is where a converter, or a microphone before it, has run out of room.
_FULL = 0.999
# Mixed channels are hardly less loud than the loudest of them, unless one is the other turned over.
_CANCELLED = 0.05
_QUIET = 10 ** (-50 / 20)
_ADVICE = "WAV, FLAC, OGG, MP3 and other files that libsndfile reads are expected; convert it first"


def need_speech(what: str = "reading recordings") -> None:
    """Checks that the packages of the extra `gatework[speech]` are installed.

    Raises:
        UsageError: One is missing.
    """
    missing = [n for n in ("soundfile", "soxr", "kaldi_native_fbank", "rapidfuzz") if find_spec(n) is None]
    if missing:
        raise UsageError(f'{what} needs {" and ".join(missing)}: pip install "gatework[speech]"')


@dataclass
class AudioFacts:
    """What a recording is like, gathered while it is read.

    Attributes:
        rate: Samples per second, as in the file.
        channels: Channels in the file, which are mixed to one.
        samples: Samples per channel read so far.
        peak: The largest magnitude; 1 is full scale.
        clipped: How many samples stand at full scale.
        quiet: How many blocks of 50 ms lie below -50 dB of full scale.
        blocks: How many such blocks there are.
        remark: What the file's header says wrongly, or that its channels cancel each other out, in words; empty where
            neither is so.
        loudest: The largest magnitude of any channel.
    """

    rate: int
    channels: int
    samples: int = 0
    peak: float = 0.0
    clipped: int = 0
    quiet: int = 0
    blocks: int = 0
    remark: str = ""
    loudest: float = 0.0

    @property
    def seconds(self) -> float:
        """The length."""
        return self.samples / self.rate

    def add(self, block: np.ndarray) -> None:
        """Takes note of a block of mono samples, shape (samples,)."""
        if not len(block):
            return
        loud = np.abs(block)
        self.samples += len(block)
        self.peak = max(self.peak, float(loud.max()))
        self.clipped += int((loud >= _FULL).sum())
        width = max(self.rate // 20, 1)
        whole = loud[: len(loud) // width * width].reshape(-1, width)
        self.blocks += len(whole)
        self.quiet += int((whole.max(axis=1) < _QUIET).sum())


@dataclass(frozen=True)
class Excerpt:
    """A part of a recording, in seconds from its beginning.

    Attributes:
        start: Where it begins.
        end: Where it ends; infinite at the recording's end.
    """

    start: float
    end: float = math.inf

    def name_in(self, file: Path) -> str:
        """What to call this excerpt of a file: `talk-12.30-15.82.wav`."""
        end = "" if math.isinf(self.end) else f"{self.end:.2f}"
        return f"{file.stem}-{self.start:.2f}-{end}{file.suffix}"


def name_of(file: Path, excerpt: Excerpt | None) -> str:
    """What to call a recording: its file's name, or that of an excerpt of it."""
    return file.name if excerpt is None else excerpt.name_in(file)


@dataclass
class Recording:
    """A recording, or an excerpt of one, that is read block by block.

    Attributes:
        path: The file.
        facts: What it is like; complete once every block has been read.
        excerpt: The part that is read; None for all of it.
    """

    path: Path
    facts: AudioFacts
    _frames: int = field(default=0, repr=False)
    excerpt: Excerpt | None = None

    @classmethod
    def open(cls, path: Path, excerpt: Excerpt | None = None) -> Recording:
        """Looks at a file's header.

        Args:
            path: The file.
            excerpt: The part that is read; None for all of it.

        Raises:
            DataError: There is no such file, it is no recording, or it has no such part.
        """
        need_speech()
        import soundfile

        shown = printable(str(existing(path)))
        if not path.is_file():
            raise DataError(f"{shown} is a folder or a device, and a recording was expected")
        if not path.stat().st_size:
            raise DataError(f"{shown} is empty (0 bytes), and a recording was expected; record or copy it again")
        try:
            with soundfile.SoundFile(path) as file:
                frames, facts = file.frames, AudioFacts(file.samplerate, file.channels)
                facts.remark = _header_remark(file.extra_info)
        except (soundfile.LibsndfileError, TypeError, OSError) as error:
            raise DataError(f"{shown} is no recording that can be read ({_reason(error)}); {_ADVICE}") from None
        if not LOWEST_RATE <= facts.rate <= HIGHEST_RATE:
            raise DataError(
                f"{shown} has {facts.rate:,} samples per second by its header, expected {LOWEST_RATE:,} to "
                f"{HIGHEST_RATE:,}; its header is wrong, or it is no sound"
            )
        if excerpt is not None and not 0 <= excerpt.start < min(excerpt.end, frames / facts.rate):
            span = f"{excerpt.start:,.2f} to {excerpt.end:,.2f} s"
            raise DataError(
                f"{shown} lasts {frames / facts.rate:,.2f} s and has no excerpt from {span}; times are in seconds, or "
                "hours, minutes and seconds with colons between"
            )
        return cls(path, facts, frames, excerpt)

    def blocks(self) -> Iterator[np.ndarray]:
        """The sound from its start, or from that of the excerpt, a few seconds at a time.

        Yields:
            Mono samples, float32 with full scale at 1, shape (samples,).

        Raises:
            DataError: The file is damaged, holds nothing, or holds values that are no numbers.
        """
        import soundfile

        shown = printable(str(self.path))
        try:
            with soundfile.SoundFile(self.path) as file:
                for block in file.blocks(_BLOCK, frames=self._sought(file), dtype="float32", always_2d=True):
                    mono = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
                    if not np.isfinite(mono).all():
                        at = (self.facts.samples + int(np.flatnonzero(~np.isfinite(mono))[0])) / self.facts.rate
                        raise DataError(
                            f"{shown} holds values that are no numbers (NaN or infinite), the first of them at "
                            f"{at:.2f} s; export it again from its source"
                        )
                    self.facts.add(mono)
                    self.facts.loudest = max(self.facts.loudest, float(np.abs(block).max(initial=0.0)))
                    yield np.ascontiguousarray(mono)
        except (soundfile.LibsndfileError, OSError) as error:
            raise DataError(f"{shown} is damaged ({_reason(error)}); copy or export it again") from None
        if not self.facts.samples:
            raise DataError(f"{shown} holds no sound (0 samples); record or copy it again")
        if self.facts.channels > 1 and self.facts.peak < _CANCELLED * self.facts.loudest:
            self.facts.remark = "its channels cancel each other out where they are mixed (one is turned over); keep one"
        if self.excerpt is None and self.facts.samples < self._frames and not self.facts.remark:
            self.facts.remark = f"its header promises {self._frames:,} samples, and it holds {self.facts.samples:,}"

    def _sought(self, file: soundfile.SoundFile) -> int:
        """Goes to where the excerpt begins, and says how many samples it has: -1 for all that follow."""
        if self.excerpt is None:
            return -1
        start = file.seek(round(self.excerpt.start * self.facts.rate))
        return -1 if math.isinf(self.excerpt.end) else max(round(self.excerpt.end * self.facts.rate) - start, 1)


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return str(text).rstrip(".").replace("\n", " ").lower()[:120]


def _header_remark(log: str) -> str:
    """What libsndfile's log says of a header whose lengths are not those of the file."""
    for name, said, actual in re.findall(r"^\s*(\w+)\s*:\s*(0x\w+|\d+)[^\n(]*\(should be (0x\w+|\d+)\)", log, re.M):
        # A recorder that was cut off, or wrote into a pipe, leaves 0 or the largest number.
        if name.lower() == "data":
            return f"its header says {int(said, 0):,} bytes of sound, and the file holds {int(actual, 0):,}"
    return ""


def decibels(amplitude: float) -> float:
    """An amplitude in decibels of full scale."""
    return 20 * math.log10(max(amplitude, 1e-9))
