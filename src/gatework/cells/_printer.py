"""From a graph of symbols to statements: one table per language says how it writes each operation.

A new language is one more `Language`; what a statement reads and where its results go is the business of who prints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gatework.cells._derive import topological
from gatework.cells._symbol import ARITIES, COMPARISONS, Symbol

_INFIX = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "{0} / {1}",
    "neg": "-{0}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "eq": "{0} == {1}",
}


@dataclass(frozen=True)
class Language:
    """How a language writes the operations of a step.

    Attributes:
        operations: What stands for each operation, with `{0}`, `{1}` and `{2}` for its arguments.
        constant: A number as it is written within an expression.
        number: The statement that names a number, with `{name}` and `{expression}`.
        truth: The statement that names the outcome of a comparison.
    """

    operations: Mapping[str, str]
    constant: Callable[[float], str]
    number: str
    truth: str

    def statement(self, name: str, symbol: Symbol, arguments: Iterable[str]) -> str:
        """The statement that computes one node from the names of its arguments."""
        expression = self.operations[symbol.operation].format(*arguments)
        form = self.truth if symbol.operation in COMPARISONS else self.number
        return form.format(name=name, expression=expression)


def statements(
    outputs: Iterable[Symbol], names: dict[Symbol, str], chosen: Mapping[Symbol, str], language: Language
) -> list[tuple[Symbol, str]]:
    """One statement for each node that the outputs need and that has no name yet.

    Args:
        outputs: What is to be computed.
        names: The names of nodes that are known; those of the new ones are added.
        chosen: What some nodes are to be called; any other is numbered.
        language: What to write.

    Returns:
        Each node with its statement, arguments before results.
    """
    written = []
    for symbol in topological(outputs, names):
        if symbol.operation == "constant":
            names[symbol] = language.constant(float(symbol.value or 0))
            continue
        arguments = [names[argument] for argument in symbol.arguments]
        names[symbol] = chosen.get(symbol, f"t{len(names)}")
        written.append((symbol, language.statement(names[symbol], symbol, arguments)))
    return written


def in_comment(text: str) -> str:
    """A text as it may stand in a comment of C or JavaScript, which nothing in it ends."""
    return " ".join(text.split()).replace("*/", "* /")


def _calls(**renamed: str) -> dict[str, str]:
    """Every operation as a call of the function of its name, or of the one that it is renamed to."""
    places = {arity: ", ".join(f"{{{k}}}" for k in range(arity)) for arity in ARITIES.values()}
    return {name: f"{renamed.get(name, name)}({places[arity]})" for name, arity in ARITIES.items()}


def _cpp_constant(value: float) -> str:
    if math.isinf(value):
        return f"V::constant({'' if value > 0 else '-'}__builtin_inf())"
    return f"V::constant({value!r})"


def _javascript_constant(value: float) -> str:
    if math.isinf(value):
        return f"({'' if value > 0 else '-'}Infinity)"
    return f"({value!r})"


def _c_constant(value: float) -> str:
    if math.isinf(value):
        return f"({'' if value > 0 else '-'}INFINITY)"
    return f"({value!r}f)"


def _triton_constant(value: float) -> str:
    # A number beside a tensor takes the tensor's element type; alone it would be float32.
    if math.isinf(value):
        return f"(none {'+' if value > 0 else '-'} float('inf'))"
    return f"(none + {value!r})" if value else "none"


CPP = Language(
    {**_calls(where="select"), **_INFIX},
    _cpp_constant,
    "const V {name} = {expression};",
    "const auto {name} = {expression};",
)
# Numbers of a whole row, which stand in no vector.
CPP_ROW = Language(
    {**_INFIX, "rsqrt": "static_cast<T>(1) / static_cast<T>(__builtin_sqrt({0}))"},
    lambda value: f"static_cast<T>({value!r})",
    "const T {name} = {expression};",
    "const bool {name} = {expression};",
)
JAVASCRIPT = Language(
    {
        **_calls(exp="Math.exp", log="Math.log", maximum="Math.max", minimum="Math.min"),
        **_INFIX,
        "eq": "{0} === {1}",
        "where": "{0} ? {1} : {2}",
    },
    _javascript_constant,
    "const {name} = {expression};",
    "const {name} = {expression};",
)
C = Language(
    {
        **_calls(exp="expf", log="logf", tanh="tanhf", maximum="fmaxf", minimum="fminf"),
        **_INFIX,
        "where": "{0} ? {1} : {2}",
    },
    _c_constant,
    "const float {name} = {expression};",
    "const int {name} = {expression};",
)
TRITON = Language(
    {
        **_calls(exp="tl.exp", log="tl.log", where="tl.where"),
        **_INFIX,
        "relu": "larger({0}, none)",
        "maximum": "larger({0}, {1})",
        "minimum": "smaller({0}, {1})",
    },
    _triton_constant,
    "{name} = {expression}",
    "{name} = {expression}",
)
