"""What judging several columns against one another adds to the default detector: on made machines with faults.

    python benchmarks/detect_columns.py --keep FOLDER [--seeds 3] [--first-seed 0]

One network per machine (3 machines of four columns, 14 faults in one column each) and seed; every setting judges the
errors that they leave. Prints one Markdown row per setting, with the figures of benchmarks/detect_settings.py.
"""

import argparse
import tempfile
from pathlib import Path

import detect_settings
import numpy as np
import polars as pl
from detect_settings import HELD, TRAINED, Series, asked, parsed

from gatework.bench.faulty.machines import KINDS, MACHINES, faulty_machine
from gatework.data.events import read_events
from gatework.data.tables import read_table
from gatework.options import TimeOptions
from gatework.tasks.detect.detector import Detector
from gatework.tasks.detect.judges import judgings, ratios
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.relations import Relation
from gatework.tasks.detect.value_rules import Extent, value_rules
from gatework.training import train

COLUMNS = ("a", "b", "c", "d")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, parents=[asked()]
    )
    options, seeds = parsed(parser)
    known = {f"{machine}-{seed}": kept(options.keep, machine, seed) for seed in seeds for machine in MACHINES}
    detect_settings.KINDS, detect_settings.BUILT_IN = KINDS, ()
    columns = ("setting", "span F1", "mean over machines", "precision", "false per week", "delay", *KINDS, "")
    print(f"{len(known)} machines\n| {' | '.join(columns)} |\n| {' | '.join('---' for _ in columns)} |", flush=True)
    for key, one in known.items():
        one["key"] = np.array(key)
    judged = {key: settings(one) for key, one in known.items()}
    for name in next(iter(judged.values())):
        detect_settings.show(name, known, lambda one, name=name: judged[str(one["key"])][name] > 1)


def kept(keep: Path, machine: str, seed: int) -> Series:
    """A machine with the signed errors of a network that learnt from its first rows."""
    file = keep / f"{machine}-{seed}.npz"
    if not file.exists():
        made = faulty_machine(machine, seed)
        frame = pl.DataFrame({"time": made.stamps, **dict(zip(COLUMNS, made.values.T, strict=True))})
        shares = {"validation": HELD - TRAINED, "test": 1 - HELD}
        with tempfile.TemporaryDirectory() as folder:
            learnt = frame.head(made.learnt)
            settings = {"time": "time", "target": ",".join(COLUMNS), "seed": seed, "threads": 1, **shares}
            watch = Detector.of(train("detect", learnt, out=Path(folder) / "run", **settings)).watch("")
        rows = read_events(read_table(frame), TimeOptions(time="time"), COLUMNS).series[0]
        signed = (rows.values - watch.mean) / watch.std - watch.errors(rows.values, rows.stamps)[1]
        faults = np.array([(KINDS.index(fault.kind), fault.first, fault.last) for fault in made.faults])
        np.savez(file, signed=signed, values=made.values, stamps=rows.stamps, learnt=made.learnt, faults=faults)
    return dict(np.load(file))


def settings(one: Series) -> dict[str, np.ndarray]:
    """The largest ratio of every row by setting, above 1 where it is flagged."""
    from sklearn.covariance import LedoitWolf

    trained, held = int(TRAINED * one["learnt"]), int(HELD * one["learnt"])
    values, signed = one["values"], np.nan_to_num(one["signed"])
    extent, std = Extent.fit([values[:trained]]), values[:trained].std(axis=0)
    by_value = [np.nan_to_num(rule(extent, std).run(values)).max(axis=1) for rule in value_rules(DetectOptions())]
    alone = np.max([of(np.abs(signed), trained, held), *by_value], axis=0)
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(signed[trained:held]).covariance_)
    distance = np.sqrt(np.einsum("ti,ij,tj->t", signed, precision, signed) / signed.shape[1])[:, None]
    scaled = (values - values[:trained].mean(axis=0)) / std
    relation = np.abs(scaled @ Relation.fit(scaled[:trained]).weights)
    beside = {
        "Mahalanobis distance of the errors": distance,
        "each error against the others'": np.abs(signed @ precision) / np.sqrt(np.diag(precision)),
        "**each value against the others** (the default)": relation,
    }
    together = {name: np.maximum(alone, of(errors, trained, held)) for name, errors in beside.items()}
    return {"columns by themselves": alone} | together


def of(errors: np.ndarray, low: int, high: int) -> np.ndarray:
    """How the default detector judges errors, its rules beginning with the held-back rows, shape (rows,)."""
    chosen = judgings(DetectOptions())
    smoothed = [judging.smoothing(errors.shape[1]).run(errors) for judging in chosen]
    return ratios(chosen, smoothed, [each[low:high] for each in smoothed])


if __name__ == "__main__":
    main()
