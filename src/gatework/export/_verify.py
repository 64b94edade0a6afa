"""The check that every export goes through: onnxruntime against the model itself in float64, on random inputs.

The error allowed is derived, not chosen: onnxruntime may be at most twice as far from float64 as the model itself is
in float32. Rounding adds up over steps, so a fixed bound would be too narrow for one model and too wide for another. A
model that is chaotic may be lucky with one set of roundings: so its own error is the largest of several, with the last
bits of its weights moved.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from gatework.errors import ExportError, UsageError
from gatework.export._names import shape_of
from gatework.scan import kernels

if TYPE_CHECKING:
    from onnx import ModelProto

_CASES = 6
_LONGEST = 24  # steps; more would measure how chaotic a model is rather than its export
_MOVED = 4  # sets of roundings that the model's own error is the largest of
# Roundings that two right computations of one value may differ by, where both are nearly exact.
_ROUNDINGS = 32


@dataclass(frozen=True)
class Interface:
    """What goes in and out of a graph.

    Attributes:
        model: The model that it was made of, in float32.
        inputs: The example inputs.
        lengths: The names of the inputs that are lengths of sequences.
        state: The output that each carried input receives at the next call, by the input's name.
        ranges: The smallest and the largest value of the sizes that may vary.
        shortest: The smallest length.
        original: The model before its weights were rounded, where they were.
    """

    model: nn.Module
    inputs: tuple[Any, ...]
    lengths: set[str]
    state: Mapping[str, str]
    ranges: Mapping[str, tuple[int, int]]
    shortest: int = 1
    original: nn.Module | None = None


@dataclass(frozen=True)
class Check:
    """What the check says.

    Attributes:
        error: The largest distance of any output from float64 in onnxruntime.
        own_error: That of the model itself in float32, the last bits of its weights moved or not.
        cases: How many inputs it ran on.
        rounding: How far the outputs moved at most as the weights were rounded.
    """

    error: float
    own_error: float
    cases: int
    rounding: float


def verify(proto: ModelProto, interface: Interface) -> Check:
    """Run the graph beside the model.

    Raises:
        ExportError: The graph does not load or run, gives other shapes, or is too far from the model.
    """
    session = _session(proto)
    names = [value.name for value in proto.graph.input]
    comparison = Comparison(interface)
    results: dict[str, np.ndarray] = {}
    for drawn, goes_on in feeds({v.name: shape_of(v) for v in proto.graph.input}, interface):
        carried = {state: results[after] for state, after in interface.state.items()} if goes_on else {}
        feed = {**drawn, **carried}
        arguments = [torch.from_numpy(feed[name]) for name in names]
        wanted = comparison.exact(arguments, shapes_of(feed))
        results = _results(session, feed)
        comparison.add(results, wanted, arguments, shapes_of(feed))
    return comparison.check()


def _moved(model: nn.Module, seed: int) -> nn.Module:
    """The model in float32, as it is for the seed 0, else with the last bit of each weight moved or left, at random."""
    made = copy.deepcopy(model).cpu().eval().float()
    if seed:
        random = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in made.parameters():
                if weight.is_floating_point():
                    way = torch.randint(-1, 2, weight.shape, generator=random)
                    weight.mul_(1 + way * torch.finfo(torch.float32).eps)
    return made


class Comparison:
    """The largest errors over all inputs, and what they allow."""

    def __init__(self, interface: Interface) -> None:
        self._inputs = interface.inputs
        self._exact = copy.deepcopy(interface.model).cpu().eval().double()
        self._plain = [_moved(interface.model, seed) for seed in range(_MOVED)]
        original = interface.original
        self._before = None if original is None else copy.deepcopy(original).cpu().eval().double()
        self._error = self._own_error = self._rounding = self._largest = 0.0
        self._worst = ""
        self._cases = 0

    def exact(self, arguments: Sequence[Tensor], where: str) -> list[Tensor]:
        """What the model itself gives in float64.

        Args:
            arguments: The tensors of its inputs, in the shapes that it takes, in order.
            where: On what inputs, for the message.

        Raises:
            UsageError: It does not take inputs of these sizes.
        """
        try:
            return self._in_float64(self._exact, arguments)
        except (RuntimeError, ValueError, TypeError, IndexError) as problem:
            raise UsageError(
                f"the model itself does not run {where}: {problem}; if a size never changes, say so, as "
                'fixed={"x": (1, 2)} for the axes 1 and 2 of the argument x'
            ) from None

    def add(
        self, results: Mapping[str, np.ndarray], wanted: Sequence[Tensor], arguments: Sequence[Tensor], where: str
    ) -> None:
        """Run the model in float32 on what the graph has run on, and note the errors.

        Raises:
            ExportError: The outputs have other shapes.
        """
        rounded = [run(model, self._inputs, arguments, torch.float32) for model in self._plain]
        shapes, right_shapes = ([tuple(value.shape) for value in values] for values in (results.values(), wanted))
        if shapes != right_shapes:
            given, asked = (", ".join(map(str, listed)) for listed in (shapes, right_shapes))
            raise ExportError(f"the export gives outputs of shapes {given} where the model gives {asked}, {where}")
        for (name, value), right, *rounded_results in zip(results.items(), wanted, *rounded, strict=True):
            if not right.numel():
                continue
            distance = _distance(value, right)
            if not distance <= self._error:
                self._error, self._worst = distance, f'its output "{name}" {where}'
            self._own_error = max(self._own_error, *(_distance(other.numpy(), right) for other in rounded_results))
            self._largest = max(self._largest, float(right.double().nan_to_num(0, 0, 0).abs().max()))
        if self._before is not None:
            unrounded = self._in_float64(self._before, arguments)
            changes = [_distance(v.numpy(), u) for v, u in zip(wanted, unrounded, strict=True) if u.numel()]
            self._rounding = max(self._rounding, *changes)
        self._cases += 1

    def _in_float64(self, model: nn.Module, arguments: Sequence[Tensor]) -> list[Tensor]:
        with kernels.spare_compiling():  # nothing but this check asks for a person's own cell in float64
            return run(model, self._inputs, arguments, torch.float64)

    def check(self) -> Check:
        """The verdict.

        Raises:
            ExportError: An output is too far from the model's.
        """
        roundings = _ROUNDINGS * float(np.finfo(np.float32).eps) * max(1.0, self._largest)
        allowed = 2 * self._own_error + roundings
        if not self._error <= allowed:
            raise ExportError(
                f"the export is wrong: {self._worst} is {self._error:.1e} from the model in float64 where "
                f"{allowed:.1e} is allowed"
            )
        return Check(self._error, self._own_error, self._cases, self._rounding)


def _session(proto: ModelProto) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        raise ExportError(f"onnxruntime does not load the export: {problem}") from None


def _results(session: Any, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = [output.name for output in session.get_outputs()]
    try:
        return dict(zip(names, session.run(names, dict(feed)), strict=True))
    except Exception as problem:
        raise ExportError(f"onnxruntime cannot run the export {shapes_of(feed)}: {problem}") from None


def shapes_of(feed: Mapping[str, np.ndarray]) -> str:
    """The shapes of inputs in words."""
    return "on inputs " + ", ".join(f"{name} {value.shape}" for name, value in feed.items())


def _distance(value: np.ndarray, right: Tensor) -> float:
    wanted = right.double().numpy()
    with np.errstate(invalid="ignore"):
        apart = np.abs(value.astype(np.float64) - wanted)
    apart[(value == wanted) | (np.isnan(value) & np.isnan(wanted))] = 0  # also infinities
    return float("inf") if np.isnan(apart).any() else float(apart.max())


def run(model: nn.Module, inputs: tuple[Any, ...], arguments: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """The tensors among the outputs of the model itself.

    Args:
        model: The model.
        inputs: An example of what it is called with.
        arguments: What stands in the place of the example's tensors, in shapes that the model takes, in order.
        dtype: What tensors of real numbers are brought to.
    """
    leaves, form = tree_flatten(inputs)
    remaining = iter(arguments)
    given = [_as(next(remaining), dtype) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
    with _default_dtype(dtype), torch.no_grad():
        outputs = model(*tree_unflatten(given, form))
    return [output for output in tree_flatten(outputs)[0] if isinstance(output, Tensor)]


def _as(value: Tensor, dtype: torch.dtype) -> Tensor:
    return value.to(dtype) if value.is_floating_point() else value


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def feeds(
    shapes: Mapping[str, tuple[int | str, ...]], interface: Interface
) -> Iterator[tuple[dict[str, np.ndarray], bool]]:
    """Inputs to check on, and whether they go on from the states that the inputs before have led to.

    The examples come first, then random ones of other sizes.

    Args:
        shapes: The sizes of each input by its name; those that may change have a name themselves.
        interface: What is checked.
    """
    leaves = [leaf for leaf in tree_flatten(interface.inputs)[0] if isinstance(leaf, Tensor)]
    examples = dict(zip(shapes, leaves, strict=True))
    yield {name: _single(leaf).numpy() for name, leaf in examples.items()}, False
    random = np.random.default_rng(0)
    for case in range(_CASES):
        sizes = {name: _size(random, case, *limits) for name, limits in interface.ranges.items()}
        for goes_on in (False, True) if interface.state else (False,):
            drawn = {name: _drawn(random, e, _sized(shapes[name], sizes)) for name, e in examples.items()}
            for name in interface.lengths:
                longest = sizes.get("time", interface.shortest)
                drawn[name] = _lengths(random, drawn[name], interface.shortest, longest, examples[name])
            yield drawn | {name: np.zeros_like(drawn[name]) for name in interface.state}, goes_on


def _lengths(random: np.random.Generator, like: np.ndarray, shortest: int, longest: int, example: Tensor) -> np.ndarray:
    """Random lengths, the longest of them all steps: where torch pads packed sequences, it leaves no further ones."""
    lengths = random.integers(shortest, longest, like.shape, like.dtype, endpoint=True)
    lengths[random.integers(len(lengths))] = longest
    # A model that packs may take sorted sequences alone, and is then given such an example.
    is_sorted = bool((example[1:] <= example[:-1]).all())
    return np.sort(lengths)[::-1].copy() if is_sorted else lengths


def _single(leaf: Tensor) -> Tensor:
    leaf = leaf.detach().cpu()
    return leaf.float() if leaf.is_floating_point() else leaf


def _size(random: np.random.Generator, case: int, lowest: int, highest: int) -> int:
    # What torch knows of a size is that it is 2 at least, where it has looked at nothing but the example.
    lowest = 1 if lowest == 2 else lowest
    if case == 0:
        return max(lowest, 1)
    return int(random.integers(max(lowest, 1), min(highest, max(_LONGEST, lowest)) + 1))


def _sized(shape: tuple[int | str, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    import sympy

    return tuple(size if isinstance(size, int) else int(sympy.sympify(size, locals=sizes)) for size in shape)


def _drawn(random: np.random.Generator, example: Tensor, shape: tuple[int, ...]) -> np.ndarray:
    """A random input: numbers around those of the example, some of its own where they are no floats.

    What is above 0 throughout stays so, as a scale, and a column of 0 and 1 as well, as of what was observed: a model
    need not make sense of others.
    """
    values = _single(example).numpy()
    if not example.is_floating_point():
        return random.choice(values.reshape(-1), shape).astype(values.dtype)
    mean, scale = (float(values.mean()), float(values.std()) or 1.0) if values.size else (0.0, 1.0)
    drawn = random.normal(mean, scale, shape).astype(np.float32)
    if not values.any():
        return drawn
    if (values > 0).all():
        return np.abs(drawn)
    if values.ndim > 1 and values.shape[-1] == shape[-1]:
        for column in np.flatnonzero(((values == 0) | (values == 1)).reshape(-1, shape[-1]).all(axis=0)):
            drawn[..., column] = random.choice(values[..., column].reshape(-1), shape[:-1])
    return drawn
