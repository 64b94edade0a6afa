"""Layers that go on over one sequence in memory of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gatework
from gatework import nn
from gatework.cells import BUILT_IN
from gatework.nn import ScanOptions
from gatework.nn.carried import CarriedLayers


def stepped(layers, x: torch.Tensor) -> np.ndarray:
    state, each = None, []
    with torch.no_grad():
        for row in x:
            h, state = layers.step(row[None], state)
            each.append(h)
    return torch.cat(each).numpy()


def staged(carried: CarriedLayers, x: torch.Tensor) -> np.ndarray:
    each = []
    for row in x.numpy():
        carried.given[0] = row
        for stage in carried.stages:
            stage()
        each.append(carried.hidden[0].copy())
    return np.array(each)


@pytest.mark.parametrize("is_int8", [False, True])
@pytest.mark.parametrize("cell", BUILT_IN)
def test_the_stages_make_the_very_steps_of_the_layers(cell, is_int8):
    torch.manual_seed(0)
    layers = nn.Recurrent(cell, 3, 18, num_layers=2).eval()
    layers = gatework.quantize(layers) if is_int8 else layers
    carried, x = CarriedLayers(layers), torch.randn(5, 3)
    assert len(carried.stages) == 2
    assert np.array_equal(staged(carried, x), stepped(layers, x))


@pytest.mark.parametrize(
    ("options", "stages"),
    [
        ({"options": ScanOptions(clip=0.1)}, 2),
        ({"options": ScanOptions(layer_norm=True)}, 2),
        ({"proj_size": 2}, 1),
    ],
)
def test_what_no_kernel_computes_layer_by_layer_is_a_single_stage(options, stages):
    torch.manual_seed(0)
    layers = nn.LSTM(3, 5, num_layers=2, **options).eval()
    carried, x = CarriedLayers(layers), torch.randn(5, 3)
    assert len(carried.stages) == stages
    assert np.array_equal(staged(carried, x), stepped(layers, x))
