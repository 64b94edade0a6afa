"""Made machines whose columns go together, with faults of every kind in one of them.

Besides the kinds of `gatework.bench.faulty.sensors` there is one that no column shows by itself:

- relation: a column goes on as it would if the machine did something else at that time: its values, its rhythm and its
  noise are usual, only they no longer go with those of the other columns.

Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gatework.bench.faulty import sensors
from gatework.bench.faulty.sensors import Fault

KINDS = (*sensors.KINDS, "relation")
"""The kinds of faults."""
MACHINES = ("pump", "room", "service")
"""The kinds of machines."""


@dataclass(frozen=True, eq=False)
class FaultyMachine:
    """A made machine.

    Attributes:
        stamps: One per row, microseconds, shape (rows,).
        values: Shape (rows, columns).
        learnt: So many of the first rows are without fault, to learn from.
        faults: The faults in the others, in their order.
        columns: The column that each fault is in.
    """

    stamps: np.ndarray
    values: np.ndarray
    learnt: int
    faults: tuple[Fault, ...]
    columns: tuple[int, ...]


def faulty_machine(machine: str, seed: int, *, learnt: int = 3000, rows: int = 6600, each: int = 2) -> FaultyMachine:
    """A machine with every kind of fault.

    Args:
        machine: One of `MACHINES`.
        seed: Of noise, faults and their order.
        learnt: Rows without fault at the beginning.
        rows: Rows in all.
        each: Faults of each kind.
    """
    random = np.random.default_rng([MACHINES.index(machine), 7, seed])
    usual, noise, cycle = _MACHINES[machine](random, rows)
    # The same machine at another time: what a column shows while it does not go with the others.
    elsewhere, _, _ = _MACHINES[machine](random, rows)
    values = usual.copy()
    made, columns = [], []
    for kind, first, longest in sensors.places(np.repeat(KINDS, each), random, learnt, rows):
        column = int(random.integers(0, values.shape[1]))
        length = int(random.integers(24, 100)) if kind == "relation" else sensors.length_of(kind, random)
        last = first + min(length, longest) - 1
        if kind == "relation":
            back = int(random.integers(cycle // 4, cycle - cycle // 4)) if cycle else 0
            values[first : last + 1, column] = elsewhere[first - back : last + 1 - back, column]
        else:
            size = float(usual[:learnt, column].std())
            of_column = sensors.Made(usual[:, column], float(noise[column]), cycle)
            values[first : last + 1, column] = sensors.broken(kind, random, of_column, first, last, size)
        made.append(Fault(kind, first, last))
        columns.append(column)
    return FaultyMachine(sensors.stamps_of(rows), values, learnt, tuple(made), tuple(columns))


def _pump(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, int]:
    """A pump that goes on and off by its own clock: speed, pressure, flow and power follow one another."""
    lengths = random.normal(30, 2.0, 2 + rows // 15).round().astype(int)
    state = np.repeat(np.arange(len(lengths)) % 2, lengths)[:rows].astype(np.float64)
    load = sensors.remembering(random, rows, 0.95, 0.06)
    speed = np.convolve(np.pad(state, (4, 0), mode="edge"), np.full(5, 0.2), mode="valid") * (1 + load)
    clean = np.stack(
        [100 * speed, 2 + 3 * speed**2, 40 * speed * (1 - 0.3 * load), 5 + 20 * speed**2 * (1 + load)], axis=1
    )
    noise = np.array([1.5, 0.08, 1.0, 0.6])
    return clean + random.normal(0, noise, clean.shape), noise, 60


def _room(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, int]:
    """A building: the air outside, two rooms and their heating, by day and by weather."""
    turn = 2 * np.pi * np.arange(rows) / sensors.DAY
    weather = sensors.remembering(random, rows, 0.98, 0.25)
    outside = 8 + 4 * np.sin(turn) + weather
    people = np.clip(np.sin(turn - 0.6), 0, None) * np.exp(sensors.remembering(random, rows, 0.9, 0.1))
    heating = 30 - 1.5 * outside - 4 * people
    rooms = [20 + 0.15 * (outside - 8) + 1.2 * people, 19 + 0.3 * (outside - 8) + 0.6 * people]
    clean = np.stack([outside, heating, *rooms], axis=1)
    noise = np.array([0.2, 0.5, 0.12, 0.12])
    return clean + random.normal(0, noise, clean.shape), noise, sensors.DAY


def _service(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, int]:
    """A service: requests by the time of day, and what they cost in processor time, memory and delay."""
    turn = 2 * np.pi * np.arange(rows) / sensors.DAY
    requests = 100 * np.exp(0.6 * np.sin(turn) + 0.3 * np.sin(2 * turn) + sensors.remembering(random, rows, 0.9, 0.08))
    processor = 5 + 0.25 * requests
    memory = 200 + 0.5 * np.convolve(np.pad(requests, (11, 0), mode="edge"), np.full(12, 1 / 12), mode="valid")
    delay = 20 + 300 / np.maximum(100 - processor, 5)
    clean = np.stack([requests, processor, memory, delay], axis=1)
    noise = np.array([6.0, 1.5, 3.0, 0.3])
    return clean + random.normal(0, noise, clean.shape), noise, sensors.DAY


_MACHINES: dict[str, Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray, int]]] = {
    "pump": _pump,
    "room": _room,
    "service": _service,
}
