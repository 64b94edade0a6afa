"""A table with a time column to a Dataset of forecast origins, split by time.

Every series ends with its test steps, before them stand its validation steps, the rest is for training. A forecast
belongs to the part that holds all of the steps it answers; what it is made from may reach back into the part before,
as it would in use. Nothing is learnt from a step of validation or testing.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.panel import Panel, read_panel
from gatework.data.sets import table_of
from gatework.errors import DataError, UsageError
from gatework.options import TimeOptions, column_names
from gatework.recipe import Recipe
from gatework.tasks.forecast.beginnings import without_leading_zeros
from gatework.tasks.forecast.effects import Effects
from gatework.tasks.forecast.holidays import checked_place
from gatework.tasks.forecast.linear import Linear
from gatework.tasks.forecast.measures import (
    Logarithm,
    are_counts,
    are_small_counts,
    is_non_negative,
    scales,
    spreads,
)
from gatework.tasks.forecast.metrics import mase
from gatework.tasks.forecast.options import COUNTS, Distribution, ForecastOptions, Skip
from gatework.tasks.forecast.rests import Rests
from gatework.tasks.forecast.season import season, seasons
from gatework.tasks.forecast.totals import with_totals
from gatework.tasks.forecast.window_store import simple
from gatework.tasks.forecast.windows import Origins, OriginSplit, on_scale, origins_of

_DEFAULT_HORIZON = 12
_MOST_HORIZON = 48
# Where no number of steps is named, the test part, and the validation part before it, hold a tenth of a series, and at
# least ten forecasts that do not overlap, but at most a fifth of it.
_LEAST_PART, _MOST_PART, _FORECASTS = 10, 5, 10
_MOST_EVALUATED = 20_000
# Simple methods are asked along so many times the validation part before it.
_EARLIER = 4
_LOG_PAYS = 0.02
_FEWEST_SEGMENTS, _MOST_SEGMENTS = 4, 30
# Windows of so many seasons are tried out where none is named.
_SEASONS = (3, 5)


Parts = tuple[Origins, Origins, Origins]


@dataclass(frozen=True)
class ForecastDataset(Dataset):
    """A Dataset of forecast origins.

    Attributes:
        table: The series, whole.
        plan: The settings with every 0 and "auto" decided.
        ends: Where each series' training part ends, in steps, shape (series,).
        stages: Where the network is trained again along the test part, one data set per training, in the order of time;
            the training and validation parts here are then those of the last. Else empty.
    """

    table: Panel = field(kw_only=True)
    plan: ForecastOptions = field(kw_only=True)
    ends: np.ndarray = field(kw_only=True)
    stages: tuple[ForecastDataset, ...] = field(default=(), kw_only=True)

    @cached_property
    def methods(self) -> dict[Hashable, Any]:
        """The simple methods that were fitted to it, as `baselines.fitted()` keeps them."""
        return {}

    @cached_property
    def rests(self) -> Rests:
        """The steps at which series rest, by the training part."""
        return Rests.fit(self.table, self.ends, self.plan)

    @property
    def trainings(self) -> tuple[ForecastDataset, ...]:
        """What each training learns from, in the order of time."""
        return self.stages or (self,)

    def gathered(self, outputs: Sequence[np.ndarray]) -> np.ndarray:
        """What the trainings answered for their own test parts, in the order of the whole test part."""
        index = np.concatenate([_index(training.test) for training in self.trainings])
        # Origins are sorted by series, target and step.
        return np.concatenate(outputs)[np.lexsort(index.T[::-1])]


def _index(split: Split) -> np.ndarray:
    return origins_of(split).index


def forecast_dataset(source: Any, recipe: Recipe) -> ForecastDataset:
    """Reads and splits a table with a time column.

    Args:
        source: The name of a registered table, a path, a data frame, or a Table.
        recipe: Its sections `data` (the target, separated by commas if several), `time` and `forecast`.

    Raises:
        UsageError: A setting does not fit the table.
        DataError: The table cannot be used.
    """
    source = table_of(source, recipe.data)
    config = recipe.section(TimeOptions)
    table = read_panel(source, config, column_names(recipe.data.target, source.frame.columns))
    asked = recipe.section(ForecastOptions)
    if asked.totals:
        # The sums are of all the steps that the series have in common.
        table = with_totals(table, source.where)
    elif asked.non_negative is not False:
        table = without_leading_zeros(table, certainly_learnt(_lengths(table), asked))
    provenance = Provenance(source.where, source.licence, source.fingerprint, table.notes)
    return dataset_of(table, asked, source.name, provenance)


def dataset_of(table: Panel, asked: ForecastOptions, name: str, provenance: Provenance) -> ForecastDataset:
    """Splits regular series.

    Args:
        table: The series.
        asked: The settings.
        name: What the data are called.
        provenance: Where they came from.

    Raises:
        UsageError: A setting does not fit the table.
        DataError: The table cannot be used.
    """
    where = provenance.source
    plan, ends, origins, notes = _planned(table, asked, where)
    stages = _stages(table, plan, ends, origins, where) if plan.refit else [(ends, origins)]
    if len(stages) > 1:
        notes.append(
            f"The network and the simple methods were fitted {len(stages)} times: anew every {plan.refit:,} steps of "
            "the test part, on all that stood before."
        )
    provenance = dataclasses.replace(provenance, notes=(*provenance.notes, *notes))

    def made(end: np.ndarray, parts: Parts) -> ForecastDataset:
        train, validation, test = map(OriginSplit, parts)
        return ForecastDataset(name, "forecast", train, validation, test, provenance, table=table, plan=plan, ends=end)

    trainings = tuple(made(*stage) for stage in stages)
    return (
        dataclasses.replace(trainings[-1], test=OriginSplit(origins[2]), stages=trainings)
        if len(trainings) > 1
        else trainings[0]
    )


def whole_dataset(source: Any, recipe: Recipe) -> ForecastDataset:
    """A table of which nothing is held back for testing: its last steps are for validation.

    What is decided from the table is decided as if the last steps were held back, and these are then learnt from too.
    The test part is the validation part, so that there is one.

    Args:
        source: As for `forecast_dataset()`.
        recipe: Likewise.

    Raises:
        UsageError: A setting does not fit the table.
        DataError: The table cannot be used.
    """
    dataset = forecast_dataset(source, recipe)
    ends = np.where(dataset.ends > 0, dataset.ends + dataset.plan.test_steps, 0)
    parts = _origins(dataset.table, dataset.plan, ends, dataset.provenance.source, has_test=False)[:3]
    train, validation, test = map(OriginSplit, parts)
    return dataclasses.replace(dataset, train=train, validation=validation, test=test, ends=ends, stages=())


def _stages(
    table: Panel, plan: ForecastOptions, ends: np.ndarray, origins: Parts, source: str
) -> list[tuple[np.ndarray, Parts]]:
    """The parts of each training along the test part; errors are measured by the scale of the first one throughout."""
    train, validation, test = origins
    stage = (test.index[:, 2] - ends[test.index[:, 0]] - plan.validation_steps) // plan.refit
    stages = [(ends, (train, validation, test[np.flatnonzero(stage == 0)]))]
    for number in range(1, int(stage.max()) + 1):
        chosen = np.flatnonzero(stage == number)
        if len(chosen):
            # A series that is too short to be tested stays left out.
            later = np.where(ends > 0, ends + number * plan.refit, 0)
            *parts, _, _ = _origins(table, plan, later, source)
            learnt, held = (dataclasses.replace(part, scale=test.scale) for part in parts)
            stages.append((later, (learnt, held, test[chosen])))
    return [(end, parts) for end, parts in stages if len(parts[2])]


def _planned(
    table: Panel, config: ForecastOptions, source: str
) -> tuple[ForecastOptions, np.ndarray, Parts, list[str]]:
    """The settings whose simple forecast does best in validation, and the origins that they make."""
    if config.holidays:
        checked_place(config.holidays)
    plan, ends = decide(table, config, source)
    windows = [plan.window] if config.window else _windows(table, plan, ends)
    log = Logarithm.fit(table, ends) if config.log_scale is not False else None
    if config.log_scale and log is None:
        raise UsageError(f"{source}: the targets hold values below 0, so that there is no --log-scale; leave it out")
    scales = [log] if config.log_scale else [None, log] if log else [None]
    effects = [Effects.on_scale(table, ends, plan, scale) for scale in scales]
    planned = []
    for window in windows:
        plan, ends = decide(table, dataclasses.replace(config, window=window), source)
        *parts, notes = _origins(table, plan, ends, source)
        skips = [s for s in typing.get_args(Skip) if s != "auto"] if plan.skip == "auto" else [plan.skip]
        train, validation, test = parts
        for (scale, effect), skip in itertools.product(zip(scales, effects, strict=True), skips):
            chosen = dataclasses.replace(plan, skip=skip, log_scale=scale is not None)
            is_alone = len(windows) == len(skips) == len(scales) == 1
            score = 0.0 if is_alone else _simple_error(chosen, train, validation, ends, scale, effect)
            # Logarithms must pay: they make what is wrong at the top larger.
            score *= 1 + _LOG_PAYS * (scale is not None)
            planned.append((score, chosen, ends, (train, validation, test), notes))
    _, plan, ends, origins, notes = min(planned, key=lambda item: item[0])
    notes = [*notes, _parts_note(plan, len(table.series))]
    if len(planned) > 1:
        notes = [
            *notes,
            f'The network adds to the simple forecast "{plan.skip}" with a window of {plan.window} steps'
            f"{', on a logarithmic scale' if plan.log_scale else ''}, the best of {len(planned)} in validation.",
        ]
    if plan.non_negative is None:
        plan = dataclasses.replace(plan, non_negative=is_non_negative(table, ends))
        if plan.non_negative:
            notes = [*notes, "The targets look like counts or amounts: forecasts stop at 0 (--no-non-negative)."]
    if rests := Rests.fit(table, ends, plan):
        notes = [*notes, rests.note(table)]
    return dataclasses.replace(plan, distribution=_distribution(plan, table, ends, source)), ends, origins, notes


def _distribution(plan: ForecastOptions, table: Panel, ends: np.ndarray, source: str) -> Distribution:
    """What is learnt: auto is free where there is nothing to choose."""
    if plan.distribution == COUNTS and not are_counts(table, ends):
        raise UsageError(
            f"{source}: the targets hold values that are no counts (whole numbers of 0 or more), so that there is no "
            f"--distribution {COUNTS}; leave it out"
        )
    return "free" if plan.distribution == "auto" and not are_small_counts(table, ends) else plan.distribution


def _windows(table: Panel, plan: ForecastOptions, ends: np.ndarray) -> list[int]:
    """The windows that are tried: some seasons, and one that holds a longer season, such as the week beside the day."""
    if plan.season < 2:
        return [plan.window]
    room = int(ends.max()) - 3 * plan.horizon
    wanted = [n * plan.season for n in _SEASONS]
    # A panel goes by its shorter series, so that few are left out.
    typical = int(np.quantile(ends[ends > 0], 0.25)) - 3 * plan.horizon
    longer = [steps for steps in seasons(table, ends) if plan.season < steps <= typical]
    wanted += [-(-n * steps // plan.season) * plan.season for steps in longer for n in (1, 2) if n * steps <= typical]
    return [plan.window, *sorted({window for window in wanted if plan.window < window <= room})]


def _parts_note(plan: ForecastOptions, series: int) -> str:
    """What is held back, and what so few forecasts cannot tell."""
    each = "The" if series == 1 else "Of every series the"
    counts = [steps // plan.horizon for steps in (plan.test_steps, plan.validation_steps)]
    held = " and ".join(f"{count:,}" for count in counts) if counts[0] != counts[1] else f"each {counts[0]:,}"
    note = (
        f"{each} last {plan.test_steps:,} steps are for testing, the {plan.validation_steps:,} before them for "
        f"validation: {held} times the horizon of {plan.horizon:,}."
    )
    if min(counts) >= _FORECASTS or series >= _FORECASTS:
        return note
    return (
        f"{note} Fewer than {_FORECASTS} forecasts that do not overlap cannot tell good methods apart, nor whether "
        "intervals hold."
    )


def _simple_error(
    plan: ForecastOptions,
    train: Origins,
    validation: Origins,
    ends: np.ndarray,
    log: Logarithm | None,
    effects: Effects | None,
) -> float:
    """The MASE of the simple forecast on the validation origins, none of which it saw when it was made."""
    if plan.skip == "seasonal" and not 1 < plan.season <= plan.window:
        return float("inf")
    learnt, held = on_scale(train, log), on_scale(validation, log)
    spread, added = spreads(learnt.table, ends), np.zeros((1, 1))
    if effects is not None:
        added, learnt, held = effects.ahead(held), effects.without(learnt), effects.without(held)
    linear = Linear.fit(learnt, plan.window, spread) if plan.skip == "linear" else None
    values = added + simple(held.histories(plan.window), plan, linear, held.of_series(spread))
    actuals = validation.actuals()
    values = log.back(values) if log else values
    error = mase(np.abs(actuals["value"] - values), actuals)
    return error if np.isfinite(error) else float("inf")


def _lengths(table: Panel) -> np.ndarray:
    return np.array([len(series) for series in table.series])


def certainly_learnt(lengths: np.ndarray, config: ForecastOptions) -> np.ndarray:
    """The steps of each series that are left for training at least, whatever the parts will be, shape (series,)."""
    return np.minimum(lengths * (_MOST_PART - 2) // _MOST_PART, lengths - config.test_steps - config.validation_steps)


def decide(table: Panel, config: ForecastOptions, source: str) -> tuple[ForecastOptions, np.ndarray]:
    """Chooses what was left open but the simple forecast, from the training part alone.

    Returns:
        The settings with every 0 decided, and where each series' training part ends.

    Raises:
        DataError: No series is long enough, or none ever changes.
    """
    lengths = _lengths(table)
    longest = int(lengths.max())
    guess = config.season or season(table, np.maximum(certainly_learnt(lengths, config), 1))
    horizon = config.horizon or (min(guess, _MOST_HORIZON) if guess > 1 else min(_DEFAULT_HORIZON, longest // 8) or 1)
    # A panel goes by its shorter series, so that few are left out.
    typical = int(np.quantile(lengths, 0.25))
    wanted = max(_FORECASTS * horizon, -(-typical // _LEAST_PART), 2 * guess)
    held = max(horizon, min(wanted, typical // _MOST_PART))
    test, validation = config.test_steps or held, config.validation_steps or held
    if min(test, validation) < horizon:
        raise UsageError(
            f"the test part has {test} steps and the validation part {validation}, expected at least the horizon "
            f"({horizon})"
        )
    ends = lengths - test - validation
    room = int(ends.max())
    if room < horizon + 2:
        name = f', the longest being "{table.series[int(lengths.argmax())].name}"' if len(table.series) > 1 else ""
        raise DataError(
            f"{source}: {longest} steps{name} are too few for a horizon of {horizon}: {validation} are held back for "
            f"validation, {test} for testing, and at least {horizon + 2} are needed to learn from; lower --horizon, or "
            "give a longer history"
        )
    _check_changes(table, ends, source)
    is_seasonal = config.skip in ("auto", "seasonal") and 1 < guess <= room // 3
    window = config.window or min(max(2 * guess, 2 * horizon, 24), max(room - 2 * horizon, guess, 2))
    window = max(window, guess) if is_seasonal or config.skip == "seasonal" else window
    segment = config.segment or _segment(window, guess)
    window = -(-window // segment) * segment
    decided = dataclasses.replace(
        config,
        horizon=horizon,
        window=window,
        segment=segment,
        season=guess,
        test_steps=test,
        validation_steps=validation,
    )
    return decided, np.maximum(ends, 0)


def _segment(window: int, of_season: int) -> int:
    """A season where the window holds several of them, else an eighth of the window: so few steps are soon learnt."""
    if of_season > 1 and _FEWEST_SEGMENTS <= window / of_season <= _MOST_SEGMENTS:
        return of_season
    return -(-window // (2 * _FEWEST_SEGMENTS))


def _check_changes(table: Panel, ends: np.ndarray, source: str) -> None:
    for target, name in enumerate(table.columns.targets):
        if all(np.ptp(s.values[: max(end, 1), target]) == 0 for s, end in zip(table.series, ends, strict=True)):
            raise DataError(
                f'{source}: the column "{name}" is constant over the whole training part; there is nothing to learn'
            )


def _origins(
    table: Panel, plan: ForecastOptions, ends: np.ndarray, source: str, *, has_test: bool = True
) -> tuple[Origins, Origins, Origins, list[str]]:
    scale = scales(table, plan.season, ends)
    targets = len(table.columns.targets)
    horizon, history = plan.horizon, least_history(plan, int(ends.max()))
    listed: list[list[np.ndarray]] = [[], [], []]
    short = 0
    for number, (series, end) in enumerate(zip(table.series, ends, strict=True)):
        bounds = [*pairwise((min(history, end), end, end + plan.validation_steps, len(series)))]
        if end < history + horizon:
            short += 1
            continue
        for part, (low, high) in zip(listed, bounds if has_test else (*bounds[:2], bounds[1]), strict=True):
            steps = np.arange(low, high - horizon + 1)
            part.append(all_origins(number, steps, targets))
    parts = [_seen(table, part, horizon) for part in listed]
    notes = [f"{short:,} series are too short to learn from and were left out."] if short else []
    for index, name in zip(parts, ("training", "validation", "test"), strict=True):
        if not len(index):
            raise DataError(
                f"{source}: no series holds a value to compare with in its {name} part{_longest_gap(table)}; give a "
                "longer or fuller history, or lower --horizon"
            )
    train, *others = parts
    chosen = [_thin(train, plan.max_windows), *(_thin(_strided(o, plan.max_origins), _MOST_EVALUATED) for o in others)]
    origins = [Origins(table, index, horizon, plan.season, scale) for index in chosen]
    return origins[0], origins[1], origins[2], notes


def _longest_gap(table: Panel) -> str:
    """Where most steps of a series have no value, as one mistyped time makes it, as words within a sentence."""
    for series in table.series:
        seen = np.flatnonzero(series.observed.any(axis=1))
        gaps = np.diff(seen)
        if len(gaps) and 2 * gaps.max() > len(series):
            after = int(np.argmax(gaps)) + 1
            time = table.stamps(np.array([series.start + seen[after]]))[0]
            return (
                f" ({gaps.max() - 1:,} of its {len(series):,} steps, all before {time}, have none: is that time right?)"
            )
    return ""


def every_origin(table: Panel, plan: ForecastOptions, source: str, since: Sequence[int]) -> Origins:
    """Every origin of a table that holds the least history before it and the whole horizon after it.

    Args:
        table: The series.
        plan: The window and the horizon.
        source: The table, for messages.
        since: The first step of each series that may be forecast.

    Raises:
        DataError: No series is long enough.
    """
    lengths = [len(s) for s in table.series]
    first = max(2, plan.season if plan.skip == "seasonal" else plan.segment)
    parts = [
        all_origins(number, np.arange(max(first, start), length - plan.horizon + 1), len(table.columns.targets))
        for number, (length, start) in enumerate(zip(lengths, since, strict=True))
    ]
    index = np.concatenate(parts)
    if not len(index):
        raise DataError(
            f"{source}: the longest series has {max(lengths)} steps, expected at least {first + plan.horizon}: "
            f"{first} to forecast from and {plan.horizon} to compare with"
        )
    scale = scales(table, plan.season)
    return Origins(table, _thin(_strided(index, plan.max_origins), _MOST_EVALUATED), plan.horizon, plan.season, scale)


def earlier_origins(dataset: ForecastDataset) -> Origins:
    """The origins before the validation part that simple methods are asked at besides: they are cheap to ask.

    They answer steps of the training part, from where it holds a window, two seasons and a horizon before it.
    """
    plan, held = dataset.plan, origins_of(dataset.validation)
    least = max(plan.window, 2 * plan.season) + plan.horizon
    index = [np.zeros((0, 3), np.int64)]
    for number in np.unique(held.index[:, 0]):
        end = int(dataset.ends[number])
        steps = np.arange(max(least, end - _EARLIER * plan.validation_steps), end - plan.horizon + 1)
        index.append(all_origins(int(number), steps, len(dataset.table.columns.targets)))
    every = np.concatenate(index)
    chosen = _thin(_strided(every, plan.max_origins), _MOST_EVALUATED) if len(every) else every
    return dataclasses.replace(held, index=chosen)


def least_history(plan: ForecastOptions, room: int) -> int:
    """The steps that a training window must hold: all of the window where there is room, else one season or so."""
    if room >= plan.window + 3 * plan.horizon:
        return plan.window
    least = plan.season if plan.skip in ("auto", "seasonal") else min(plan.segment, plan.window)
    return max(2, min(least, room - plan.horizon))


def all_origins(number: int, steps: np.ndarray, targets: int) -> np.ndarray:
    """The origins of a series at these steps, target by target, shape (origins, 3)."""
    grid = np.stack(np.meshgrid(np.arange(targets), steps, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.concatenate([np.full((len(grid), 1), number), grid], axis=1).astype(np.int64)


def _seen(table: Panel, part: list[np.ndarray], horizon: int) -> np.ndarray:
    """The origins with at least one observed value ahead, shape (origins, 3)."""
    kept = [np.zeros((0, 3), np.int64)]
    kept += [seen_ahead(table.series[int(index[0, 0])].observed, index, horizon) for index in part if len(index)]
    return np.concatenate(kept)


def seen_ahead(observed: np.ndarray, index: np.ndarray, horizon: int) -> np.ndarray:
    """The origins of one series with at least one observed value ahead, given its `observed`."""
    total = np.concatenate([np.zeros((1, observed.shape[1]), np.int64), observed.cumsum(axis=0)])
    kept: np.ndarray = index[total[index[:, 2] + horizon, index[:, 1]] > total[index[:, 2], index[:, 1]]]
    return kept


def _strided(index: np.ndarray, most: int) -> np.ndarray:
    """At most so many origins of each series and target, evenly spread and counted from the last one there is."""
    _, group = np.unique(index[:, :2], axis=0, return_inverse=True)
    group = group.reshape(-1)
    stride = -(-int(np.bincount(group).max()) // most)
    last = np.zeros(int(group.max()) + 1, dtype=np.int64)
    np.maximum.at(last, group, index[:, 2])
    kept: np.ndarray = index[(last[group] - index[:, 2]) % stride == 0]
    return kept


def _thin(index: np.ndarray, most: int) -> np.ndarray:
    return index if len(index) <= most else index[np.linspace(0, len(index) - 1, most).astype(np.int64)]
