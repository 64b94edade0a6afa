"""A stack checks its weights once: what it does when they change afterwards."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

import gatework
from gatework.scan import kernels

CHANGES: dict[str, Callable[[gatework.nn.LSTM], object]] = {
    "in place": lambda layer: nn.init.constant_(layer.weight_hh_l0, 0.3),
    "other memory": lambda layer: setattr(layer.weight_hh_l1, "data", torch.full((20, 5), 0.3)),
    "another parameter": lambda layer: setattr(layer, "bias_ih_l0", nn.Parameter(torch.full((20,), 0.3))),
    "not in one piece": lambda layer: setattr(layer.weight_ih_l0, "data", torch.full((3, 20), 0.3).t()),
    "pruned": lambda layer: prune.random_unstructured(layer, "weight_hh_l0", 0.5),
    "parametrised": lambda layer: parametrize.register_parametrization(layer, "weight_ih_l1", nn.Tanh()),
    "to double and back": lambda layer: layer.double().float(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_change_after_a_run_count_in_the_next(change: str):
    layer = gatework.nn.LSTM(3, 5, num_layers=2)
    x = torch.randn(4, 2, 3)
    layer(x)
    with torch.no_grad():
        layer.step(x[0])
        CHANGES[change](layer)
    fresh = copy.deepcopy(layer)  # has never run
    assert torch.equal(layer(x)[0], fresh(x)[0])
    with torch.no_grad():
        assert torch.equal(layer.step(x[0])[0], fresh.step(x[0])[0])
    found, expected = (torch.autograd.grad(run(x)[0].sum(), list(run.parameters())) for run in (layer, fresh))
    for gradient, other in zip(found, expected, strict=True):
        assert torch.equal(gradient, other)


def test_gradients_do_not_depend_on_how_weights_lie_in_memory():
    layer = gatework.nn.LSTM(3, 5, num_layers=2)
    x = torch.randn(4, 2, 3)
    expected = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    for weight in (layer.weight_ih_l0, layer.weight_hh_l1):
        weight.data = weight.data.t().contiguous().t()
    found = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    for gradient, other in zip(found, expected, strict=True):
        assert torch.equal(gradient, other)


def test_a_weight_changed_between_forward_and_backward_is_an_error():
    layer = gatework.nn.GRU(3, 5)
    output = layer(torch.randn(4, 2, 3))[0]
    with torch.no_grad():
        layer.weight_hh_l0.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@pytest.mark.parametrize("keep", [nn.Identity(), torch.clone], ids=["kept", "copied"])
@pytest.mark.parametrize("isa", kernels.supported_isas())
def test_a_backward_pass_belongs_to_the_instruction_set_of_its_forward_pass(
    isa: str, keep: Callable[[torch.Tensor], torch.Tensor]
):
    layer = gatework.nn.LSTM(3, 20, num_layers=2)
    x = torch.randn(4, 32, 3)
    with kernels.use_isa(isa):
        with torch.autograd.graph.saved_tensors_hooks(keep, keep):
            output = layer(x)[0]
        expected = torch.autograd.grad(output.sum(), list(layer.parameters()), retain_graph=True)
    for other in kernels.supported_isas():
        with kernels.use_isa(other):
            layer(x)  # finds other kernels
            found = torch.autograd.grad(output.sum(), list(layer.parameters()), retain_graph=True)
        for gradient, wanted in zip(found, expected, strict=True):
            assert torch.equal(gradient, wanted)


def test_what_is_saved_for_the_backward_pass_may_come_back_as_a_copy():
    layer = gatework.nn.LSTM(3, 5, num_layers=2, bidirectional=True)
    x = torch.randn(4, 2, 3)
    expected = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    with torch.autograd.graph.saved_tensors_hooks(torch.clone, torch.clone):
        found = torch.autograd.grad(layer(x)[0].sum(), list(layer.parameters()))
    for gradient, other in zip(found, expected, strict=True):
        assert torch.equal(gradient, other)


def test_weights_given_for_one_call_are_used_for_that_call_alone():
    layer = gatework.nn.LSTM(3, 5)
    x = torch.randn(4, 2, 3)
    before = layer(x)[0]
    others = {name: torch.full_like(p, 0.1) for name, p in layer.named_parameters()}
    swapped = torch.func.functional_call(layer, others, (x,))[0]
    assert not torch.equal(swapped, before)
    assert torch.equal(layer(x)[0], before)
