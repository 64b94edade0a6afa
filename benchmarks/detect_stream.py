"""A million rows through `gatework predict RUN --stream`: rows per second, and memory as they go by.

python benchmarks/detect_stream.py --out FOLDER [--rows 1000000] [--series 1]
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from gatework import training

LEARNT = 4000
START = datetime.datetime(2024, 1, 1)


def readings(rows: int, series: int, seed: int) -> Iterator[str]:
    """Lines of CSV: sensors read in turn every five minutes, with a daily cycle, noise, and now and then a jump."""
    noise = random.Random(seed)
    yield "timestamp,sensor,value"
    for row in range(rows):
        number = row // series
        jump = 5.0 * (number % 5000 > 4990)
        value = 20 + 5 * math.sin(2 * math.pi * number / 288) + noise.gauss(0, 0.3) + jump
        yield f"{START + number * datetime.timedelta(minutes=5)},s{row % series},{value:.3f}"


def learn(out: Path, series: int) -> Path:
    """The run of a detector trained on some rows of each sensor."""
    table = pl.read_csv("\n".join(readings(LEARNT, series, seed=0)).encode())
    columns = {"time": "timestamp", "target": "value", "series": "sensor"}
    return training.train("detect", table, out=out / "run", threads=1, **columns).path


def resident(process: int) -> float:
    """The memory that a process holds, in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def feed(lines: Iterator[str], pipe: IO[str]) -> None:
    for line in lines:
        print(line, file=pipe)
    pipe.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--series", type=int, default=1)
    options = parser.parse_args()
    program = str(Path(sys.executable).with_name("gatework"))
    command = [program, "predict", str(learn(options.out, options.series)), "--stream"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = readings(options.rows, options.series, seed=1)
        threading.Thread(target=feed, args=(lines, process.stdin), daemon=True).start()
        start, flagged = time.perf_counter(), 0
        for row, answer in enumerate(process.stdout, start=1):
            flagged += '"is_anomaly": true' in answer
            if row == 1:
                start = time.perf_counter()
            if row % (options.rows // 10) == 0 or row == 1000:
                rate = (row - 1) / (time.perf_counter() - start)
                held = resident(process.pid)
                print(f"{row:>9,} rows  {rate:6,.0f} rows/s  {held:6.1f} MB  {flagged:,} flagged", flush=True)
    if process.returncode:
        sys.exit(process.returncode)


if __name__ == "__main__":
    main()
