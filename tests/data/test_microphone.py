"""The microphone: what is missing is said in a sentence, and what it hears comes as raw sound."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gatework.data.microphone import Listening, Microphone, as_bytes
from gatework.data.samples import SampleReader
from gatework.errors import UsageError


class _Stream:
    """A stream of sounddevice that hears two blocks as soon as it starts."""

    def __init__(self, rate, channels, dtype, callback):
        assert (rate, channels, dtype) == (44_100, 1, "float32")
        self.callback = callback

    def start(self):
        for level in (0.5, -2.0):
            self.callback(np.full((3, 1), level, np.float32), 3, None, None)


def test_what_a_microphone_hears_comes_as_raw_sound(monkeypatch):
    device = SimpleNamespace(
        query_devices=lambda kind: {"default_samplerate": 44_100.0}, PortAudioError=OSError, InputStream=_Stream
    )
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    monkeypatch.setattr("gatework.data.microphone.find_spec", lambda name: device)
    listening = Listening()
    assert listening.rate == 44_100
    pieces = [listening.read(1 << 12), listening.read(1 << 12)]
    samples = [SampleReader().accept(piece) for piece in pieces]
    # Full scale is one step of 16 bits below 1, and what is louder is cut there.
    np.testing.assert_allclose(samples, [[0.5] * 3, [-1.0] * 3], atol=2 / 32768)
    assert as_bytes(np.zeros(2)) == bytes(4)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("gatework.data.microphone.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install "gatework\[record\]"'):
        Microphone()
