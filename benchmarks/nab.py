"""The Numenta Anomaly Benchmark's standard score of gatework's detector, beside the simple ones.

    GATEWORK_DATA=DIR python benchmarks/nab.py [--seeds 3] [--scorer forecast] [--threshold adaptive] [--json FILE]

DIR/anomaly/nab holds `data/` and `labels/` of https://github.com/numenta/NAB (MIT). The files of realKnownCause and
artificialWithAnomaly are scored; with `--groups other` the remaining ones, by which the settings were chosen
(nab_settings.py), and with `--groups all` every file. Settings are the same for all series: the network learns from
each series' first 15 % of rows (at most 750), the benchmark's probation, which is not scored; then it goes row by row
and sees no later one.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import torch
from asking import data_folder

from gatework._files import atomic
from gatework.bench import nab
from gatework.bench.nab import Scored
from gatework.data.events import read_events
from gatework.data.tables import read_table
from gatework.options import TimeOptions
from gatework.tasks.detect.baselines import (
    isolation_forest,
    matrix_profile,
    random_scores,
    robust_z,
    seasonal_difference,
    windowed_gaussian,
)
from gatework.tasks.detect.detector import LIMIT, Detector
from gatework.tasks.detect.judges import judgings, ratios
from gatework.tasks.detect.options import DetectOptions
from gatework.tasks.detect.spans import fresh, onsets
from gatework.tasks.detect.thresholds import QuantileThreshold
from gatework.tasks.detect.value_rules import Extent, value_rules
from gatework.training import train

SCORED = ("realKnownCause", "artificialWithAnomaly")
OTHER = ("realAWSCloudwatch", "realAdExchange", "realTraffic", "realTweets", "artificialNoAnomaly")
# The halves by which the default of today was chosen and read, named in docs/benchmarks-detect.md before either was.
UNSEEN = ("realAdExchange", "realTraffic", "realTweets", *(f"realKnownCause/{name}" for name in ("cpu", "rogue")))
CHOSEN = ("artificialNoAnomaly", "artificialWithAnomaly", "realAWSCloudwatch") + tuple(
    f"realKnownCause/{name}" for name in ("ambient", "ec2", "machine", "nyc")
)
GROUPS = {"scored": SCORED, "other": OTHER, "chosen": CHOSEN, "unseen": UNSEEN, "all": (*SCORED, *OTHER)}
# For so many rows an event that is no larger is not told again; for every method but the benchmark's own two.
REST = 200
# The network learns what is usual from the probation, but for the last of it: these shares of it choose the epoch and
# begin the threshold, and measure the forecast.
SHARES = {"validation": 0.25, "test": 0.05}
DAY = 86_400_000_000


def series(root: Path, groups: tuple[str, ...]) -> dict[str, tuple[Path, list[tuple[int, int]]]]:
    """The files by name, with the first and last row of every labelled window."""
    windows = json.loads((root / "labels" / "combined_windows.json").read_text())
    found = {}
    for name, labelled in windows.items():
        path = root / "data" / name
        if not name.startswith(groups) or not path.is_file():
            continue
        stamps = pl.read_csv(path)["timestamp"].str.slice(0, 19)
        rows = {stamp: row for row, stamp in reversed(list(enumerate(stamps)))}
        found[name] = (path, [(rows[a[:19]], rows[b[:19]]) for a, b in labelled])
    return found


def detected(path: Path, seed: int, settings: dict[str, str], thresholds: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The detector's scores of every row by each threshold rule, learnt from the probation alone.

    Told once in so many rows as for the simple detectors, and, as "onsets", where the detector's own alarms begin: one
    a span, as `predict` numbers them and a stream marks with `is_start`.
    """
    table = pl.read_csv(path)
    learnt = table.head(nab.probation(len(table)))
    readings = read_events(read_table(table), TimeOptions(time="timestamp"), ("value",))
    scores = {}
    with tempfile.TemporaryDirectory() as folder:
        columns = {"time": "timestamp", "target": "value"}
        # Two threads gain nothing on batches this small.
        run = train("detect", learnt, out=Path(folder) / "run", seed=seed, threads=1, **columns, **SHARES, **settings)
        dataset = run.task.load(learnt, run.recipe)
        for threshold in thresholds:
            task = dataclasses.replace(run.task, settings=dataclasses.replace(run.task.settings, threshold=threshold))
            # Weights do not depend on the rule; what it begins with does.
            network = run.network
            network.usual = torch.zeros(len(judgings(task.settings)), *network.usual.shape[1:])
            task.calibrate(network, dataset, [])
            found = np.nan_to_num(Detector(network, task).answers(readings.series[0]).scores)
            scores[threshold] = fresh(found, REST)
            scores[f"{threshold}, onsets"] = onsets(found, LIMIT, task.settings.gap)
    return scores


def simple(path: Path) -> dict[str, np.ndarray]:
    """The scores of the simple detectors."""
    table = pl.read_csv(path, try_parse_dates=True)
    values = table["value"].to_numpy().astype(np.float64)
    first = nab.probation(len(values))
    step = float(np.median(np.diff(table["timestamp"].dt.epoch("us").to_numpy())))
    season = round(DAY / step)
    found = {
        "no change": seasonal_difference(values[:, None], 1),
        "robust z-score": robust_z(values[:, None]),
        "seasonal difference": seasonal_difference(values[:, None], season if season < first // 2 else 1),
        "isolation forest": isolation_forest(values[:, None], fit_rows=first),
        "matrix profile": matrix_profile(values[:, None], season if season < first // 4 else first // 4),
    }
    scores = {}
    for name, errors in found.items():
        rule = QuantileThreshold(floor=0.0)
        rule.fit(errors[:first])
        limits = np.maximum(rule.run(errors), 1e-9)
        scores[name] = fresh(np.nan_to_num(errors / (errors + limits)), REST)
    scores["no change, adaptive, onsets"] = onsets(adaptive(values), LIMIT, DetectOptions().gap)
    gaussian = windowed_gaussian(values)
    scores["windowed Gaussian (NAB's)"] = gaussian.round(12)
    scores["windowed Gaussian, told once"] = fresh(gaussian, REST)
    scores["random (NAB's, seed 42)"] = random_scores(len(values), 42)
    return scores


def adaptive(values: np.ndarray) -> np.ndarray:
    """The scores of "no change" by the rules of the adaptive threshold, with the detector's share of the probation."""
    first = nab.probation(len(values))
    low, high = (int(share * first) for share in (1 - sum(SHARES.values()), 1 - SHARES["test"]))
    learnt = values[:low, None]
    std = np.where(learnt.std(axis=0) > 0, learnt.std(axis=0), 1.0)
    errors = seasonal_difference(values[:, None], 1)[:, None] / std
    settings = DetectOptions(threshold="adaptive")
    smoothed = [judging.smoothing(1).run(errors) for judging in judgings(settings)]
    said = [ratios(judgings(settings), smoothed, [each[low:high] for each in smoothed])]
    said += [rule(Extent.fit([learnt]), std).run(values[:, None])[:, 0] for rule in value_rules(settings)]
    ratio = np.nan_to_num(np.max(said, axis=0))
    scores: np.ndarray = ratio / (1 + ratio)
    return scores


def kept(folder: Path | None, name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What `make` gives, or what it gave before where a folder keeps it."""
    if folder is None:
        return make()
    file = folder / f"{re.sub('[^a-zA-Z0-9]+', '-', name)}.npz"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = make()
        with atomic(file) as temporary, open(temporary, "wb") as handle:
            np.savez(handle, **found)
    with np.load(file) as content:
        return {key: content[key] for key in content.files}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--scorer", default="forecast")
    parser.add_argument("--threshold", default="combined", help="one rule, or several: combined,quantile")
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--groups", choices=GROUPS, default="scored", help="which of the benchmark's files")
    parser.add_argument("--simple", action="store_true", help="the simple detectors alone")
    parser.add_argument("--keep", type=Path, help="keep each series' scores here; a repeated call goes on from them")
    parser.add_argument("--json", type=Path, help="write the figures")
    options = parser.parse_args()
    data_folder("anomaly", "nab", "labels")
    found = series(data_folder("anomaly", "nab"), GROUPS[options.groups])
    rows: dict[str, dict[str, np.ndarray]] = {}
    for name, (path, _) in found.items():
        for method, scores in kept(options.keep, f"simple {name}", functools.partial(simple, path)).items():
            rows.setdefault(method, {})[name] = scores
        for seed in range(10):
            rows.setdefault(f"random, seed {seed}", {})[name] = random_scores(rows["robust z-score"][name].size, seed)
    settings = {"scorer": options.scorer, "cell": options.cell}
    thresholds = tuple(options.threshold.split(","))
    for seed in [] if options.simple else range(options.first_seed, options.first_seed + options.seeds):
        start = time.process_time()
        for name, (path, _) in found.items():
            answer = functools.partial(detected, path, seed, settings, thresholds)
            title = f"{options.cell}, {options.scorer}, {options.threshold}, seed {seed} {name}"
            for threshold, scores in kept(options.keep, title, answer).items():
                method = f"gatework {options.cell}, {options.scorer}, {threshold}, seed {seed}"
                rows.setdefault(method, {})[name] = scores
        print(f"# seed {seed}: {time.process_time() - start:.0f} s of processor time", flush=True)
    report(rows, found, options.json)


def report(rows: dict[str, dict[str, np.ndarray]], found: dict[str, tuple[Path, list]], out: Path | None) -> None:
    """Prints every method's score, best first, and each file's sum of weights of the best network run."""
    scored = {}
    for method, by_name in rows.items():
        corpus = {name: Scored(scores, found[name][1]) for name, scores in by_name.items()}
        scored[method] = {profile: nab.score(corpus, weights) for profile, weights in nab.PROFILES.items()}
        if method.startswith("gatework"):
            own = nab.score_at(corpus, 0.5)
            print(f"# {method}: {own.score:.1f} at its own threshold instead of the corpus' best")
    for method, results in sorted(scored.items(), key=lambda item: -item[1]["standard"].score):
        figures = "  ".join(f"{results[profile].score:7.1f}" for profile in nab.PROFILES)
        print(f"{method:<44}{figures}   threshold {results['standard'].threshold:.4f}")
    for method, results in scored.items():
        if method.startswith("gatework"):
            print(f"\n{method}")
            for name, total in results["standard"].sums.items():
                print(f"  {name:<64}{total:7.2f} of {len(found[name][1])}")
    if out is not None:
        content = {
            method: {
                **{profile: result.score for profile, result in results.items()},
                "files": dict(results["standard"].sums),
            }
            for method, results in scored.items()
        }
        out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
