"""Detectors on made series that change for good, and break afterwards: what goes on alarming, and what is still found.

    python benchmarks/detect_lasting.py --keep FOLDER [--seeds 3] [--first-seed 0]

Seven sensors learn from 3,000 rows. At row 3,400 the level shifts (by 0.7 to 2 deviations, or far, by 3 to 6), noise
grows (half as large again as what was there), the cycle runs at another speed, or all swings are half as large again;
that stays so. From row 4,500 on one fault of each kind follows. Prints one Markdown row per change and detector: the
share of changes that are told within 100 rows, the rows until the detector is silent (median), the share of rows
flagged from 300 rows after the change on, false alarms, and the span F1 of the faults, each found only by an alarm
that begins in it.
"""

import argparse
from pathlib import Path

import numpy as np
from detect_settings import Series, asked, by, kept, outside, parsed

from gatework.bench.faulty import sensors
from gatework.tasks.detect.baselines import seasonal_difference
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.spans import spans

CHANGES = ("none", "level", "far", "noise", "speed", "swings")
LEARNT, CHANGED, FAULTY, ROWS = 3000, 3400, 4500, 6000
# Rows after a fault in which an alarm may tell of the way back.
BACK = 24


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, parents=[asked()]
    )
    options, seeds = parsed(parser)
    detectors = {
        "combined": by(DetectOptions()),
        "adaptive": by(DetectOptions(threshold="adaptive")),
        "no change": lambda one: by(DetectOptions(), is_alone=True)(one | {"errors": differences(one)}),
        "training range": outside,
    }
    columns = ("change", "detector", "told", "rows until silent", "flagged later", "false alarms", "span F1 later")
    print(f"| {' | '.join(columns)} |\n| {' | '.join('---' for _ in columns)} |", flush=True)
    for change in CHANGES:
        known = [made(options.keep, sensor, seed, change) for seed in seeds for sensor in sensors.SENSORS]
        for name, flag in detectors.items():
            print(f"| {change} | {name} | {' | '.join(figures(known, [flag(one) for one in known]))} |", flush=True)


def made(keep: Path, sensor: str, seed: int, change: str) -> Series:
    """A series that changes, with the errors of a network that learnt from the rows before."""
    clean = sensors.sensor_of(sensor, np.random.default_rng([sensors.SENSORS.index(sensor), seed]), ROWS)
    random = np.random.default_rng([sensors.SENSORS.index(sensor), seed, CHANGES.index(change), 77])
    size = float(clean.values[:LEARNT].std())
    values = changed(clean, random, change, size)
    is_noisier = change == "noise" or (change == "speed" and not clean.cycle)
    now = sensors.Made(values.copy(), clean.noise * (1.8 if is_noisier else 1), clean.cycle)
    kinds, room, marks = random.permutation(sensors.KINDS), (ROWS - FAULTY) // len(sensors.KINDS), []
    for place, kind in enumerate(kinds):
        first = FAULTY + place * room + int(random.integers(0, room // 4))
        last = first + min(sensors.length_of(kind, random), room - room // 4 - 30) - 1
        values[first : last + 1] = sensors.broken(kind, random, now, first, last, size)
        marks.append((sensors.KINDS.index(kind), first, last))
    file = keep / f"{sensor}-{seed}-{change}.npz"
    return kept(file, sensors.stamps_of(ROWS), values, LEARNT, np.array(marks), seed)


def changed(clean: sensors.Made, random: np.random.Generator, change: str, size: float) -> np.ndarray:
    """The values of a sensor whose ways change at row `CHANGED`."""
    values, rows = clean.values.copy(), ROWS - CHANGED
    if change in ("level", "far"):
        values[CHANGED:] += random.choice([-1, 1]) * random.uniform(*((0.7, 2) if change == "level" else (3, 6))) * size
    elif change == "speed" and clean.cycle:
        back = 3300 // clean.cycle * clean.cycle
        speed = random.choice([0.7, 1.4])
        values[CHANGED:] = values[CHANGED - back + (speed * np.arange(rows)).astype(int) % back]
    elif change in ("noise", "speed"):  # where there is no cycle, noise grows
        values[CHANGED:] += random.normal(0, 1.5 * clean.noise, rows)
    elif change == "swings":
        middle = clean.values[:LEARNT].mean()
        values[CHANGED:] = middle + 1.5 * (values[CHANGED:] - middle)
    return values


def differences(one: Series) -> np.ndarray:
    """The errors of "no change", in deviations of the learnt rows."""
    errors: np.ndarray = seasonal_difference(one["values"][:, None], 1) / one["values"][: int(one["learnt"])].std()
    return errors


def figures(known: list[Series], flagged: list[np.ndarray]) -> list[str]:
    told, silent, later, false, found = [], [], [], 0, 0
    for one, flags in zip(known, flagged, strict=True):
        flags[:LEARNT] = False
        alarms, marks = spans(flags, None, DetectOptions().gap), one["faults"].tolist()
        of_change = next((s for s in alarms if s.last >= CHANGED and s.first < CHANGED + 100), None)
        told.append(of_change is not None)
        silent.append(of_change.last - CHANGED if of_change else 0)
        is_usual = np.ones(ROWS, dtype=bool)
        for _, first, last in marks:
            is_usual[first : last + BACK + 1] = False
        later.append(flags[CHANGED + 300 :][is_usual[CHANGED + 300 :]].mean())
        starts = [s.first for s in alarms if s.first >= CHANGED + 100]
        found += sum(any(first <= start <= last for start in starts) for _, first, last in marks)
        false += sum(not any(first <= start <= last + BACK for _, first, last in marks) for start in starts)
    count = sum(len(one["faults"]) for one in known)
    f1 = 2 * found / (found + false + count)
    per_series = false / len(known)
    return [
        f"{np.mean(told):.2f}",
        f"{np.median(silent):.0f}",
        f"{np.mean(later):.3f}",
        f"{per_series:.1f}",
        f"{f1:.3f}",
    ]


if __name__ == "__main__":
    main()
