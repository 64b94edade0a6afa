"""How the detector's defaults were chosen: the NAB score of many settings on files that the benchmark page leaves out.

    GATEWORK_DATA=DIR python benchmarks/nab_settings.py --keep FOLDER [--seeds 3]

DIR/anomaly/nab as for nab.py, with the groups realAWSCloudwatch, realAdExchange, realTraffic, realTweets and
artificialNoAnomaly. The labels of realKnownCause and artificialWithAnomaly are not looked at. Networks are trained once
per file and seed; smoothing, threshold and rest are tried on the errors that they leave.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from asking import data_folder
from nab import OTHER, SHARES, kept, series

from gatework.bench import nab
from gatework.bench.nab import Scored
from gatework.data.events import read_events
from gatework.data.tables import read_table
from gatework.options import TimeOptions
from gatework.tasks.detect.detector import Detector
from gatework.tasks.detect.spans import fresh
from gatework.tasks.detect.thresholds import DynamicThreshold, PeaksThreshold, QuantileThreshold, Threshold
from gatework.training import train

SMOOTH = (1, 2, 3, 5)
RESTS = (0, 20, 50, 100, 200)
RULES: Mapping[str, Callable[[], Threshold]] = {
    **{
        f"quantile {quantile}, margin {margin}": functools.partial(QuantileThreshold, quantile, margin)
        for quantile, margin in itertools.product((0.99, 0.995, 0.999, 0.9995), (1.1, 1.25, 1.5, 2.0))
    },
    "pot": PeaksThreshold,
    "dynamic": DynamicThreshold,
}


def errors(path: Path, seed: int) -> dict[str, np.ndarray]:
    """The errors of every row, and those of the validation part, by a network that learnt from the probation."""
    table = pl.read_csv(path)
    learnt = table.head(nab.probation(len(table)))
    with tempfile.TemporaryDirectory() as folder:
        columns = {"time": "timestamp", "target": "value"}
        run = train("detect", learnt, out=Path(folder) / "run", seed=seed, threads=1, smooth=1, **SHARES, **columns)
        watch = Detector.of(run).watch("")
    rows = read_events(read_table(table), TimeOptions(time="timestamp"), ("value",)).series[0]
    found = np.nan_to_num(watch.errors(rows.values, rows.stamps)[0][:, 0])
    train_end, validation_end = (int(share * len(learnt) + 1e-9) for share in (0.7, 0.95))
    return {"errors": found, "usual": np.arange(train_end, validation_end)}


def scores(found: Mapping[str, np.ndarray], smooth: int, rule: Callable[[], Threshold]) -> np.ndarray:
    smoothed = np.convolve(found["errors"], np.full(smooth, 1 / smooth))[: len(found["errors"])]
    threshold = rule()
    threshold.fit(smoothed[found["usual"]])
    limits = threshold.run(smoothed)
    return smoothed / (smoothed + limits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=Path, required=True, help="keep each series' errors here")
    options = parser.parse_args()
    files = series(data_folder("anomaly", "nab"), OTHER)
    left = {
        (name, seed): kept(options.keep, f"errors, seed {seed} {name}", functools.partial(errors, path, seed))
        for name, (path, _) in files.items()
        for seed in range(options.seeds)
    }
    print(
        f"{len(files)} series; the best threshold for the corpus, and the detector's own, mean of {options.seeds} seeds"
    )
    for smooth, (rule, make) in itertools.product(SMOOTH, RULES.items()):
        found = {key: scores(one, smooth, make) for key, one in left.items()}
        for rest in RESTS:
            best, own = [], []
            for seed in range(options.seeds):
                corpus = {name: Scored(fresh(found[name, seed], rest), files[name][1]) for name in files}
                best.append(nab.score(corpus).score)
                own.append(nab.score_at(corpus, 0.5).score)
            figures = f"{np.mean(best):6.1f}{np.mean(own):8.1f}"
            print(f"{figures}  smooth {smooth}, {rule}, rest {rest}", flush=True)


if __name__ == "__main__":
    main()
