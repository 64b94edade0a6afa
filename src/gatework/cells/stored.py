"""A person's own cell as data: its expression graph, from which `step()` is rebuilt without any of its Python.

A run keeps its cell in this form, so that it predicts on a machine that has never seen the cell's file, and a run from
a stranger has no code to execute: every operation is one of `ARITIES`, and anything else is refused.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.nn.functional import softplus

from gatework.cells._derive import derive, topological
from gatework.cells._symbol import ARITIES, Symbol
from gatework.cells.custom import CustomCell
from gatework.errors import RunError

_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "exp": torch.exp,
    "log": torch.log,
    "softplus": softplus,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": torch.where,
}
_MOST_NODES = 10_000
_LONGEST_TITLE = 500
_NO_FILE = "<stored cell>"
"""What stands for the file of a step whose lines nobody wrote."""


class StoredCell(CustomCell):
    """A cell that was rebuilt from `to_data()`."""

    __hash__ = CustomCell.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuilt, (to_data(self),)


def to_data(spec: CustomCell) -> dict[str, Any]:
    """A cell as values that JSON can hold: what its specification says, and the graph of its step.

    Returns:
        "name", "title", "states", "forget_gate", "unit_range", "arguments"; "nodes", each an operation and the places
        of its arguments, or an input and its name, or a constant and its number; and "named", the place of everything
        that the step returns.
    """
    named = derive(spec).named
    nodes = topological(named.values())
    places = {symbol: place for place, symbol in enumerate(nodes)}
    return {
        "name": spec.name,
        "title": spec.title,
        "states": list(spec.states),
        "forget_gate": spec.forget_gate,
        "unit_range": None if spec.unit_range is None else list(spec.unit_range),
        "arguments": list(spec.arguments),
        "nodes": [_node(symbol, places) for symbol in nodes],
        "named": {name: places[symbol] for name, symbol in named.items()},
    }


def digest(data: Mapping[str, Any]) -> str:
    """SHA-256 of a stored cell's equations, in hexadecimal, whatever it is called."""
    equations = {key: value for key, value in data.items() if key not in ("name", "title")}
    return hashlib.sha256(json.dumps(equations, sort_keys=True).encode()).hexdigest()


def rebuilt(data: Mapping[str, Any]) -> StoredCell:
    """The cell whose `to_data()` this is.

    Raises:
        RunError: The data are not those of a cell.
    """
    try:
        arguments, nodes, named = list(data["arguments"]), list(data["nodes"]), dict(data["named"])
        _check(data, arguments, nodes, named)
        cell = StoredCell(
            data["name"],
            data["title"],
            _step(arguments, nodes, named),
            tuple(data["states"]),
            data["forget_gate"],
            None if data["unit_range"] is None else (float(data["unit_range"][0]), float(data["unit_range"][1])),
        )
        derive(cell)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise RunError(f"a stored cell is corrupt ({error}); restore its file or train anew") from None
    return cell


def _node(symbol: Symbol, places: Mapping[Symbol, int]) -> list[Any]:
    if symbol.operation in ("input", "constant"):
        return [symbol.operation, symbol.value]
    return [symbol.operation, *(places[argument] for argument in symbol.arguments)]


def _check(data: Mapping[str, Any], arguments: Sequence[str], nodes: Sequence[Any], named: Mapping[str, int]) -> None:
    words = [data["name"], *arguments, *data["states"], *named]
    if not all(isinstance(word, str) and word.isidentifier() and len(word) < 100 for word in words):
        raise ValueError("a name is no identifier")
    title = data["title"]
    if not isinstance(title, str) or not title.isprintable() or len(title) > _LONGEST_TITLE:
        raise ValueError("its title is no line of text")
    if not set(data["states"]) <= set(named) or len({*arguments}) < len(arguments) or len(nodes) > _MOST_NODES:
        raise ValueError("its states, arguments or nodes do not fit each other")
    for place, (operation, *values) in enumerate(nodes):
        if operation == "input":
            is_right = len(values) == 1 and values[0] in arguments
        elif operation == "constant":
            is_right = len(values) == 1 and isinstance(values[0], float | int) and math.isfinite(values[0])
        else:
            is_right = operation in _OPERATIONS and len(values) == ARITIES[operation]
            is_right = is_right and all(isinstance(value, int) and 0 <= value < place for value in values)
        if not is_right:
            raise ValueError(f"node {place} is {operation} of {values}")
    if not all(isinstance(place, int) and 0 <= place < len(nodes) for place in named.values()):
        raise ValueError("a value that it returns is none of its nodes")


def _step(
    arguments: Sequence[str], nodes: Sequence[Sequence[Any]], named: Mapping[str, int]
) -> Callable[..., dict[str, Any]]:
    """The step that evaluates the nodes in order, on tensors or on symbols."""
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in arguments]
    signature = inspect.Signature(parameters)

    def step(*given: Any, **by_name: Any) -> dict[str, Any]:
        values: list[Any] = []
        inputs = signature.bind(*given, **by_name).arguments
        like = next(iter(inputs.values()))
        for operation, *of in nodes:
            if operation == "input":
                values.append(inputs[of[0]])
            elif operation == "constant":
                values.append(like.graph.constant(of[0]) if isinstance(like, Symbol) else float(of[0]))
            else:
                values.append(_OPERATIONS[operation](*_as_tensors(operation, [values[k] for k in of])))
        # A value that is the same at every step is a number until here.
        ends = {name: values[place] for name, place in named.items()}
        return {n: torch.full_like(like, v) if isinstance(v, float) else v for n, v in ends.items()}

    vars(step)["__signature__"] = signature
    step.__code__ = step.__code__.replace(co_filename=_NO_FILE)
    return step


def _as_tensors(operation: str, values: list[Any]) -> list[Any]:
    """torch's functions of two values take no plain numbers; arithmetic does."""
    like = next((value for value in values if isinstance(value, torch.Tensor)), None)
    if like is None or operation not in ("maximum", "minimum", "where"):
        return values
    return [value if isinstance(value, torch.Tensor) else like.new_tensor(value) for value in values]
