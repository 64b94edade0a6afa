"""Forecasting: quantiles of the steps that follow, for every series and target of a table with a time column."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl

from gatework.data.panel import Panel
from gatework.data.store.sources import is_stored
from gatework.errors import DataError, UsageError
from gatework.tasks import forecast
from gatework.tasks._blend import NETWORK_ALONE
from gatework.tasks._dense import DenseTask
from gatework.tasks._section import Answered, ReportSection, without_text_options
from gatework.tasks._task import Baseline, Evaluation, Loss, Scores, Task, Trained, refuse_options
from gatework.tasks.forecast import report
from gatework.tasks.forecast.asked import along, at_the_end, end_of, last_windows
from gatework.tasks.forecast.bands import Bands
from gatework.tasks.forecast.baselines import baselines
from gatework.tasks.forecast.blend import ForecastBlend, before_validation, choose, made, offering, on_part
from gatework.tasks.forecast.charts import answer_rows, backtest, charts, futures
from gatework.tasks.forecast.conformal import Calibration
from gatework.tasks.forecast.data import ForecastDataset, forecast_dataset
from gatework.tasks.forecast.distributions import choose_distribution, compared, in_own_unit
from gatework.tasks.forecast.history import from_state, newer, tail, to_state
from gatework.tasks.forecast.intervals import Intervals
from gatework.tasks.forecast.live import MOST_WINDOWS, Stretching, live
from gatework.tasks.forecast.measures import are_small_counts
from gatework.tasks.forecast.methods import checked
from gatework.tasks.forecast.metrics import (
    answers_of,
    arrays_of,
    distinct_steps,
    held_remark,
    interval_remark,
    metrics,
    sample,
)
from gatework.tasks.forecast.moments import moments
from gatework.tasks.forecast.networks import each_alone
from gatework.tasks.forecast.options import OPTIONS, ForecastOptions
from gatework.tasks.forecast.rests import Rests
from gatework.tasks.forecast.statistical import absent
from gatework.tasks.forecast.stored import StoredOriginSplit, stored_forecast_dataset
from gatework.tasks.forecast.stored_origins import StoredOriginExamples
from gatework.tasks.forecast.totals import coherent
from gatework.tasks.forecast.window_store import Features, OriginExamples, WindowStore, origin_batch
from gatework.tasks.forecast.windows import OriginSplit, origins_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Columns, Dataset, Examples, Split
    from gatework.options import DataOptions, ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks._after_training import Exportable
    from gatework.tasks._blend import Blend
    from gatework.tasks._chart import Chart
    from gatework.tasks._live import Live
    from gatework.tasks._sample import Sample
    from gatework.tasks.forecast.model import ForecastNetwork


@dataclass(frozen=True)
class ForecastTask(DenseTask):
    """Forecasts of each series' next steps.

    Attributes:
        plan: The window, the horizon and all else that was decided.
        features: How columns become inputs.
        history: The end of every series: what a forecast is made from where no newer table is given.
        answer: What answers instead of the network alone, where the validation part chose that.
        scale: The size of errors of each series and target, where forecasts add up, shape (series, targets).
        rests: The steps at which nothing ever happens.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "mase"
    lower_is_better = True
    shown = (
        *("mase", "smape", "wql"),
        *("msis_80", "msis_95", "coverage_80", "coverage_95", "width_80", "width_95"),
    )
    needs_input = False

    plan: ForecastOptions
    features: Features
    history: Panel
    answer: ForecastBlend | None = field(default=None, compare=False)
    scale: np.ndarray | None = field(default=None, compare=False)
    rests: Rests = field(default_factory=Rests, compare=False)

    @property
    def pipeline(self) -> str:
        """The hub's word for it."""
        return "time-series-forecasting"

    @property
    def columns(self) -> Columns:
        """The columns of the person's table, by role."""
        return {"time": self.history.columns.time, "target": self.history.columns.targets}

    @property
    def example_input(self) -> str:
        """The rows to forecast where something is known of them ahead, else nothing."""
        return "FILE.csv" if self.history.columns.known else ""

    @property
    def extras(self) -> tuple[str, ...]:
        """That of holidays and of statistical methods, where there are such."""
        return ("forecast",) if self.plan.holidays or (self.answer and self.answer.is_statistical) else ()

    @property
    def takes(self) -> tuple[str, ...]:
        """Rows of a table."""
        return ("rows",)

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits a table with a time column, or a registered data set."""
        read = stored_forecast_dataset if is_stored(source, recipe.data) else forecast_dataset
        return read(source, recipe)

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> ForecastTask:
        """Learns the features' scales from the training part alone.

        Raises:
            UsageError: The data set is not one of forecast origins.
        """
        forecasts = _forecasts(dataset)
        plan, table, learnt = forecasts.plan, forecasts.table, origins_of(dataset.sampled.train)
        features = Features.fit(table, forecasts.ends, plan, learnt)
        # What is known ahead may end with the table; then there is a whole window whose future the table has.
        ahead = plan.horizon if table.columns.known else 0
        kept = tail(table, max(plan.window, forecasts.rests.steps_back) + ahead)
        return cls(plan, features, kept, scale=learnt.scale if plan.totals else None, rests=forecasts.rests)

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {
            "plan": dataclasses.asdict(self.plan),
            "features": self.features.state(),
            "history": to_state(self.history),
            **({"answer": self.answer.state()} if self.answer else {}),
            **({"scale": np.nan_to_num(self.scale).tolist()} if self.scale is not None else {}),
            "rests": self.rests.state(),
        }

    def charts(self, split: Split, rows: pl.DataFrame) -> list[Chart]:
        """The end of every series with its forecast and intervals."""
        return charts(futures(origins_of(split), rows))

    def backtest(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame:
        """One row per origin and step ahead: the actual value beside the forecast and its quantiles."""
        return backtest(answers, test)

    def breakdown(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame | None:
        """The metrics of each series."""
        rows = [
            {"series": name or "the series", "forecasts": len(part), **self.metrics(part)}
            for (name,), part in answers.with_columns(name=test["series"]).group_by("name", maintain_order=True)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    @classmethod
    def recipe_in_use(cls, recipe: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A recipe for a reader, with what the table decided."""
        return without_text_options(recipe) | {"forecast": state.get("plan") or {}}

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers."""
        return report.sections(answered)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ForecastTask:
        """The task whose `state()` this is."""
        features, history = Features.from_state(state["features"]), from_state(state["history"])
        plan = ForecastOptions.from_state(state["plan"])
        checked(features.spread, (len(history.series), len(history.columns.targets)))
        if features.effects is not None:
            ahead = len(features.known.mean) + moments(history, np.zeros(1, np.int64), plan).shape[1]
            checked(features.effects, (ahead, len(history.columns.targets)))
        answer = ForecastBlend.from_state(state["answer"], history) if "answer" in state else None
        scale = checked(state["scale"], features.spread.shape) if "scale" in state else None
        rests = Rests.from_state(state.get("rests", {}))
        if any(each.shape[:2] != features.spread.shape for each in rests.counts):
            raise ValueError("the steps at which series rest are not those of the series")
        return cls(plan, features, history, answer, scale, rests)

    @cached_property
    def _panels(self) -> dict[int, tuple[Panel, WindowStore]]:
        return {}

    def encode(self, split: Split) -> Examples:
        """Windows ready to be batched."""
        if isinstance(split, StoredOriginSplit):
            return StoredOriginExamples(split, split.inputs, self.features, self.history)
        origins = origins_of(split)
        key = id(origins.table)
        if key not in self._panels:
            self._panels.clear()
            # The table is kept beside its panel, so that its id stays its own.
            self._panels[key] = (origins.table, WindowStore(origins.table, self.features, self.plan, self.history))
        return OriginExamples(self._panels[key][1], OriginSplit(origins))

    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights; it maps windows to quantiles of shape (batch, horizon, levels).

        Raises:
            UsageError: The recurrent layer is asked to read backwards, which a forecast cannot.
        """
        if config.bidirectional:
            raise UsageError("a forecaster answers from its last state and reads forwards only: bidirectional is false")
        known, past = len(self.features.known.mean), len(self.features.past.mean)
        steps_say = moments(self.history, np.zeros(1, np.int64), self.plan).shape[1]
        targets = len(self.history.columns.targets)
        static = len(self.features.static.mean) + (targets if targets > 1 else 0)
        sizes = {"inputs": 2 + past + known + steps_say, "ahead": 2 * known + steps_say, "static": static}
        return forecast.ForecastNetwork(config, self.plan, series=self._intervals.pairs, log=self.features.log, **sizes)

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The sum of the losses of the networks, each by what it says itself."""
        return forecast.added_losses([self.loss_of(said, batch) for said in _network(model).each(**batch.tensors())])

    def networks(self, model: nn.Module) -> Sequence[Sequence[nn.Parameter]]:
        """The parameters of each network."""
        return _network(model).apart()

    def loss_of(self, outputs: Tensor, batch: Batch) -> Loss:
        """The quantile loss, or that of a distribution, in each window's own measure, summed over observed steps."""
        return forecast.forecast_loss(outputs, origin_batch(batch), self.plan.distribution, self.features.log)

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:
        """Lets the network carry what the validation origins, those of the first training, say of its intervals."""
        (first, network), part = self._trainings(model, dataset, earlier)[0]
        chosen, held = _network(network), part.validation

        def unknown() -> Calibration:
            return self._intervals.unknown(chosen.least_side)

        def along() -> np.ndarray:
            return self._intervals.followed(unknown(), _raw(first, network, held), held)[0]

        choose_distribution(chosen, along, held.targets)
        _network(model).go_by(chosen)
        _network(model).calibration = self._intervals.held_back(unknown(), _raw(first, network, held), held)

    @property
    def blend(self) -> Blend | None:
        """What answers where the validation part chose among network and simple methods."""
        return self.answer.blend if self.answer else None

    def blended(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> ForecastTask:
        """The task with the best of network, simple methods and their weighted mean on the first validation part."""
        (first, network), part = self._trainings(model, dataset, earlier)[0]
        along, held = self._intervals, part.validation
        raw = along.resting(_raw(first, network, held), origins_of(held))
        blend = choose(raw, part)
        said = on_part(blend, raw, part, "validation")
        bands = along.unknown_bands(offering(blend, said), _network(network).least_side)
        bands = along.taught(along.taught(bands, *before_validation(blend, part)), said, origins_of(held))
        bands = along.weighing(blend, bands, said, held)
        last = _forecasts(dataset).trainings[-1]
        return dataclasses.replace(self, answer=made(blend, last, self.history, bands))

    def test(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Evaluation:
        """The forecasts of the test part, each with the intervals that were known to hold when it was made."""
        given = (model, dataset, earlier)
        along = self._answered(self.answer, *given) if self.answer else self._along_the_test_part(*given)
        loss = self.outputs(model, self.encode(dataset.trainings[-1].test))[1]
        answers = self.answers(self._coherent(along[0], dataset.test), dataset.test)
        return Evaluation(loss, self.metrics(answers), answers)

    def advanced(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> ForecastTask:
        """The task, and in place the network, with what is known of their intervals at the end of the table."""
        answer = self.answer
        if answer is not None:
            after = self._answered(answer, model, dataset, earlier)[1]
            answer = dataclasses.replace(answer, bands=after)
        _network(model).calibration = self._along_the_test_part(model, dataset, earlier)[1]
        return dataclasses.replace(self, answer=answer)

    def _along_the_test_part(
        self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]
    ) -> tuple[np.ndarray, Calibration]:
        """The network's calibrated quantiles of the test part, and what is known of its intervals after it."""
        raw = [_raw(task, network, part.test) for (task, network), part in self._trainings(model, dataset, earlier)]
        return self._intervals.followed(_network(model).calibration, _forecasts(dataset).gathered(raw), dataset.test)

    def _answered(
        self, answer: ForecastBlend, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]
    ) -> tuple[np.ndarray, Bands]:
        """The answers to the test part with their bands, and what is known of these after it."""
        each = [
            on_part(answer.blend, _raw(task, network, part.test), part, "test")
            for (task, network), part in self._trainings(model, dataset, earlier)
        ]
        gathered = {name: _forecasts(dataset).gathered([said[name] for said in each]) for name in each[0]}
        return self._intervals.banded(answer.bands, gathered, dataset.test)

    @property
    def _intervals(self) -> Intervals:
        return Intervals(self.history, self.plan, self.rests)

    def _trainings(
        self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]
    ) -> list[tuple[Trained, ForecastDataset]]:
        """Every training with the data that it learnt from, in the order of time."""
        return list(zip([*earlier, Trained(self, model)], _forecasts(dataset).trainings, strict=True))

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """One row per series, target and step: ids, time, the forecast (the median) and its quantiles.

        Where more than the network answers, the rows say who does, and what the network alone forecasts.
        """
        quantiles, after = self._going_on(model, split)
        rows = self.rows(quantiles, split)
        if after is None or after.blend.is_network:
            return rows
        alone = dataclasses.replace(self, answer=None)
        network = alone.rows(alone._going_on(model, split)[0], split)["forecast"]
        return rows.with_columns(network=network, method=pl.lit(after.name(int(origins_of(split).times().max()))))

    def summary(self, predictions: pl.DataFrame) -> list[str]:
        """Who answers, where that is more than the network."""
        return [f"answered by {predictions['method'][0]}"] if "method" in predictions.columns else []

    def in_own_unit(self, outputs: np.ndarray, batch: Batch) -> np.ndarray:
        """Quantiles with the centre of each window, float64 where one was taken off."""
        return in_own_unit(outputs, origin_batch(batch).centre.numpy())

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, **options: Any) -> Scores:
        """How good forecasts are along a newer table, with intervals that go on learning."""
        split = self.read_known(source, recipe, **options)
        answers = self.answers(self._going_on(model, split)[0], split)
        others = {}
        if self.blend is not None and not self.blend.is_network:
            alone = dataclasses.replace(self, answer=None)
            others[NETWORK_ALONE] = self.metrics(self.answers(alone._going_on(model, split)[0], split))
        return Scores(self.metrics(answers), answers, others, test=split.table())

    def _going_on(self, model: nn.Module, split: Split) -> tuple[np.ndarray, ForecastBlend | None]:
        """Quantiles for the origins of a table, going on from what is known of the answer, and that in the end.

        Where the table is newer than what was learnt from, the steps up to an origin have come to pass: forecasts are
        made for them first, so that the intervals learn from them as they did along the test part.
        """
        origins = origins_of(split)
        index = np.concatenate([newer(self.history, origins, self.plan), origins.index])
        whole = OriginSplit(dataclasses.replace(origins, index=index, horizon=self.plan.horizon))
        raw, answer = _raw(self, model, whole), self.answer
        if answer is not None:
            along, bands = self._intervals.banded(answer.bands, answer.said(raw, whole.inputs), whole)
            answer = dataclasses.replace(answer, bands=bands)
        else:
            along = self._intervals.followed(_network(model).calibration, raw, whole)[0]
        return self._coherent(along, whole)[-len(origins) :], answer

    def _coherent(self, quantiles: np.ndarray, split: Split) -> np.ndarray:
        """Forecasts that add up, where the plan has sums."""
        if self.scale is None:
            return quantiles
        return coherent(quantiles, origins_of(split), self.history, self.scale, self._intervals.least)

    def answers(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """Quantiles beside what came to pass, one row per origin."""
        return answers_of(outputs, split.targets)

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """MASE, sMAPE, RMSE, MAE, MSE, weighted quantile loss, and the coverage of the 80 and 95 % intervals."""
        return metrics(*arrays_of(answers))

    def sample(self, answers: pl.DataFrame) -> Sample:
        """The scaled error of each forecast; neighbouring forecasts are one group."""
        return sample(answers)

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """Naive, drift, seasonal naive, a linear model on lags, and AutoETS, AutoTheta and AutoARIMA.

        Each is fitted as often as the network is trained, on the same steps.
        """
        return baselines(_forecasts(dataset))

    def tables(self, model: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Mapping[str, pl.DataFrame]:
        """The metrics of each series and target, and what comes next where nothing must be known for that."""
        columns, rows = self.history.columns, []
        table = origins_of(dataset.test).table
        for (number, target), answers in evaluation.answers.group_by("series", "target", maintain_order=True):
            name = dict(zip(columns.ids, table.series[number].id, strict=True))
            rows.append({**name, "target": columns.targets[target], **self.metrics(answers)})
        kept = {"series": pl.DataFrame(rows, infer_schema_length=None), **compared(_network(model))}
        kept |= each_alone(self, _network(model), _forecasts(dataset).trainings[-1])
        try:
            end = at_the_end(self.history, self.plan.horizon, self.plan.season)
        except DataError:
            # The columns that are known ahead end with the table.
            return kept
        return kept | {"future": futures(end.inputs, self.predict(model, end))}

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live | None:
        """A page in which the network forecasts."""
        network, plan = _network(model), self.plan
        split = last_windows(self.history, plan) if given is None else given
        origins = origins_of(split.take(np.arange(min(len(split), MOST_WINDOWS))))
        whole = OriginSplit(dataclasses.replace(origins, horizon=plan.horizon))
        factors = self._intervals.factors(network.calibration, _raw(self, network, whole), whole)
        rests = self.rests.of_windows(whole.inputs, self.history, plan.window)
        by_more = self.answer is not None and not self.answer.blend.is_network
        answered_by = self.answer.name(int(origins.times().max())) if self.answer and by_more else ""
        examples = cast("OriginExamples", self.encode(whole))
        return live(network, plan, self.features, examples, Stretching(factors, rests), answered_by=answered_by)

    def exportable(self, model: nn.Module) -> Exportable:
        """The network, called with windows as in training, before its intervals are stretched."""
        return forecast.exportable(_network(model), self.encode(last_windows(self.history, self.plan)))

    def remark(
        self, dataset: Dataset, metrics: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]
    ) -> str:
        """How many actual values the intervals held, whether that can be told, and whose intervals are better."""
        steps = distinct_steps(dataset.test.targets)
        counts = are_small_counts(_forecasts(dataset).table, _forecasts(dataset).ends)
        held = held_remark(metrics, steps, steps / self.plan.horizon, are_small_counts=counts)
        return " ".join(filter(None, (held, interval_remark(metrics, baselines))))

    def absent(self, dataset: Dataset) -> list[str]:
        """Says where statsforecast is not installed, or there are too many series for its methods."""
        return absent(origins_of(dataset.test))

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Where to forecast from: the end of the training table, or that of a newer table.

        Args:
            source: None, a path, or a data frame.
            recipe: What the task was trained with.
            options: `horizon`, the steps to forecast; as many as it was trained for if None.

        Raises:
            UsageError: The horizon is longer than the trained one.
            DataError: The table cannot be used, or lacks what was said to be known ahead.
        """
        refuse_options(self.name, options, ("horizon",))
        return end_of(self.history, self.plan, source, recipe, options.get("horizon"))

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Every origin of a newer table that has a season before it and the whole horizon after it.

        Raises:
            DataError: The table cannot be used, or is too short.
        """
        refuse_options(self.name, options)
        return along(self.history, self.plan, source, recipe)

    def rows(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """One row per series, target and step: ids, time, the forecast (the median) and its quantiles."""
        return pl.DataFrame(answer_rows(origins_of(split), outputs), infer_schema_length=None)


def _forecasts(dataset: Dataset) -> ForecastDataset:
    if not isinstance(dataset, ForecastDataset):
        raise UsageError(f'"{dataset.name}" is no table with a time column; forecasting needs one')
    return dataset


def _network(model: nn.Module) -> ForecastNetwork:
    return cast("ForecastNetwork", model)


def _raw(task: Task, model: nn.Module, split: Split) -> np.ndarray:
    """A network's quantiles before calibration."""
    assert isinstance(task, ForecastTask)
    return task.outputs(model, task.encode(split))[0]
