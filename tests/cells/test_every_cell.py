"""The battery on every registered cell, and on cells that are wrong."""

import dataclasses

import pytest
import torch

from gatework import cells
from gatework.errors import UsageError
from support.cell_battery import check_cell


@pytest.mark.parametrize("name", cells.BUILT_IN)
def test_every_registered_cell_passes_the_battery(name: str):
    spec = cells.get(name)
    assert spec.name == name
    check_cell(spec)


def mixes_units(a_h: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"h": torch.tanh(a_h - a_h.mean(-1, keepdim=True))}


def overflows(a_h: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"h": torch.exp(a_h)}


def loses_a_state(a_h: torch.Tensor, c: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"h": torch.tanh(a_h + c)}


@pytest.mark.parametrize(
    ("step", "states", "message"),
    [
        (mixes_units, ("h",), "Tensor-likes are not close"),
        (overflows, ("h",), "finite"),
        (loses_a_state, ("h", "c"), "returns every state"),
        (cells.get("rnn").step, ("c", "h"), "h is the first state"),
    ],
)
def test_the_battery_finds_what_is_wrong_with_a_cell(step, states, message: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("support.cell_battery.inspect.getmodule", lambda _: cells.lstm)
    spec = dataclasses.replace(cells.get("rnn"), step=step, states=states)
    with pytest.raises(AssertionError, match=message):
        check_cell(spec)


def test_a_parameter_that_means_nothing_is_refused_with_the_ways_to_name_it():
    def step(a_h, gate):
        return {"h": a_h * gate}

    with pytest.raises(UsageError, match=r'the parameter "gate" of step\(\) is neither a_<gate>'):
        _ = dataclasses.replace(cells.get("rnn"), step=step).gates


@pytest.mark.usefixtures("only_built_in_cells")
def test_an_unknown_cell_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match='there is no cell "gur": did you mean "gru"'):
        cells.get("gur")
