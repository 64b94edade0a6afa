"""From a cell's `step()` to what the page runs and shows: its forward and backward step in JavaScript, its equations.

Nothing about a cell is written by hand in the page: both steps come from the same derivation as the native kernels, and
the equations that the page fills in with numbers are that derivation's forward graph.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gatework.cells import CellSpec
from gatework.cells._derive import Derivation, topological
from gatework.cells._symbol import Symbol
from gatework.inside._equations import equations, logistic_gates

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "gt": ">", "ge": ">=", "eq": "==="}
_FUNCTIONS = {
    "sigmoid": "sigmoid",
    "tanh": "Math.tanh",
    "relu": "relu",
    "exp": "Math.exp",
    "log": "Math.log",
    "softplus": "softplus",
    "maximum": "Math.max",
    "minimum": "Math.min",
}


def cells_script(specs: Iterable[CellSpec]) -> str:
    """The script that defines `CELLS`, with every cell by its name."""
    entries = ",\n".join(f"{json.dumps(spec.name)}: {_cell(spec)}" for spec in specs)
    opening = '"use strict";\n\n// Derived from step() of each cell: its equations stand there and nowhere else.\n'
    return f"{opening}const CELLS = {{\n{entries},\n}};\n"


def titles(spec: CellSpec) -> dict[str, str]:
    r"""What each gate and state is called, from the `\text{...}` beside its equation in the cell's own docstring."""
    written = inspect.getdoc(inspect.getmodule(spec.step)) or ""
    found = dict(re.findall(r"^(\w+)_t .*\\text\{([^,}]*)", written, re.MULTILINE))
    return {name: found.get(name, "state" if name in spec.states else "") for name in equations(spec).named}


def _cell(spec: CellSpec) -> str:
    derived = equations(spec)
    about = {
        "title": spec.title,
        "gates": list(spec.gates),
        "inputGates": list(spec.input_gates),
        "recurrentGates": list(spec.recurrent_gates),
        "vectors": list(spec.unit_weights),
        "states": list(spec.states),
        "names": list(derived.named),
        "titles": titles(spec),
        "logistic": list(logistic_gates(spec)),
        "accumulators": [name.split("_", 1) for name in derived.accumulators],
        "kept": len(derived.kept),
        "equations": _shown(derived),
    }
    facts = "".join(f"  {key}: {json.dumps(value)},\n" for key, value in about.items())
    return f"{{\n{facts}{_forward(derived)}{_backward(derived)}}}"


def _forward(derived: Derivation) -> str:
    """`forward(units, a, p, previous, named, kept, at)`: one step of every unit.

    `a` and `previous` are arrays of `units` numbers by accumulator and state; `p` has the rows of learnt vectors one
    after the other; `named` and `kept` hold all steps, this one from `at` on.
    """
    names: dict[Symbol, str] = {}
    lines = []
    for symbol in topological(derived.named.values()):
        if symbol.operation == "input":
            names[symbol], source = _source(str(symbol.value), derived)
            lines.append(f"const {names[symbol]} = {source};")
    lines += _statements(derived.named.values(), names, derived)
    lines += [f"named[{n}][at + k] = {names[symbol]};" for n, symbol in enumerate(derived.named.values())]
    lines += [f"kept[{k}][at + k] = {names[symbol]};" for k, symbol in enumerate(derived.kept)]
    return _method("forward(units, a, p, previous, named, kept, at)", lines)


def _backward(derived: Derivation) -> str:
    """`backward(units, kept, p, previous, named, at, dNext, dA, dPrevious)`: the derivative of one step."""
    names = {symbol: f"kept{k}" for k, symbol in enumerate(derived.kept)}
    lines = [f"const kept{k} = kept[{k}][at + k];" for k in range(len(derived.kept))]
    order = list(derived.named)
    for state, symbol in zip(derived.spec.states, derived.next_states, strict=True):
        if symbol not in names:
            names[symbol] = f"{state}Next"
            lines.append(f"const {state}Next = named[{order.index(state)}][at + k];")
    outputs = (*derived.d_accumulators, *derived.d_states)
    for symbol in topological(outputs, names):
        if symbol.operation == "input":
            names[symbol], source = _source(str(symbol.value), derived)
            lines.append(f"const {names[symbol]} = {source};")
    lines += _statements(outputs, names, derived)
    lines += [f"dA[{k}][k] = {names[symbol]};" for k, symbol in enumerate(derived.d_accumulators)]
    lines += [f"dPrevious[{k}][k] = {names[symbol]};" for k, symbol in enumerate(derived.d_states)]
    return _method("backward(units, kept, p, previous, named, at, dNext, dA, dPrevious)", lines)


def _method(signature: str, lines: list[str]) -> str:
    # Array places are written out ("named[0]"), units run over k.
    body = "".join(f"      {line}\n" for line in lines)
    return f"  {signature} {{\n    for (let k = 0; k < units; k++) {{\n{body}    }}\n  }},\n"


def _source(value: str, derived: Derivation) -> tuple[str, str]:
    """The JavaScript name of an input and where it is read from."""
    states = derived.spec.states
    if value in derived.accumulators:
        return value, f"a[{derived.accumulators.index(value)}][k]"
    if value in states:
        return f"{value}Previous", f"previous[{states.index(value)}][k]"
    if value.startswith("p_"):
        return value, f"p[{derived.spec.unit_weights.index(value.removeprefix('p_'))} * units + k]"
    state = value.removeprefix("d_")
    return f"d_{state}", f"dNext[{states.index(state)}][k]"


def _statements(outputs: Iterable[Symbol], names: dict[Symbol, str], derived: Derivation) -> list[str]:
    own = {symbol: f"{name}Now" for name, symbol in derived.named.items()}
    lines = []
    for symbol in topological(outputs, names):
        if symbol.operation == "constant":
            names[symbol] = f"({symbol.value!r})"
            continue
        arguments = [names[argument] for argument in symbol.arguments]
        names[symbol] = own.get(symbol, f"t{len(names)}")
        lines.append(f"const {names[symbol]} = {_expression(symbol.operation, arguments)};")
    return lines


def _expression(operation: str, arguments: list[str]) -> str:
    if operation in _INFIX:
        return f" {_INFIX[operation]} ".join(arguments)
    if operation == "neg":
        return f"-{arguments[0]}"
    if operation == "where":
        return "{} ? {} : {}".format(*arguments)
    return f"{_FUNCTIONS[operation]}({', '.join(arguments)})"


def _shown(derived: Derivation) -> list[dict[str, Any]]:
    """Every equation of the cell as a tree: what it defines, and of what."""
    own = {symbol: name for name, symbol in derived.named.items()}
    return [{"name": name, "tree": _tree(symbol, own, is_top=True)} for name, symbol in derived.named.items()]


def _tree(symbol: Symbol, own: Mapping[Symbol, str], *, is_top: bool = False) -> list[Any]:
    if symbol in own and not is_top:
        return ["named", own[symbol]]
    if symbol.operation in ("input", "constant"):
        return [symbol.operation, symbol.value]
    return [symbol.operation, *(_tree(argument, own) for argument in symbol.arguments)]
