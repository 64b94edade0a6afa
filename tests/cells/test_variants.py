"""The variants against their papers' equations, written out once more in numpy: values, final states and gradients."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

import gatework

TIME, BATCH, INPUT, HIDDEN = 6, 3, 4, 5
Arrays = dict[str, np.ndarray]


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def gates(x: np.ndarray, h: np.ndarray, w: Arrays, count: int) -> list[np.ndarray]:
    sums = x @ w["weight_ih_l0"].T + w["bias_ih_l0"]
    if "weight_hh_l0" in w:
        sums = sums + h @ w["weight_hh_l0"].T + w["bias_hh_l0"]
    return np.split(sums, count, axis=1)


def peephole(x: np.ndarray, w: Arrays) -> list[np.ndarray]:
    h = c = np.zeros((BATCH, HIDDEN))
    look_i, look_f, look_o = w["weight_unit_l0"]
    outputs = []
    for step in x:
        i, f, g, o = gates(step, h, w, 4)
        new = sigmoid(f + look_f * c) * c + sigmoid(i + look_i * c) * np.tanh(g)
        h, c = sigmoid(o + look_o * new) * np.tanh(new), new
        outputs.append(h)
    return [np.stack(outputs), h, c]


def coupled(x: np.ndarray, w: Arrays) -> list[np.ndarray]:
    h = c = np.zeros((BATCH, HIDDEN))
    outputs = []
    for step in x:
        f, g, o = gates(step, h, w, 3)
        c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return [np.stack(outputs), h, c]


def indrnn(x: np.ndarray, w: Arrays) -> list[np.ndarray]:
    h = np.zeros((BATCH, HIDDEN))
    outputs = []
    for step in x:
        h = np.clip(gates(step, h, w, 1)[0] + w["weight_unit_l0"][0] * h, 0, None)
        outputs.append(h)
    return [np.stack(outputs), h]


def minimal(x: np.ndarray, w: Arrays) -> list[np.ndarray]:
    h = np.zeros((BATCH, HIDDEN))
    outputs = []
    for step in x:
        f, i, g = gates(step, h, w, 3)
        f, i = sigmoid(f) / (sigmoid(f) + sigmoid(i)), sigmoid(i) / (sigmoid(f) + sigmoid(i))
        h = f * h + i * g
        outputs.append(h)
    return [np.stack(outputs), h]


def slstm(x: np.ndarray, w: Arrays) -> list[np.ndarray]:
    # Without the stabiliser, so with the plain gates: the output is the same, c and n differ by exp(m).
    h = c = n = np.zeros((BATCH, HIDDEN))
    outputs = []
    for step in x:
        i, f, z, o = gates(step, h, w, 4)
        c = sigmoid(f) * c + np.exp(i) * np.tanh(z)
        n = sigmoid(f) * n + np.exp(i)
        h = sigmoid(o) * c / n
        outputs.append(h)
    return [np.stack(outputs), h]


CELLS = {"peephole": peephole, "coupled": coupled, "indrnn": indrnn, "minimal": minimal, "slstm": slstm}
# Sums of at most INPUT + HIDDEN + 2 products of order 1 over TIME steps.
TOLERANCE = TIME * (INPUT + HIDDEN + 2) * np.finfo(np.float64).eps


def layer_of(name: str) -> tuple[torch.nn.Module, torch.Tensor]:
    torch.manual_seed(5)
    layer = gatework.nn.recurrent(name, INPUT, HIDDEN, dtype=torch.float64)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.7)
    return layer, torch.randn(TIME, BATCH, INPUT, dtype=torch.float64)


def arrays_of(layer: torch.nn.Module) -> Arrays:
    return {name: parameter.detach().numpy().copy() for name, parameter in layer.named_parameters()}


@pytest.mark.parametrize(("name", "equations"), CELLS.items())
def test_a_variant_follows_its_papers_equations(name: str, equations: Callable[..., list[np.ndarray]]):
    layer, x = layer_of(name)
    output, states = layer(x)
    found = [output, *(states if isinstance(states, tuple) else (states,))]
    for value, expected in zip(found, equations(x.numpy(), arrays_of(layer)), strict=False):
        np.testing.assert_allclose(value.detach().numpy().reshape(expected.shape), expected, atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(("name", "equations"), CELLS.items())
def test_a_variants_gradients_are_those_of_its_papers_equations(name: str, equations: Callable[..., list[np.ndarray]]):
    layer, x = layer_of(name)
    rng = np.random.default_rng(1)
    seed = rng.standard_normal((TIME, BATCH, HIDDEN))
    (layer(x)[0] * torch.from_numpy(seed)).sum().backward()
    arrays, step = arrays_of(layer), 1e-5
    for parameter, tensor in layer.named_parameters():
        direction = rng.standard_normal(tensor.shape)
        ends = [
            (equations(x.numpy(), {**arrays, parameter: arrays[parameter] + s * direction})[0] * seed).sum()
            for s in (step, -step)
        ]
        assert tensor.grad is not None
        slope = float((tensor.grad.numpy() * direction).sum())
        # A central difference is off by step^2 / 6 times the third derivative, and by eps / step times the value.
        np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-6)


def test_a_stable_slstm_stays_finite_where_its_plain_equations_overflow():
    layer, x = layer_of("slstm")
    output, (h, c, n, m) = layer(x.float().double() * 1000)
    assert all(value.isfinite().all() for value in (output, h, c, n, m))
    assert (n >= 1).all()
    output.sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())


def test_cells_without_a_recurrent_matrix_have_no_parameter_for_it():
    for name, expected in (("indrnn", {"weight_ih", "bias_ih", "weight_unit"}), ("minimal", {"weight_ih", "bias_ih"})):
        layer = gatework.nn.recurrent(name, INPUT, HIDDEN, num_layers=2, bidirectional=True, orthogonal=True)
        assert {key.split("_l")[0] for key in layer.state_dict()} == expected
        assert len(layer.state_dict()) == 4 * len(expected)


def test_the_recurrent_weights_of_an_indrnn_start_between_0_and_1():
    weights = gatework.nn.recurrent("indrnn", 3, 400).weight_unit_l0
    assert 0 <= weights.min() < 0.05
    assert 0.95 < weights.max() <= 1


def test_a_projection_is_refused_where_units_see_their_own_output():
    with pytest.raises(gatework.errors.UsageError, match="see their own last h"):
        gatework.nn.Recurrent("indrnn", 3, 8, proj_size=4)
    output, _ = gatework.nn.Recurrent("peephole", 3, 8, proj_size=4)(torch.randn(5, 2, 3))
    assert output.shape == (5, 2, 4)
