"""Whether anybody speaks: steady sounds have no words, however loud; spoken ones have; memory does not grow."""

from __future__ import annotations

import itertools

import numpy as np

from gatework.tasks._voice import KEPT, LEAST, Loudness, least_of, loudness_of
from support import recordings

STACK = 3


def judged(samples: np.ndarray) -> np.ndarray:
    """For each stretch of 0.3 s whether a word there would be kept."""
    voice, frames = Loudness(), recordings.SPEC.of([samples.astype(np.float32)], recordings.RATE)
    voice.hear(loudness_of(frames, STACK))
    return np.array([voice.is_heard(first, first + 9) for first in range(0, len(frames) // STACK - 9, 10)])


def test_a_steady_sound_is_no_voice_and_tones_with_pauses_are():
    random, time = np.random.default_rng(0), np.arange(20 * recordings.RATE) / recordings.RATE
    noise = random.standard_normal(len(time))
    hum = sum(np.sin(2 * np.pi * 50 * k * time) / k for k in range(1, 8))
    for steady in (0 * time, 0.0005 * noise, 0.2 * noise, 0.1 * hum + 0.001 * noise):
        assert not judged(steady).any()
    assert judged(recordings.sound("ab cab ba " * 4)).all()


def test_words_that_move_the_loudness_less_lower_what_is_asked_of_a_word_and_clean_or_rare_ones_do_not():
    assert least_of([]) == least_of([LEAST + 0.1] * 5) == LEAST
    assert least_of([4.0] * 20 + [0.8]) == 0.4
    assert least_of([4.0] * 20 + [0.6]) == 0, "as little as a steady noise does"
    assert least_of([4.0] * 200 + [0.8]) == LEAST, "one word in two hundred"


def test_loudness_is_the_mean_of_each_steps_frames():
    frames = np.arange(14.0).reshape(7, 2)
    assert loudness_of(frames, 3) == [2.5, 8.5, 12.5]


def test_of_a_word_of_minutes_a_stream_judges_what_a_file_does():
    swelling_early = [5.0, *([0.0] * 9000)]
    for kept, first in itertools.product((None, KEPT), (0, 5000)):
        voice = Loudness(kept=kept)
        voice.hear(swelling_early)
        assert not voice.is_heard(first, 8000)


def test_an_hour_of_steps_is_forgotten_but_for_the_last_and_for_what_is_still_asked():
    voice = Loudness(kept=4000)
    voice.hear([0.0] * 20)
    assert not voice.is_heard(5, 9)
    for _ in range(30):
        voice.hear([0.0] * 4000)
        assert not voice.is_heard(5, 9), "as it was judged when it was said"
    voice.hear([5.0])
    assert voice.is_heard(120_015, 120_020)
    assert not voice.is_heard(119_900, 119_905)
    assert voice.is_heard(12, 15), "what is long past is not judged any more"
    for step in range(119_000, 119_000 + 4000):
        voice.is_heard(step, step)
    assert voice.is_heard(5, 9), "judgements are forgotten too"
