"""The M4 competition from its own files: sMAPE, MASE, OWA and MSIS of what a run answers, beside published figures.

    python benchmarks/m4.py M4_FOLDER --out FOLDER [--group Hourly] [--seeds 3] [--series 0] [--part test]
    python benchmarks/m4.py M4_FOLDER --out FOLDER --scales
    python benchmarks/m4.py M4_FOLDER --make 400

M4_FOLDER holds `Train/Hourly-train.csv` and `Test/Hourly-test.csv` as https://github.com/Mcompetitions/M4-methods has
them (also Yearly, Quarterly, Monthly, Weekly, Daily): a row per series, its name first, then its values. The series'
test values are the test part, one forecast of each; as many steps before them are for validation. Runs that are there
are not trained again, an interrupted one goes on.

`--part validation` leaves the test values out and reads the last steps of the training file in their place: settings
are chosen with it. `--scales` trains on the series as they are and on each divided by its own mean, and compares the
errors of the same series: what a panel of very different scales costs. `--make N` writes a folder of N generated hourly
series with a day and a week in them and levels from 1 to a million, where none of the competition's files are at hand.
"""

import argparse
import csv
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from runs import finished, settings, take_settings

from gatework.recipe import Recipe
from gatework.tasks.forecast.metrics import MEDIAN, arrays_of, interval_score
from gatework.training import Run
from gatework.training.fitting import prepare
from gatework.training.run import network_answers, read_table

# Horizon, steps of a season, the grid's step.
GROUPS = {
    "Yearly": (6, 1, "Y"),
    "Quarterly": (8, 4, "Q"),
    "Monthly": (18, 12, "M"),
    "Weekly": (13, 1, "W"),
    "Daily": (14, 1, "D"),
    "Hourly": (48, 24, "H"),
}
# OWA: S. Makridakis, E. Spiliotis and V. Assimakopoulos, "The M4 Competition: 100,000 time series and 61 forecasting
# methods", International Journal of Forecasting 2020; in the same issue the winner describes it: S. Smyl, "A hybrid
# method of exponential smoothing and recurrent neural networks for time series forecasting".
PUBLISHED = {"ES-RNN, the winner": {"Yearly": 0.778, "Quarterly": 0.847, "Monthly": 0.836, "Hourly": 0.440}}
_STEPS = {"Y": (1, "y"), "Q": (3, "mo"), "M": (1, "mo"), "W": (7, "d"), "D": (1, "d"), "H": (1, "h")}
_MISSES = 0.05

HEAD = f"\n| method | sMAPE | MASE | OWA | MSIS 95 % | coverage 95 % |\n{'| --- ' * 6}|"

Values = dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--make", type=int, default=0, help="write so many generated series, and nothing else")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--group", choices=tuple(GROUPS), default="Hourly")
    parser.add_argument("--series", type=int, default=0, help="only so many series, evenly spread; 0: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--part", choices=("test", "validation"), default="test")
    parser.add_argument("--scales", action="store_true", help="compare with series of one scale, and nothing else")
    take_settings(parser)
    options = parser.parse_args()
    if options.make:
        make(options.folder, options.make)
        return
    if options.out is None:
        parser.error("--out names the folder of the runs")
    past, future = read(options.folder, options.group, options.part, options.series)
    options.out.mkdir(parents=True, exist_ok=True)
    if options.scales:
        scales(past, future, options)
    else:
        compared(past, future, options)


def read(folder: Path, group: str, part: str, most: int) -> tuple[Values, Values]:
    """What is known of each series, and what is to be forecast."""
    horizon = GROUPS[group][0]
    past, future = rows(folder / "Train" / f"{group}-train.csv"), {}
    if part == "test":
        future = rows(folder / "Test" / f"{group}-test.csv")
    else:
        future = {name: values[-horizon:] for name, values in past.items()}
        past = {name: values[:-horizon] for name, values in past.items()}
    names = list(past)
    if 0 < most < len(names):
        names = [names[k] for k in np.linspace(0, len(names) - 1, most).astype(int)]
    return {name: past[name] for name in names}, {name: future[name] for name in names}


def rows(file: Path) -> Values:
    """A series per row, without the empty fields behind its last value."""
    with file.open(newline="") as lines:
        table = csv.reader(lines)
        next(table)
        return {name: np.array([float(v) for v in values if v not in ("", "NA")]) for name, *values in table}


def compared(past: Values, future: Values, options: argparse.Namespace) -> None:
    """Prints the table: the answers and networks of all seeds, the simple methods, and the published figures."""
    season = GROUPS[options.group][1]

    def judged(said: Values) -> np.ndarray:
        return np.mean([judge(said[name], past[name], future[name], season) for name in past], axis=0)

    methods = {"Naive2": naive2, "seasonal naive": seasonal_naive}
    of_methods = {
        label: judged({name: method(values, len(future[name]), season) for name, values in past.items()})
        for label, method in methods.items()
    }
    of_methods["naive"] = judged({name: naive(values, len(future[name])) for name, values in past.items()})
    runs = [trained(past, future, seed, options) for seed in range(options.seeds)]
    print(HEAD)
    files = {"answer": [run.path / "answers.parquet" for run in runs]}
    files["network alone"] = [network_answers(run.path) for run in runs]
    for label, of_runs in files.items():
        said = [forecasts(run, file) for run, file in zip(runs, of_runs, strict=True)]
        figures = np.mean([judged(each) for each in said], axis=0)
        print(line(f"{label}, {len(runs)} seeds", figures, of_methods["Naive2"]))
        if len(runs) > 1:
            together = judged({name: np.mean([each[name] for each in said], axis=0) for name in past})
            print(line(f"{label}, mean of their quantiles", together, of_methods["Naive2"]))
    for label, figures in of_methods.items():
        print(line(label, figures, of_methods["Naive2"]))
    for label, published in PUBLISHED.items():
        if options.group in published:
            print(f"| {label}, published | | | {published[options.group]:.3f} | | |")
    print(f"\nAnswered by: {'; '.join(run.summary['answer']['name'] for run in runs)}")


def scales(past: Values, future: Values, options: argparse.Namespace) -> None:
    """Prints by how much the MASE of a series differs where all series have been brought to one scale beforehand."""
    season = GROUPS[options.group][1]
    size = {name: np.abs(values).mean() or 1.0 for name, values in past.items()}
    past_one, future_one = ({n: values[n] / size[n] for n in values} for values in (past, future))
    for seed in range(options.seeds):
        said = forecasts(run := trained(past, future, seed, options), network_answers(run.path))
        run_one = trained(past_one, future_one, seed, options, "one-scale-")
        said_one = forecasts(run_one, network_answers(run_one.path))
        both = ((said, past, future), (said_one, past_one, future_one))
        mase = np.array([[judge(of[n], before[n], after[n], season)[1] for n in past] for of, before, after in both])
        change = mase[0] - mase[1]
        reach = 1.96 * change.std(ddof=1) / len(change) ** 0.5
        print(
            f"seed {seed}: network's MASE {mase[0].mean():.4f} as the series are, {mase[1].mean():.4f} at one scale; "
            f"a series differs by {change.mean():+.4f} ± {reach:.4f} (95 % interval of the paired difference)",
            flush=True,
        )


def trained(past: Values, future: Values, seed: int, options: argparse.Namespace, kind: str = "") -> Run:
    """A finished run, from where it was left; its test part is what is to be forecast."""
    horizon, season, unit = GROUPS[options.group]
    chosen = Recipe(task="forecast").changed(
        time="time",
        series="name",
        target="value",
        frequency=unit,
        horizon=horizon,
        season=season,
        test_steps=horizon,
        validation_steps=horizon,
        calendar=False,
        hidden=64,
        dropout=0.1,
        epochs=6,
        max_windows=100_000,
        batch_size=64,
        learning_rate=3e-3,
        schedule="cosine",
        patience=4,
        seed=seed,
    )
    chosen = chosen.changed(**settings(options))
    dataset, _ = prepare(long_table(past, future, unit), "forecast", chosen, {})
    out = options.out / f"{options.group}-{options.part}-{kind}seed{seed}"
    return finished(out, dataset, chosen, options.threads)


def long_table(past: Values, future: Values, unit: str) -> pl.DataFrame:
    """A row per series and step; the steps' times stand for their order alone."""
    whole = {name: np.concatenate([values, future[name]]) for name, values in past.items()}
    longest = max(map(len, whole.values()))
    offsets = pl.Series("time", [f"{step * _STEPS[unit][0]}{_STEPS[unit][1]}" for step in range(longest)])
    times = offsets.to_frame().select(pl.lit(datetime(1900, 1, 1)).dt.offset_by(pl.col("time")).alias("time"))["time"]
    names = [name for name, values in whole.items() for _ in values]
    rows = np.concatenate([np.arange(len(values)) for values in whole.values()])
    return pl.DataFrame({"name": names, "time": times.gather(rows), "value": np.concatenate(list(whole.values()))})


def forecasts(run: Run, file: Path) -> Values:
    """The quantiles of every series, shape (horizon, levels)."""
    table = read_table(file)
    quantiles = arrays_of(table)[0]
    ids = [series.id[0] for series in run.task.history.series]
    return {ids[number]: said for number, said in zip(table["series"], quantiles, strict=True)}


def judge(said: np.ndarray, past: np.ndarray, y: np.ndarray, season: int) -> list[float]:
    """sMAPE, MASE, MSIS and coverage of one series, by the competition's rules.

    Args:
        said: Forecasts, shape (horizon,), or quantiles, shape (horizon, levels).
        past: What was known.
        y: What came to pass.
        season: Steps.
    """
    median = said if said.ndim == 1 else said[:, MEDIAN]
    scale = np.abs(past[season:] - past[:-season]).mean()
    smape = 200 * np.mean(np.abs(y - median) / np.maximum(np.abs(y) + np.abs(median), 1e-12))
    mase = np.abs(y - median).mean() / scale
    if said.ndim == 1:
        return [smape, mase, np.nan, np.nan]
    low, high = said[:, 0], said[:, -1]
    return [smape, mase, interval_score(low, high, y, _MISSES).mean() / scale, np.mean((low <= y) & (y <= high))]


def line(label: str, figures: np.ndarray, base: np.ndarray) -> str:
    """A row of the table; OWA is the mean of sMAPE and MASE, each by that of Naive2."""
    smape, mase, msis, covered = figures
    owa = (smape / base[0] + mase / base[1]) / 2
    last = "| | |" if np.isnan(msis) else f"| {msis:.2f} | {covered:.3f} |"
    return f"| {label} | {smape:.2f} | {mase:.3f} | {owa:.3f} {last}"


def naive(past: np.ndarray, horizon: int) -> np.ndarray:
    """The last value."""
    return np.repeat(past[-1], horizon)


def seasonal_naive(past: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The last season."""
    return past[len(past) - season :][np.arange(horizon) % season]


def naive2(past: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The last value, adjusted by the classical multiplicative seasonal factors where the season is significant."""
    if not is_seasonal(past, season):
        return naive(past, horizon)
    around = np.ones(season) if season % 2 else np.array([0.5, *np.ones(season - 1), 0.5])
    trend = np.convolve(past, around / season, mode="valid")
    left = (len(past) - len(trend)) // 2
    ratio, phase = past[left : left + len(trend)] / trend, np.arange(left, left + len(trend)) % season
    factors = np.bincount(phase, ratio) / np.bincount(phase)
    factors = factors / factors.mean()
    last = past[-1] / factors[(len(past) - 1) % season]
    return last * factors[(len(past) + np.arange(horizon)) % season]


def is_seasonal(past: np.ndarray, season: int) -> bool:
    """The competition's test: whether the autocorrelation at a season is beyond its 90 % limit."""
    if season == 1 or len(past) < 3 * season:
        return False
    centred = past - past.mean()
    lags = np.array([centred[lag:] @ centred[: len(past) - lag] for lag in range(season + 1)])
    if not lags[0]:
        return False
    correlations = lags[1:] / lags[0]
    limit = 1.645 * np.sqrt((1 + 2 * (correlations[:-1] ** 2).sum()) / len(past))
    return bool(np.abs(correlations[-1]) > limit)


def make(folder: Path, count: int) -> None:
    """Writes generated hourly series in the competition's layout."""
    random, horizon = np.random.default_rng(0), GROUPS["Hourly"][0]
    for part in ("Train", "Test"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    with (folder / "Train/Hourly-train.csv").open("w") as train, (folder / "Test/Hourly-test.csv").open("w") as test:
        train.write(",".join(f'"V{k}"' for k in range(1, 962)) + "\n")
        test.write(",".join(f'"V{k}"' for k in range(1, horizon + 2)) + "\n")
        for number in range(1, count + 1):
            values = generated(random, int(random.choice([700, 960])) + horizon)
            known = [f"{value:.6g}" for value in values[:-horizon]]
            train.write(",".join([f'"H{number}"', *known, *[""] * (960 - len(known))]) + "\n")
            test.write(",".join([f'"H{number}"', *(f"{value:.6g}" for value in values[-horizon:])]) + "\n")


def generated(random: np.random.Generator, steps: int) -> np.ndarray:
    """A day, a week, a slow level and noise, put together by sums or by products, of a level from 1 to a million."""
    hours = np.arange(steps) + random.integers(168)
    day = sum(random.normal() / k * np.sin(2 * np.pi * k * hours / 24 + random.uniform(0, 6)) for k in range(1, 5))
    weekend = random.choice([0.0, 1.0], p=[0.4, 0.6]) * random.uniform(0.2, 0.8) * (hours // 24 % 7 >= 5)
    level = np.cumsum(random.normal(scale=0.02 * random.uniform() ** 2, size=steps))
    noise = np.zeros(steps)
    for step, shock in enumerate(random.normal(scale=random.uniform(0.02, 0.3), size=steps)):
        noise[step] = 0.7 * noise[step - 1] + shock
    shape = random.uniform(0.1, 0.5) * day * (1 - weekend) - 0.5 * weekend + level + 0.3 * noise
    values = 10 ** random.uniform(0, 6) * (np.exp(shape) if random.uniform() < 0.5 else np.maximum(1.5 + shape, 0))
    return np.round(values) if random.uniform() < 0.3 else values


if __name__ == "__main__":
    main()
