"""From a cell's `step()` to what the page runs and shows: its forward and backward step in JavaScript, its equations.

Nothing about a cell is written by hand in the page: both steps come from the same derivation as the native kernels, and
the equations that the page fills in with numbers are that derivation's forward graph.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gatework.cells import CellSpec
from gatework.cells._derive import INNER, NORMALISED, Derivation, topological
from gatework.cells._printer import JAVASCRIPT, statements
from gatework.cells._symbol import Symbol
from gatework.inside._equations import logistic, retention_gates

_PLACE = re.compile(r"\b(\w+)\[(\d+)\]\[")


def cells_script(cells: Mapping[str, Derivation]) -> str:
    """The script that defines `CELLS`, with every cell by its name."""
    entries = ",\n".join(f"{json.dumps(name)}: {_cell(derived)}" for name, derived in cells.items())
    opening = '"use strict";\n\n// Derived from step() of each cell: its equations stand there and nowhere else.\n'
    return f"{opening}const CELLS = {{\n{entries},\n}};\n"


def titles(spec: CellSpec, names: Iterable[str]) -> dict[str, str]:
    r"""What each gate and state is called, from the `\text{...}` beside its equation in the cell's own docstring."""
    written = inspect.getdoc(inspect.getmodule(spec.step)) or ""
    titles_by_name = dict(re.findall(r"^(\w+)_t .*\\text\{([^,}]*)", written, re.MULTILINE))
    return {name: titles_by_name.get(name, "state" if name in spec.states else "") for name in names}


def _cell(derived: Derivation) -> str:
    spec = derived.spec
    about = {
        "title": spec.title,
        "gates": list(spec.gates),
        "inputGates": list(spec.input_gates),
        "recurrentGates": list(spec.recurrent_gates),
        "vectors": list(spec.unit_weights),
        "states": list(spec.states),
        "names": list(derived.named),
        "titles": titles(spec, derived.named),
        "logistic": list(logistic(derived)),
        "forgetGate": spec.forget_gate,
        "unitRange": spec.unit_range,
        "keepers": retention_gates(spec),
        "accumulators": [name.split("_", 1) for name in derived.accumulators],
        "kept": len(derived.saved),
        "normalised": list(derived.normalised),
        "equations": _shown(derived),
    }
    # A title is a person's own words, and the script stands within a page.
    facts = "".join(f"  {key}: {json.dumps(value)},\n" for key, value in about.items()).replace("<", "\\u003c")
    return f"{{\n{facts}{_inner(derived)}{_forward(derived)}{_backward_normal(derived)}{_backward(derived)}}}"


def _inner(derived: Derivation) -> str:
    """`inner(units, a, p, previous, inner)`: the states that are normalised within the step, before their norm."""
    names, lines = _read(derived.inner, derived)
    lines += _statements(derived.inner, names, derived)
    lines += [f"inner[{n}][k] = {names[symbol]};" for n, symbol in enumerate(derived.inner)]
    return _method("inner(units, a, p, previous, inner)", lines)


def _forward(derived: Derivation) -> str:
    """`forward(units, a, p, previous, normal, named, kept, at)`: one step of every unit.

    `a`, `previous` and `normal` are arrays of `units` numbers by accumulator, state and normalised state; `p` has the
    rows of learnt vectors one after the other; `named` and `kept` hold all steps, this one from `at` on.
    """
    names, lines = _read(derived.named.values(), derived)
    lines += _statements(derived.named.values(), names, derived)
    lines += [f"named[{n}][at + k] = {names[symbol]};" for n, symbol in enumerate(derived.named.values())]
    lines += [f"kept[{k}][at + k] = {names[symbol]};" for k, symbol in enumerate(derived.saved)]
    return _method("forward(units, a, p, previous, normal, named, kept, at)", lines)


def _backward_normal(derived: Derivation) -> str:
    """`backwardNormal(units, kept, p, previous, named, at, dNext, dNormal)`: what the norms' results receive."""
    lines = _backward_lines(derived, derived.d_normalised, {"dNormal": derived.d_normalised})
    return _method("backwardNormal(units, kept, p, previous, named, at, dNext, dNormal)", lines)


def _backward(derived: Derivation) -> str:
    """`backward(units, kept, p, previous, named, at, dNext, dInner, dA, dPrevious, dP)`: one step's derivative."""
    results = {"dA": derived.d_accumulators, "dPrevious": derived.d_states, "dP": derived.d_units}
    lines = _backward_lines(derived, derived.outputs, results)
    return _method("backward(units, kept, p, previous, named, at, dNext, dInner, dA, dPrevious, dP)", lines)


def _backward_lines(
    derived: Derivation, outputs: Sequence[Symbol], results: Mapping[str, Sequence[Symbol]]
) -> list[str]:
    names = {symbol: f"saved{k}" for k, symbol in enumerate(derived.saved)}
    lines = [f"const saved{k} = kept[{k}][at + k];" for k in range(len(derived.saved))]
    order = list(derived.named)
    for state, symbol in zip(derived.spec.states, derived.next_states, strict=True):
        if symbol not in names:
            names[symbol] = f"{state}Next"
            lines.append(f"const {state}Next = named[{order.index(state)}][at + k];")
    lines += _inputs(outputs, names, derived)
    lines += _statements(outputs, names, derived)
    for result, symbols in results.items():
        lines += [f"{result}[{n}][k] = {names[symbol]};" for n, symbol in enumerate(symbols)]
    return lines


def _read(outputs: Iterable[Symbol], derived: Derivation) -> tuple[dict[Symbol, str], list[str]]:
    """The names of the inputs that the outputs need, and the statements that read them."""
    names: dict[Symbol, str] = {}
    return names, _inputs(outputs, names, derived)


def _inputs(outputs: Iterable[Symbol], names: dict[Symbol, str], derived: Derivation) -> list[str]:
    lines = []
    for symbol in topological(outputs, names):
        if symbol.operation == "input":
            names[symbol], source = _source(str(symbol.value), derived)
            lines.append(f"const {names[symbol]} = {source};")
    return lines


def _method(signature: str, lines: list[str]) -> str:
    """A method that runs the lines for every unit; arrays within arrays are looked up before the loop."""
    arrays = dict.fromkeys(place for line in lines for place in _PLACE.findall(line))
    first = "".join(f"    const {name}{n} = {name}[{n}];\n" for name, n in arrays)
    body = "".join("      " + _PLACE.sub(r"\1\2[", line) + "\n" for line in lines)
    return f"  {signature} {{\n{first}    for (let k = 0; k < units; k++) {{\n{body}    }}\n  }},\n"


def _source(value: str, derived: Derivation) -> tuple[str, str]:
    """The JavaScript name of an input and where it is read from."""
    states = derived.spec.states
    if value in derived.accumulators:
        return value, f"a[{derived.accumulators.index(value)}][k]"
    if value in states:
        return f"{value}Previous", f"previous[{states.index(value)}][k]"
    for mark, source in ((NORMALISED, "normal"), (INNER, "dInner")):
        if value.startswith(mark):
            state = value.removeprefix(mark)
            return f"{source}_{state}", f"{source}[{derived.normalised.index(state)}][k]"
    if value.startswith("p_"):
        return value, f"p[{derived.spec.unit_weights.index(value.removeprefix('p_'))} * units + k]"
    state = value.removeprefix("d_")
    return f"d_{state}", f"dNext[{states.index(state)}][k]"


def _statements(outputs: Iterable[Symbol], names: dict[Symbol, str], derived: Derivation) -> list[str]:
    chosen = {symbol: f"{name}Now" for name, symbol in derived.named.items()}
    return [text for _, text in statements(outputs, names, chosen, JAVASCRIPT)]


def _shown(derived: Derivation) -> list[dict[str, Any]]:
    """Every equation of the cell as a tree: what it defines, and of what."""
    chosen = {symbol: name for name, symbol in derived.named.items()}
    norms = dict(zip((f"{NORMALISED}{state}" for state in derived.normalised), derived.inner, strict=True))

    def tree(symbol: Symbol, *, is_top: bool = False) -> list[Any]:
        if symbol in chosen and not is_top:
            return ["named", chosen[symbol]]
        if symbol.operation == "input" and symbol.value in norms:
            return ["norm", str(symbol.value).removeprefix(NORMALISED), tree(norms[symbol.value])]
        if symbol.operation in ("input", "constant"):
            return [symbol.operation, symbol.value]
        return [symbol.operation, *(tree(argument) for argument in symbol.arguments)]

    return [{"name": name, "tree": tree(symbol, is_top=True)} for name, symbol in derived.named.items()]
