"""Made series of sensors with faults of every kind at known rows: what the detector's defaults were chosen on.

Seven kinds of sensors, each with noise of its own, and six kinds of faults, as a watcher of machines tells them apart:

- point: one to three rows far off;
- contextual: values that are usual, only not at that time: the rows of half a cycle earlier;
- level: a shift of the level for a while;
- drift: a slow departure that is repaired at once;
- stuck: the last value, repeated;
- rhythm: the cycle runs at another speed, or, where there is none, the noise is several times as large.

Strengths are drawn so that some faults hardly show, as in life. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

KINDS = ("point", "contextual", "level", "drift", "stuck", "rhythm")
"""The kinds of faults."""
SENSORS = ("daily", "cycle", "level", "traffic", "waves", "counts", "load")
"""The kinds of sensors."""
_APART = 120
_FIRST = np.datetime64("2024-01-01T00:00", "us")
_STEP = np.timedelta64(30, "m")
DAY = 48
"""Rows of a day."""


@dataclass(frozen=True)
class Fault:
    """A fault in a series.

    Attributes:
        kind: One of `KINDS`.
        first: Its first row.
        last: Its last row.
    """

    kind: str
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class FaultySeries:
    """A made series.

    Attributes:
        stamps: One per row, microseconds, shape (rows,).
        values: Shape (rows,).
        learnt: So many of the first rows are without fault, to learn from.
        faults: The faults in the others, in their order.
    """

    stamps: np.ndarray
    values: np.ndarray
    learnt: int
    faults: tuple[Fault, ...]

    @property
    def labels(self) -> np.ndarray:
        """1 within faults, else 0, shape (rows,)."""
        marks = np.zeros(len(self.values))
        for fault in self.faults:
            marks[fault.first : fault.last + 1] = 1
        return marks


def places(kinds: np.ndarray, random: np.random.Generator, learnt: int, rows: int) -> Iterator[tuple[str, int, int]]:
    """The kinds of faults in a drawn order, each with its first row and the most rows that it has room for.

    Args:
        kinds: A kind for each fault, shape (faults,).
        random: What draws; a place is drawn when it is asked for.
        learnt: Rows without fault at the beginning.
        rows: Rows in all.
    """
    kinds = random.permutation(kinds)
    room = (rows - learnt - _APART) // len(kinds)
    for place, kind in enumerate(kinds):
        first = learnt + _APART + place * room + int(random.integers(0, room // 4))
        yield str(kind), first, room - room // 4 - _APART // 4


def faulty_series(sensor: str, seed: int, *, learnt: int = 3000, rows: int = 6000, each: int = 2) -> FaultySeries:
    """A series of a sensor with every kind of fault.

    Args:
        sensor: One of `SENSORS`.
        seed: Of noise, faults and their order.
        learnt: Rows without fault at the beginning.
        rows: Rows in all.
        each: Faults of each kind.
    """
    random = np.random.default_rng([SENSORS.index(sensor), seed])
    made = sensor_of(sensor, random, rows)
    values, size = made.values.copy(), float(made.values[:learnt].std())
    faults = []
    for kind, first, longest in places(np.repeat(KINDS, each), random, learnt, rows):
        last = first + min(length_of(kind, random), longest) - 1
        values[first : last + 1] = broken(kind, random, made, first, last, size)
        faults.append(Fault(kind, first, last))
    return FaultySeries(stamps_of(rows), values, learnt, tuple(faults))


@dataclass(frozen=True, eq=False)
class Made:
    """A column without faults.

    Attributes:
        values: Shape (rows,).
        noise: The typical noise of a row.
        cycle: Rows of one cycle; 0 where there is none.
    """

    values: np.ndarray
    noise: float
    cycle: int


def stamps_of(rows: int) -> np.ndarray:
    """The times of made rows, microseconds, shape (rows,)."""
    stamps: np.ndarray = _FIRST + _STEP * np.arange(rows)
    return stamps


def sensor_of(sensor: str, random: np.random.Generator, rows: int) -> Made:
    """A sensor without faults.

    Args:
        sensor: One of `SENSORS`.
        random: What is drawn from.
        rows: How many rows it has.
    """
    return _SENSORS[sensor](random, rows)


def length_of(kind: str, random: np.random.Generator) -> int:
    """How many rows a fault of this kind has."""
    return _LENGTHS[kind](random)


def broken(kind: str, random: np.random.Generator, made: Made, first: int, last: int, size: float) -> np.ndarray:
    """The values of a column during a fault.

    Args:
        kind: One of `KINDS`.
        random: What is drawn from.
        made: The column without faults.
        first: The fault's first row.
        last: Its last row.
        size: The column's standard deviation.
    """
    return _FAULTS[kind](random, made, first, last, size)


def _daily(random: np.random.Generator, rows: int) -> Made:
    """A temperature: warm by day, cooler at the weekend."""
    turn = 2 * np.pi * np.arange(rows) / DAY
    week = 1 - 0.3 * (np.arange(rows) // DAY % 7 >= 5)
    values = 20 + 5 * week * np.sin(turn) + 1.5 * np.sin(2 * turn + 1) + remembering(random, rows, 0.7, 0.3)
    return Made(values, 0.4, DAY)


def _cycle(random: np.random.Generator, rows: int) -> Made:
    """A machine that goes on and off by its own clock."""
    lengths = random.normal(30, 1.0, 2 + rows // 15).round().astype(int)
    state = np.repeat(np.arange(len(lengths)) % 2, lengths)[:rows].astype(np.float64)
    smooth = np.convolve(np.pad(state, (4, 0), mode="edge"), np.full(5, 0.2), mode="valid")
    return Made(10 + 8 * smooth + random.normal(0, 0.4, rows), 0.4, 60)


def _level(random: np.random.Generator, rows: int) -> Made:
    """A tank whose level wanders about a set point."""
    return Made(50 + remembering(random, rows, 0.97, 0.5) + random.normal(0, 0.3, rows), 0.6, 0)


def _traffic(random: np.random.Generator, rows: int) -> Made:
    """Requests: twice a day a peak, with noise in proportion and some bursts."""
    turn = 2 * np.pi * np.arange(rows) / DAY
    shape = np.exp(0.6 * np.sin(turn) + 0.4 * np.sin(2 * turn + 0.5))
    return Made(100 * shape * np.exp(random.standard_t(5, rows) * 0.08), 12.0, DAY)


def _waves(random: np.random.Generator, rows: int) -> Made:
    """Telemetry: two slow oscillations that follow no clock, and little noise."""
    time = np.arange(rows)
    values = np.sin(2 * np.pi * time / 83) + 0.6 * np.sin(2 * np.pi * time / 37 + 1) + random.normal(0, 0.05, rows)
    return Made(values, 0.05, 83)


def _counts(random: np.random.Generator, rows: int) -> Made:
    """Passengers: few at night, a working day's two peaks."""
    turn = 2 * np.pi * np.arange(rows) / DAY
    workday = 1 - 0.4 * (np.arange(rows) // DAY % 7 >= 5)
    mean = 12 * workday * np.exp(0.9 * np.sin(turn - 1) + 0.3 * np.sin(2 * turn))
    return Made(random.poisson(mean).astype(np.float64), 4.0, DAY)


def _load(random: np.random.Generator, rows: int) -> Made:
    """A processor's load: jobs of all sizes begin at any time, and none of that is a fault."""
    values = 10 + remembering(random, rows, 0.8, 0.5)
    for start in np.flatnonzero(random.random(rows) < 0.03):
        length = 1 + int(random.exponential(2))
        values[start : start + length] += random.exponential(12) * np.ones(len(values[start : start + length]))
    return Made(values, 1.5, 0)


def remembering(random: np.random.Generator, rows: int, memory: float, size: float) -> np.ndarray:
    """Noise that remembers: each row is a share of the one before it plus a new draw."""
    drawn, series = random.normal(0, size, rows), np.zeros(rows)
    for row in range(1, rows):
        series[row] = memory * series[row - 1] + drawn[row]
    return series


def _sign(random: np.random.Generator) -> float:
    return float(random.choice([-1.0, 1.0]))


def _point(random: np.random.Generator, made: Made, first: int, last: int, size: float) -> np.ndarray:
    off = max(random.uniform(0.8, 2.5) * size, random.uniform(5, 9) * made.noise)
    return made.values[first : last + 1] + _sign(random) * off


def _contextual(random: np.random.Generator, made: Made, first: int, last: int, size: float) -> np.ndarray:
    if not made.cycle:
        # Where no time is unlike another, usual values in an unusual order: the rows backwards.
        return made.values[first : last + 1][::-1] + _sign(random) * size
    back = made.cycle // 2
    return made.values[first - back : last + 1 - back]


def _shifted(random: np.random.Generator, made: Made, first: int, last: int, size: float) -> np.ndarray:
    return made.values[first : last + 1] + _sign(random) * max(random.uniform(0.7, 2.0) * size, 3 * made.noise)


def _drifting(random: np.random.Generator, made: Made, first: int, last: int, size: float) -> np.ndarray:
    ramp = np.linspace(0, 1, last + 1 - first)
    return made.values[first : last + 1] + _sign(random) * ramp * max(random.uniform(1.2, 3.0) * size, 4 * made.noise)


def _stuck(_: np.random.Generator, made: Made, first: int, last: int, __: float) -> np.ndarray:
    return np.full(last + 1 - first, made.values[first - 1])


def _rhythm(random: np.random.Generator, made: Made, first: int, last: int, _: float) -> np.ndarray:
    rows = np.arange(last + 1 - first)
    if not made.cycle:
        return made.values[first : last + 1] + random.normal(0, random.uniform(3, 6) * made.noise, len(rows))
    speed = random.choice([0.5, 0.6, 1.6, 2.0])
    # Looked up in the past, so that nothing of the future is repeated.
    start = first - made.cycle * int(np.ceil(1 + speed * len(rows) / made.cycle))
    return made.values[start + (speed * rows).astype(int)]


_SENSORS: dict[str, Callable[[np.random.Generator, int], Made]] = {
    "daily": _daily,
    "cycle": _cycle,
    "level": _level,
    "traffic": _traffic,
    "waves": _waves,
    "counts": _counts,
    "load": _load,
}
_FAULTS: dict[str, Callable[[np.random.Generator, Made, int, int, float], np.ndarray]] = {
    "point": _point,
    "contextual": _contextual,
    "level": _shifted,
    "drift": _drifting,
    "stuck": _stuck,
    "rhythm": _rhythm,
}
_LENGTHS: dict[str, Callable[[np.random.Generator], int]] = {
    "point": lambda random: int(random.integers(1, 4)),
    "contextual": lambda random: int(random.integers(12, 40)),
    "level": lambda random: int(random.integers(20, 120)),
    "drift": lambda random: int(random.integers(60, 160)),
    "stuck": lambda random: int(random.integers(24, 120)),
    "rhythm": lambda random: int(random.integers(60, 140)),
}
