"""The options of detectors: a scorer, a threshold, and spans."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatework.options import OptionSection, TaskOptions, TimeOptions, option, options_of, over_time

Scorer = Literal["forecast", "reconstruction"]
ThresholdRule = Literal["combined", "adaptive", "quantile", "pot", "dynamic", "likelihood"]


@dataclass(frozen=True)
class DetectOptions(OptionSection):
    """How anomalies are told from the rows around them: a scorer, a threshold, and spans."""

    section = "detect"
    title = "Detectors"

    scorer: Scorer = option(
        "forecast",
        help="An error is that of a forecast of the row from those before it, or of the reconstruction of the last "
        "rows by an autoencoder.",
    )
    threshold: ThresholdRule = option(
        "combined",
        help="From which error on a row is anomalous: a robust quantile of the last errors; the extreme value rule "
        "pot; the dynamic rule without a law; the likelihood of the mean of the last 24 "
        "errors; combined: pot on single rows, that likelihood, and rules on the value; or adaptive, for series that "
        "go on changing: the quantile, the likelihood of the last 10 errors' ranks, and records of the value.",
    )
    alarms_per_week: float = option(
        0.0,
        low=0,
        high=100_000,
        help="Thresholds are set to so many alarms per week on the validation rows; 0 leaves them to the rule.",
    )
    context: int = option(
        64, low=2, high=100_000, help="Rows of a training window, and those that an autoencoder reads."
    )
    smooth: int = option(
        0,
        low=0,
        high=100_000,
        help="An error is the mean over so many rows, the row's own and those before it; 0: as the threshold has it.",
    )
    sensitivity: float = option(
        1.0, low=0, high=1_000_000, is_low_open=True, help="Divides the thresholds: a higher one flags more."
    )
    gap: int = option(
        48, low=0, high=1_000_000, help="Flagged rows with at most so many others between them are one span."
    )


@dataclass(frozen=True)
class DetectPrediction(OptionSection):
    """What a detector is asked for."""

    section = "detect"
    title = "Detectors"

    label: str | None = option(
        None,
        help="The column that says which rows are anomalous, for a detector that learnt without labels.",
        metavar="COLUMN",
        commands=("evaluate",),
    )
    tolerance: int = option(
        24,
        low=0,
        high=1_000_000,
        help="Rows beside a labelled span in which an alarm still counts as one of it, in the figures that are said to "
        "be tolerant.",
        commands=("evaluate",),
    )


def _is_meant_by(given: Collection[str]) -> bool:
    is_labelled = "label" in given and ("target" in given or "series" not in given)
    return "time" in given and (is_labelled or any(option.name in given for option in options_of(DetectOptions)))


OPTIONS = TaskOptions(
    "detect",
    "Find anomalous rows of a table with a time column, with or without labels to learn from.",
    "gatework train detect sensor.csv --time time --target value --out RUN",
    "gatework.tasks.detect.task:DetectTask",
    (TimeOptions, DetectOptions),
    frozenset(
        f"data.{name}" for name in ("text", "vocabulary", "pairs", "max_tokens", "padding", "scale", "split_seed")
    )
    | {f"time.{name}" for name in ("known", "past", "static", "frequency", "missing", "duplicates")}
    | {"model.bidirectional", "model.embedding", "model.embedding_dropout", "model.pooling", "training.bucket"}
    | {"data.test_file"},
    help={
        "data.target": "The columns of numbers that are watched.",
        "data.label": "The column that marks anomalous rows; with it a detector learns from what is marked.",
    },
    needed=frozenset({"time.time", "data.target"}),
    prediction=DetectPrediction,
    recipes=Path(__file__).with_name("recipes"),
    is_meant_by=_is_meant_by,
    options_for=over_time,
)
