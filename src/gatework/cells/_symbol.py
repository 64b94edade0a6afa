"""Symbols: what `step()` computes with when its equations are derived instead of run.

A `Symbol` takes arithmetic operators and torch functions and records them in a graph. Equal expressions are one node,
so a value that is computed twice is derived and written once. Every node remembers the line of `step()` that made it.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any

import torch
import torch.nn.functional as F

from gatework.errors import UsageError

FUNCTIONS: dict[Callable[..., Any], str] = {
    torch.add: "add",
    torch.sub: "sub",
    torch.mul: "mul",
    torch.div: "div",
    torch.neg: "neg",
    torch.sigmoid: "sigmoid",
    torch.tanh: "tanh",
    torch.relu: "relu",
    F.relu: "relu",
    torch.exp: "exp",
    torch.log: "log",
    F.softplus: "softplus",
    torch.maximum: "maximum",
    torch.minimum: "minimum",
    torch.where: "where",
}
ARITIES = {
    **dict.fromkeys(("neg", "sigmoid", "tanh", "relu", "exp", "log", "softplus"), 1),
    **dict.fromkeys(("add", "sub", "mul", "div", "maximum", "minimum", "gt", "ge", "eq"), 2),
    "where": 3,
}
"""What `step()` may use, by the number of arguments."""
ROW_ARITIES = {"mean": 1, "rsqrt": 1, "normalised": 1, "scale": 1}
"""What is made of all units of a row, outside of `step()`: their mean; and of a layer norm (`options.normalise()`) the
values and one over their standard deviation. `rsqrt`, one over the root, is only ever of a number of the whole row."""
COMPARISONS = ("gt", "ge", "eq")
_INSTEAD = {
    "pow": "x * x",
    "sqrt": "exp(log(x) / 2)",
    "ones_like": "the number 1",
    "zeros_like": "the number 0",
}
ALLOWED = "+ - * /, comparisons, sigmoid, tanh, relu, silu, exp, log, softplus, abs, maximum, minimum, clamp and where"
_UFUNCS = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div"}


@dataclass
class Graph:
    """All nodes of one derivation, each expression once.

    Attributes:
        path: The file of `step()`; lines of this file are what nodes remember.
        line: The line that new nodes belong to, while code outside `step()` builds them.
    """

    path: str
    line: int | None = None
    nodes: dict[tuple[Any, ...], Symbol] = field(default_factory=dict)

    def input(self, name: str) -> Symbol:
        """A value that comes from outside, such as an accumulator."""
        return self._node("input", (), name)

    def constant(self, value: float) -> Symbol:
        """A number, the same for every unit."""
        return self._node("constant", (), float(value))

    def apply(self, operation: str, *arguments: Symbol) -> Symbol:
        """The operation on the arguments, simplified where a constant makes it trivial."""
        simple = _simplified(self, operation, arguments)
        return self._node(operation, arguments, None) if simple is None else simple

    def _node(self, operation: str, arguments: tuple[Symbol, ...], value: str | float | None) -> Symbol:
        key = (operation, arguments, value)
        if key not in self.nodes:
            # No line of `step()` makes what it is given, whatever line of its file asks for the derivation.
            line = None if operation == "input" else self.line or self.calling_line()
            self.nodes[key] = Symbol(self, operation, arguments, value, line)
        return self.nodes[key]

    def calling_line(self) -> int | None:
        """The line of `step()` that is being run, if any is."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename == self.path:
                return frame.f_lineno
            frame = frame.f_back
        return None

    def source(self, line: int | None) -> str:
        """The text of a line of `step()`."""
        return linecache.getline(self.path, line).strip() if line else ""

    def error(self, used: str) -> UsageError:
        """The error for something that cannot be derived."""
        return UsageError(f"{self.path}:{self.calling_line() or self.line}: step() uses {used}; it may use {ALLOWED}")


@dataclass(frozen=True, eq=False)
class Symbol:
    """One value of the graph.

    Attributes:
        graph: The graph it belongs to.
        operation: "input", "constant" or one of `ARITIES` or `ROW_ARITIES`.
        arguments: The values that the operation takes.
        value: The name of an input or the number of a constant.
        line: The line of `step()` that it comes from.
    """

    graph: Graph
    operation: str
    arguments: tuple[Symbol, ...]
    value: str | float | None
    line: int | None

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Symbol:
        graph = next(a.graph for a in args if isinstance(a, Symbol))
        name = getattr(function, "__name__", str(function))
        given = {key: value for key, value in (kwargs or {}).items() if (key, value) != ("inplace", False)}
        if function in _COMPOSED:
            return _composed(graph, function, args, given)
        operation = FUNCTIONS.get(function)
        if operation is None:
            raise graph.error(f"the function {name}()" + (f" (write {_INSTEAD[name]})" if name in _INSTEAD else ""))
        if given or len(args) != ARITIES[operation]:
            raise graph.error(f"{name}() with options")
        return graph.apply(operation, *(_lift(graph, a) for a in args))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Symbol:
        # One of NumPy's numbers on the left of an operator arrives here as well.
        if method != "__call__" or options or ufunc.__name__ not in _UFUNCS:
            raise self.graph.error(f"NumPy's {ufunc.__name__}() (write torch's)")
        return self.graph.apply(_UFUNCS[ufunc.__name__], *(_lift(self.graph, a) for a in inputs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _METHODS:
            return partial(getattr(torch, name), self)
        raise self.graph.error(f"the attribute .{name}")

    def __bool__(self) -> bool:
        raise self.graph.error("a value in Python's own control flow (write where(condition, a, b))")

    def __add__(self, other: Any) -> Symbol:
        return self.graph.apply("add", self, _lift(self.graph, other))

    def __radd__(self, other: Any) -> Symbol:
        return self.graph.apply("add", _lift(self.graph, other), self)

    def __sub__(self, other: Any) -> Symbol:
        return self.graph.apply("sub", self, _lift(self.graph, other))

    def __rsub__(self, other: Any) -> Symbol:
        return self.graph.apply("sub", _lift(self.graph, other), self)

    def __mul__(self, other: Any) -> Symbol:
        return self.graph.apply("mul", self, _lift(self.graph, other))

    def __rmul__(self, other: Any) -> Symbol:
        return self.graph.apply("mul", _lift(self.graph, other), self)

    def __truediv__(self, other: Any) -> Symbol:
        return self.graph.apply("div", self, _lift(self.graph, other))

    def __rtruediv__(self, other: Any) -> Symbol:
        return self.graph.apply("div", _lift(self.graph, other), self)

    def __iadd__(self, other: Any) -> Symbol:
        # On tensors it would change what the step was given, such as the state before, which the caller keeps.
        raise self.graph.error("+=, -=, *= or /=, which change a value in place (write h = h + ...)")

    __isub__ = __imul__ = __itruediv__ = __iadd__

    def __and__(self, other: Any) -> Symbol:
        raise self.graph.error("& or | (write one where() in the other)")

    __or__ = __rand__ = __ror__ = __and__

    def __neg__(self) -> Symbol:
        return self.graph.apply("neg", self)

    def __pow__(self, other: Any) -> Symbol:
        raise self.graph.error("the operator ** (write x * x)")

    __rpow__ = __pow__

    def __matmul__(self, other: Any) -> Symbol:
        raise self.graph.error("a matrix product (the products with W and U are made outside of step())")

    __rmatmul__ = __matmul__

    def __abs__(self) -> Symbol:
        return _absolute(self)

    def __getitem__(self, key: Any) -> Symbol:
        raise self.graph.error("an index, and a unit sees no other unit")

    def __len__(self) -> int:
        raise self.graph.error("len() or a loop over units")

    def __float__(self) -> float:
        raise self.graph.error("a value as one of Python's numbers, as functions of math do")

    __int__ = __index__ = __float__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (int, float, torch.Tensor)):
            raise self.graph.error("== (write >= and <=)")
        return self is other

    __hash__ = object.__hash__

    def __gt__(self, other: Any) -> Symbol:
        return self.graph.apply("gt", self, _lift(self.graph, other))

    def __lt__(self, other: Any) -> Symbol:
        return self.graph.apply("gt", _lift(self.graph, other), self)

    def __ge__(self, other: Any) -> Symbol:
        return self.graph.apply("ge", self, _lift(self.graph, other))

    def __le__(self, other: Any) -> Symbol:
        return self.graph.apply("ge", _lift(self.graph, other), self)


def _lift(graph: Graph, value: Any) -> Symbol:
    if isinstance(value, Symbol):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return graph.constant(value)
    raise graph.error(f"a {type(value).__name__} that is neither an argument of step() nor a number")


def _absolute(x: Symbol) -> Symbol:
    return x.graph.apply("maximum", x, -x)


def _clamp(x: Symbol, min: float | None = None, max: float | None = None) -> Symbol:  # torch's names
    """Between two numbers; as of torch's, the derivative is 1 at each of them."""
    if min is not None:
        x = x.graph.apply("where", x < min, _lift(x.graph, min), x)
    return x if max is None else x.graph.apply("where", x > max, _lift(x.graph, max), x)


_COMPOSED: dict[Callable[..., Any], Callable[..., Symbol]] = {
    torch.abs: _absolute,
    torch.absolute: _absolute,
    torch.clamp: _clamp,
    torch.clip: _clamp,
    torch.square: lambda x: x * x,
    F.silu: lambda x: x * torch.sigmoid(x),
}
"""Functions of torch that are made of others."""
_METHODS = (
    *("sigmoid", "tanh", "relu", "exp", "log", "neg", "add", "sub", "mul", "div", "maximum", "minimum"),
    *("abs", "absolute", "clamp", "clip", "square"),
)


def _composed(graph: Graph, function: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Symbol:
    """What a function of `_COMPOSED` makes of its arguments.

    Raises:
        UsageError: An argument is one that it does not take here, or a bound is no number.
    """
    x, *bounds = args
    if any(isinstance(bound, Symbol) for bound in (*bounds, *options.values())):
        raise graph.error(f"{function.__name__}() between values (write maximum and minimum)")
    try:
        return _COMPOSED[function](x, *bounds, **options)
    except TypeError:
        raise graph.error(f"{function.__name__}() with options") from None


def _simplified(graph: Graph, operation: str, arguments: tuple[Symbol, ...]) -> Symbol | None:
    """The result where a constant 0 or 1 makes the operation trivial, else None."""
    a, b = (*arguments, None)[:2]
    zero_a, zero_b = (s is not None and s.operation == "constant" and s.value == 0 for s in (a, b))
    one_a, one_b = (s is not None and s.operation == "constant" and s.value == 1 for s in (a, b))
    match operation:
        case "add" if zero_a or zero_b:
            return b if zero_a else a
        case "sub" if zero_b:
            return a
        case "mul" if one_a or one_b:
            return b if one_a else a
        case "mul" if zero_a or zero_b:
            return graph.constant(0)
        case "div" if one_b:
            return a
        case "where" if arguments[1] is arguments[2]:
            return arguments[1]
    return None
