import numpy as np

from gatework.data import load
from gatework.data.sets.waves import NOISE_FLOOR, generate
from gatework.options import DataOptions


def test_waves_has_the_sizes_of_the_experiment():
    dataset = load("waves", DataOptions())
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [7000, 2000, 1000]
    assert dataset.train.inputs.shape == (7000, 99, 1)
    assert dataset.train.targets.shape == (7000, 1)
    assert dataset.train.inputs.dtype == dataset.train.targets.dtype == np.float32


def test_both_wave_sets_are_the_same_series():
    waves, original = load("waves", DataOptions()), load("waves-original", DataOptions())
    assert np.array_equal(waves.test.inputs, original.test.inputs[:, :-1])
    assert np.array_equal(waves.test.targets, original.test.targets)
    assert waves.provenance.fingerprint == original.provenance.fingerprint


def test_the_original_asks_for_the_last_value_of_its_own_input_and_says_so():
    dataset = load("waves-original", DataOptions())
    assert np.array_equal(dataset.test.inputs[:, -1], dataset.test.targets)
    assert "copying" in dataset.provenance.notes[0]


def test_the_last_value_has_the_squared_error_that_the_equation_gives():
    # In expectation the squared difference of two steps is that of the three sines plus twice the noise's variance.
    random = np.random.default_rng(1)
    f1, f2, o1, o2, p = random.random((5, 100_000))
    a, b = 1.0, 1 - 1 / 99
    waves = [
        0.5 * np.sin((t - o1) * (10 * f1 + 10))
        + 0.2 * np.sin((t - o2) * (20 * f2 + 20))
        + 0.1 * np.sin(2 * np.pi * p * t)
        for t in (a, b)
    ]
    squares = (waves[0] - waves[1]) ** 2
    expected = squares.mean() + 2 * NOISE_FLOOR
    dataset = load("waves", DataOptions())
    found = (dataset.train.targets - dataset.train.inputs[:, -1]) ** 2
    # Four standard errors of both means.
    tolerance = 4 * (squares.std() / 100_000**0.5 + found.std() / 7000**0.5)
    assert abs(found.mean() - expected) < tolerance
    assert tolerance < 0.1 * expected


def test_the_generator_depends_on_its_source_of_randomness_alone():
    first, again, other = (generate(3, 10, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
