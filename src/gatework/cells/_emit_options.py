"""From what acts around a cell to C++: on h before the step, on a row's values, on states after it; each derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatework.cells import options
from gatework.cells._derive import reverse, topological
from gatework.cells._emit import step_statements
from gatework.cells._emit_rows import RowPasses
from gatework.cells._printer import CPP
from gatework.cells._symbol import Graph, Symbol
from gatework.cells.options import STATE_OPTIONS, StateOption

_SOURCE = "// Generated from src/gatework/cells/options.py by `make cells`: change its functions, not this file."


def texts() -> dict[str, str]:
    """The name and the text of the generated files: what every part knows of the options, and what they compute."""
    return {"option_names.h": "\n".join(_names()), "options.h": "\n".join(_around())}


def _names() -> list[str]:
    count = len(STATE_OPTIONS)
    return [
        "// clang-format off",
        "// What may act on a state after the step of a cell: the names, and of each the number that changes nothing,",
        "// whether that number is a probability, and whether the derivative reads the state that the cell gave.",
        _SOURCE,
        "#pragma once",
        "",
        "namespace gatework {",
        "",
        f"enum StateOption {{ {', '.join(option.name for option in STATE_OPTIONS)} }};",
        f"constexpr int state_option_count = {count};",
        _list("double", "option_neutral", [_number(option.neutral) for option in STATE_OPTIONS]),
        _list("bool", "option_is_drawn", [str(option.is_drawn).lower() for option in STATE_OPTIONS]),
        _list("bool", "option_reads_new", [str(_reads_new(option)).lower() for option in STATE_OPTIONS]),
        "",
        "}  // namespace gatework",
        "",
    ]


def _list(kind: str, name: str, values: Sequence[str]) -> str:
    return f"constexpr {kind} {name}[state_option_count] = {{{', '.join(values)}}};"


def _around() -> list[str]:
    return [
        "// clang-format off",
        "// What acts around a cell at a step, and its derivative.",
        _SOURCE,
        *_before_step(),
        "",
        *_layer_norm(),
        "",
        *_after_step(),
        "",
    ]


def _before_step() -> list[str]:
    graph = Graph(options.__file__)
    h, mask = graph.input("h"), graph.input("mask")
    seen = options.dropout(h, mask)
    adjoints = _adjoints(seen)
    inputs = {name: name for name in ("h", "mask", "d")}
    return [
        "struct BeforeStep {",
        "  // The h that the recurrent product sees.",
        *_function("V forward(V h, V mask)", _body([seen], inputs)),
        "",
        "  // From the derivative of what it sees to that of h.",
        *_function("V backward(V mask, V d)", _body([adjoints[h]], inputs)),
        "};",
    ]


def _layer_norm() -> list[str]:
    graph = Graph(options.__file__)
    values = graph.input("values")
    result, scale = options.normalise(values)
    forward = RowPasses(result, {values: "values"}, {})
    normalised, gain, bias = graph.apply("normalised", values), graph.input("gain"), graph.input("bias")
    value = graph.input("normalised")
    with_gain = options.scaled(value, gain, bias)
    adjoints = _adjoints(with_gain)
    # The way back reads what the way forward gave.
    back = _adjoints(normalised)[values]
    rows = {graph.input("d"): "d", normalised: "normalised"}
    backward = RowPasses(back, rows, {graph.apply("scale", values): "scale"})
    inputs = {name: name for name in ("normalised", "gain", "bias", "d")}
    scalar = "using T = typename V::T;"
    outputs = (adjoints[gain], adjoints[bias], adjoints[value])
    results = ("d_gain", "d_bias", "d_normalised")
    return [
        "struct LayerNorm {",
        "  // Normalises `count` values in place, and returns one over their standard deviation.",
        *_function(
            "typename V::T forward(typename V::T* values, int64_t count)",
            [f"    {scalar}", *forward.statements(), f"    return {forward.numbers[scale]};"],
            "CALLED",
        ),
        "",
        "  // From the derivative for the normalised values, in place, to that for the values themselves.",
        *_function(
            "void backward(typename V::T* d, const typename V::T* normalised, typename V::T scale, int64_t count)",
            [f"    {scalar}", *backward.statements()],
            "CALLED",
        ),
        "",
        "  // Normalised values with their gain and bias.",
        *_function("V scaled(V normalised, V gain, V bias)", _body([with_gain], inputs)),
        "",
        "  // From the derivative of these to those of their parts.",
        *_function(
            "void scaled_backward(V normalised, V gain, V d, V& d_gain, V& d_bias, V& d_normalised)",
            _body(outputs, inputs, results),
        ),
        "};",
    ]


def _after_step() -> list[str]:
    previous, new, numbers, carried = _applied(STATE_OPTIONS)
    d_previous, d_new = _derivatives(previous, new, carried)
    inputs: dict[str, str] = {str(s.value): text for s, text in numbers.items()}
    inputs |= {name: name for name in ("previous", "next", "d")}
    return [
        "struct AfterStep {",
        "  // `option` holds the number of each option, for each unit; a state without one has the neutral number.",
        *_function("V forward(V previous, V next, const V* option)", _body([carried], inputs)),
        "",
        "  // From the derivative of the state that is carried on to those of the previous and of the new state.",
        *_function(
            "void backward([[maybe_unused]] V next, const V* option, V d, V& d_previous, V& d_next)",
            _body((d_previous, d_new), inputs, ("d_previous", "d_next")),
        ),
        "};",
    ]


def _function(signature: str, lines: Sequence[str], how: str = "INLINE") -> list[str]:
    return ["  template <class V>", f"  GATEWORK_{how} static {signature} {{", *lines, "  }"]


def _adjoints(output: Symbol) -> Mapping[Symbol, Symbol]:
    """The derivatives from that of the output, the input "d"."""
    graph = output.graph
    graph.line = None
    return reverse(graph, {"output": output}, [(output, graph.input("d"))])


def _applied(chosen: Sequence[StateOption]) -> tuple[Symbol, Symbol, dict[Symbol, str], Symbol]:
    """The two states, the number of each option by where it is read, and the state that is carried on."""
    graph = Graph(options.__file__)
    previous, new = graph.input("previous"), graph.input("next")
    carried, numbers = new, {}
    for option in chosen:
        value = graph.input(option.name)
        numbers[value] = f"option[{option.name}]"
        carried = option.apply(previous, carried, value)
    return previous, new, numbers, carried


def _derivatives(previous: Symbol, new: Symbol, carried: Symbol) -> tuple[Symbol, Symbol]:
    adjoints, zero = _adjoints(carried), previous.graph.constant(0)
    return adjoints.get(previous, zero), adjoints.get(new, zero)


def _reads_new(option: StateOption) -> bool:
    previous, new, _, carried = _applied([option])
    needed = set(topological(_derivatives(previous, new, carried)))
    if previous in needed:
        raise NotImplementedError(f"the derivative of {option.name} reads the previous state, which is not saved")
    return new in needed


def _body(outputs: Sequence[Symbol], inputs: Mapping[str, str], results: Sequence[str] = ()) -> list[str]:
    """The statements that compute the outputs, put into the results, or returned where these have no names."""
    names = {s: inputs[str(s.value)] for s in topological(outputs) if s.operation == "input"}
    lines = step_statements(outputs, names, {})
    if not results:
        return [*lines, f"    return {names[outputs[0]]};"]
    return [*lines, *(f"    {result} = {names[symbol]};" for result, symbol in zip(results, outputs, strict=True))]


def _number(value: float) -> str:
    """A number of double in C++."""
    return CPP.constant(value).removeprefix("V::constant(").removesuffix(")")
