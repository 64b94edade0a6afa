"""Recordings as they come: every format and rate is read, and what is no recording is one sentence with its name."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import soundfile

from gatework.data.audio import AudioFacts, Recording
from gatework.data.features import FLOOR, FeatureSpec, FeatureStream
from gatework.data.recordings import rate_remarks
from gatework.errors import DataError

SPEC = FeatureSpec(8000, 20)
TONE = (0.3 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)).astype(np.float32)


def features(path) -> np.ndarray:
    recording = Recording.open(path)
    return SPEC.of(recording.blocks(), recording.facts.rate)


@pytest.mark.parametrize("ending", [".wav", ".flac", ".ogg", ".mp3", ".aiff", ".au"])
def test_the_same_tone_sounds_the_same_in_every_format(tmp_path, ending):
    soundfile.write(tmp_path / "plain.wav", TONE, 48000)
    soundfile.write(tmp_path / f"tone{ending}", TONE, 48000)
    plain, other = features(tmp_path / "plain.wav"), features(tmp_path / f"tone{ending}")
    steady = slice(10, 80)
    strongest = plain[steady].mean(0).argmax()
    # A lossy format may move a loud band by a tenth of a decibel, 0.02 in logarithms of energies.
    assert abs(plain[steady, strongest] - other[steady, strongest]).max() < 0.05


@pytest.mark.parametrize("rate", [4000, 8000, 11025, 44100, 192000])
def test_every_rate_and_number_of_channels_is_brought_to_one(tmp_path, rate):
    time = np.arange(rate) / rate
    stereo = np.stack([0.3 * np.sin(2 * np.pi * 440 * time)] * 6, axis=1)
    soundfile.write(tmp_path / "six.wav", stereo, rate)
    frames = features(tmp_path / "six.wav")
    assert frames.shape == (98, 20)
    assert frames[10:80].mean(0).argmax() == features_of_tone()[10:80].mean(0).argmax()


def features_of_tone() -> np.ndarray:
    return SPEC.of([TONE], 48000)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_eight_bits_and_telephones_codes_are_read(tmp_path, subtype):
    soundfile.write(tmp_path / "x.wav", TONE, 48000, subtype=subtype)
    assert features(tmp_path / "x.wav").mean(0).argmax() == features_of_tone().mean(0).argmax()


def test_a_sample_and_an_hour_of_nothing_have_frames_of_silence(tmp_path):
    soundfile.write(tmp_path / "one.wav", TONE[:1], 48000)
    soundfile.write(tmp_path / "zeros.wav", np.zeros(80000, np.float32), 8000)
    assert features(tmp_path / "one.wav").shape == (1, 20)
    assert (features(tmp_path / "zeros.wav") == FLOOR).all()


def wav(frames: bytes, said: int | None = None, rate: int = 8000) -> bytes:
    size = len(frames) if said is None else said
    riff = struct.pack("<4sI4s", b"RIFF", min(36 + size, 0xFFFFFFFF), b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return riff + form + struct.pack("<4sI", b"data", size) + frames


SAMPLES = (10000 * np.sin(np.arange(8000) / 3)).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"this is a text and no sound\n" * 40, "no recording that can be read"),
        (wav(b""), "holds no sound"),
        (wav(SAMPLES)[:20], "no recording that can be read"),
        (wav(SAMPLES, rate=5), "5 samples per second"),
        (b"\x00" * 5000, "no recording that can be read"),
    ],
    ids=["empty", "a text", "no samples", "cut in the header", "a senseless rate", "zeros"],
)
def test_what_is_no_recording_is_one_sentence_that_names_the_file(tmp_path, content, sentence):
    file = tmp_path / "bad.wav"
    file.write_bytes(content)
    with pytest.raises(DataError, match=sentence) as caught:
        features(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_values_that_are_no_numbers_are_named_with_their_time(tmp_path):
    samples = TONE.copy()
    samples[24000] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 48000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"nan.wav holds values that are no numbers .* at 0.50 s"):
        features(tmp_path / "nan.wav")


@pytest.mark.parametrize("said", [0xFFFFFFFF, 64000])
def test_a_header_that_lies_about_the_length_is_noted_and_what_is_there_is_read(tmp_path, said):
    (tmp_path / "cut.wav").write_bytes(wav(SAMPLES, said))
    recording = Recording.open(tmp_path / "cut.wav")
    frames = SPEC.of(recording.blocks(), recording.facts.rate)
    assert len(frames) == 98
    assert f"{said:,}" in recording.facts.remark
    assert "16,000" in recording.facts.remark


def test_facts_count_what_is_clipped_and_what_is_silent(tmp_path):
    samples = np.concatenate([np.zeros(8000), np.ones(800), 0.1 * np.ones(7200)]).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", samples, 8000, subtype="FLOAT")
    recording = Recording.open(tmp_path / "x.wav")
    assert sum(map(len, recording.blocks())) == 16000
    facts = recording.facts
    assert (facts.seconds, facts.peak, facts.clipped, facts.quiet, facts.blocks) == (2.0, 1.0, 800, 20, 40)


@pytest.mark.parametrize("rate", [8000, 44100])
@pytest.mark.parametrize("chunk", [1, 37, 5000])
def test_features_do_not_depend_on_how_sound_is_cut(rate, chunk):
    sound = np.random.default_rng(0).standard_normal(rate // 4).astype(np.float32)
    whole = SPEC.of([sound], rate)
    stream = FeatureStream(SPEC, rate)
    parts = [stream.accept(sound[at : at + chunk]) for at in range(0, len(sound), chunk)]
    np.testing.assert_array_equal(np.concatenate([*parts, stream.finish()]), whole)


@pytest.mark.parametrize(("rate", "bands"), [(16, 40), (1000, 40), (8000, 2), (8000, 256)])
def test_more_bands_than_a_rate_can_tell_apart_are_one_sentence_that_names_both(rate, bands):
    with pytest.raises(DataError, match=rf"^{bands} mel bands .* {rate:,} samples per second; .*--bands"):
        FeatureSpec(rate, bands).of([np.zeros(8000, np.float32)], 8000)


def test_a_few_recordings_of_a_low_rate_are_said_to_narrow_all_others():
    facts = [AudioFacts(rate, 1) for rate in (16000, 16000, 48000, 8000)]
    (said,) = rate_remarks(facts, 8000)
    assert said.startswith("1 of 4 recordings has 8,000 samples per second and the others more: all are read at 8,000.")
    assert not rate_remarks([AudioFacts(8000, 1), *facts[3:], facts[0]], 8000)
    assert not rate_remarks(facts[:3], 16000)


def test_channels_that_cancel_each_other_out_are_told(tmp_path):
    tone = np.sin(np.arange(8000) / 5)[:, None] * np.array([[0.5, -0.5]])
    for name, channels in {"turned": tone, "alike": np.abs(tone)}.items():
        soundfile.write(tmp_path / f"{name}.wav", channels, 8000)
        recording = Recording.open(tmp_path / f"{name}.wav")
        assert sum(len(block) for block in recording.blocks()) == 8000
        assert ("cancel each other out" in recording.facts.remark) == (name == "turned")
