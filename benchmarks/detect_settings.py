"""How the detector's defaults were chosen: thresholds and smoothings on made faults of every kind and built-in series.

    python benchmarks/detect_settings.py --keep FOLDER [--seeds 3] [--budgets 0.5,1,2] [--made]
        [--sparse] [--learnt 600 --rows 3000]

One network per made series (7 sensors, 12 faults each) and seed, and per built-in series; every setting judges the
errors that they leave. With `--sparse` the series are five others, which rest at 0 in most rows. Prints one Markdown
row per setting: span F1 over all faults, its mean over sensors, precision, false alarms per week, the delay in rows,
and how many faults of each kind are found.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from gatework.bench.faulty import sparse
from gatework.bench.faulty.sensors import KINDS, SENSORS, faulty_series
from gatework.bench.faulty.sparse import sparse_series
from gatework.data.events import read_events
from gatework.data.sets import table_of
from gatework.data.tables import read_table
from gatework.options import TimeOptions
from gatework.recipe import find_recipe
from gatework.tasks.detect.baselines import beyond
from gatework.tasks.detect.budget import factor, weeks_of
from gatework.tasks.detect.detector import Detector
from gatework.tasks.detect.judges import JUDGINGS, judgings, ratios
from gatework.tasks.detect.kinds import KINDS as NAMED
from gatework.tasks.detect.kinds import STUCK, KindWatch
from gatework.tasks.detect.metrics import labelled_spans
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.spans import spans
from gatework.tasks.detect.value_rules import Extent, StuckRule, value_rules
from gatework.training import train

BUILT_IN = ("nyc-taxi", "machine-temperature", "daily-jumps")
SMOOTHS = (0, 1, 3, 5, 12)
# The shares of the learnt rows that are for the weights, and with those for the epoch and the threshold.
TRAINED, HELD = 0.7, 0.95
Series = dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, parents=[asked()]
    )
    parser.add_argument("--budgets", default="0.5,1,2")
    parser.add_argument("--made", action="store_true", help="the made series alone, without the built-in ones")
    parser.add_argument("--sparse", action="store_true", help="made series that rest in most rows, and no others")
    parser.add_argument("--learnt", type=int, default=3000, help="rows that a network learns a made series from")
    parser.add_argument(
        "--rows", type=int, default=6000, help="rows of a made series; a folder keeps those of one length"
    )
    options, seeds = parsed(parser)
    known = made_series(options.keep, seeds, options.learnt, options.rows, is_sparse=options.sparse)
    known |= {} if options.made or options.sparse else built_in_series(options.keep)
    columns = ("setting", "span F1", "mean over sensors", "precision", "false per week", "delay", *KINDS, "built-in")
    print(f"{len(known)} series\n| {' | '.join(columns)} |\n| {' | '.join('---' for _ in columns)} |", flush=True)
    show("no change", known, lambda one: judged(one, np.abs(np.diff(one["values"], prepend=one["values"][0]))))
    show("training range", known, outside)
    for rule in JUDGINGS:
        for smooth in SMOOTHS:
            settings = DetectOptions(threshold=rule, smooth=smooth)
            show(f"{rule}, smooth {smooth or 'its own'}", known, by(settings))
    show("combined, errors alone", known, by(DetectOptions(), is_alone=True))
    for budget in map(float, options.budgets.split(",")):
        show(f"combined, {budget:g} alarms per week", known, by(DetectOptions(alarms_per_week=budget)))
    show_kinds({key: one for key, one in known.items() if key not in BUILT_IN})


def asked() -> argparse.ArgumentParser:
    """What benchmarks on made series are asked for: the folder that keeps errors, and seeds; a parent of their own."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--keep", type=Path, required=True, help="keep each series' errors here")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    return parser


def parsed(parser: argparse.ArgumentParser) -> tuple[argparse.Namespace, range]:
    """What was asked for, with the folder made, and the seeds."""
    options = parser.parse_args()
    options.keep.mkdir(parents=True, exist_ok=True)
    return options, range(options.first_seed, options.first_seed + options.seeds)


def made_series(keep: Path, seeds: range, learnt: int, rows: int, *, is_sparse: bool = False) -> dict[str, Series]:
    """Every made series with the errors of a network that learnt from its first rows."""
    found, make = {}, sparse_series if is_sparse else faulty_series
    for seed in seeds:
        for sensor in sparse.SENSORS if is_sparse else SENSORS:
            made = make(sensor, seed, learnt=learnt, rows=rows)
            faults = np.array([(KINDS.index(f.kind), f.first, f.last) for f in made.faults])
            found[f"{sensor}-{seed}"] = kept(
                keep / f"{sensor}-{seed}.npz", made.stamps, made.values, made.learnt, faults, seed
            )
    return found


def built_in_series(keep: Path) -> dict[str, Series]:
    """Every built-in series likewise."""
    found = {}
    for name in BUILT_IN:
        frame = table_of(name, find_recipe("sensor").data).frame
        stamps = frame["timestamp"].cast(pl.String).str.to_datetime().to_numpy()
        values, marks = frame["value"].to_numpy().astype(float), frame["anomaly"].cast(pl.Float64).to_numpy()
        faults = np.array([(len(KINDS), span.first, span.last) for span in labelled_spans(marks)])
        learnt = min(int(0.3 * len(values)), int(faults[0, 1]) - 100)
        found[name] = kept(keep / f"{name}.npz", stamps, values, learnt, faults, 0)
    return found


def kept(file: Path, stamps: np.ndarray, values: np.ndarray, learnt: int, faults: np.ndarray, seed: int) -> Series:
    if not file.exists():
        frame = pl.DataFrame({"time": stamps, "value": values})
        with tempfile.TemporaryDirectory() as folder:
            shares = {"validation": HELD - TRAINED, "test": 1 - HELD}
            columns = {"time": "time", "target": "value"}
            run = train(
                "detect", frame.head(learnt), out=Path(folder) / "run", seed=seed, threads=1, **shares, **columns
            )
            watch = Detector.of(run).watch("")
        rows = read_events(read_table(frame), TimeOptions(time="time"), ("value",)).series[0]
        errors = watch.errors(rows.values, rows.stamps)[0][:, 0]
        np.savez(file, errors=errors, values=values, stamps=rows.stamps, learnt=learnt, faults=faults)
    return dict(np.load(file))


def by(settings: DetectOptions, *, is_alone: bool = False) -> Callable[[Series], np.ndarray]:
    return lambda one: judged(one, one["errors"], settings, is_alone=is_alone)


def judged(
    one: Series, errors: np.ndarray, settings: DetectOptions | None = None, *, is_alone: bool = True
) -> np.ndarray:
    """Which rows are flagged by a detector's settings, its rules beginning with the held-back rows.

    Args:
        one: The series.
        errors: One per row.
        settings: Threshold, smoothing and budget.
        is_alone: Whether the errors alone are judged, without the rules on values beside them.
    """
    settings = settings or DetectOptions()
    chosen, low, high = judgings(settings), int(TRAINED * one["learnt"]), int(HELD * one["learnt"])
    smoothed = [judging.smoothing(1).run(errors[:, None]) for judging in chosen]
    usual = [each[low:high] for each in smoothed]
    beside = np.zeros(len(errors)) if is_alone else by_value(one, settings, low)
    limit = 1.0
    if settings.alarms_per_week:
        middle = len(usual[0]) // 2
        halves = [[each[:middle] for each in usual], [each[middle:] for each in usual]]
        quotients = np.concatenate([ratios(chosen, *pair) for pair in (halves, halves[::-1])])
        weeks = weeks_of([one["stamps"][low:high]])
        limit = factor([np.maximum(quotients, beside[low:high])], weeks, settings.alarms_per_week, settings.gap)
    return np.maximum(ratios(chosen, smoothed, usual), beside) > limit


def by_value(one: Series, settings: DetectOptions, trained: int) -> np.ndarray:
    """The largest ratio of the rules on values, shape (rows,)."""
    values = one["values"][:, None]
    extent, std = Extent.fit([values[:trained]]), values[:trained].std(axis=0)
    said = [rule(extent, np.where(std > 0, std, 1.0)).run(values)[:, 0] for rule in value_rules(settings)]
    return np.max([np.zeros(len(values)), *said], axis=0)


def outside(one: Series) -> np.ndarray:
    learnt = one["values"][: one["learnt"], None]
    return beyond(one["values"][:, None], np.stack([learnt.min(axis=0), learnt.max(axis=0)])) > 0.5


def show(name: str, known: dict[str, Series], flag: Callable[[Series], np.ndarray]) -> None:
    hits, false, weeks = [], {}, 0.0
    for key, one in known.items():
        flags = flag(one)
        flags[: one["learnt"]] = False
        flagged = spans(flags, None, DetectOptions().gap)
        faults = [fault for fault in one["faults"].tolist() if fault[2] >= one["learnt"]]
        for kind, first, last in faults:
            delays = [max(span.first - first, 0) for span in flagged if span.first <= last and first <= span.last]
            hits.append((key.rsplit("-", 1)[0] if key not in BUILT_IN else key, kind, min(delays, default=-1)))
        wrong = [s for s in flagged if not any(s.first <= last and first <= s.last for _, first, last in faults)]
        false.setdefault(hits[-1][0], []).append(len(wrong))
        weeks += weeks_of([one["stamps"][one["learnt"] :]])
    found = np.array([delay >= 0 for _, _, delay in hits])
    kinds, names = np.array([kind for _, kind, _ in hits]), np.array([key for key, _, _ in hits])
    each = [f1(found[names == key], sum(counts)) for key, counts in false.items()]
    wrong = sum(map(sum, false.values()))
    delay = np.mean([delay for _, _, delay in hits if delay >= 0]) if found.any() else np.nan
    figures = [f"{f1(found, wrong):.3f}", f"{np.mean(each):.3f}", f"{found.sum() / max(found.sum() + wrong, 1):.2f}"]
    figures += [f"{wrong / weeks:.2f}", f"{delay:.0f}"]
    figures += [f"{found[kinds == kind].mean():.2f}" for kind in range(len(KINDS) + 1)]
    print(f"| {name} | {' | '.join(figures)} |", flush=True)


def show_kinds(known: dict[str, Series]) -> None:
    """What kind the default detector says each fault is, in its last flagged row."""
    said = np.zeros((len(KINDS), len(NAMED) + 1), dtype=int)
    for one in known.values():
        values, trained, settings = one["values"][:, None], int(TRAINED * one["learnt"]), DetectOptions()
        flags, std = by(settings)(one), values[:trained].std(axis=0)
        is_stuck = flags & (StuckRule(Extent.fit([values[:trained]]), std).run(values)[:, 0] > 1)
        watch = KindWatch(1, (86_400,), settings.gap)
        scaled = (values - values[:trained].mean(axis=0)) / std
        known, causes = np.where(is_stuck, STUCK, -1), np.zeros(len(flags), dtype=int)
        kinds = watch.run(scaled, one["stamps"].astype(np.int64), flags, causes, known)
        for kind, first, last in one["faults"].tolist():
            rows = first + np.flatnonzero(flags[first : last + 1])
            said[kind, kinds[rows[-1]] if len(rows) else -1] += 1
    print(f"\n| fault | {' | '.join(NAMED)} | missed |\n| {' | '.join('---' for _ in range(len(NAMED) + 2))} |")
    for kind, row in zip(KINDS, said, strict=True):
        print(f"| {kind} | {' | '.join(map(str, row))} |", flush=True)


def f1(found: np.ndarray, false: int) -> float:
    return 2 * found.sum() / (found.sum() + false + len(found))


if __name__ == "__main__":
    main()
