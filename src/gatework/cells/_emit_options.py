"""From the state options to C++: the forward step of all of them together, and the derivative of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatework.cells import options
from gatework.cells._derive import reverse, topological
from gatework.cells._emit import step_statements
from gatework.cells._printer import CPP
from gatework.cells._symbol import Graph, Symbol
from gatework.cells.options import STATE_OPTIONS, StateOption

_SOURCE = "// Generated from src/gatework/cells/options.py by `make cells`: change its functions, not this file."


def texts() -> dict[str, str]:
    """The name and the text of the generated files: what every part knows of the options, and what they compute."""
    return {"option_names.h": "\n".join(_names()), "options.h": "\n".join(_struct())}


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


def _struct() -> list[str]:
    previous, new, numbers, carried = _applied(STATE_OPTIONS)
    d_previous, d_new = _derivatives(previous, new, carried)
    inputs: dict[str, str] = {str(s.value): text for s, text in numbers.items()}
    inputs |= {name: name for name in ("previous", "next", "d_carried")}
    reads = "  // `option` holds the number of each option, for each unit; a state without one has the neutral number."
    return [
        "// clang-format off",
        "// What acts on a state after the step of a cell, and its derivative.",
        _SOURCE,
        "struct AfterStep {",
        reads,
        "  template <class V>",
        "  GATEWORK_INLINE static V forward(V previous, V next, const V* option) {",
        *_body([carried], inputs),
        "  }",
        "",
        "  // From the derivative of the state that is carried on to those of the previous and of the new state.",
        "  template <class V>",
        "  GATEWORK_INLINE static void backward([[maybe_unused]] V next, const V* option, V d_carried, V& d_previous,",
        "                                       V& d_next) {",
        *_body((d_previous, d_new), inputs, ("d_previous", "d_next")),
        "  }",
        "};",
        "",
    ]


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
    graph = previous.graph
    graph.line = None
    adjoints = reverse(graph, {"carried": carried}, [(carried, graph.input("d_carried"))])
    zero = graph.constant(0)
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
