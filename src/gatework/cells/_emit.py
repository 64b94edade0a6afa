"""From a derivation to C++: one struct per cell, templated over the vector type, with a forward and a backward step.

The scan in `csrc/scan.h` supplies the accumulators and the states of some units as vectors and knows nothing else about
the cell. Every generated statement ends with the line of `step()` that it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gatework.cells._derive import INNER, NORMALISED, Derivation, derive, topological
from gatework.cells._printer import CPP, statements
from gatework.cells._spec import CellSpec
from gatework.cells._symbol import Symbol

# Names that a step() may use and the generated code may not: the language's words, and its own.
_TAKEN = frozenset(
    [
        "alignas",
        "alignof",
        "asm",
        "auto",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "constexpr",
        "continue",
        "decltype",
        "default",
        "delete",
        "do",
        "double",
        "else",
        "enum",
        "explicit",
        "export",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "nullptr",
        "operator",
        "private",
        "protected",
        "public",
        "register",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "template",
        "this",
        "throw",
        "true",
        "try",
        "typedef",
        "typeid",
        "typename",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "while",
        "accumulator",
        "previous",
        "unit",
        "next",
        "saved",
        "trace",
        "inner",
        "normalised",
        "V",
        "T",
        "select",
        "maximum",
        "minimum",
        "exp",
        "log",
        "sigmoid",
        "tanh",
        "relu",
        "softplus",
    ]
)
_PATTERN = re.compile(r"t\d+|saved_\d+|d_\w*|\w*_previous|normalised_\w*|\w*_normalised|[axup]_\w*|\w*_")
COMMENT_COLUMN = 72
_LONGEST_LINE = 120


def header(spec: CellSpec) -> str:
    """The text of `csrc/cells/<name>.h`."""
    return "\n".join(
        [
            "// clang-format off",
            f"// {spec.title}.",
            "// Generated from src/gatework/cells by `make cells`: change step(), not this file.",
            *struct(derive(spec)),
            "",
            "// The same under layer norm.",
            *normalised_struct(spec),
            "",
        ]
    )


def normalised_struct(spec: CellSpec) -> list[str]:
    """The lines of the cell under layer norm: a struct, or another name where no state is normalised within."""
    derivation = derive(spec, is_normalised=True)
    if derivation.normalised:
        return struct(derivation)
    return [f"using {identifier(spec.name)}_normalised = {identifier(spec.name)};"]


def struct_name(derivation: Derivation) -> str:
    """What the struct is called."""
    return identifier(derivation.spec.name) + ("_normalised" if derivation.normalised else "")


def struct(derivation: Derivation) -> list[str]:
    """The lines of the struct: what the scan must know, then the two steps."""
    spec = derivation.spec
    accumulators = derivation.accumulators
    reads = inputs_of((*derivation.outputs, *derivation.d_normalised), derivation)
    names = ", ".join(f'"{name}"' for name in derivation.named)
    constants = {
        "accumulators": len(accumulators),
        "states": len(spec.states),
        "saved": len(derivation.saved),
        "traced": len(derivation.named),
        "units": len(derivation.d_units),
        "normalised": len(derivation.normalised),
    }
    values = list(derivation.named)
    return [
        f"struct {struct_name(derivation)} {{",
        *(f"  static constexpr int {name} = {value};" for name, value in constants.items()),
        "  // By accumulator: whether the input product and the recurrent product feed it.",
        _flags("input_product", [a[0] in "ax" for a in accumulators]),
        _flags("recurrent_product", [a[0] in "au" for a in accumulators]),
        "  // By state: whether the backward step reads its previous and its new value.",
        _flags("reads_previous", [s in reads for s in spec.states]),
        _flags("reads_next", [n in reads for n in derivation.next_states]),
        "  // By state: whether it reaches its next value other than through the recurrent product.",
        _flags("carries", [s.operation != "constant" for s in derivation.d_states]),
        "  // What `trace` holds, in order.",
        f"  static constexpr const char* names[{len(derivation.named)}] = {{{names}}};",
        "  // By state: its place in `trace`.",
        _numbers("traced_state", [values.index(s) for s in spec.states]),
        *_normalised_facts(derivation),
        "",
        *_forward(derivation),
        "",
        *_backward(derivation),
        "};",
    ]


def identifier(name: str) -> str:
    """A name of `step()` as a name in C++, which knows fewer letters and other words."""
    plain = plain_name(name)
    return f"{plain}_" if plain in _TAKEN or _PATTERN.fullmatch(plain) else plain


def _flags(name: str, values: Sequence[bool]) -> str:
    text = ", ".join(str(v).lower() for v in values)
    return f"  static constexpr bool {name}[{len(values)}] = {{{text}}};"


def _numbers(name: str, values: Sequence[int]) -> str:
    return f"  static constexpr int {name}[{len(values)}] = {{{', '.join(map(str, values))}}};"


def _normalised_facts(derivation: Derivation) -> list[str]:
    """Which states are normalised."""
    if not derivation.normalised:
        return []
    places = [derivation.spec.states.index(s) for s in derivation.normalised]
    return ["  // The states that are normalised.", _numbers("normalised_state", places)]


def inputs_of(outputs: Iterable[Symbol], derivation: Derivation) -> set[Symbol | str]:
    """The values that the backward step starts from: states by name, new states and saved values by node."""
    stops = {*derivation.saved, *derivation.next_states}
    read: set[Symbol | str] = set()
    seen: set[Symbol] = set()
    pending = list(outputs)
    while pending:
        symbol = pending.pop()
        if symbol in seen:
            continue
        seen.add(symbol)
        if symbol in stops:
            read.add(symbol)
        elif symbol.operation == "input":
            read.add(str(symbol.value))
        else:
            pending.extend(symbol.arguments)
    return read


def _forward(derivation: Derivation) -> list[str]:
    chosen = {node: identifier(name) for name, node in derivation.named.items()}
    names, lines = _read(derivation.named.values(), derivation)
    lines += step_statements(derivation.named.values(), names, chosen)
    lines += [f"    next[{k}] = {names[n]};" for k, n in enumerate(derivation.next_states)]
    lines += [f"    saved[{k}] = {names[n]};" for k, n in enumerate(derivation.saved)]
    lines += [f"    trace[{k}] = {names[n]};" for k, n in enumerate(derivation.named.values())]
    parameters = ["const V* accumulator", *_given("previous", "unit")]
    if not derivation.normalised:
        return _function("forward", [*parameters, "V* next", *_given("saved", is_out=True), "V* trace"], lines)
    names, first = _read(derivation.inner, derivation)
    first += step_statements(derivation.inner, names, chosen)
    first += [f"    inner[{k}] = {names[n]};" for k, n in enumerate(derivation.inner)]
    return [
        "  // The states before their norm; the step itself takes the norm's result.",
        *_function("inner", [*parameters, "V* inner"], first),
        "",
        *_function(
            "forward",
            [*parameters, "const V* normalised", "V* next", *_given("saved", is_out=True), "V* trace"],
            lines,
        ),
    ]


def _backward(derivation: Derivation) -> list[str]:
    d_steps = (*derivation.d_accumulators, *derivation.d_states, *derivation.d_units)
    lines = _backward_lines(
        derivation,
        d_steps,
        {
            "d_accumulator": derivation.d_accumulators,
            "d_previous": derivation.d_states,
            "d_unit": derivation.d_units,
        },
    )
    parameters = [*_given("saved", "previous", "next", "unit"), "const V* d_next"]
    results = ["V* d_accumulator", "V* d_previous", *_given("d_unit", is_out=True)]
    if not derivation.normalised:
        return _function("backward", [*parameters, *results], lines)
    first = _backward_lines(derivation, derivation.d_normalised, {"d_normalised": derivation.d_normalised})
    return [
        "  // What the norms' results receive; what they pass on comes back as d_inner.",
        *_function("backward_normalised", [*parameters, "V* d_normalised"], first),
        "",
        *_function("backward", [*parameters, "const V* d_inner", *results], lines),
    ]


def _backward_lines(
    derivation: Derivation, outputs: Sequence[Symbol], results: Mapping[str, Sequence[Symbol]]
) -> list[str]:
    """The statements that compute the outputs from what the backward step is given, and put them into the results."""
    chosen = {node: identifier(name) for name, node in derivation.named.items()}
    needed = inputs_of(outputs, derivation)
    names: dict[Symbol, str] = {}
    lines = []
    for k, node in enumerate(derivation.saved):
        if node not in needed and derivation.normalised:
            continue
        names[node] = chosen.get(node, plain_name(str(node.value)) if node.operation == "input" else f"saved_{k}")
        lines.append(line_of(f"const V {names[node]} = saved[{k}];", node))
    for k, (state, node) in enumerate(zip(derivation.spec.states, derivation.next_states, strict=True)):
        if node in needed and node not in names:
            names[node] = identifier(state)
            lines.append(f"    const V {names[node]} = next[{k}];")
    for symbol in topological(outputs):
        if symbol.operation == "input" and symbol not in names and symbol.value in needed:
            name, source = _input(str(symbol.value), derivation)
            names[symbol] = name
            lines.append(f"    const V {name} = {source};")
    lines += step_statements(outputs, names, chosen)
    for result, symbols in results.items():
        lines += [f"    {result}[{k}] = {names[n]};" for k, n in enumerate(symbols)]
    return lines


def _read(outputs: Iterable[Symbol], derivation: Derivation) -> tuple[dict[Symbol, str], list[str]]:
    """The names of the inputs that the outputs need, and the statements that read them."""
    names: dict[Symbol, str] = {}
    lines = []
    for symbol in topological(outputs):
        if symbol.operation == "input":
            name, source = _input(str(symbol.value), derivation)
            names[symbol] = name
            lines.append(f"    const V {name} = {source};")
    return names, lines


def _given(*names: str, is_out: bool = False) -> list[str]:
    """Parameters that some cells do not use."""
    return [f"[[maybe_unused]] {'' if is_out else 'const '}V* {name}" for name in names]


def _function(name: str, parameters: Sequence[str], lines: Sequence[str]) -> list[str]:
    """A function over vectors, its parameters wrapped."""
    opening = f"  GATEWORK_INLINE static void {name}("
    texts = [opening + parameters[0]]
    for parameter in parameters[1:]:
        if len(texts[-1]) + len(parameter) + 4 > _LONGEST_LINE:
            texts[-1] += ","
            texts.append(" " * len(opening) + parameter)
        else:
            texts[-1] += f", {parameter}"
    texts[-1] += ") {"
    return ["  template <class V>", *texts, *lines, "  }"]


def _input(value: str, derivation: Derivation) -> tuple[str, str]:
    """The C++ name of an input and where it is read from."""
    states = derivation.spec.states
    plain = plain_name(value)
    if value in derivation.accumulators:
        return plain, f"accumulator[{derivation.accumulators.index(value)}]"
    if value in states:
        return _free(f"{plain}_previous"), f"previous[{states.index(value)}]"
    if value.startswith("p_"):
        return plain, f"unit[{derivation.spec.unit_weights.index(value.removeprefix('p_'))}]"
    for mark, prefix, source in ((NORMALISED, "normalised", "normalised"), (INNER, "d_inner", "d_inner")):
        if value.startswith(mark):
            state = value.removeprefix(mark)
            return f"{prefix}_{plain_name(state)}", f"{source}[{derivation.normalised.index(state)}]"
    return _free(plain), f"d_next[{states.index(value.removeprefix('d_'))}]"


def step_statements(outputs: Iterable[Symbol], names: dict[Symbol, str], chosen: Mapping[Symbol, str]) -> list[str]:
    """The statements of the nodes that have no name yet, each beside the line of `step()` that it comes from."""
    return [line_of(text, symbol) for symbol, text in statements(outputs, names, chosen, CPP)]


def _free(name: str) -> str:
    """A derived name, unless a parameter of the generated functions has it."""
    return f"{name}_" if name in ("d_next", "d_previous", "d_accumulator", "d_unit") else name


def plain_name(name: str) -> str:
    """A name in the letters of C++."""
    return "".join(c if c.isascii() else f"u{ord(c):x}" for c in name)


def line_of(statement: str, symbol: Symbol) -> str:
    """A statement beside the line of Python that it comes from."""
    # A backslash at the end of a comment would make the next line part of it.
    source = symbol.graph.source(symbol.line).rstrip("\\ ")
    return f"    {statement}".ljust(COMMENT_COLUMN) + f"// {source}" if source else f"    {statement}"
