"""ETT, the field's protocol: 12, 4 and 4 months, scaled by the training part, seven variables in and out.

    python benchmarks/ett.py PATH/ETTh1.csv.gz --out FOLDER [--horizons 96,336] [--seeds 3]

Reads a file of https://github.com/zhouhaoyi/ETDataset (ETTh1, ETTh2: hours; ETTm1, ETTm2: quarters of an hour), trains,
and prints a Markdown table of the mean squared and absolute errors beside simple methods on the same windows and the
published figures. Every origin of the test part counts. What is finished is kept in FOLDER and not made again; an
interrupted training goes on.

The answer is the weighted mean of several networks and of a ridge regression on each of their windows, by the weights
of `train forecast`, which fall with a power of the error on the validation part. A network is named by its window and
by what it adds to: a regression on that window or the last value. As squared errors ask for a mean, a network's
forecast is the mean of its quantiles. The networks, that mean and these weights were chosen by blocks of the first 16
months of ETTh1 and ETTh2, see docs/benchmarks-forecast.md. Settings can be compared with `--part validation`: the file
then ends with its sixteenth month, and what is printed is of the validation part.
"""

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from runs import finished, settings, take_settings

from gatework.recipe import Recipe
from gatework.tasks._blend import weights_by_error
from gatework.tasks.forecast.data import ForecastDataset
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import spreads
from gatework.tasks.forecast.methods import LinearOnLags, Naive, Seasonal
from gatework.tasks.forecast.metrics import LEVELS
from gatework.tasks.forecast.windows import Origins, OriginSplit, origins_of
from gatework.training import Run
from gatework.training.fitting import prepare

HOURS = 30 * 24
TRAIN, VALIDATION, TEST = 12 * HOURS, 4 * HOURS, 4 * HOURS
# Mean squared and absolute error. SegRNN, "all": S. Lin et al., "SegRNN: Segment Recurrent Neural Network for Long-Term
# Time Series Forecasting", IEEE Internet of Things Journal 2026, table II; "whole batches": the preprint of 2023, table
# 2, whose program left the last windows out that do not fill a batch of 256 (github.com/lss-1138/SegRNN says so).
# PatchTST/64: Y. Nie et al., "A Time Series is Worth 64 Words", ICLR 2023, table 3, and DLinear there, after A. Zeng et
# al., "Are Transformers Effective for Time Series Forecasting?", AAAI 2023; both leave windows out likewise.
PUBLISHED = {
    "SegRNN, all windows": {
        ("ETTh1", 96): (0.351, 0.392),
        ("ETTh1", 336): (0.423, 0.433),
        ("ETTm1", 96): (0.293, 0.354),
        ("ETTm1", 336): (0.357, 0.399),
    },
    "SegRNN, whole batches": {
        ("ETTh1", 96): (0.341, 0.376),
        ("ETTh1", 336): (0.401, 0.417),
        ("ETTm1", 96): (0.282, 0.335),
        ("ETTm1", 336): (0.349, 0.383),
    },
    "PatchTST/64, whole batches": {
        ("ETTh1", 96): (0.370, 0.400),
        ("ETTh1", 336): (0.422, 0.440),
        ("ETTm1", 96): (0.293, 0.346),
        ("ETTm1", 336): (0.369, 0.392),
    },
    "DLinear, whole batches": {
        ("ETTh1", 96): (0.375, 0.399),
        ("ETTh1", 336): (0.439, 0.443),
        ("ETTm1", 96): (0.299, 0.343),
        ("ETTm1", 336): (0.369, 0.386),
    },
}
_BLOCK, _BATCH = 4096, 256
NETWORKS = {1: "336:linear,720:linear,720:last", 4: "720:linear"}
"""The networks of hourly files and of quarters of an hour, each its window and what it adds to."""

Errors = tuple[float, float]
"""Mean squared and mean absolute error."""


def main() -> None:
    options = _options()
    name = options.file.name.partition(".")[0]
    frame, by_hour = read(options.file, options.part)
    options.out.mkdir(parents=True, exist_ok=True)
    for horizon in map(int, options.horizons.split(",")):
        folder, networks, simply = options.out / f"{name}-{horizon}", {}, {}
        for member in (options.networks or NETWORKS[by_hour]).split(","):
            window, _, skip = member.partition(":")
            chosen = recipe(horizon, by_hour, frame.columns[1:], options, int(window), skip)
            dataset = _dataset(frame, chosen)
            simply[f"regression {window}"] = partial(forecasts, regression(dataset), dataset)
            for seed in range(options.seeds):
                run = trained(folder / f"{skip}{window}-seed{seed}", dataset, chosen.changed(seed=seed), options)
                networks[member, seed] = partial(kept, run, dataset)
        rows = judged(networks, simply, dataset, options)
        print(table(name, horizon, rows), flush=True)


def judged(
    networks: Mapping[tuple[str, int], Callable[[str], np.ndarray]],
    simply: Mapping[str, Callable[[str], np.ndarray]],
    dataset: ForecastDataset,
    options: argparse.Namespace,
) -> dict[str, dict[str, Errors]]:
    """The errors of every answer, every member, and the simple methods.

    Args:
        networks: Gives what a network says of a part, by its name and seed.
        simply: The same of the regressions, by name.
        dataset: Any of the data sets: their origins are alike.
        options: The command's.
    """
    parts = dict.fromkeys(("validation", options.part))
    said = {part: {key: make(part) for key, make in networks.items()} for part in parts}
    simple = {part: {key: make(part) for key, make in simply.items()} for part in parts}
    names = dict.fromkeys(member for member, _ in networks)
    rows = {}

    def answer(label: str, seeds: range) -> None:
        members = {
            part: {name: np.mean([said[part][name, seed] for seed in seeds], axis=0) for name in names} | simple[part]
            for part in parts
        }
        off = {key: errors(value, dataset, "validation") for key, value in members["validation"].items()}
        weights = weights_by_error({key: each["all windows"][1] for key, each in off.items()})
        print(f"{label}: {', '.join(f'{share:.2f} {key}' for key, share in weights.items())}", flush=True)
        mean = np.sum([share * members[options.part][key] for key, share in weights.items()], axis=0)
        rows[label] = errors(mean, dataset, options.part)

    for seed in range(options.seeds):
        answer(f"answer, seed {seed}", range(seed, seed + 1))
    if options.seeds > 1:
        answer(f"answer of all {options.seeds} seeds", range(options.seeds))
    for (name, seed), value in said[options.part].items():
        rows[f"{name}, seed {seed}"] = errors(value, dataset, options.part)
    for name, value in simple[options.part].items():
        rows[name] = errors(value, dataset, options.part)
    for point in (Seasonal(dataset.plan.season), Naive()):
        rows[point.name] = errors(forecasts(point, dataset, options.part), dataset, options.part)
    return rows


def _dataset(frame: pl.DataFrame, chosen: Recipe) -> ForecastDataset:
    dataset, _ = prepare(frame, "forecast", chosen, {})
    assert isinstance(dataset, ForecastDataset)
    return dataset


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--horizons", default="96,336")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--networks", help="window:skip of each, as 336:linear,720:last")
    take_settings(parser)
    return parser.parse_args()


def read(path: Path, part: str) -> tuple[pl.DataFrame, int]:
    """The months of the protocol, each variable standardised by the first twelve; and the steps of an hour."""
    frame = pl.read_csv(path, try_parse_dates=True)
    by_hour = round(3600 / (frame["date"][1] - frame["date"][0]).total_seconds())
    end = TRAIN + VALIDATION + (TEST if part == "test" else 0)
    frame, head = frame.head(by_hour * end), frame.head(by_hour * TRAIN)
    names = frame.columns[1:]
    return frame.with_columns((pl.col(n) - head[n].mean()) / head[n].std(ddof=0) for n in names), by_hour


def recipe(horizon: int, by_hour: int, names: list[str], options: argparse.Namespace, window: int, skip: str) -> Recipe:
    """One setting for every horizon; the segment and the number of windows go by the steps of an hour."""
    held = by_hour * VALIDATION
    parts = {"validation_steps": held, "test_steps": by_hour * TEST}
    if options.part == "validation":
        parts = {"validation_steps": held - horizon, "test_steps": horizon}
    chosen = Recipe(task="forecast").changed(
        time="date",
        target=",".join(names),
        horizon=horizon,
        window=window,
        segment=24 if by_hour == 1 else 48,
        season=24 * by_hour,
        skip=skip,
        max_windows=60_000 if by_hour == 1 else 120_000,
        max_origins=200,
        scaling="series",
        calendar=False,
        blend=False,
        cell="gru",
        hidden=128,
        dropout=0.1,
        epochs=4,
        batch_size=256,
        learning_rate=1e-3,
        schedule="cosine",
        **parts,
    )
    return chosen.changed(**settings(options))


def trained(out: Path, dataset: ForecastDataset, chosen: Recipe, options: argparse.Namespace) -> Run:
    """A finished run, from where it was left."""
    start = time.process_time()
    run = finished(out, dataset, chosen, options.threads)
    print(f"{out.name}: {time.process_time() - start:.0f} s of CPU time", flush=True)
    return run


def kept(run: Run, dataset: ForecastDataset, part: str) -> np.ndarray:
    """What a network says of a part, made once."""
    file = run.path / f"{part}.npy"
    if not file.exists():
        np.save(file, forecasts(partial(network_forecast, run), dataset, part).astype(np.float32))
    said: np.ndarray = np.load(file)
    return said


def network_forecast(run: Run, origins: Origins) -> np.ndarray:
    """The means of a network's quantiles, shape (origins, horizon); each stands for the probabilities nearest to it."""
    outputs: np.ndarray = run.task.outputs(run.network, run.task.encode(OriginSplit(origins)))[0]
    levels = np.array(LEVELS)
    shares = np.diff([0, *(levels[1:] + levels[:-1]) / 2, 1])
    mean: np.ndarray = outputs @ shares.astype(outputs.dtype)
    return mean


def regression(dataset: ForecastDataset) -> LinearOnLags:
    """The ridge regression on the windows that the network reads."""
    spread = spreads(dataset.table, dataset.ends)
    return LinearOnLags(dataset.table, Linear.fit(origins_of(dataset.train), dataset.plan.window, spread), spread)


def every(dataset: ForecastDataset, part: str) -> Origins:
    """All origins of a part, in the order of time, each with all variables."""
    plan, end = dataset.plan, int(dataset.ends[0])
    first = end if part == "validation" else end + plan.validation_steps
    steps = plan.validation_steps if part == "validation" else plan.test_steps
    origins = origins_of(dataset.test)
    targets = len(origins.table.columns.targets)
    index = [(0, target, first + step) for step in range(steps - plan.horizon + 1) for target in range(targets)]
    return dataclasses.replace(origins, index=np.array(index, dtype=np.int64))


def forecasts(forecast: Callable[[Origins], np.ndarray], dataset: ForecastDataset, part: str) -> np.ndarray:
    """Of every origin of a part, some thousand at a time, shape (origins, horizon)."""
    return np.concatenate([forecast(block) for block in blocks(every(dataset, part))])


def errors(said: np.ndarray, dataset: ForecastDataset, part: str) -> dict[str, Errors]:
    """Over all windows, and over those that fill whole batches of 256, as programs of the field counted them."""
    origins = every(dataset, part)
    squared, absolute = np.empty(len(origins)), np.empty(len(origins))
    done = 0
    for block in blocks(origins):
        place = slice(done, done + len(block))
        gap = said[place] - block.actuals()["value"]
        squared[place], absolute[place] = (gap**2).mean(axis=1), np.abs(gap).mean(axis=1)
        done += len(block)
    targets = len(origins.table.columns.targets)
    full = len(origins) // targets // _BATCH * _BATCH * targets
    return {
        "all windows": (float(squared.mean()), float(absolute.mean())),
        "whole batches": (float(squared[:full].mean()), float(absolute[:full].mean())),
    }


def blocks(origins: Origins) -> Iterator[Origins]:
    """Some thousand origins at a time, so that memory stays small."""
    for start in range(0, len(origins), _BLOCK):
        yield origins[np.arange(start, min(start + _BLOCK, len(origins)))]


def table(name: str, horizon: int, rows: dict[str, dict[str, Errors]]) -> str:
    """The figures beside the published ones."""
    head = f"{name}, {horizon} steps"
    lines = [f"| {head} | MSE, all windows | MAE | MSE, whole batches | MAE |", "| --- |" + " --- |" * 4]
    means = {}
    for label in dict.fromkeys(key.partition(", seed")[0] for key in rows if ", seed" in key):
        seeds = [row for key, row in rows.items() if key.startswith(f"{label}, seed")]
        if len(seeds) > 1:
            deviation = np.std([seed["all windows"][0] for seed in seeds])
            mean = {way: tuple(np.mean([seed[way] for seed in seeds], axis=0)) for way in seeds[0]}
            means[f"{label}, {len(seeds)} seeds ± {deviation:.4f}"] = mean
    for label, row in {**means, **rows}.items():
        lines.append(f"| {label} | " + " | ".join(f"{value:.4f}" for way in row for value in row[way]) + " |")
    for label, figures in PUBLISHED.items():
        if (name, horizon) in figures:
            cells = [f"{value:.3f}" for value in figures[name, horizon]]
            cells = [*cells, "", ""] if label.endswith("all windows") else ["", "", *cells]
            lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
