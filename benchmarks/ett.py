"""ETT, the field's protocol: 12, 4 and 4 months, scaled by the training part, seven variables in and out.

    python benchmarks/ett.py PATH/ETTh1.csv.gz --out FOLDER [--horizons 96,336] [--seeds 3] [--minutes 14]

Reads a file of https://github.com/zhouhaoyi/ETDataset (ETTh1, ETTh2: hours; ETTm1, ETTm2: quarters of an hour), trains,
and prints a Markdown table of the mean squared and absolute errors beside simple methods on the same windows and the
published figures. Every origin of the test part counts, which needs no more memory than a block of them. What is
finished is kept in FOLDER and not made again; an interrupted training goes on.

The network adds to a regression on the window, which did better on other hourly series; with `--skips last,linear` the
validation part chooses between that and the last value. It chooses the share of the network in its mean with the
regression. Other settings were chosen with `--part validation`: the file then ends with its sixteenth month, and what
is printed is of the validation part.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from runs import finished, settings, take_settings

from gatework.recipe import Recipe
from gatework.tasks.forecast.data import ForecastDataset
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import spreads
from gatework.tasks.forecast.methods import LinearOnLags, Naive, Point, Seasonal
from gatework.tasks.forecast.metrics import MEDIAN
from gatework.tasks.forecast.options import ForecastOptions
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

Errors = tuple[float, float]
"""Mean squared and mean absolute error."""


def main() -> None:
    options = _options()
    name = options.file.name.partition(".")[0]
    frame, by_hour = read(options.file, options.part)
    options.out.mkdir(parents=True, exist_ok=True)
    for horizon in map(int, options.horizons.split(",")):
        given = [recipe(horizon, by_hour, frame.columns[1:], options, skip) for skip in options.skips.split(",")]
        datasets = [_dataset(frame, each) for each in given]
        folder = options.out / f"{name}-{horizon}"
        chosen, dataset = best(folder, given, datasets, options)
        rows, skip, runs = {}, chosen.section(ForecastOptions).skip, list[Run]()
        for seed in range(options.seeds):
            run = trained(folder / f"{skip}-seed{seed}", dataset, chosen.changed(seed=seed), options)
            rows[f"seed {seed}"] = kept(run.path / f"{options.part}.json", partial(network, run, dataset, options.part))
            if options.part == "test":
                rows[f"mixed {seed}"] = kept(run.path / "mixed.json", partial(mixed, [run], dataset))
            runs.append(run)
        if options.part == "test" and len(runs) > 1:
            name_of_all = f"mean of all {len(runs)} networks, and regression"
            rows[name_of_all] = kept(folder / f"{skip}-all{len(runs)}.json", partial(mixed, runs, dataset))
        rows |= kept(folder / f"simple-{options.part}.json", partial(simple, dataset, options.part))
        print(table(name, horizon, rows), flush=True)


def best(
    folder: Path, given: list[Recipe], datasets: list[ForecastDataset], options: argparse.Namespace
) -> tuple[Recipe, ForecastDataset]:
    """The setting whose first network has the least squared error on the validation part, with its data."""
    scores = []
    for chosen, dataset in zip(given, datasets, strict=True):
        skip = chosen.section(ForecastOptions).skip
        run = trained(folder / f"{skip}-seed0", dataset, chosen.changed(seed=0), options)
        held = kept(run.path / "validation.json", partial(network, run, dataset, "validation"))
        scores.append(held["all windows"][0])
        print(f'added to "{skip}": MSE of the validation part {scores[-1]:.4f}', flush=True)
    place = int(np.argmin(scores))
    return given[place], datasets[place]


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
    parser.add_argument(
        "--skips", default="linear", help="what the network may add to: linear, last; validation chooses"
    )
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


def recipe(horizon: int, by_hour: int, names: list[str], options: argparse.Namespace, skip: str) -> Recipe:
    """One setting for every horizon; the window, the segment and the number of windows go by the steps of an hour."""
    held = by_hour * VALIDATION
    parts = {"validation_steps": held, "test_steps": by_hour * TEST}
    if options.part == "validation":
        parts = {"validation_steps": held - horizon, "test_steps": horizon}
    chosen = Recipe(task="forecast").changed(
        time="date",
        target=",".join(names),
        horizon=horizon,
        window=336 if by_hour == 1 else 720,
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


def kept(file: Path, make: Callable[[], Any]) -> Any:
    """What a file holds, or is made and written into it."""
    if not file.exists():
        file.write_text(json.dumps(make(), indent=2) + "\n")
    return json.loads(file.read_text())


def network(run: Run, dataset: ForecastDataset, part: str) -> dict[str, Errors]:
    """The errors of a network on every origin."""
    return errors(partial(network_forecast, run), every(dataset, part))


def network_forecast(run: Run, origins: Origins) -> np.ndarray:
    """The medians of a network, shape (origins, horizon)."""
    outputs: np.ndarray = run.task.outputs(run.network, run.task.encode(OriginSplit(origins)))[0]
    return outputs[..., MEDIAN]


def mixed(runs: list[Run], dataset: ForecastDataset) -> dict[str, Errors]:
    """The errors of the weighted mean of networks and regression that has the least squared error in validation.

    All networks count alike.
    """
    linear, held = regression(dataset), every(dataset, "validation")

    def networks(origins: Origins) -> np.ndarray:
        mean: np.ndarray = np.mean([network_forecast(run, origins) for run in runs], axis=0)
        return mean

    said, simple_said, actual = [], [], []
    for block in blocks(held):
        said.append(networks(block))
        simple_said.append(linear(block))
        actual.append(block.actuals()["value"])
    by_regression = np.concatenate(actual) - np.concatenate(simple_said)
    apart = np.concatenate(said) - np.concatenate(simple_said)
    share = float(np.clip((apart * by_regression).sum() / (apart**2).sum(), 0, 1))
    print(f"{', '.join(run.path.name for run in runs)}: the network's share is {share:.2f}", flush=True)
    return errors(lambda o: share * networks(o) + (1 - share) * linear(o), every(dataset, "test"))


def regression(dataset: ForecastDataset) -> LinearOnLags:
    """The ridge regression on the windows that the network reads."""
    spread = spreads(dataset.table, dataset.ends)
    return LinearOnLags(dataset.table, Linear.fit(origins_of(dataset.train), dataset.plan.window, spread), spread)


def simple(dataset: ForecastDataset, part: str) -> dict[str, dict[str, Errors]]:
    """The errors of the methods that take seconds."""
    points: list[Point] = [regression(dataset), Seasonal(dataset.plan.season), Naive()]
    return {point.name: errors(point, every(dataset, part)) for point in points}


def every(dataset: ForecastDataset, part: str) -> Origins:
    """All origins of a part, in the order of time, each with all variables."""
    plan, end = dataset.plan, int(dataset.ends[0])
    first = end if part == "validation" else end + plan.validation_steps
    steps = plan.validation_steps if part == "validation" else plan.test_steps
    origins = origins_of(dataset.test)
    targets = len(origins.table.columns.targets)
    index = [(0, target, first + step) for step in range(steps - plan.horizon + 1) for target in range(targets)]
    return dataclasses.replace(origins, index=np.array(index, dtype=np.int64))


def errors(forecast: Callable[[Origins], np.ndarray], origins: Origins) -> dict[str, Errors]:
    """Over all windows, and over those that fill whole batches of 256, as programs of the field counted them."""
    squared, absolute = np.empty(len(origins)), np.empty(len(origins))
    done = 0
    for block in blocks(origins):
        gap, place = forecast(block) - block.actuals()["value"], slice(done, done + len(block))
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
    for label, start in (("network", "seed"), ("network and regression", "mixed")):
        seeds = [row for key, row in rows.items() if key.startswith(start)]
        if seeds:
            deviation = np.std([seed["all windows"][0] for seed in seeds])
            mean = {way: tuple(np.mean([seed[way] for seed in seeds], axis=0)) for way in seeds[0]}
            count = f"{len(seeds)} seeds ± {deviation:.4f}" if len(seeds) > 1 else "1 seed"
            means[f"{label}, {count}"] = mean
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
