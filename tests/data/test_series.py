import json

import numpy as np
import torch

from gatework.data.dataset import Split
from gatework.data.inputs import SeriesInputs
from gatework.data.series import Scale, SeriesEncoder
from gatework.options import DataOptions


def test_scaled_training_values_have_mean_zero_and_deviation_one():
    values = np.random.default_rng(0).normal(1000, 5, (50, 7, 2)).astype(np.float32)
    scaled = SeriesEncoder.fit(values, DataOptions(scale=True)).scale.apply(values)
    # A float32 near 1000 is rounded by up to 3e-5, which is 6e-6 deviations; the mean of 350 of them is exacter still.
    np.testing.assert_allclose(scaled.mean(axis=(0, 1), dtype=np.float64), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=(0, 1), dtype=np.float64), 1, atol=1e-5)


def test_a_constant_variable_becomes_zero_and_comes_back():
    values = np.full((4, 3, 1), 0.1)
    scale = Scale.fit(values)
    assert scale.std == (1.0,)
    np.testing.assert_allclose(scale.apply(values), 0, atol=1e-15)
    np.testing.assert_allclose(scale.undo(scale.apply(values)), values)


def test_without_scaling_values_stay_bit_for_bit():
    values = np.random.default_rng(0).normal(size=(5, 4, 1)).astype(np.float32)
    encoded = SeriesEncoder.fit(values, DataOptions()).encode(
        Split(SeriesInputs.of(values), values[:, -1]), values[:, -1]
    )
    batch = encoded.batch(np.array([3, 1]))
    assert torch.equal(batch.inputs, torch.from_numpy(values[[3, 1]]))
    assert torch.equal(batch.targets, torch.from_numpy(values[[3, 1], -1]))
    assert batch.lengths.tolist() == [4, 4]
    assert batch.inputs.dtype == torch.float32


def test_an_encoder_comes_back_from_json():
    values = np.random.default_rng(0).normal(3, 2, (5, 4, 3)).astype(np.float32)
    encoder = SeriesEncoder.fit(values, DataOptions(scale=True))
    assert SeriesEncoder.from_state(json.loads(json.dumps(encoder.state()))) == encoder
