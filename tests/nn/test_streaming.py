"""Single steps on the kernels, plain and with something around the cell: as accurate as the reference, and its path."""

from __future__ import annotations

import copy
from unittest import mock

import pytest
import torch
from torch import nn

import gatework
from gatework.cells import BUILT_IN, REGISTRY
from gatework.errors import UsageError
from gatework.nn import ScanOptions
from gatework.scan import kernels
from support.custom_cells import Mixed

INPUT = 7
OPTIONS = {
    "plain": {},
    "layer norm": {"layer_norm": True},
    "zoneout and clip": {"zoneout": 0.3, "clip": 0.2},
    "everything": {"zoneout": 0.3, "clip": 0.2, "layer_norm": True, "recurrent_dropout": 0.4, "weight_drop": 0.3},
}


def layer_of(cell: str, hidden: int, **options) -> gatework.nn.Recurrent:
    """Two layers in float64, with weights and gains that are exact in float32."""
    if "c" not in REGISTRY[cell].states:
        options.pop("clip", None)
    torch.manual_seed(hidden)
    layer = gatework.nn.Recurrent(cell, INPUT, hidden, 2, options=ScanOptions(**options))
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if "norm" in name:
                parameter.uniform_(-1.5, 1.5)
    return layer.double().eval()


def streamed(layer: nn.Module, x: torch.Tensor, is_native: bool) -> list[torch.Tensor]:
    """The outputs of some steps and the last states."""
    native = mock.patch("gatework.scan.reference.step", side_effect=AssertionError("a step of the reference"))
    state, outputs = None, []
    with torch.no_grad(), native if is_native else mock.patch("gatework.nn._direct.step", return_value=None):
        for step in x:
            output, state = layer.step(step, state)
            outputs.append(output)
    return [*outputs, *(state if isinstance(state, tuple) else (state,))]


def errors(found: list[torch.Tensor], exact: list[torch.Tensor]) -> list[float]:
    return [float((a.double() - b).abs().max() / (1 + b.abs().max())) for a, b in zip(found, exact, strict=True)]


def check(layer: gatework.nn.Recurrent, batch: int, steps: int = 3) -> None:
    """In float64 the kernels agree with the reference; in float32 they are as accurate as it is.

    Two float64 runs differ by rounding only: each sum of n terms by n eps at most, over at most `steps` steps of both
    layers that pass it on; a norm stretches a difference by the root of 1 / 1e-5 at most.
    """
    x = torch.randn(steps, batch, INPUT, generator=torch.Generator().manual_seed(batch)).double()
    exact = streamed(layer, x, False)
    stretch = 1e-5**-0.5 if layer.options.layer_norm else 1.0
    terms = 2 * steps * (INPUT + layer.hidden_size + 8)
    assert max(errors(streamed(layer, x, True), exact)) <= stretch * terms * torch.finfo(torch.float64).eps
    single = copy.deepcopy(layer).float()
    usual, found = (errors(streamed(single, x.float(), is_native), exact) for is_native in (False, True))
    for ours, theirs in zip(found, usual, strict=True):
        assert ours <= 2 * theirs + 16 * torch.finfo(torch.float32).eps


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("cell", BUILT_IN)
def test_a_step_of_every_cell_is_as_accurate_as_the_reference(cell: str, options: str):
    for isa in {kernels.supported_isas()[0], kernels.active_isa()}:
        with kernels.use_isa(isa):
            for hidden, batch in ((1, 2), (5, 1), (17, 8), (33, 1)):
                check(layer_of(cell, hidden, **OPTIONS[options]), batch)


@pytest.mark.parametrize("options", ["zoneout and clip", "layer norm"])
def test_a_cell_of_ones_own_streams_on_the_kernels_with_something_around_it(options: str):
    check(layer_of(Mixed.name, 19, **OPTIONS[options]), 2)


@pytest.mark.parametrize("options", OPTIONS)
def test_steps_with_a_carried_state_give_what_the_whole_sequence_gives(options: str):
    layer = layer_of("lstm", 20, **OPTIONS[options])
    x = torch.randn(6, 3, INPUT).double()
    with torch.no_grad():
        output, finals = layer(x)
        found = streamed(layer, x, True)
    for value, other in zip(found, [*output, *finals], strict=True):
        torch.testing.assert_close(value, other)


def test_a_step_draws_no_masks_in_training_either():
    layer = layer_of("lstm", 20, layer_norm=True, zoneout=0.3, recurrent_dropout=0.4)
    x = torch.randn(2, 3, INPUT).double()
    expected = streamed(layer, x, True)
    for value, other in zip(streamed(layer.train(), x, True), expected, strict=True):
        assert torch.equal(value, other)


CHANGES = {
    "in place": lambda layer: nn.init.constant_(layer.norm_hh_l0, 0.3),
    "other memory": lambda layer: setattr(layer.norm_state_l1, "data", torch.full_like(layer.norm_state_l1, 0.3)),
    "another parameter": lambda layer: setattr(layer, "norm_ih_l0", nn.Parameter(torch.full((80,), 0.3).double())),
    "not in one piece": lambda layer: setattr(layer.norm_ih_l1, "data", torch.full((80, 2), 0.3).double()[:, 0]),
    "to float and back": lambda layer: layer.float().double(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_gain_that_changes_after_a_step_counts_in_the_next(change: str):
    layer, x = layer_of("lstm", 20, layer_norm=True), torch.randn(1, INPUT).double()
    with torch.no_grad():
        _, state = layer.step(x)
        before = layer.step(x, state)[0]
        CHANGES[change](layer)
        after, fresh = layer.step(x, state)[0], copy.deepcopy(layer).step(x, state)[0]
    torch.testing.assert_close(after, fresh)
    assert change == "to float and back" or not torch.equal(after, before)


@pytest.mark.parametrize("name", ["norm_hh_l0", "norm_state_l0", "norm_state_bias_l0", "bias_hh_l0"])
def test_a_weight_of_the_norm_that_does_not_fit_is_one_sentence(name: str):
    layer, x = layer_of("lstm", 20, layer_norm=True), torch.randn(4, 1, INPUT).double()
    setattr(layer, name, nn.Parameter(torch.ones(1, 3).double()))
    expected = rf"^scan: {name[:-3]} has shape \(1, 3\), expected \("
    with torch.no_grad():
        for run in (lambda: layer(x), lambda: layer.step(x[0])):
            with pytest.raises(UsageError, match=expected):
                run()
