"""Made series that rest nearly always, with faults of every kind at known rows: counters, commands, jobs, rain, modes.

Their errors are almost 0 in nearly all rows, which is another kind of series than those of
`gatework.bench.faulty.sensors`, whose kinds of faults they have:

- point: one to three rows well above the largest usual burst, or by as much below the rest;
- contextual: a burst at another time of day, or, where bursts follow no clock, several bursts without a rest between;
- level: the rest is not 0 for a while, above or below;
- drift: the rest leaves 0 slowly, up or down, and is repaired at once;
- stuck: a burst that does not end;
- rhythm: bursts come several times as often.

Counters and modes stay whole numbers in a fault, as a sensor's resolution stays what it is. Everything follows from the
seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gatework.bench.faulty import sensors
from gatework.bench.faulty.sensors import DAY, Fault, FaultySeries, stamps_of

SENSORS = ("errors", "command", "job", "rain", "mode")
"""The kinds of sensors."""
# Of each sensor's values.
_RESOLUTION = {"errors": 1.0, "command": 1.0, "job": 0.01, "rain": 0.1, "mode": 1.0}


def sparse_series(sensor: str, seed: int, *, learnt: int = 3000, rows: int = 6000, each: int = 2) -> FaultySeries:
    """A series of a sensor with every kind of fault.

    Args:
        sensor: One of `SENSORS`.
        seed: Of bursts, faults and their order.
        learnt: Rows without fault at the beginning.
        rows: Rows in all.
        each: Faults of each kind.
    """
    random = np.random.default_rng([SENSORS.index(sensor), 11, seed])
    usual, often = _SENSORS[sensor](random, rows, 1.0), _SENSORS[sensor](random, rows, random.uniform(4, 8))
    values = usual.copy()
    made = []
    for kind, first, longest in sensors.places(np.repeat(sensors.KINDS, each), random, learnt, rows):
        last = first + min(sensors.length_of(kind, random), longest) - 1
        part = often[first : last + 1] if kind == "rhythm" else _broken(kind, random, usual, sensor, first, last)
        unit = _RESOLUTION[sensor]
        values[first : last + 1] = np.round(part / unit) * unit
        made.append(Fault(kind, first, last))
    return FaultySeries(stamps_of(rows), values, learnt, tuple(made))


def _broken(
    kind: str, random: np.random.Generator, usual: np.ndarray, sensor: str, first: int, last: int
) -> np.ndarray:
    part, rows = usual[first : last + 1], last + 1 - first
    bursts = usual[usual > 0]
    typical, largest = float(np.median(bursts)), float(bursts.max())
    sign = random.choice([-1.0, 1.0])
    if kind == "point":
        return part + sign * largest * random.uniform(1.2, 3)
    if kind == "contextual" and sensor == "job":
        day = first // DAY * DAY
        return usual[(np.arange(rows) + day + _JOB_AT - 2) % len(usual)]
    if kind == "contextual":
        return bursts[int(random.integers(0, len(bursts) - rows)) :][:rows]
    if kind == "stuck":
        return np.full(rows, random.choice(bursts))
    height = sign * max(typical * random.uniform(0.3, 1.5), _RESOLUTION[sensor])
    return part + height * (np.linspace(0, 1, rows) if kind == "drift" else np.ones(rows))


def _errors(random: np.random.Generator, rows: int, often: float) -> np.ndarray:
    """Errors of a link, counted: none in nearly all rows, sometimes one, rarely a few in a row."""
    values = random.poisson(0.02 * often, rows).astype(np.float64)
    for start in np.flatnonzero(random.random(rows) < 0.004 * often):
        part = values[start : start + int(random.geometric(0.5))]
        part += random.poisson(3, len(part))
    return values


def _command(random: np.random.Generator, rows: int, often: float) -> np.ndarray:
    """A command: on for one to six rows, at any time."""
    values = np.zeros(rows)
    for start in np.flatnonzero(random.random(rows) < 0.01 * often):
        values[start : start + int(random.integers(1, 7))] = 1.0
    return values


_JOB_AT = 6


def _job(random: np.random.Generator, rows: int, often: float) -> np.ndarray:
    """A job of the night: at about the same time of every day, as much as there is to do."""
    values = np.zeros(rows)
    for day in range(0, rows, int(DAY / often)):
        start = day + _JOB_AT + int(random.integers(-1, 2))
        part = values[start : start + int(random.integers(2, 5))]
        part += random.normal(40, 8, len(part)).clip(10)
    return values


def _rain(random: np.random.Generator, rows: int, often: float) -> np.ndarray:
    """Rain: spells of a few hours, of any strength."""
    values = np.zeros(rows)
    for start in np.flatnonzero(random.random(rows) < 0.008 * often):
        part = values[start : start + int(random.geometric(0.12))]
        part += random.gamma(0.8, 2.0) * random.gamma(2.0, 0.5, len(part))
    return np.round(values, 1)


def _mode(random: np.random.Generator, rows: int, often: float) -> np.ndarray:
    """The mode of a machine: at rest, and every few days through one to two and back."""
    values = np.zeros(rows)
    for start in np.flatnonzero(random.random(rows) < 0.006 * often):
        lengths = random.integers(3, 12, 3)
        part = values[start : start + int(lengths.sum())]
        part[:] = np.repeat([1.0, 2.0, 1.0], lengths)[: len(part)]
    return values


_SENSORS: dict[str, Callable[[np.random.Generator, int, float], np.ndarray]] = {
    "errors": _errors,
    "command": _command,
    "job": _job,
    "rain": _rain,
    "mode": _mode,
}
