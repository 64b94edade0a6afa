"""From `step()` to its derivative: the backward step of every cell comes from here, none is written by hand.

`derive()` runs `step()` on symbols, which gives the graph of the forward step, and differentiates that graph in
reverse mode. What the forward pass saves for the backward pass follows one rule: the results of costly functions
(sigmoid, tanh, exp, ...) and any accumulator that the backward step needs; cheap arithmetic is done again, and a value
that is a new state is read from the stored states.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

from gatework.cells._spec import CellSpec
from gatework.cells._symbol import COMPARISONS, Graph, Symbol
from gatework.errors import UsageError

# What the inputs are called that belong to a normalised state: the norm's result, and what comes back through it.
NORMALISED, INNER = "normalised ", "d_inner of "
After = Callable[[Mapping[str, Symbol], Mapping[str, Symbol]], Mapping[str, Symbol]]
COSTLY = ("sigmoid", "tanh", "exp", "log", "softplus")


@dataclass(frozen=True)
class Derivation:
    """A cell's forward and backward step as expressions.

    Attributes:
        spec: The cell.
        accumulators: The names of the accumulators, in the order of the parameters of `step()`.
        named: What `step()` returns: every named gate and state, in order.
        saved: The values that the forward pass stores for the backward pass.
        d_accumulators: The derivative for each accumulator, from `d_<state>`, the saved values and the states.
        d_states: The elementwise part of the derivative for each previous state.
        d_units: What each learnt vector's derivative receives from one step of one sequence.
        normalised: The states that are normalised within the step; none without layer norm.
        inner: These states before their norm.
        d_normalised: The derivative for each of their norms' results. What a norm passes on to its state comes back to
            the backward step as an input.
    """

    spec: CellSpec
    accumulators: tuple[str, ...]
    named: Mapping[str, Symbol]
    saved: tuple[Symbol, ...]
    d_accumulators: tuple[Symbol, ...]
    d_states: tuple[Symbol, ...]
    d_units: tuple[Symbol, ...]
    normalised: tuple[str, ...] = ()
    inner: tuple[Symbol, ...] = ()
    d_normalised: tuple[Symbol, ...] = ()

    @property
    def can_be_cut(self) -> bool:
        """Whether the states before their norms are known before any norm is."""
        before = topological(self.inner)
        return not any(s.operation == "input" and str(s.value).startswith(NORMALISED) for s in before)

    @property
    def outputs(self) -> tuple[Symbol, ...]:
        """Everything that the backward step gives."""
        return (*self.d_accumulators, *self.d_states, *self.d_units)

    @property
    def next_states(self) -> tuple[Symbol, ...]:
        """The new value of each state."""
        return tuple(self.named[s] for s in self.spec.states)


def derive(spec: CellSpec, *, is_normalised: bool = False, after: After | None = None) -> Derivation:
    """The derivation of a cell.

    Args:
        spec: The cell.
        is_normalised: Whether the states in a tanh are normalised there, where the cell has such states.
        after: What acts on the new values once the step is made: from the states before it and all that it names to
            what it names then.

    Raises:
        UsageError: `step()` uses something that cannot be derived; the message names the function, file and line.
    """
    graph = Graph(inspect.unwrap(spec.step).__code__.co_filename)
    inputs = {name: graph.input(name) for name in spec.arguments}
    graph.line = None
    named = _returned(spec, spec.step(**inputs))
    normalised = normalised_states(spec, named) if is_normalised else ()
    norm_results = {s: graph.input(f"{NORMALISED}{s}") for s in normalised}
    named = _with_norms(graph, named, norm_results)
    inner = tuple(named[s] for s in normalised)
    if after is not None:
        inputs |= {s: graph.input(s) for s in spec.states}
        named = dict(after({s: inputs[s] for s in spec.states}, named))
    units = tuple(f"p_{name}" for name in spec.unit_weights)
    accumulators = tuple(a for a in spec.arguments if a not in (*spec.states, *units))
    seeds = [(named[s], graph.input(f"d_{s}")) for s in spec.states]
    seeds += [(symbol, graph.input(f"{INNER}{s}")) for s, symbol in zip(normalised, inner, strict=True)]
    adjoints = reverse(graph, named, seeds)
    zero = graph.constant(0)
    d_accumulators = tuple(adjoints.get(inputs[a], zero) for a in accumulators)
    d_states = tuple(adjoints.get(inputs[s], zero) if s in inputs else zero for s in spec.states)
    d_units = tuple(adjoints.get(inputs[u], zero) for u in units)
    d_normalised = tuple(adjoints.get(norm_results[s], zero) for s in normalised)
    next_states = [named[s] for s in spec.states]
    outputs = (*d_accumulators, *d_states, *d_units, *d_normalised)
    saved = _saved(topological(named.values()), next_states, outputs, accumulators)
    backward = (d_accumulators, d_states, d_units)
    return Derivation(spec, accumulators, named, saved, *backward, normalised, inner, d_normalised)


def normalised_states(spec: CellSpec, named: Mapping[str, Symbol]) -> tuple[str, ...]:
    """The states whose new value stands in a tanh of the step, as c of the LSTM does."""
    inside = {s.arguments[0] for s in topological(named.values()) if s.operation == "tanh"}
    return tuple(s for s in spec.states if s != "h" and named[s] in inside)


def _with_norms(graph: Graph, named: Mapping[str, Symbol], norm_results: Mapping[str, Symbol]) -> dict[str, Symbol]:
    """The step with the tanh of each normalised state taken of its norm."""
    places = {named[state]: result for state, result in norm_results.items()}
    rebuilt: dict[Symbol, Symbol] = {}
    for symbol in topological(named.values()):
        if not norm_results or not symbol.arguments:
            rebuilt[symbol] = symbol
            continue
        graph.line = symbol.line
        arguments = [rebuilt[a] for a in symbol.arguments]
        if symbol.operation == "tanh" and symbol.arguments[0] in places:
            arguments = [places[symbol.arguments[0]]]
        rebuilt[symbol] = graph.apply(symbol.operation, *arguments)
    graph.line = None
    return {name: rebuilt[symbol] for name, symbol in named.items()}


def topological(outputs: Iterable[Symbol], known: Container[Symbol] = ()) -> list[Symbol]:
    """Every node that the outputs need, arguments before results; but not those known already."""
    order: dict[Symbol, None] = {}

    def visit(symbol: Symbol) -> None:
        if symbol not in order and symbol not in known:
            for argument in symbol.arguments:
                visit(argument)
            order[symbol] = None

    for output in outputs:
        visit(output)
    return list(order)


def _returned(spec: CellSpec, returned: object) -> dict[str, Symbol]:
    """What `step()` returned, once it is a value for each name and has every state."""
    where = f'{spec.where}: step() of cell "{spec.name}"'
    if not isinstance(returned, Mapping):
        names = ", ".join(f'"{state}": {state}' for state in spec.states)
        raise UsageError(f"{where} returns a {type(returned).__name__}; return a dictionary of names, as {{{names}}}")
    for name, value in returned.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise UsageError(f"{where} returns a value named {name!r}; a name is letters, digits and underscores")
        if not isinstance(value, Symbol):
            raise UsageError(f'{where} returns a {type(value).__name__} as "{name}"; return a value of each unit')
    for state in spec.states:
        if state not in returned:
            raise UsageError(
                f'{where} does not return the state "{state}"; add it, or, where it is no state, name the parameter '
                f"a_{state}, x_{state}, u_{state} or p_{state}"
            )
    return dict(returned)


def reverse(graph: Graph, named: Mapping[str, Symbol], seeds: Iterable[tuple[Symbol, Symbol]]) -> dict[Symbol, Symbol]:
    """The adjoint of every node, by reverse-mode differentiation from the states' adjoints."""
    adjoints: dict[Symbol, Symbol] = {}

    def add(symbol: Symbol, adjoint: Symbol) -> None:
        adjoints[symbol] = graph.apply("add", adjoints[symbol], adjoint) if symbol in adjoints else adjoint

    for symbol, seed in seeds:
        add(symbol, seed)
    for symbol in reversed(topological(named.values())):
        if symbol in adjoints and symbol.operation not in (*COMPARISONS, "input", "constant"):
            graph.line = symbol.line
            for argument, adjoint in zip(symbol.arguments, _derivatives(symbol, adjoints[symbol]), strict=True):
                if adjoint is not None and argument.operation != "constant":
                    add(argument, adjoint)
    return adjoints


def _derivatives(y: Symbol, g: Symbol) -> tuple[Symbol | None, ...]:
    """The adjoint that each argument of `y` receives when `y` has the adjoint `g`."""
    apply = y.graph.apply
    zero = y.graph.constant(0)
    a, b = (*y.arguments, zero)[:2]
    match y.operation:
        case "add":
            return g, g
        case "sub":
            return g, -g
        case "mul":
            return g * b, g * a
        case "div":
            return g / b, -(g * y / b)
        case "neg":
            return (-g,)
        case "sigmoid":
            return (g * (y * (1 - y)),)
        case "tanh":
            return (g * (1 - y * y),)
        case "relu":
            return (apply("where", y > 0, g, zero),)
        case "exp":
            return (g * y,)
        case "log":
            return (g / a,)
        case "softplus":
            return (g * apply("sigmoid", a),)
        case "maximum" | "minimum":
            first = a > b if y.operation == "maximum" else b > a
            ours = apply("where", first, g, apply("where", apply("eq", a, b), 0.5 * g, zero))
            return ours, g - ours
        case "where":
            return None, apply("where", a, g, zero), apply("where", a, zero, g)
        case "normalised":
            return ((g - apply("mean", g) - y * apply("mean", g * y)) * apply("scale", a),)
    raise AssertionError(f"no derivative for {y.operation}")


def _saved(
    forward: list[Symbol], next_states: list[Symbol], outputs: Iterable[Symbol], accumulators: tuple[str, ...]
) -> tuple[Symbol, ...]:
    """What the backward step needs and cannot compute cheaply, in the order of the forward step."""
    known = set(forward)
    needed: set[Symbol] = set()
    seen: set[Symbol] = set()
    pending = list(outputs)
    while pending:
        symbol = pending.pop()
        if symbol in seen or symbol in next_states:
            continue
        seen.add(symbol)
        is_accumulator = symbol.operation == "input" and symbol.value in accumulators
        if symbol in known and (is_accumulator or symbol.operation in COSTLY):
            needed.add(symbol)
        else:
            pending.extend(symbol.arguments)
    return tuple(s for s in forward if s in needed)
