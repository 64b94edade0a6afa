"""Layers in bfloat16 and under autocast: as accurate as torch.nn's, float32 inside and in the gradients of weights."""

from __future__ import annotations

import copy
from unittest import mock

import pytest
import torch

import gatework
from gatework.cells import BUILT_IN, REGISTRY
from gatework.nn import LSTM, ScanOptions
from support.drop_ins import DropIn, tensors

TIME, BATCH, INPUT, HIDDEN = 9, 4, 5, 12
LENGTHS = [9, 2, 5, 1]
EPS = torch.finfo(torch.bfloat16).eps


def results(layer: torch.nn.Module, x: torch.Tensor, seed: torch.Tensor, autocast: bool = False, **options):
    """The output, the final states, the gradient of x and those of the parameters."""
    layer = copy.deepcopy(layer)
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        output, finals = layer(x, **options)
    output.backward(seed.to(output.dtype))
    return [output.detach(), *(t.detach() for t in tensors(finals)), x.grad, *(p.grad for p in layer.parameters())]


def error(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found.double() - exact).abs().max() / (1 + exact.abs().max()))


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("stack", [{}, {"num_layers": 2, "bidirectional": True}])
def test_errors_against_float64_are_at_most_twice_torchs(drop_in: DropIn, stack: dict, autocast: bool):
    theirs, ours = drop_in.pair(INPUT, HIDDEN, **stack)
    for layer in (theirs, ours):
        layer.to(torch.bfloat16)
    exact, _ = drop_in.pair(INPUT, HIDDEN, **stack, dtype=torch.float64)
    exact.load_state_dict(ours.state_dict())
    if autocast:
        theirs, ours = theirs.float(), ours.float()
    x = torch.randn(TIME, BATCH, INPUT).bfloat16()
    seed = torch.randn(exact(x.double())[0].shape).bfloat16()
    truth = results(exact, x.double(), seed)
    given = x.float() if autocast else x
    usual, found = results(theirs, given, seed, autocast), results(ours, given, seed, autocast)
    # A rectified unit whose sum rounds to the other side of 0 has another derivative, here as in torch.
    count = 2 if drop_in.options.get("nonlinearity") == "relu" else len(truth)
    for value, other, true in list(zip(found, usual, truth, strict=True))[:count]:
        assert error(value, true) <= 2 * error(other, true) + 2 * EPS


@pytest.mark.parametrize("cell", BUILT_IN)
def test_under_autocast_the_output_is_bfloat16_and_the_gradients_are_those_of_the_weights_type(cell: str):
    layer = gatework.nn.Recurrent(cell, INPUT, HIDDEN)
    x = torch.randn(TIME, BATCH, INPUT, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        output, state = layer(x, lengths=LENGTHS)
        again, _ = layer(x, state)
    assert {t.dtype for t in (output, again, *tensors(state))} == {torch.bfloat16}
    output.float().sum().backward()
    assert {p.grad.dtype for p in (x, *layer.parameters()) if p.grad is not None} == {torch.float32}


def test_autocast_computes_what_a_layer_in_bfloat16_does():
    layer = LSTM(INPUT, HIDDEN, num_layers=2, bidirectional=True).to(torch.bfloat16)
    x = torch.randn(TIME, BATCH, INPUT).bfloat16()
    expected, (h, c) = layer(x, lengths=LENGTHS)
    with torch.autocast("cpu", torch.bfloat16):
        found, states = copy.deepcopy(layer).float()(x, lengths=LENGTHS)
    for value, other in zip((found, *states), (expected, h, c), strict=True):
        assert torch.equal(value, other)


def test_autocast_to_another_type_keeps_the_precision_of_the_weights():
    layer, x = LSTM(INPUT, HIDDEN), torch.randn(TIME, BATCH, INPUT)
    expected = layer(x)[0]
    with torch.autocast("cpu", torch.float16):
        assert torch.equal(layer(x)[0], expected)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.double()(x.double())[0].dtype == torch.float64


@pytest.mark.parametrize("needs_gradient", [False, True])
def test_a_trace_in_bfloat16_shows_what_the_forward_run_gives(needs_gradient: bool):
    layer = LSTM(INPUT, HIDDEN, bidirectional=True, dtype=torch.bfloat16).requires_grad_(needs_gradient)
    x = torch.randn(TIME, BATCH, INPUT).bfloat16()
    trace = layer.trace(x, lengths=LENGTHS)
    output, (h, _) = layer(x, lengths=LENGTHS)
    assert {value.dtype for value in trace.values()} == {torch.bfloat16}
    # With derivatives the reference computes in float32 and rounds at the end alone.
    tolerance = TIME * EPS if needs_gradient else 0
    joined = torch.cat(tuple(trace["h"][0]), -1)
    torch.testing.assert_close(joined, output, rtol=0, atol=tolerance)
    torch.testing.assert_close(trace["h"][0, 1, 0], h[1], rtol=0, atol=tolerance)


def test_steps_in_bfloat16_stay_near_the_whole_sequence():
    layer = LSTM(INPUT, HIDDEN, num_layers=2, dtype=torch.bfloat16)
    x = torch.randn(TIME, BATCH, INPUT).bfloat16()
    expected = layer(x)[0]
    for context in (torch.no_grad, torch.enable_grad):
        state = None
        with context():
            for time in range(TIME):
                output, state = layer.step(x[time], state)
                assert output.dtype == state[1].dtype == torch.bfloat16
                # Between steps c is rounded too, by half a last place each time.
                assert (output - expected[time]).abs().max() <= (time + 1) * 2 * EPS


@pytest.mark.parametrize("options", [{}, {"layer_norm": True, "zoneout": 0.3}])
def test_second_derivatives_in_bfloat16_are_those_of_float32_rounded(options: dict):
    layer = gatework.nn.RNN(2, 3, dtype=torch.bfloat16, options=ScanOptions(**options)).eval()
    twin = gatework.nn.RNN(2, 3, options=ScanOptions(**options)).eval()
    twin.load_state_dict(layer.state_dict())
    found = []
    for one in (layer, twin):
        x = torch.linspace(-1, 1, 12).bfloat16().reshape(3, 2, 2).to(one.weight_ih_l0.dtype).requires_grad_()
        (first,) = torch.autograd.grad(one(x)[0].float().square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(first.float().square().sum(), x)[0].float())
    assert (found[0] - found[1]).abs().max() <= 16 * EPS * (1 + found[1].abs().max())


@pytest.mark.parametrize("options", [{}, {"layer_norm": True, "zoneout": 0.3, "clip": 0.2}])
def test_a_compiled_layer_under_autocast_computes_the_same(options: dict):
    layer, x = LSTM(INPUT, HIDDEN, options=ScanOptions(**options)).eval(), torch.randn(TIME, BATCH, INPUT)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        for lengths in (None, torch.tensor(LENGTHS)):
            expected, found = layer(x, lengths=lengths)[0], compiled(x, lengths=lengths)[0]
            assert found.dtype == torch.bfloat16
            assert torch.equal(found, expected)
    gradients = []
    for output in (expected, found):
        gradients.append(torch.autograd.grad(output.float().sum(), list(layer.parameters())))
    for value, other in zip(*gradients, strict=True):
        torch.testing.assert_close(value, other)


# With something around the cell


AROUND: dict[str, dict] = {
    "zoneout": {"zoneout": 0.3},
    "clip": {"clip": 0.2},
    "recurrent dropout": {"recurrent_dropout": 0.3},
    "layer norm": {"layer_norm": True},
    "everything": {"zoneout": 0.3, "clip": 0.2, "recurrent_dropout": 0.3, "layer_norm": True},
}
RESET = torch.zeros(TIME, BATCH)
RESET[3, :2] = 1


def surrounded(cell: str = "lstm", *, training: bool = True, **options) -> torch.nn.Module:
    """A layer in float32 whose parameters are exact in bfloat16."""
    if "c" not in REGISTRY[cell].states:
        options.pop("clip", None)
    stack = {key: options.pop(key) for key in ("num_layers", "bidirectional") if key in options}
    layer = gatework.nn.Recurrent(cell, INPUT, HIDDEN, **stack, options=ScanOptions(**options))
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if "norm" in name:
                parameter.uniform_(-1.5, 1.5)
    return layer.to(torch.bfloat16).float().train(training)


def seeded(*arguments, **options) -> list[torch.Tensor]:
    """As `results()`, with masks that are the same at each call."""
    torch.manual_seed(7)
    return results(*arguments, **options)


# Recurrent dropout acts in training alone.
CASES = [(options, training) for options in AROUND for training in (True, options == "recurrent dropout")]


@pytest.mark.parametrize(("options", "training"), sorted(set(CASES)))
@pytest.mark.parametrize("layout", [{}, {"lengths": LENGTHS}, {"reset": RESET}], ids=["uniform", "ragged", "reset"])
def test_what_acts_around_the_cell_is_computed_in_float32_and_rounded_once(layout: dict, options: str, training: bool):
    layer = surrounded(bidirectional=True, training=training, **AROUND[options])
    x = torch.randn(TIME, BATCH, INPUT).bfloat16()
    seed = torch.randn(TIME, BATCH, 2 * HIDDEN).bfloat16()
    with mock.patch("gatework.scan.reference.run", side_effect=AssertionError("a loop")):
        expected = seeded(layer, x.float(), seed, **layout)
        converted = seeded(copy.deepcopy(layer).to(torch.bfloat16), x, seed, **layout)
        mixed = seeded(layer, x.float(), seed, autocast=True, **layout)
    for value, exact in zip(converted, expected, strict=True):
        assert value.dtype == torch.bfloat16
        # The derivative of x is rounded for each direction and for their sum.
        tolerance = 2 * EPS if value is converted[3] else 0
        torch.testing.assert_close(value, exact.bfloat16(), rtol=tolerance, atol=tolerance * float(exact.abs().max()))
    # The weights are float32, and so are their gradients, which nothing rounds.
    assert [value.dtype for value in mixed] == [torch.bfloat16] * 3 + [torch.float32] * (len(mixed) - 3)
    for value, exact in list(zip(mixed, expected, strict=True))[4:]:
        assert torch.equal(value, exact)
    for value, other in zip(mixed[:3], converted, strict=False):
        assert torch.equal(value, other)


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("cell", BUILT_IN)
def test_with_something_around_it_every_cell_is_as_accurate_as_the_reference_in_bfloat16(cell: str, autocast: bool):
    layer = surrounded(cell, num_layers=2, **AROUND["everything"])
    x, seed = torch.randn(TIME, BATCH, INPUT).bfloat16(), torch.randn(TIME, BATCH, HIDDEN).bfloat16()
    exact = seeded(copy.deepcopy(layer).double(), x.double(), seed, lengths=LENGTHS)
    ours, given = (layer, x.float()) if autocast else (copy.deepcopy(layer).bfloat16(), x)
    found = seeded(ours, given, seed, autocast, lengths=LENGTHS)
    with mock.patch("gatework.nn._paths.choose", return_value="reference"):
        usual = seeded(copy.deepcopy(layer).bfloat16(), x, seed, lengths=LENGTHS)
    states = len(layer.spec.states)
    # At a kink (relu, the larger of two) a derivative may differ by all of itself.
    count = 1 + states if cell in ("rnn_relu", "indrnn", "slstm") else len(exact)
    for value, other, true in list(zip(found, usual, exact, strict=True))[:count]:
        assert error(value, true) <= 2 * error(other, true) + 2 * EPS


def test_a_trace_in_bfloat16_shows_what_acts_around_the_cell():
    layer = surrounded(**AROUND["everything"]).bfloat16().requires_grad_(False)
    x = torch.randn(TIME, BATCH, INPUT).bfloat16()
    for needs_gradient in (False, True):
        layer.requires_grad_(needs_gradient)
        torch.manual_seed(3)
        trace = layer.trace(x, lengths=LENGTHS)
        torch.manual_seed(3)
        output, (_, c) = layer(x, lengths=LENGTHS)
        assert {value.dtype for value in trace.values()} == {torch.bfloat16}
        # With derivatives the reference computes, in float32 too: at most a last place apart.
        tolerance = EPS if needs_gradient else 0
        torch.testing.assert_close(trace["h"][0, 0], output, rtol=tolerance, atol=tolerance)
        assert trace["c"].abs().max() <= c.new_tensor(0.2)
