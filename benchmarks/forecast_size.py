"""A table of 1,000 series x 1,000 rows: seconds and memory from the CSV file to a forecast, with every default.

python benchmarks/forecast_size.py --out FOLDER [--series 1000] [--rows 1000] [--threads N]
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl

from gatework import training


def write(path: Path, series: int, rows: int) -> None:
    """Daily series with a weekly season, a level of their own and a random walk."""
    random = np.random.default_rng(0)
    days = np.datetime64("2020-01-01") + np.arange(rows)
    level, phase = 10 + 50 * random.random((series, 1)), 6 * random.random((series, 1))
    values = level * (1 + 0.3 * np.sin(2 * np.pi * np.arange(rows) / 7 + phase))
    values += random.normal(size=(series, rows)).cumsum(axis=1)
    names = np.repeat([f"s{k}" for k in range(series)], rows)
    pl.DataFrame({"id": names, "date": np.tile(days, series), "y": values.ravel()}).write_csv(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = options.out / "table.csv"
    write(table, options.series, options.rows)
    start = time.perf_counter()
    columns = {"time": "date", "target": "y", "series": "id", "horizon": 28}
    run = training.train("forecast", table, out=options.out / "run", threads=options.threads, **columns)
    forecasts = len(run.predict())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    seconds, processor = time.perf_counter() - start, time.process_time()
    print(f"{forecasts:,} forecasts after {seconds:.0f} s ({processor:.0f} s of processor time), peak {peak:.2f} GB")


if __name__ == "__main__":
    main()
