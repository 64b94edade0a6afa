"""From a derivation to Triton: two kernels that compute one step of a scan for every unit of every sequence.

The products with U are torch's, between two calls. A kernel reads them beside the input product, and the states from
where the steps before have left them; see `gatework.scan.triton_scan`, which calls it. Every generated statement ends
with the line of `step()` that it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gatework.cells._derive import Derivation, topological
from gatework.cells._emit import COMMENT_COLUMN, inputs_of, plain_name
from gatework.cells._printer import TRITON, statements
from gatework.cells._symbol import Symbol

SHARE = "share of "
"""What the inputs of a derivation are called that are drawn for each unit at each step, as 0 or 1."""

_IMPORTS = (
    "import triton",
    "import triton.language as tl",
    "",
    "from gatework.scan.triton_functions import larger, sigmoid, smaller, softplus, tanh",
)
_NUMBERS = ("first", "earlier", "before", "rows", "time", "batch")
_PLACES = (
    "place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)",
    "is_within = place < rows * hidden",
    "row = place // hidden",
    "column = place % hidden",
    "at = first.to(tl.int64) + row  # the row of this step",
    "last = earlier.to(tl.int64) + row  # that of the step before, which only so many sequences have",
    "is_going_on = is_within & (row < before)",
    "is_starting = is_within & (row >= before)",
)


def kernels(derivation: Derivation) -> str:
    """The text of a module with the two kernels, `forward` and `backward`, of a cell with what acts on its states."""
    return "\n".join([*_IMPORTS, "", "", *_forward(derivation), "", "", *_backward(derivation), ""])


def shares(derivation: Derivation) -> tuple[str, ...]:
    """Those inputs that are drawn for each unit at each step, in the order in which a kernel takes them."""
    graph = next(iter(derivation.named.values())).graph
    values = [str(s.value) for s in graph.nodes.values() if s.operation == "input"]
    return tuple(value for value in values if value.startswith(SHARE))


def is_joint(derivation: Derivation) -> bool:
    """Whether both products feed every accumulator, so that their gradients are one."""
    return all(name.startswith("a_") for name in derivation.accumulators)


def _forward(derivation: Derivation) -> list[str]:
    spec, outputs = derivation.spec, tuple(derivation.named[s] for s in derivation.spec.states)
    chosen = _chosen(derivation)
    names, lines = _read(derivation, (*outputs, *derivation.saved))
    lines += _statements((*outputs, *derivation.saved), names, chosen)
    for state, symbol in zip(spec.states, outputs, strict=True):
        lines.append(_store(f"{_of(state)}_history + at * hidden + column", names[symbol]))
    lines.append("    if IS_SAVED:")
    count = len(derivation.saved)
    for k, symbol in enumerate(derivation.saved):
        lines.append("    " + _store(f"saved + (at * {count} + {k}) * hidden + column", names[symbol]))
    if not count:
        lines.append("        pass")
    parameters = ["product", "recurrent", "unit", "share", "saved", *_state_pointers(derivation)]
    return _kernel("forward", parameters, ("BLOCK", "IS_SAVED"), lines)


def _backward(derivation: Derivation) -> list[str]:
    spec, chosen, outputs = derivation.spec, _chosen(derivation), derivation.outputs
    needed, names, lines = inputs_of(outputs, derivation), dict[Symbol, str](), list[str]()
    for k, symbol in enumerate(derivation.saved):
        if symbol in needed:
            names[symbol] = chosen.get(symbol, f"saved_{k}")
            lines.append(_load(names[symbol], f"saved + (at * {len(derivation.saved)} + {k}) * hidden + column"))
    for state, symbol in zip(spec.states, derivation.next_states, strict=True):
        if symbol in needed and symbol not in names:
            names[symbol] = chosen[symbol]
            lines.append(_load(names[symbol], f"{_of(state)}_history + at * hidden + column"))
    more_names, more_lines = _read(derivation, outputs, names)
    names, lines = names | more_names, lines + more_lines
    lines += _statements(outputs, names, chosen)
    lines += _gradient_stores(derivation, names)
    parameters = ["unit", "share", "saved", "d_output", "d_product", "d_recurrent", "d_unit"]
    parameters += [*_state_pointers(derivation), *(f"{_of(state)}_adjoint" for state in spec.states)]
    return _kernel("backward", parameters, ("BLOCK",), lines)


def _gradient_stores(derivation: Derivation, names: Mapping[Symbol, str]) -> list[str]:
    """The statements that put away what the backward step gives."""
    spec, lines = derivation.spec, []
    for kind, gates, target in (("x", spec.input_gates, "d_product"), ("u", spec.recurrent_gates, "d_recurrent")):
        if kind == "u" and is_joint(derivation):
            continue
        for k, gate in enumerate(gates):
            (accumulator,) = (a for a in (f"a_{gate}", f"{kind}_{gate}") if a in derivation.accumulators)
            symbol = derivation.d_accumulators[derivation.accumulators.index(accumulator)]
            lines.append(_store(f"{target} + (at * {len(gates)} + {k}) * hidden + column", names[symbol]))
    for k, symbol in enumerate(derivation.d_units):
        count = len(derivation.d_units)
        lines.append(_store(f"d_unit + (at * {count} + {k}) * hidden + column", names[symbol]))
    for state, symbol in zip(spec.states, derivation.d_states, strict=True):
        lines.append(_store(f"{_of(state)}_adjoint + place", names[symbol]))
    return lines


def _read(
    derivation: Derivation, outputs: Iterable[Symbol], known: Mapping[Symbol, str] | None = None
) -> tuple[dict[Symbol, str], list[str]]:
    """The names of the inputs that the outputs need beyond what is known, and the statements that read them."""
    names, lines = dict[Symbol, str](), list[str]()
    for symbol in topological(outputs, known or {}):
        if symbol.operation == "input":
            name = _input_name(str(symbol.value))
            names[symbol] = name
            lines += _reading(str(symbol.value), name, derivation)
    return names, lines


def _reading(value: str, name: str, derivation: Derivation) -> list[str]:
    """The statements that read one input."""
    spec, drawn = derivation.spec, shares(derivation)
    if value in spec.states:
        state = _of(value)
        return [
            _load(f"{state}_begun", f"{state}_initial + place", "is_starting"),
            _load(f"{state}_gone_on", f"{state}_history + last * hidden + column", "is_going_on"),
            f"    {name} = {state}_begun + {state}_gone_on",
        ]
    if value in drawn:
        where = f"share + ((time.to(tl.int64) * {len(drawn)} + {drawn.index(value)}) * batch) * hidden + place"
        return [_load(name, where), f"    {name} = none + {name}"]
    if value.startswith("p_"):
        return [_load(name, f"unit + {spec.unit_weights.index(value.removeprefix('p_'))} * hidden + column")]
    if value in derivation.accumulators:
        return _accumulator(value, name, derivation)
    state = value.removeprefix("d_")
    lines = [_load(name, f"{_of(state)}_adjoint + place")]
    if state == "h":
        lines += [_load("d_seen", "d_output + at * hidden + column"), f"    {name} += d_seen"]
    return lines


def _accumulator(value: str, name: str, derivation: Derivation) -> list[str]:
    """The statements that read an accumulator: a gate's block of one product, or the sum of both."""
    kind, _, gate = value.partition("_")
    inputs, recurrents = derivation.spec.input_gates, derivation.spec.recurrent_gates
    lines = []
    if kind in "ax":
        lines.append(_load(name, f"product + (at * {len(inputs)} + {inputs.index(gate)}) * hidden + column"))
    if kind in "au":
        second = "recurrent_part" if kind == "a" else name
        place = f"recurrent + (row * {len(recurrents)} + {recurrents.index(gate)}) * hidden + column"
        lines.append(_load(second, place))
        lines += [f"    {name} += recurrent_part"] if kind == "a" else []
    return lines


def _chosen(derivation: Derivation) -> dict[Symbol, str]:
    """What the values are called that `step()` names."""
    return {symbol: f"{_of(name)}_now" for name, symbol in derivation.named.items()}


def _input_name(value: str) -> str:
    return "in_" + plain_name(value.replace(" ", "_"))


def _of(state: str) -> str:
    """A name of `step()` that is none of the kernels' own."""
    return f"s_{plain_name(state)}"


def _state_pointers(derivation: Derivation) -> list[str]:
    return [f"{_of(state)}_{part}" for state in derivation.spec.states for part in ("initial", "history")]


def _statements(outputs: Iterable[Symbol], names: dict[Symbol, str], chosen: Mapping[Symbol, str]) -> list[str]:
    lines = []
    for symbol, text in statements(outputs, names, chosen, TRITON):
        source = symbol.graph.source(symbol.line)
        lines.append(f"    {text}".ljust(COMMENT_COLUMN) + f"# {source}" if source else f"    {text}")
    return lines


def _load(name: str, where: str, mask: str = "is_within") -> str:
    return f"    {name} = tl.load({where}, mask={mask}, other=0)"


def _store(where: str, name: str) -> str:
    return f"    tl.store({where}, {name}, mask=is_within)"


def _kernel(name: str, pointers: Sequence[str], constants: Sequence[str], lines: Sequence[str]) -> list[str]:
    """A kernel over the units of a step."""
    parameters = [*pointers, *_NUMBERS, "hidden", *(f"{constant}: tl.constexpr" for constant in constants)]
    return [
        f"@triton.jit(do_not_specialize={list(_NUMBERS)})",
        f"def {name}(",
        *(f"    {parameter}," for parameter in parameters),
        "):",
        *(f"    {line}" for line in _PLACES),
        f"    none = tl.full([BLOCK], 0.0, dtype={pointers[-1]}.dtype.element_ty)",
        *lines,
    ]
