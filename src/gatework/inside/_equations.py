"""What a cell's equations say about its gates, read from the graph of `step()` rather than from a list of names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from gatework.cells import CellSpec
from gatework.cells._derive import Derivation, derive
from gatework.cells._symbol import Symbol


@cache
def equations(spec: CellSpec) -> Derivation:
    """The cell's forward and backward step as expressions."""
    return derive(spec)


def logistic_gates(spec: CellSpec) -> tuple[str, ...]:
    """The gates that are a sigmoid, so lie between 0 (closed) and 1 (open), in order."""
    return logistic(equations(spec))


def logistic(derivation: Derivation) -> tuple[str, ...]:
    """The named values that are a sigmoid, in order."""
    return tuple(name for name, symbol in derivation.named.items() if symbol.operation == "sigmoid")


def retention_gates(spec: CellSpec) -> dict[str, str]:
    """For each state that is carried on, the gate that multiplies its previous value: `{"c": "f"}` for the LSTM.

    The state's new value must be a sum with the term "gate x previous value"; a vanilla RNN has none.
    """
    named = equations(spec).named
    gates = {named[name]: name for name in logistic_gates(spec)}
    gate_of_state: dict[str, str] = {}
    for state in spec.states:
        for term in _terms(named[state]):
            keepers = [gates[factor] for factor in term.arguments if factor in gates]
            if term.operation == "mul" and keepers and any(_is_previous(f, state) for f in term.arguments):
                gate_of_state[state] = keepers[0]
    return gate_of_state


def _terms(symbol: Symbol) -> Iterator[Symbol]:
    """What is added up."""
    if symbol.operation == "add":
        for argument in symbol.arguments:
            yield from _terms(argument)
    else:
        yield symbol


def _is_previous(symbol: Symbol, state: str) -> bool:
    return symbol.operation == "input" and symbol.value == state
