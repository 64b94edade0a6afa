"""A detector on a table of 1,000 series x 1,000 rows: seconds and memory from the CSV file to a judged table.

python benchmarks/detect_size.py --out FOLDER [--series 1000] [--rows 1000] [--threads N]
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl

from gatework import training


def write(path: Path, series: int, rows: int) -> None:
    """Hourly sensors with a daily cycle, a level and a spread of their own, and some jumps."""
    random = np.random.default_rng(0)
    hours = np.datetime64("2024-01-01T00", "us") + np.arange(rows) * np.timedelta64(1, "h")
    level, spread = 100 * random.random((series, 1)), 0.1 + random.random((series, 1))
    values = np.sin(2 * np.pi * np.arange(rows) / 24) + 0.2 * random.normal(size=(series, rows))
    values += 3 * (random.random((series, rows)) < 0.001)
    names = np.repeat([f"s{k}" for k in range(series)], rows)
    pl.DataFrame(
        {"sensor": names, "time": np.tile(hours, series), "value": (level + spread * values).ravel()}
    ).write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = options.out / "table.csv"
    write(table, options.series, options.rows)
    start = time.perf_counter()
    columns = {"time": "time", "target": "value", "series": "sensor"}
    run = training.train("detect", table, out=options.out / "run", threads=options.threads, **columns)
    trained = time.perf_counter() - start
    judged = run.predict(table)
    seconds, processor = time.perf_counter() - start, time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    flagged = int(judged["is_anomaly"].sum())
    print(f"trained after {trained:.0f} s, {run.summary['epochs']} epochs")
    print(f"{len(judged):,} rows judged, {flagged:,} of them flagged")
    print(f"{seconds:.0f} s in all ({processor:.0f} s of processor time), peak {peak:.2f} GB")


if __name__ == "__main__":
    main()
