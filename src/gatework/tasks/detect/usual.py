"""What is usual of each row of a table with a time column, learnt without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from gatework._stored import Stored
from gatework.data.dataset import Columns
from gatework.data.reading import Reading
from gatework.data.sets import label_of
from gatework.data.store.sources import is_stored
from gatework.errors import DataError, UsageError
from gatework.options import TimeOptions
from gatework.tasks import detect
from gatework.tasks._dense import DenseTask
from gatework.tasks._section import Answered, ReportSection, without_text_options
from gatework.tasks._task import Baseline, Evaluation, Loss, Scores, Trained, refuse_options
from gatework.tasks.detect import report
from gatework.tasks.detect.budget import factor, weeks_of
from gatework.tasks.detect.charts import charts
from gatework.tasks.detect.data import (
    DetectionDataset,
    Extents,
    Scales,
    WindowExamples,
    Windows,
    WindowSplit,
    detection_dataset,
    encode_windows,
    windows_of,
)
from gatework.tasks.detect.detector import Detector, judged_rows, read_rows
from gatework.tasks.detect.evaluation import TOLERANCE, about_labels, alarms_by_part, count_alarms, evaluate_detector
from gatework.tasks.detect.judges import Judging, judgings, ratios
from gatework.tasks.detect.live import live
from gatework.tasks.detect.metrics import answers_of, error_metrics, sample
from gatework.tasks.detect.online_scorer import OnlineScorer
from gatework.tasks.detect.options import OPTIONS, DetectOptions
from gatework.tasks.detect.relations import Relations
from gatework.tasks.detect.spans import describe, highlights
from gatework.tasks.detect.stored import StoredWindowSplit, stored_detection_dataset
from gatework.tasks.detect.stored_windows import StoredWindowExamples
from gatework.tasks.detect.streaming import DetectStream
from gatework.tasks.detect.value_rules import value_rules

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Dataset, Examples, Split
    from gatework.data.events import EventRows
    from gatework.options import DataOptions, ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks._after_training import Exportable
    from gatework.tasks._chart import Chart
    from gatework.tasks._live import Live
    from gatework.tasks._sample import Sample
    from gatework.tasks._stream import Stream
    from gatework.tasks.detect.model import DetectNetwork

# How many errors of the validation part a network carries for its thresholds to begin with, and how many rows around
# the end of the squared part of the loss, in standard deviations.
_USUAL = 5000
_HUBER = 0.5
_NO_LABELS = (
    "no column of labels is named, so these figures say how much is flagged (a score above 0.5), not how well "
    "anomalies are found; --label COLUMN measures that",
)


@dataclass(frozen=True)
class UsualTask(Stored, DenseTask):
    """What is usual of each row, given those before it; what is not is an anomaly.

    Attributes:
        columns: The columns by role: "time", "series", "target".
        settings: Scorer, threshold, smoothing and spans, with a context that fits the training table.
        scales: How series are standardised.
        extents: What the training rows span.
        relations: How their columns go together.
        periods: The periods of the clock, in seconds.
        usual: How many errors of the validation part the network carries.
        weight: What a labelled row weighs in the loss; 0 where there are no labels.
        reading: How the training table's texts became values.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "mae"
    lower_is_better = True
    shown: ClassVar[tuple[str, ...]] = ("mae", "rmse")
    row_table = "detections"
    next_commands = ("gatework evaluate {run} FILE.csv --label COLUMN",)

    columns: Columns
    settings: DetectOptions
    scales: Scales
    extents: Extents
    relations: Relations
    periods: tuple[int, ...]
    usual: int
    weight: float = 0.0
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        kinds = {"time": str, "series": tuple, "target": tuple}
        if any(not isinstance(self.columns.get(role), kind) for role, kind in kinds.items()):
            raise ValueError(f"the columns are {self.columns!r}")

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits a registered data set, a file or a frame by time.

        Raises:
            UsageError: A column is not named, or there is no such data set.
            DataError: The table cannot be used.
        """
        if is_stored(source, recipe.data):
            return stored_detection_dataset(source, recipe)
        return detection_dataset(source, recipe)

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> UsualTask:
        """Takes over scales and clock, which the training part alone decided."""
        dataset = detection_data(dataset)
        names = dataset.readings.columns
        columns: Columns = {"time": names.time, "series": names.ids, "target": names.targets}
        held = int((dataset.ends[:, 1] - dataset.ends[:, 0]).sum())
        usual = min(max(held, 1), _USUAL)
        learnt = (dataset.scales, dataset.extents, dataset.relations, dataset.periods)
        return cls(columns, dataset.config, *learnt, usual, 0.0, dataset.reading)

    def charts(self, split: Split, rows: pl.DataFrame) -> list[Chart]:
        """Every series with what was expected of it and the spans that stand out."""
        return charts(rows, str(self.columns["time"]), tuple(self.columns["series"]), self.variables)

    @classmethod
    def recipe_in_use(cls, recipe: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A recipe for a reader, with what the table decided."""
        return without_text_options(recipe) | {"detect": state.get("settings") or {}}

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers."""
        return report.sections(answered)

    @property
    def example_input(self) -> str:
        """A table."""
        return "FILE.csv"

    @property
    def takes(self) -> tuple[str, ...]:
        """Rows of a table."""
        return ("rows",)

    @property
    def variables(self) -> tuple[str, ...]:
        """The watched columns."""
        names = self.columns["target"]
        return (names,) if isinstance(names, str) else tuple(names)

    @property
    def scorer(self) -> str:
        """What an error is."""
        return self.settings.scorer

    @property
    def is_related(self) -> bool:
        """Whether what the columns say of one another is judged as well."""
        return self.settings.threshold == "combined" and self.relations.is_any

    @property
    def judgings(self) -> tuple[Judging, ...]:
        """How errors are judged: those of the network, then those of the columns against one another."""
        by_error = judgings(self.settings)
        return by_error * 2 if self.is_related else by_error

    def about(self, dataset: Dataset) -> list[str]:
        """What was read, in rows, and how many windows of them a network learns from."""
        data = detection_data(dataset)
        trained, validated = data.ends[:, 0].sum(), data.ends[:, 1].sum()
        rows = sum(len(series) for series in data.readings.series)
        learnt = data.rows_learnt
        return [
            f"{dataset.name}: {learnt:,} rows for training, {validated - trained:,} for validation, "
            f"{rows - validated:,} for testing",
            f"{len(dataset.train):,} windows of them to learn from",
        ]

    def encode(self, split: Split) -> Examples:
        """Windows ready to be batched."""
        if isinstance(split, StoredWindowSplit):
            return StoredWindowExamples(split, split.inputs, self.scales, self.periods)
        windows = windows_of(split)
        return WindowExamples(split, *encode_windows(windows, self.scales, self.periods, self.scorer))

    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights; it maps windows to what is expected of their rows.

        Raises:
            UsageError: The recurrent layer is asked to read backwards, which a row-by-row answer cannot.
        """
        self._check(config)
        sizes = (config, len(self.variables), 2 * len(self.periods), (len(self.judgings), self.usual))
        if self.scorer == "forecast":
            return detect.NextRowNetwork(*sizes)
        return detect.Autoencoder(*sizes, self.settings.context)

    def _check(self, config: ModelOptions) -> None:
        if config.bidirectional:
            raise UsageError("a detector answers each row from those before it: bidirectional is false")

    def loss_of(self, outputs: Tensor, batch: Batch) -> Loss:
        """The Huber loss of what was expected, in standard deviations, summed over the rows that count."""
        from torch.nn.functional import smooth_l1_loss

        counts = ~batch.targets.isnan()
        total = smooth_l1_loss(outputs[counts], batch.targets[counts], beta=_HUBER, reduction="sum")
        return Loss(total, float(counts.sum()))

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:
        """Lets the network carry the errors of the validation part, which it was not trained on."""
        import torch

        network, data = network_of(model), detection_data(dataset)
        network.eval()
        pairs = list(zip(data.readings.series, data.ends, strict=True))
        held = [self._held_back(network, rows, *ends) for rows, ends in pairs]
        smoothed = [np.concatenate(each) for each in zip(*held, strict=True)]
        at = np.linspace(0, max(len(smoothed[0]) - 1, 0), self.usual).round().astype(np.int64)
        begun = np.stack([errors[at] if len(errors) else np.zeros((self.usual, 1)) for errors in smoothed])
        network.usual.copy_(torch.from_numpy(begun))
        if self.settings.alarms_per_week:
            weeks = weeks_of([rows.stamps[train:end] for rows, (train, end) in pairs])
            besides = [self._besides(network, rows, *ends) for rows, ends in pairs]
            network.budget.fill_(self._budget(held, besides, weeks))

    def watch(self, network: DetectNetwork, series: str) -> OnlineScorer:
        """Begins to watch a series: by the network's errors and, as the threshold has it, by rules on the values."""
        scale, extent = self.scales.of(series), self.extents.of(series)
        rules = [rule(extent, np.array(scale.std)) for rule in value_rules(self.settings)]
        relation = self.relations.of(series) if self.is_related else None
        return OnlineScorer(network, scale, self.periods, self.settings, rules, relation)

    def _besides(self, network: DetectNetwork, rows: EventRows, train: int, end: int) -> np.ndarray:
        """What the rules beside the network say of a series' validation rows, the largest of each, shape (rows,)."""
        rules = self.watch(network, rows.name).rules
        said = [np.nan_to_num(rule.run(rows.values[:end])[train:], nan=0.0).max(axis=1) for rule in rules]
        return np.max([np.zeros(end - train), *said], axis=0)

    def _held_back(self, network: DetectNetwork, rows: EventRows, train: int, end: int) -> list[np.ndarray]:
        """The errors of a series' validation rows at every scale, each of shape (rows, variables)."""
        watch, values = self.watch(network, rows.name), rows.values[:end]
        errors = [watch.errors(values, rows.stamps[:end])[0]]
        errors += [watch.relation.run(values)] if watch.relation else []
        scales = judgings(self.settings)
        return [scale.smoothing(each.shape[1]).run(each)[train:] for each in errors for scale in scales]

    def _budget(self, held: Sequence[Sequence[np.ndarray]], besides: Sequence[np.ndarray], weeks: float) -> float:
        """What thresholds are multiplied by: each half of the rows is judged by rules that begin with the other."""
        quotients = []
        for errors, beside in zip(held, besides, strict=True):
            early, late = [e[: len(e) // 2] for e in errors], [e[len(e) // 2 :] for e in errors]
            halves = [ratios(self.judgings, *pair) for pair in ((early, late), (late, early))]
            quotients.append(np.maximum(np.concatenate(halves), beside))
        return factor(quotients, weeks, self.settings.alarms_per_week, self.settings.gap)

    def answers(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """What was expected of the rows of each window beside what they were, in standard deviations."""
        return answers_of(outputs, split.targets)

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Mean absolute and root mean squared error of what was expected, in standard deviations of the training part.

        How well anomalies are found needs labels: see `gatework evaluate RUN FILE --label COLUMN`.
        """
        return error_metrics(answers)

    def sample(self, answers: pl.DataFrame) -> Sample:
        """The mean absolute error of each window."""
        return sample(answers)

    def tables(self, model: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Mapping[str, pl.DataFrame]:
        """The answer for every row of the whole table."""
        readings = detection_data(dataset)
        return {"detections": Detector(network_of(model), self).frame(readings.readings, readings.ends)}

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """What is usual by simple rules: no change from the row before, and the value one day before."""
        start = perf_counter()
        split = dataset.test
        values, _ = encode_windows(windows_of(split), self.scales, self.periods, "forecast")
        before = values[:, :, : len(self.variables)]
        if self.scorer != "forecast":
            before = np.concatenate([before[:, :1], before[:, :-1]], axis=1)
        about = "Expects every row to be as the one before it."
        answers = answers_of(before.reshape(len(values), -1), split.targets)
        return [Baseline("no change", about, answers, perf_counter() - start)]

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, **options: Any) -> Scores:
        """How well labelled rows are found, beside the simple detectors; see `gatework.tasks.detect.metrics`.

        Where no labels are known, how much each of them flags.

        Args:
            model: The trained network.
            source: A path, a data frame, or the name of a data set.
            recipe: What the task was trained with.
            options: `label`, the column that says what is anomalous, and `tolerance`, the rows beside a labelled span
                in which an alarm counts where that is said.

        Raises:
            UsageError: There is no such option, or a tolerance without labels.
            DataError: The table cannot be used.
        """
        refuse_options(self.name, options, ("label", "tolerance"))
        label, tolerance = options.get("label") or recipe.data.label or label_of(source), options.get("tolerance")
        if label is None and tolerance is not None:
            raise UsageError("--tolerance is about labelled rows; name their column with --label")
        tolerance = TOLERANCE if tolerance is None else tolerance
        if tolerance < 0:
            raise UsageError(f"--tolerance is {tolerance}, expected a number of rows, 0 or more")
        detector, rows = Detector(network_of(model), self), read_rows(source, recipe, self, label)
        scores = count_alarms(detector, rows) if label is None else evaluate_detector(detector, rows, tolerance)
        first, *others = scores
        notes = _NO_LABELS if label is None else (about_labels(rows, tolerance),)
        return Scores(scores[first], baselines={name: scores[name] for name in others}, notes=notes)

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads rows to be judged: every row of the table, whole series at a time.

        Raises:
            UsageError: An option is given, or no table.
            DataError: The table cannot be used.
        """
        refuse_options(self.name, options)
        readings = read_rows(source, recipe, self)
        index = np.array([(k, 0, len(rows), 0) for k, rows in enumerate(readings.series)], dtype=np.int64)
        return WindowSplit(Windows(readings, index), np.zeros((len(index), 0)))

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """One row per row of the table, in its order: score, whether it is anomalous, and why."""
        frame = Detector(network_of(model), self).frame(windows_of(split).readings).sort("row").drop("row")
        time = str(self.columns["time"])
        return frame.with_columns(frame[time].dt.strftime("%Y-%m-%dT%H:%M:%S%.f"))

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live | None:
        """A page in which the detector watches stretches of the rows given, or of the table that it was trained on."""
        detector = Detector(network_of(model), self)
        if given is not None:
            readings = windows_of(given).readings
            return live(detector, readings.series, detector.frame(readings))
        return None if test is None else live(detector, judged_rows(test, self), test)

    def exportable(self, model: nn.Module) -> Exportable:
        """Rows and states in, what is expected and states out."""
        return detect.exportable(network_of(model))

    def rows(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """For each window what is expected of its rows, in standard deviations."""
        return self.answers(outputs, split).select("expected")

    def summary(self, predictions: pl.DataFrame) -> list[str]:
        """The flagged spans, one a line: when, how long, and why."""
        time, ids = str(self.columns["time"]), tuple(self.columns["series"])
        return describe(predictions.to_dicts(), time, ids, self.variables)

    def highlights(self, rows: pl.DataFrame) -> list[str]:
        """How many spans each part has, and the worst of them."""
        columns = self.columns
        return highlights(rows, str(columns["time"]), tuple(columns["series"]), self.variables)

    def breakdown(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame | None:
        """How much is flagged of the training, the validation and the test part of the table."""
        return alarms_by_part(test, str(self.columns["time"]), tuple(self.columns["series"]))

    def given(self, beside: pl.DataFrame | None) -> frozenset[str]:
        """The watched columns, as they were given."""
        return super().given(beside).union(self.variables)

    def stream(self, model: nn.Module, recipe: Recipe) -> Stream:
        """Judges rows as they come, with the state of every series carried."""
        given = Reading.given(recipe.data, recipe.section(TimeOptions))
        return DetectStream(Detector(network_of(model), self), self.reading.overridden(given))


def network_of(model: nn.Module) -> DetectNetwork:
    """The network of a detector."""
    return cast("DetectNetwork", model)


def detection_data(dataset: Dataset) -> DetectionDataset:
    """A data set of windows.

    Raises:
        DataError: It is of another kind.
    """
    if not isinstance(dataset, DetectionDataset):
        raise DataError(f'"{dataset.name}" is no table with a time column, which anomaly detection needs')
    return dataset
