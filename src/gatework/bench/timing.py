"""Timing of layers against torch.nn and other libraries: paired, alternating, as ratios with their spread.

Absolute times do not travel from machine to machine and drift on one; a ratio of two runs that follow each other does
neither. Each figure is the median over the pairs with its quartiles.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import gatework
from gatework.errors import UsageError, nearest
from gatework.scan import kernels

if TYPE_CHECKING:
    from gatework.bench.frameworks import Peer


@dataclass(frozen=True)
class Shape:
    """What is timed: a training step of a stack of layers.

    Attributes:
        name: How the shape is called.
        batch: The number of sequences.
        steps: The time steps of the longest sequence.
        input: The width of the input.
        hidden: The hidden size.
        layers: The number of layers.
        shortest: The shortest length where lengths differ, uniform up to `steps`; otherwise None.
        has_input_gradient: Whether the input's gradient is wanted, as behind an embedding.
    """

    name: str
    batch: int
    steps: int
    input: int
    hidden: int
    layers: int = 1
    shortest: int | None = None
    has_input_gradient: bool = False


SHAPES = (
    Shape("imdb", 32, 200, 128, 128),
    Shape("embedded", 32, 200, 128, 128, has_input_gradient=True),
    Shape("waves", 32, 100, 1, 20, layers=2),
    Shape("long", 8, 1000, 64, 64),
    Shape("large", 64, 100, 512, 512),
    Shape("ragged", 32, 200, 128, 128, shortest=100, has_input_gradient=True),
)
CELLS = ("lstm", "gru", "rnn")
_MODES = {True: "flushed", False: "as it comes"}
_REST = 0.02
_TURN = 0.02
_CLASSES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}


@dataclass(frozen=True)
class Timing:
    """One comparison.

    Attributes:
        shape: The name of the shape.
        cell: The cell.
        peer: What our layer is compared with: torch, or a name of `peers`.
        ours: The median seconds of a training step here.
        theirs: The median seconds of the same step with the peer.
        ratio: The median of the peer's time over ours in each pair.
        low: The lower quartile of that ratio.
        high: Its upper quartile.
        pairs: The number of pairs.
        path: What runs the peer's step.
    """

    shape: str
    cell: str
    peer: str
    ours: float
    theirs: float
    ratio: float
    low: float
    high: float
    pairs: int
    path: str

    def line(self) -> str:
        """A row for a person to read."""
        times = f"{self.ours * 1e3:8.2f} ms  {self.peer:5} {self.theirs * 1e3:8.2f} ms"
        ratio = f"{self.ratio:5.2f} x  [{self.low:.2f}, {self.high:.2f}]"
        return f"{self.shape:8} {self.cell:5} {times}  {ratio}  {self.path}"


def choose(names: Sequence[str]) -> list[Shape]:
    """The shapes of those names, all when there are none.

    Raises:
        UsageError: There is no such shape.
    """
    known = {shape.name: shape for shape in SHAPES}
    for name in names:
        if name not in known:
            raise UsageError(f'there is no shape "{name}": {nearest(name, known)}')
    return [known[name] for name in names] or list(SHAPES)


def layers_of(shape: Shape, cell: str) -> tuple[nn.Module, nn.Module]:
    """Our layer and torch's with the same weights."""
    sizes = (shape.input, shape.hidden, shape.layers)
    ours = getattr(gatework.nn, _CLASSES[cell])(*sizes)
    theirs = getattr(nn, _CLASSES[cell])(*sizes)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def torch_path(shape: Shape, cell: str) -> str:
    """What torch.nn runs on the CPU."""
    is_fused = cell == "lstm" and shape.shortest is None and torch.backends.mkldnn.is_available()
    return "oneDNN" if is_fused else "a loop over the steps"


def lengths_of(shape: Shape) -> Tensor | None:
    """The lengths of the sequences where they differ, shape (batch,)."""
    if shape.shortest is None:
        return None
    generator = torch.Generator().manual_seed(0)
    return torch.randint(shape.shortest, shape.steps + 1, (shape.batch,), generator=generator)


def training_step(shape: Shape, layer: nn.Module, is_ours: bool) -> Callable[[], None]:
    """A function that runs forward and backward once on the same random input, of the layer's element type.

    The output receives a random gradient: what a loss costs is not the layer's.
    """
    generator = torch.Generator().manual_seed(0)
    lengths, parameters = lengths_of(shape), list(layer.parameters())
    x, gradient = (
        torch.randn(shape.steps, shape.batch, width, generator=generator).to(parameters[0].dtype)
        for width in (shape.input, shape.hidden)
    )
    x.requires_grad_(shape.has_input_gradient)
    if lengths is not None and not is_ours:
        gradient = pack_padded_sequence(gradient, lengths, enforce_sorted=False).data

    def run() -> None:
        for parameter in parameters:
            parameter.grad = None
        x.grad = None
        if lengths is None:
            output = layer(x)[0]
        elif is_ours:
            output = layer(x, lengths=lengths)[0]
        else:
            output = layer(pack_padded_sequence(x, lengths, enforce_sorted=False))[0].data
        torch.autograd.backward(output, gradient)

    return run


@contextmanager
def flushing(is_flushing: bool) -> Iterator[None]:
    """Tell torch to flush subnormal numbers to zero, or not to."""
    torch.set_flush_denormal(is_flushing)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def compare(
    shape: Shape, cell: str, *, pairs: int = 15, steps: int | None = None, flushes_subnormals: bool = True
) -> Timing:
    """Time our layer and torch's in alternation.

    A side takes `steps` steps when it is its turn, by default as many as take ours 20 ms, but at least one: the first
    finds caches and memory as the other side left them, the others find them as training does.
    """
    ours, theirs = layers_of(shape, cell)
    runs = (training_step(shape, ours, True), training_step(shape, theirs, False))
    with flushing(flushes_subnormals):
        for run in runs * 2:
            run()
        count = steps or _steps_of_a_turn(runs[0])
        times = [(seconds_of(runs[0], count), seconds_of(runs[1], count)) for _ in range(pairs)]
    return _timing(shape, cell, "torch", times, f"{torch_path(shape, cell)}, {_MODES[flushes_subnormals]}")


def compare_with(peer: Peer, shape: Shape, cell: str, *, pairs: int = 15, steps: int | None = None) -> Timing:
    """As `compare()`, with a library in a process of its own.

    The threads of the side before wait busily for some milliseconds, then sleep: so a turn begins with a rest, and with
    a step that is not timed.
    """
    run = training_step(shape, layers_of(shape, cell)[0], True)
    path = peer.prepare(shape, cell)
    run()
    count = steps or _steps_of_a_turn(run)
    times = []
    for _ in range(pairs):
        time.sleep(_REST)
        run()
        ours = seconds_of(run, count)
        time.sleep(_REST)
        peer.seconds()
        times.append((ours, peer.seconds(count)))
    return _timing(shape, cell, peer.name, times, path)


def _steps_of_a_turn(run: Callable[[], None]) -> int:
    return max(1, round(_TURN / min(seconds_of(run) for _ in range(5))))


def each(
    shapes: Sequence[Shape], peers: Sequence[Peer], *, pairs: int = 15, steps: int | None = None
) -> Iterator[Timing]:
    """Every cell at every shape against torch.nn, which flushes subnormal numbers or does not, and every peer."""
    for shape in shapes:
        for cell in CELLS:
            for flushes in _MODES:
                yield compare(shape, cell, pairs=pairs, steps=steps, flushes_subnormals=flushes)
            for peer in peers:
                yield compare_with(peer, shape, cell, pairs=pairs, steps=steps)


def _timing(shape: Shape, cell: str, peer: str, times: Sequence[tuple[float, float]], path: str) -> Timing:
    ratios = [b / a for a, b in times]
    low, middle, high = statistics.quantiles(ratios, n=4)
    ours, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    return Timing(shape.name, cell, peer, ours, theirs, middle, low, high, len(times), path)


def seconds_of(run: Callable[[], object], count: int = 1) -> float:
    """How long one call takes, as the mean of some in a row."""
    start = time.perf_counter()
    for _ in range(count):
        run()
    return (time.perf_counter() - start) / count


def streaming(hidden: int = 128, steps: int = 2000, in_a_row: int = 100) -> dict[str, float]:
    """Median seconds of one step with batch 1, ours and torch's, each taking `in_a_row` steps when it is its turn.

    `ours in turns` and `torch in turns` are the same with one step at a turn: weights have left the nearest cache.
    """
    ours, theirs = gatework.nn.LSTM(hidden, hidden), nn.LSTM(hidden, hidden)
    x = torch.randn(1, hidden)
    steps_of: dict[str, Callable[[Any], Any]] = {
        "ours": lambda state: ours.step(x, state)[1],
        "torch": lambda state: theirs(x.unsqueeze(0), state)[1],
    }
    results: dict[str, float] = {}
    with torch.inference_mode():
        for ending, turn in (("", in_a_row), (" in turns", 1)):
            states: dict[str, Any] = dict.fromkeys(steps_of)
            times: dict[str, list[float]] = {name: [] for name in steps_of}
            for _ in range(max(1, steps // turn)):
                for name, step in steps_of.items():
                    for _ in range(turn):
                        start = time.perf_counter()
                        states[name] = step(states[name])
                        times[name].append(time.perf_counter() - start)
            results |= {name + ending: statistics.median(seconds) for name, seconds in times.items()}
    return results


def tracing(pairs: int = 15) -> float:
    """The median time of a run that keeps every gate over that of a plain forward run."""
    layer, x = gatework.nn.LSTM(128, 128), torch.randn(200, 32, 128)
    with torch.inference_mode():
        layer.trace(x), layer(x)
        return statistics.median(
            seconds_of(lambda: layer.trace(x)) / seconds_of(lambda: layer(x)) for _ in range(pairs)
        )


def last_step(steps: int = 400, pairs: int = 15) -> float:
    """The median time of a training step whose loss is of the last step alone over that of a loss of every step.

    The gradient of the last step fades on its way back, to subnormal numbers where nothing flushes them.
    """
    layer, x = gatework.nn.LSTM(64, 64), torch.randn(steps, 32, 64)

    def run(is_last: bool) -> None:
        output = layer(x)[0]
        (output[-1] if is_last else output).sum().backward()

    for is_last in (True, False):
        run(is_last)
    return statistics.median(seconds_of(lambda: run(True)) / seconds_of(lambda: run(False)) for _ in range(pairs))


def as_json(timings: Sequence[Timing]) -> dict[str, object]:
    """Everything measured, with what it was measured on."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "instruction_set": kernels.active_isa(),
        "timings": [asdict(t) for t in timings],
    }
