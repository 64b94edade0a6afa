"""Timing of layers against torch.nn and other libraries: paired, alternating, as ratios with their spread.

Absolute times do not travel from machine to machine and drift on one; a ratio of two runs that follow each other does
neither. Each figure is the median over the pairs with its quartiles.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import torch

from gatework.bench.clock import flushing, seconds_of
from gatework.bench.frameworks import Peer
from gatework.bench.shapes import CELLS, Shape, layers_of, training_step
from gatework.scan import kernels

_MODES = {True: "flushed", False: "as it comes"}
_REST = 0.02
_TURN = 0.02


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


def torch_path(shape: Shape, cell: str) -> str:
    """What torch.nn runs on the CPU."""
    is_fused = cell == "lstm" and shape.shortest is None and torch.backends.mkldnn.is_available()
    return "oneDNN" if is_fused else "a loop over the steps"


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
    return summary_of(shape, cell, "torch", times, f"{torch_path(shape, cell)}, {_MODES[flushes_subnormals]}")


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
    return summary_of(shape, cell, peer.name, times, path)


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


def summary_of(shape: Shape, cell: str, peer: str, times: Sequence[tuple[float, float]], path: str) -> Timing:
    """The medians and quartiles of at least two pairs of seconds, ours and the peer's; none lies outside them."""
    ratios = [b / a for a, b in times]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    ours, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    return Timing(shape.name, cell, peer, ours, theirs, middle, low, high, len(times), path)


def as_json(timings: Sequence[Timing]) -> dict[str, object]:
    """Everything measured, with what it was measured on."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "instruction_set": kernels.active_isa(),
        "timings": [asdict(t) for t in timings],
    }
