"""Counts: a network with free quantiles beside what `--distribution auto` learns and chooses.

    python benchmarks/forecast_counts.py --out FOLDER [--seeds 3] [--tables poisson,rare]
    python benchmarks/forecast_counts.py --true-ends [--seeds 3]

Nine kinds of daily panels (12 series of 280 days, horizon 14), the network alone, its intervals stretched as they are
in use; and of the built-in monthly sales, which auto takes for amounts, the law of a count on the validation part.
Prints a Markdown row per table, in parts of the figures of free quantiles; then, in parts of what auto reaches, the
methods for intermittent demand (Croston, its correction by Syntetos and Boylan, Teunter, Syntetos and Babai's, ADIDA,
IMAPA; statsforecast), a regression on lags, and the quantiles of all that was sold before. Writes FOLDER/counts.json;
what is there is not trained again. `--true-ends` trains nothing: it says what intervals in whole numbers cover and
score that know the Poisson law of each step.
"""

import argparse
import json
import shutil
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats
from statsforecast import models

from gatework import training
from gatework.tasks.forecast.baselines import fitted
from gatework.tasks.forecast.conformal import Calibration, stretched
from gatework.tasks.forecast.data import ForecastDataset
from gatework.tasks.forecast.metrics import LEVELS, MEDIAN, arrays_of, interval_score, metrics, scaled_quantile_loss
from gatework.tasks.forecast.windows import Origins, origins_of
from gatework.training import Run
from gatework.training.fitting import prepare

STEPS, SERIES = 280, 12
PANEL = {"time": "day", "target": "sold", "series": "item", "horizon": 14, "max_windows": 2500}
FREE, LAW, AUTO = "free", "negative-binomial", "auto"
FIGURES = ("loss", "mase", "msis_80", "msis_95")
HEAD = ("table", "seeds", *FIGURES, "law chosen")
SALES = "monthly sales"
INTERMITTENT = {
    "Croston": models.CrostonOptimized,
    "SBA": models.CrostonSBA,
    "TSB": lambda: models.TSB(alpha_d=0.1, alpha_p=0.1),
    "ADIDA": models.ADIDA,
    "IMAPA": models.IMAPA,
}
LINEAR, PAST = "linear on lags", "past quantiles"
BESIDE = (*INTERMITTENT, LINEAR, PAST)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--true-ends", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", default=",".join((*KINDS, SALES)))
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    if options.true_ends:
        true_ends(options.seeds)
        return
    if options.out is None:
        parser.error("--out FOLDER is needed, or --true-ends")
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "counts.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    names = options.tables.split(",")
    for seed in range(options.seeds):
        for name in names:
            if name != SALES and f"{name}|{seed}|beside" not in kept:
                kept[f"{name}|{seed}|beside"] = beside(name, seed)
                file.write_text(json.dumps(kept, indent=1) + "\n")
            for distribution in (FREE, LAW if name == SALES else AUTO):
                key = f"{name}|{seed}|{distribution}"
                if key not in kept:
                    kept[key] = trained(name, seed, distribution, options)
                    file.write_text(json.dumps(kept, indent=1) + "\n")
    print(f"| {' | '.join(HEAD)} |\n| {' | '.join('---' for _ in HEAD)} |")
    rows = [ratios(name, seed, kept) for name in names for seed in range(options.seeds)]
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["table"]].append(row)
        if row["table"] != SALES:
            grouped["all generated"].append(row)
    for name, group in grouped.items():
        figures = [f"{np.mean([row[column] for row in group]):.3f}" for column in HEAD[2:-1]]
        print(f"| {name} | {len(group)} | {' | '.join(figures)} | {sum(row['law chosen'] for row in group)} |")
    for figure in FIGURES:
        print(f"\n| {figure} by that of auto | {' | '.join(BESIDE)} |\n|{' --- |' * (1 + len(BESIDE))}")
        parts = {name: parts_of(name, figure, range(options.seeds), kept) for name in names if name != SALES}
        for name, rows in (parts | {"mean": np.concatenate(list(parts.values()))}).items():
            print(f"| {name} | {' | '.join(f'{part:.3f}' for part in rows.mean(axis=0))} |")


def trained(name: str, seed: int, distribution: str, options: argparse.Namespace) -> dict:
    """The figures of one training."""
    changes = {"epochs": options.epochs, "blend": False, "seed": seed, "distribution": distribution}
    source: str | pl.DataFrame = "retail"
    if name != SALES:
        source, changes = panel(name, seed), changes | PANEL
    dataset, recipe = prepare(source, "forecast", None, changes)
    out = options.out / "run"
    shutil.rmtree(out, ignore_errors=True)
    run = training.train("forecast", dataset, out=out, recipe=recipe, threads=1)
    metrics = {key.removeprefix("test_"): value for key, value in run.summary["metrics"].items()}
    answers = pl.read_parquet(out / "answers.parquet")
    if name == SALES:
        # Of a built-in table the validation part alone is looked at.
        answers = on_validation(run, dataset)
        metrics = run.task.metrics(answers)
    figures = {figure: metrics[figure] for figure in FIGURES[1:]}
    return figures | {"loss": scaled_quantile_loss(*arrays_of(answers)), "law": LAW in run.network.answering}


def on_validation(run: Run, dataset: ForecastDataset) -> pl.DataFrame:
    """The network's answers to the validation part, stretched by what was known when each was made."""
    task, network, held = run.task, run.network, dataset.validation
    said = task.outputs(network, task.encode(held))[0]
    known = Calibration.unknown(1, task.plan.horizon, network.least_side)
    factors, _ = known.follow(said, held.targets["value"], held.inputs.times(), np.zeros(len(held), dtype=np.int64))
    return task.answers(stretched(said.astype(np.float64), factors), held)


def ratios(name: str, seed: int, kept: dict) -> dict:
    """The figures in parts of those of free quantiles."""
    free, other = kept[f"{name}|{seed}|{FREE}"], kept[f"{name}|{seed}|{LAW if name == SALES else AUTO}"]
    return {"table": name, "law chosen": other["law"]} | {figure: other[figure] / free[figure] for figure in FIGURES}


def beside(name: str, seed: int) -> dict:
    """The figures of the methods for intermittent demand, and of two simple ones, on the same origins."""
    dataset, _ = prepare(panel(name, seed), "forecast", None, PANEL | {"blend": False, "seed": seed})
    validation, test = origins_of(dataset.validation), origins_of(dataset.test)
    said = {method: with_errors(of_rate(make), validation, test) for method, make in INTERMITTENT.items()}
    linear = next(fit.method for fit in fitted(dataset, "test") if fit.method.name == LINEAR)
    said[LINEAR] = with_errors(lambda origins: linear.quantiles(origins)[..., MEDIAN], validation, test)
    said[PAST] = past_quantiles(test)
    return {method: figures_of(quantiles, dataset.test.targets) for method, quantiles in said.items()}


def figures_of(quantiles: np.ndarray, actuals: np.ndarray) -> dict:
    every = metrics(quantiles, actuals)
    return {name: every[name] for name in FIGURES[1:]} | {"loss": scaled_quantile_loss(quantiles, actuals)}


def of_rate(make: Callable) -> Callable[[Origins], np.ndarray]:
    """The forecasts of a method of statsforecast, fitted anew to all that stands before each origin."""

    @cache
    def at(values: bytes, horizon: int) -> np.ndarray:
        return make().forecast(y=np.frombuffer(values), h=horizon)["mean"]

    def point(origins: Origins) -> np.ndarray:
        columns = [origins.table.series[number].values[:step, target] for number, target, step in origins.index]
        return np.stack([at(np.ascontiguousarray(column).tobytes(), origins.horizon) for column in columns])

    return point


def past_quantiles(origins: Origins) -> np.ndarray:
    """The quantiles of all values of the series before each origin, whatever the step."""
    columns = [origins.table.series[number].values[:step, target] for number, target, step in origins.index]
    each = np.stack([np.quantile(column, LEVELS) for column in columns])
    return np.repeat(each[:, None], origins.horizon, axis=1)


def with_errors(point: Callable[[Origins], np.ndarray], validation: Origins, test: Origins) -> np.ndarray:
    """Forecasts with the quantiles of each series' errors on the validation origins, those of the median included.

    A rate is a mean, and of rare demand half of the days have none: moved so, it is judged as a median too.
    """
    error, said = validation.actuals()["value"] - point(validation), point(test)
    quantiles = np.empty((*said.shape, len(LEVELS)))
    for series in np.unique(test.index[:, 0]):
        here, held = test.index[:, 0] == series, validation.index[:, 0] == series
        quantiles[here] = said[here][..., None] + np.nanquantile(error[held], LEVELS)
    return np.maximum(quantiles, 0.0)


def true_ends(seeds: int) -> None:
    """Prints what three kinds of intervals cover and score whose law is known: by quantiles, narrowest, randomised."""
    means = np.concatenate([rate for seed in range(seeds) for rate in poisson_rates(seed)])
    head = ("interval", "ends", "covered", "strictly inside", "score")
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for misses in (0.2, 0.05):
        low, high = (stats.poisson.ppf(level, means) for level in (misses / 2, 1 - misses / 2))
        by_quantiles = of_ends(low, high, means, misses)
        narrow = of_ends(*np.transpose([narrowest(mean, 1 - misses) for mean in means]), means, misses)
        # Each end is moved in with the probability that leaves half of the promised misses beyond it.
        shares = [
            (misses / 2 - stats.poisson.cdf(low - 1, means)) / stats.poisson.pmf(low, means),
            (misses / 2 - stats.poisson.sf(high, means)) / stats.poisson.pmf(high, means),
        ]
        moved = [of_ends(low + 1, high, means, misses), of_ends(low, high - 1, means, misses)]
        randomised = by_quantiles + sum(
            share * (each - by_quantiles) for share, each in zip(shares, moved, strict=True)
        )
        for name, row in (("quantiles", by_quantiles), ("narrowest", narrow), ("randomised", randomised)):
            cells = " | ".join(f"{value:.3f}" for value in row.mean(axis=1))
            print(f"| {1 - misses:.0%} | {name} | {cells} |")


def poisson_rates(seed: int) -> list[np.ndarray]:
    """The means of the last four horizons of each series of the Poisson panel."""
    rng = np.random.default_rng([seed, list(KINDS).index("poisson")])
    rates = []
    for _ in range(SERIES):
        rates.append(level(rng, 2) * week(rng))
        rng.poisson(rates[-1])
    return [rate[-4 * PANEL["horizon"] :] for rate in rates]


def of_ends(low: np.ndarray, high: np.ndarray, means: np.ndarray, misses: float) -> np.ndarray:
    """The share covered, that strictly inside and the interval score expected of each step, shape (3, steps)."""
    counts = np.arange(stats.poisson.isf(1e-12, means.max()) + 1)[:, None]
    mass = stats.poisson.pmf(counts, means)
    values = (
        (counts >= low) & (counts <= high),
        (counts > low) & (counts < high),
        interval_score(low, high, counts, misses),
    )
    return np.stack([(mass * value).sum(axis=0) for value in values])


def narrowest(mean: float, promised: float) -> tuple[int, int]:
    """The shortest interval that holds what is promised, of these the one that holds most."""
    below = np.concatenate([[0.0], stats.poisson.cdf(np.arange(200), mean)])
    for width in range(1, 200):
        held = below[width:] - below[:-width]
        if held.max() >= promised:
            return int(held.argmax()), int(held.argmax()) + width - 1
    raise ValueError(f"a mean of {mean}")


def parts_of(name: str, figure: str, seeds: range, kept: dict) -> np.ndarray:
    """A figure of each method beside, in parts of auto's, shape (seeds, methods)."""
    return np.array(
        [
            [kept[f"{name}|{seed}|beside"][method][figure] / kept[f"{name}|{seed}|{AUTO}"][figure] for method in BESIDE]
            for seed in seeds
        ]
    )


def panel(kind: str, seed: int) -> pl.DataFrame:
    """Daily counts of a dozen items."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    days = np.datetime64("2023-01-02", "D") + np.arange(STEPS)
    columns = [
        {"day": days, "item": [f"item {k}"] * STEPS, "sold": np.asarray(KINDS[kind](rng), dtype=np.float64)}
        for k in range(SERIES)
    ]
    return pl.concat([pl.DataFrame(each) for each in columns])


def week(rng: np.random.Generator) -> np.ndarray:
    """Seven days that differ, with a mean of 1, over all steps."""
    days = np.exp(rng.normal(0, 0.35, 7))
    return np.resize(days / days.mean(), STEPS)


def level(rng: np.random.Generator, typical: float) -> float:
    return typical * float(np.exp(rng.normal(0, 0.6)))


def spread_out(rng: np.random.Generator, mean: np.ndarray, r: float) -> np.ndarray:
    """Negative binomial counts with the variance mean + mean² / r."""
    return rng.poisson(rng.gamma(r, mean / r))


def rare(rng: np.random.Generator) -> np.ndarray:
    return (rng.random(STEPS) < rng.uniform(0.05, 0.2)) * (1 + rng.poisson(1, STEPS))


def lumpy(rng: np.random.Generator) -> np.ndarray:
    chance = week(rng)
    return (rng.random(STEPS) < 0.3 * chance / chance.max()) * (1 + spread_out(rng, np.full(STEPS, level(rng, 6)), 1.0))


def bursts(rng: np.random.Generator) -> np.ndarray:
    log_rate = np.zeros(STEPS)
    for step in range(1, STEPS):
        log_rate[step] = 0.95 * log_rate[step - 1] + 0.25 * rng.normal()
    return rng.poisson(level(rng, 3) * np.exp(log_rate - log_rate.var() / 2))


def trend(rng: np.random.Generator) -> np.ndarray:
    growth = np.exp(rng.normal(0, 0.7) * np.arange(STEPS) / STEPS)
    return spread_out(rng, level(rng, 10) * week(rng) * growth, 8.0)


KINDS = {
    "poisson": lambda rng: rng.poisson(level(rng, 2) * week(rng)),
    "overdispersed": lambda rng: spread_out(rng, level(rng, 5) * week(rng), 1.5),
    "extra zeros": lambda rng: rng.poisson(level(rng, 4) * week(rng)) * (rng.random(STEPS) > 0.35),
    "rare": rare,
    "lumpy": lumpy,
    "bursts": bursts,
    "trend": trend,
    "packs of six": lambda rng: 6 * rng.poisson(level(rng, 1) * week(rng)),
    "large": lambda rng: spread_out(rng, level(rng, 60) * week(rng), 40.0),
}

if __name__ == "__main__":
    main()
