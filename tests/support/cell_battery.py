"""What every cell must do, whoever wrote it: `check_cell(spec)` raises an AssertionError that says what is wrong."""

from __future__ import annotations

import copy
import inspect
import pickle

import torch

import gatework
from gatework.cells import CellSpec
from gatework.scan import reference
from gatework.scan.scan import Scan, ScanWeights

BATCH, INPUT, HIDDEN, TIME = 3, 2, 4, 5


def check_cell(spec: CellSpec) -> None:
    """Run the whole battery."""
    for check in (_check_description, _check_step, _check_scan, _check_gradients, _check_layer):
        check(spec)


def _check_description(spec: CellSpec) -> None:
    assert spec.states[0] == "h", "the output h is the first state"
    assert spec.gates, "step() has no parameter a_<gate>, x_<gate> or u_<gate>"
    assert spec.forget_gate in (None, *spec.gates), "the forget gate is one of the gates"
    assert set(spec.states) <= set(spec.names), "step() returns every state"
    module = inspect.getmodule(spec.step)
    assert module is not None
    for part in ("$$", "Source:"):
        assert part in (module.__doc__ or ""), f"the module's docstring has no {part}"
    assert pickle.loads(pickle.dumps(spec)) == spec, "step() is a function at the top of its module"
    assert spec.title


def _check_step(spec: CellSpec) -> None:
    arguments = [torch.randn(BATCH, HIDDEN, dtype=torch.float64) for _ in spec.arguments]
    before = [argument.clone() for argument in arguments]
    values = spec.step(*arguments)
    assert tuple(values) == spec.names, "the names do not depend on the values"
    assert all(value.shape == (BATCH, HIDDEN) for value in values.values()), "units do not mix and keep their number"
    assert all(torch.equal(a, b) for a, b in zip(arguments, before, strict=True)), "step() leaves its arguments alone"
    for unit in range(HIDDEN):
        alone = spec.step(*(argument[:, unit : unit + 1] for argument in arguments))
        for name, value in alone.items():
            torch.testing.assert_close(value, values[name][:, unit : unit + 1])
    large = (
        spec.step(*(torch.full((1, 1), 1e4) for _ in arguments)),
        spec.step(*(torch.full((1, 1), -1e4) for _ in arguments)),
    )
    assert all(v.isfinite().all() for values in large for v in values.values()), "large arguments give finite values"


def _weights(spec: CellSpec) -> ScanWeights:
    inputs, gates = len(spec.input_gates) * HIDDEN, len(spec.recurrent_gates) * HIDDEN
    shapes = {"weight_ih": (inputs, INPUT), "weight_hh": (gates, HIDDEN), "bias_ih": (inputs,), "bias_hh": (gates,)}
    shapes |= {"weight_unit": (len(spec.unit_weights), HIDDEN)}
    return ScanWeights(**{name: torch.randn(*shape, dtype=torch.float64) / 2 for name, shape in shapes.items()})


def _check_scan(spec: CellSpec) -> None:
    x = torch.randn(TIME, BATCH, INPUT, dtype=torch.float64)
    states = tuple(torch.randn(BATCH, HIDDEN, dtype=torch.float64) for _ in spec.states)
    weights = _weights(spec)
    output, finals = reference.run(Scan(spec, x, weights, states))
    first, middle = reference.run(Scan(spec, x[:2], weights, states))
    second, ends = reference.run(Scan(spec, x[2:], weights, middle))
    torch.testing.assert_close(torch.cat([first, second]), output)
    torch.testing.assert_close(ends, finals)


def _check_gradients(spec: CellSpec) -> None:
    # Random arguments meet a kink of a piecewise function, where finite differences fail, with probability zero.
    arguments = [torch.randn(2, 3, dtype=torch.float64, requires_grad=True) for _ in spec.arguments]
    assert torch.autograd.gradcheck(lambda *values: tuple(spec.step(*values).values()), arguments)
    assert torch.autograd.gradgradcheck(lambda *values: tuple(spec.step(*values).values()), arguments)


def _check_layer(spec: CellSpec) -> None:
    layer = gatework.nn.recurrent(spec.name, INPUT, HIDDEN, num_layers=2, bidirectional=True, orthogonal=True)
    x, lengths = torch.randn(TIME, BATCH, INPUT), [TIME, 0, 2]
    output, finals = layer(x, lengths=lengths)
    assert output.shape == (TIME, BATCH, 2 * HIDDEN)
    assert isinstance(finals, tuple) == (len(spec.states) > 1)
    assert tuple(layer.trace(x)) == spec.names
    again = copy.deepcopy(layer)
    assert torch.equal(again(x, lengths=lengths)[0], output)
    output.sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, f"{name} has no gradient"
        assert parameter.grad.isfinite().all(), f"{name} has a gradient that is not finite"
