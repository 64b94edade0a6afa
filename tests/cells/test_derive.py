"""The derivation of cells: its derivative, its errors, and that the committed C++ is what it writes."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from gatework.cells import BUILT_IN, REGISTRY, CellSpec, _derive, _write
from gatework.cells._symbol import Symbol
from gatework.errors import UsageError

HEADERS = Path(__file__).parents[2] / "csrc" / "cells"


def every_function(a_i, x_j, u_j, p_k, h, c):
    gate = p_k * torch.sigmoid(a_i) * torch.relu(x_j + 0.3) - torch.exp(-u_j) / (2.5 + torch.tanh(c))
    stable = torch.maximum(F.softplus(gate), torch.minimum(h, 0.5 * c)) + torch.log(1.5 + a_i * a_i)
    c = torch.where(gate > 0.1, stable, -c)
    return {"g": gate, "h": c * h - 1, "c": c}


CELLS = [
    *(REGISTRY[name] for name in BUILT_IN),
    CellSpec("every_function", "every function", every_function, ("h", "c")),
]


def evaluate(symbol: Symbol, inputs: dict[str, torch.Tensor], known: dict[Symbol, torch.Tensor]) -> torch.Tensor:
    if symbol in known:
        return known[symbol]
    if symbol.operation == "input":
        return inputs[str(symbol.value)]
    if symbol.operation == "constant":
        return torch.tensor(symbol.value, dtype=torch.float64)
    functions = {
        **{name: getattr(torch, name) for name in ("add", "sub", "mul", "div", "neg", "gt", "ge", "eq", "where")},
        **{name: getattr(torch, name) for name in ("sigmoid", "tanh", "relu", "exp", "log", "maximum", "minimum")},
        "softplus": F.softplus,
    }
    return functions[symbol.operation](*(evaluate(a, inputs, known) for a in symbol.arguments))


@pytest.mark.parametrize("spec", CELLS, ids=lambda s: s.name)
def test_the_backward_step_is_the_derivative_of_the_forward_step(spec: CellSpec):
    torch.manual_seed(1)
    derivation = _derive.derive(spec)
    vectors = [f"p_{name}" for name in spec.unit_weights]
    names = dict.fromkeys([*spec.arguments, *spec.states])
    inputs = {name: torch.randn(50, dtype=torch.float64, requires_grad=True) for name in names}
    seeds = {f"d_{state}": torch.randn(50, dtype=torch.float64) for state in spec.states}
    results = spec.step(**{name: inputs[name] for name in spec.arguments})
    expected = torch.autograd.grad(
        [results[state] for state in spec.states],
        [inputs[name] for name in (*derivation.accumulators, *spec.states, *vectors)],
        [seeds[f"d_{state}"] for state in spec.states],
        allow_unused=True,
        materialize_grads=True,
    )
    with torch.no_grad():
        # The backward step may use what is kept, the states, and nothing else of the forward step.
        forwards = {s: evaluate(s, inputs, {}) for s in (*derivation.saved, *derivation.next_states)}
        available = {**{name: inputs[name] for name in (*spec.states, *vectors)}, **seeds}
        found = [evaluate(s, available, forwards) for s in derivation.outputs]
    for value, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(value.expand(50), wanted, rtol=1e-12, atol=1e-12)


def test_the_lstm_keeps_its_four_gates_and_the_tanh_of_its_state():
    saved = _derive.derive(REGISTRY["lstm"]).saved
    assert [s.operation for s in saved] == ["sigmoid", "sigmoid", "tanh", "sigmoid", "tanh"]


@pytest.mark.usefixtures("only_built_in_cells")
def test_the_committed_headers_are_what_make_cells_writes():
    for name, text in _write.texts_of(REGISTRY[name] for name in BUILT_IN).items():
        assert (HEADERS / name).read_text() == text, f"{name} is out of date: run make cells"


def unknown_function(a_i, h):
    return {"h": torch.sigmoid(a_i) + torch.cos(h)}


def control_flow(a_i, h):
    return {"h": a_i if h > 0 else h}


def method_call(a_i, h):
    return {"h": a_i.cumsum(0)}


def power(a_i, h):
    return {"h": a_i**2}


def missing_state(a_i, h):
    return {"g": torch.tanh(a_i)}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (unknown_function, "the function cos()"),
        (control_flow, "control flow"),
        (method_call, ".cumsum"),
        (power, "**"),
        (missing_state, 'the state "h"'),
    ],
)
def test_what_cannot_be_derived_is_one_sentence_with_file_and_line(step, words: str):
    with pytest.raises(UsageError) as error:
        _derive.derive(CellSpec("mine", "mine", step))
    message = str(error.value)
    first = step.__code__.co_firstlineno
    assert words in message
    assert any(f"{Path(__file__).name}:{line}:" in message for line in (first, first + 1))
