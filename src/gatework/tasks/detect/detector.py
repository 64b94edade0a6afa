"""A trained detector over whole tables and streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gatework.data.events import EventRows, EventTable, read_events
from gatework.data.sets import table_of
from gatework.errors import RunError, UsageError
from gatework.options import TimeOptions
from gatework.recipe import Recipe
from gatework.tasks.detect.kinds import KINDS
from gatework.tasks.detect.online_scorer import Answers, LabelledWatch, OnlineScorer
from gatework.tasks.detect.spans import Span, spans

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks.detect.model import DetectNetwork
    from gatework.tasks.detect.usual import UsualTask


class OpenedRun(Protocol):
    """What a detector needs of a run that was opened: where it stands, its recipe, its task and its network."""

    @property
    def path(self) -> Path:
        """The run folder."""

    @property
    def recipe(self) -> Recipe:
        """What was trained on what, how."""

    @property
    def task(self) -> Any:
        """The task as it was fitted."""

    @property
    def network(self) -> Any:
        """The trained network."""


# A score above it is an anomaly: the error equals the threshold there.
LIMIT = 0.5
_CHUNK = 4096


class Detector:
    """A trained network with its threshold and spans.

    Args:
        network: The network.
        task: The task it was trained for.
    """

    def __init__(self, network: DetectNetwork, task: UsualTask) -> None:
        self.network, self.task = network.eval(), task

    @classmethod
    def of(cls, run: OpenedRun) -> Detector:
        """The detector of a finished run.

        Raises:
            RunError: The run is of another task.
        """
        if run.recipe.task != "detect":
            raise RunError(f'{run.path} was trained for the task "{run.recipe.task}", expected "detect"')
        return cls(run.network, run.task)

    def watch(self, series: str) -> OnlineScorer | LabelledWatch:
        """Begins to watch a series."""
        if self.task.scorer == "label":
            return LabelledWatch(self.network, self.task.scales.of(series), self.task.periods, self.task.settings)
        return self.task.watch(self.network, series)

    def answers(self, rows: EventRows) -> Answers:
        """The answers for a whole series."""
        watch = self.watch(rows.name)
        parts = [
            watch.answer(rows.values[at : at + _CHUNK], rows.stamps[at : at + _CHUNK])
            for at in range(0, len(rows), _CHUNK)
        ]
        fields = ("scores", "causes", "expected", "low", "high", "kinds")
        return Answers(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))

    def spans(self, scores: np.ndarray) -> list[Span]:
        """The flagged spans of a series' scores."""
        return spans(np.nan_to_num(scores, nan=0.0) > LIMIT, scores, self.task.settings.gap)

    def frame(self, readings: EventTable, ends: np.ndarray | None = None) -> pl.DataFrame:
        """One row per row of a table.

        Args:
            readings: The table.
            ends: Where each series' training and validation rows end, to name each row's part.

        Returns:
            The position `row` in the source; the series' columns and the time; each variable; `score`, `is_anomaly`,
            `span` (counted from 1 within the table, missing outside spans), `cause` and `kind` (of flagged rows); and,
            where something is expected, each variable's `expected`, `low` and `high` end.
        """
        import polars as pl

        frames, before = [], 0
        for number, rows in enumerate(readings.series):
            answers = self.answers(rows)
            flagged = self.spans(answers.scores)
            columns = self._columns(rows, answers, flagged, before)
            before += len(flagged)
            if ends is not None:
                train, validation = ends[number]
                part = np.repeat(["train", "validation", "test"], [train, validation - train, len(rows) - validation])
                columns["part"] = part.tolist()
            frames.append(pl.DataFrame(columns))
        return pl.concat(frames)

    def _columns(self, rows: EventRows, answers: Answers, flagged: list[Span], before: int) -> dict[str, Any]:
        import polars as pl

        names = self.task.columns
        ids = names["series"]
        columns: dict[str, Any] = {"row": rows.index}
        for name, value in zip(ids, rows.id, strict=True):
            columns[name] = [value] * len(rows)
        columns[str(names["time"])] = pl.Series(rows.stamps).cast(pl.Datetime("us"))
        span = np.zeros(len(rows), dtype=np.int64)
        for number, one in enumerate(flagged, start=before + 1):
            span[one.first : one.last + 1] = number
        values = {name: pl.Series(rows.values[:, k]).fill_nan(None) for k, name in enumerate(self.task.variables)}
        columns |= values
        columns["score"] = pl.Series(answers.scores).fill_nan(None)
        columns["is_anomaly"] = np.nan_to_num(answers.scores, nan=0.0) > LIMIT
        columns["span"] = pl.Series([int(k) or None for k in span], dtype=pl.Int64)
        if self.task.scorer == "label":
            return columns
        names_or_none = [*self.task.variables, None]
        columns["cause"] = pl.Series([names_or_none[k] for k in answers.causes], dtype=pl.String)
        columns["kind"] = pl.Series([KINDS[k] if k >= 0 else None for k in answers.kinds], dtype=pl.String)
        for k, name in enumerate(self.task.variables):
            for part in ("expected", "low", "high"):
                label = part if len(self.task.variables) == 1 else f"{name} {part}"
                columns[label] = pl.Series(getattr(answers, part)[:, k]).fill_nan(None)
        return columns


def read_rows(source: Any, recipe: Recipe, task: UsualTask, label: str | None = None) -> EventTable:
    """Reads a table to be judged, as the training table was read.

    Raises:
        UsageError: The source is no table.
        DataError: The table cannot be used.
    """
    if source is None or isinstance(source, list):
        raise UsageError(
            "a detector judges the rows of a table: name a file, or give --stream to read rows from standard input"
        )
    table = table_of(source, recipe.data)
    known = [(name,) for name in task.scales.by_name] if len(task.columns["series"]) == 1 else []
    return read_events(table, recipe.section(TimeOptions), task.variables, label, kept=task.reading, known=known)


def judged_rows(judged: pl.DataFrame, task: UsualTask) -> list[EventRows]:
    """The series that a frame of `Detector.frame()` was made of.

    Args:
        judged: The frame.
        task: What made it.

    Raises:
        RunError: It lacks a column, or one is of another kind.
    """
    import polars as pl

    try:
        return _judged_rows(judged, task)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise RunError(f"the rows that a run keeps do not fit its task.json ({_brief(error)}); train anew") from None


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _judged_rows(judged: pl.DataFrame, task: UsualTask) -> list[EventRows]:
    import polars as pl

    ids, time = task.columns["series"], str(task.columns["time"])
    parts = [judged] if not ids else judged.partition_by(list(ids), maintain_order=True)
    return [
        EventRows(
            tuple(str(part[name][0]) for name in ids),
            part["row"].to_numpy(),
            part[time].cast(pl.Datetime("us")).to_physical().to_numpy(),
            part.select(pl.col(task.variables).cast(pl.Float64).fill_null(float("nan"))).to_numpy(),
        )
        for part in parts
    ]
