"""Memory that a training step leaves to the next one."""

import copy
import gc
import pickle

import pytest
import torch

import gatework.nn
from gatework.scan import kept
from gatework.scan.kept import KeptMemory


@pytest.fixture(autouse=True)
def _keeps_small_memory(monkeypatch):
    monkeypatch.setattr(kept, "_ALWAYS_FRESH", 0)


def memory_of(layer):
    return layer.checked_stack(torch.float32).kept


def addresses(memory):
    return sorted(block.data_ptr() for block in memory._free)


def gradients(layer, *inputs, grouped=True):
    """Of the sum of the outputs' squares, where all forward passes come first or each before its backward pass."""
    layer.zero_grad()
    if grouped:
        sum(layer(x)[0].square().sum() for x in inputs).backward()
    else:
        for x in inputs:
            layer(x)[0].square().sum().backward()
    return [p.grad.clone() for p in layer.parameters()]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("is_bidirectional", [False, True])
def test_each_training_step_takes_the_memory_of_the_one_before(kind, is_bidirectional):
    layer = getattr(gatework.nn, kind)(3, 20, num_layers=2, bidirectional=is_bidirectional)
    x = torch.randn(7, 5, 3)
    gradients(layer, x)
    first = addresses(memory_of(layer))
    assert len(first) == 2 * (1 + is_bidirectional)
    for steps in (7, 4, 6, 7):
        gradients(layer, x[:steps])
        assert addresses(memory_of(layer)) == first


def test_passes_that_wait_for_their_backward_pass_share_no_memory():
    torch.manual_seed(0)
    layer = gatework.nn.LSTM(3, 20, num_layers=2)
    torch_layer = torch.nn.LSTM(3, 20, num_layers=2)
    torch_layer.load_state_dict(layer.state_dict())
    inputs = [torch.randn(steps, 5, 3) for steps in (7, 4, 9)]
    for _ in range(3):
        expected = gradients(torch_layer, *inputs)
        for gradient, right in zip(gradients(layer, *inputs), expected, strict=True):
            torch.testing.assert_close(gradient, right)
    assert len(addresses(memory_of(layer))) == 2 * len(inputs)
    one_by_one = gradients(layer, *inputs, grouped=False)
    for gradient, right in zip(one_by_one, expected, strict=True):
        torch.testing.assert_close(gradient, right)


def test_a_graph_that_is_kept_keeps_its_memory():
    layer = gatework.nn.LSTM(3, 20)
    x, y = torch.randn(7, 5, 3), torch.randn(7, 5, 3)
    loss = layer(x)[0].square().sum()
    first = torch.autograd.grad(loss, list(layer.parameters()), retain_graph=True)
    gradients(layer, y)
    again = torch.autograd.grad(loss, list(layer.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_longer_batch_takes_the_place_of_a_shorter_one():
    memory, like = KeptMemory(), torch.empty(0)
    for size in (10, 20, 15, 30, 12):
        memory.empty(like, (size, 4))
        assert len(memory._free) == 1
    assert len(memory._free[0]) == 120


def test_a_pass_that_saves_nothing_gives_the_memory_back():
    layer = gatework.nn.LSTM(3, 20)
    x = torch.randn(7, 5, 3)
    gradients(layer, x)
    assert addresses(memory_of(layer))
    with torch.no_grad():
        layer(x)
    assert not addresses(memory_of(layer))


def test_a_copy_of_a_layer_and_a_layer_that_is_gone_hold_none():
    layer = gatework.nn.LSTM(3, 20)
    x = torch.randn(7, 5, 3)
    loss = layer(x)[0].sum()
    loss.backward()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert not addresses(memory_of(other))
    loss = layer(x)[0].sum()
    del layer
    gc.collect()
    loss.backward()


def test_small_memory_is_left_to_the_allocator(monkeypatch):
    monkeypatch.undo()
    layer = gatework.nn.LSTM(3, 20)
    gradients(layer, torch.randn(7, 5, 3))
    assert not addresses(memory_of(layer))
