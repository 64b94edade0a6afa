"""The options of forecasts. Where 0 stands, a value is chosen from the table and written into the run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gatework.options import AnswerOptions, OptionSection, TaskOptions, TimeOptions, option, step_by_step

Skip = Literal["auto", "seasonal", "last", "mean", "linear"]
Scaling = Literal["window", "series"]
Decoder = Literal["direct", "recursive"]
Distribution = Literal["auto", "free", "normal", "student", "negative-binomial"]
COUNTS: Final = "negative-binomial"
"""The distribution of counts."""

_MOST_STEPS = 10_000_000


@dataclass(frozen=True)
class ForecastOptions(OptionSection):
    """What is forecast, and from what; where 0 stands, a value is chosen from the table and written into the run."""

    section = "forecast"
    title = "Forecasts"

    horizon: int = option(
        0,
        low=0,
        high=100_000,
        help="The longest forecast, in steps; every shorter one is its beginning. 0: from the table.",
    )
    window: int = option(0, low=0, high=100_000, help="Steps that a forecast is made from. 0: from the table.")
    segment: int = option(
        0, low=0, high=10_000, help="Steps that the cell reads, and answers, at once; 1 goes step by step, 0: chosen."
    )
    season: int = option(0, low=0, high=100_000, help="Steps of one season. 0: from the table.")
    skip: Skip = option(
        "auto",
        help="What the network learns the difference to: the seasonal naive forecast, the last value, the window's "
        "mean, a linear regression on the window fitted beforehand, or with auto the best of them on the validation "
        "part.",
    )
    scaling: Scaling = option("window", help="A window is measured by its own spread, or by that of its series.")
    decoder: Decoder = option(
        "direct", help="direct answers every segment from the window's state; recursive reads its own last answer."
    )
    networks: int = option(
        1,
        low=1,
        high=100,
        help="So many networks, which begin from different weights, are trained together; the mean of their quantiles "
        "is the network's forecast.",
    )
    distribution: Distribution = option(
        "auto",
        help="free learns every quantile by itself; normal and student (4 degrees of freedom) learn the location and "
        "the scale of such a distribution; negative-binomial the law of a count, with extra zeros. auto is free, and "
        "of small counts that or the law of a count, whichever is better on the validation part.",
    )
    non_negative: bool | None = option(
        None, help="Forecasts stop at 0. If neither is said: where the table looks like counts or amounts."
    )
    log_scale: bool | None = option(
        None,
        help="Targets are learnt as logarithms, for what grows by shares; needs values of 0 or more. If neither is "
        "said: where the simple forecast is better by it on the validation part.",
    )
    calendar: bool = option(True, help="The network sees the hour, the day of the week and of the year.")
    holidays: str = option(
        "",
        help="The network sees the public holidays of a country, or of a part of it, such as DE or DE-BY.",
        metavar="PLACE",
    )
    totals: bool = option(
        False,
        help="Sums over the series are forecast as well, of all and by the first of the columns that tell them apart, "
        "and all forecasts add up.",
    )
    test_steps: int = option(
        0, low=0, high=_MOST_STEPS, help="The last steps of every series, held back for testing. 0: chosen."
    )
    validation_steps: int = option(
        0,
        low=0,
        high=_MOST_STEPS,
        help="The steps before those, held back for choosing weights and calibrating intervals. 0: chosen.",
    )
    refit: int = option(
        0,
        low=0,
        high=_MOST_STEPS,
        help="Train again every so many steps of the test part, on all that stands before; 0 never does. The settings "
        "stay those of the first training.",
    )
    max_windows: int = option(20_000, low=1, high=10**9, help="At most so many windows are learnt from, evenly spread.")
    max_origins: int = option(
        100, low=1, high=10**9, help="At most so many origins of each series are evaluated, evenly spread to the last."
    )


@dataclass(frozen=True)
class ForecastPrediction(OptionSection):
    """What a forecast is asked for."""

    section = "forecast"
    title = "Forecasts"

    horizon: int | None = option(
        None, low=1, help="Steps to forecast; as many as were trained for if absent.", commands=("predict",)
    )


def _is_meant_by(given: Collection[str]) -> bool:
    return "time" in given and "label" not in given


OPTIONS = TaskOptions(
    "forecast",
    "Forecast the next steps of every series of a table with a time column, with intervals.",
    "gatework train forecast sales.csv --time day --target units --series store --horizon 14 --out RUN",
    "gatework.tasks.forecast.task:ForecastTask",
    (TimeOptions, ForecastOptions, AnswerOptions),
    frozenset(f"data.{name}" for name in ("text", "label", "validation", "test", "scale", "split_seed"))
    | {"data.vocabulary", "data.pairs", "data.max_tokens", "data.padding"}
    | {"model.bidirectional", "model.embedding", "model.embedding_dropout", "model.pooling", "training.bucket"}
    | {"data.test_file"},
    help={"data.target": "The columns of numbers to forecast."},
    needed=frozenset({"time.time", "data.target"}),
    prediction=ForecastPrediction,
    recipes=Path(__file__).with_name("recipes"),
    is_meant_by=_is_meant_by,
    options_for=step_by_step,
)
