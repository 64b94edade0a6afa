"""A task: what is learnt from a dataset, how well, and beside which simple methods; it presents nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from threadpoolctl import threadpool_limits

from gatework.data.batches import training_order
from gatework.errors import DataError, UsageError
from gatework.tasks._findings import Findings, sentence

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Dataset, Examples, Split
    from gatework.options import DataOptions, ModelOptions, TaskOptions, TrainingOptions
    from gatework.recipe import Recipe
    from gatework.tasks._blend import Blend
    from gatework.tasks._chart import Chart
    from gatework.tasks._inference import Inference
    from gatework.tasks._live import Live
    from gatework.tasks._sample import Sample
    from gatework.tasks._section import Answered, ReportSection
    from gatework.tasks._stream import ByteStream, Stream


_PARTS = {"train": "training", "validation": "validation", "test": "testing"}


def single_threaded() -> AbstractContextManager[Any]:
    """Keeps the linear algebra under scikit-learn to one thread while a baseline is fitted.

    Its vectors are too short to share: on a busy machine the threads wait for each other ten times longer than they
    work. One thread also gives the same digits on every machine.
    """
    return threadpool_limits(1)


class Loss(NamedTuple):
    """The loss of a batch as a sum and what it is a sum over; batches and processes are added up before dividing.

    Attributes:
        total: The sum, a scalar that gradients flow back from.
        weight: How many terms it has: examples, values, tokens or frames.
        sums: What else is worth following in training, summed likewise: of a classifier how many answers are right, as
            "accuracy".
        carried: What the next batch of an epoch goes on from, without its gradient, where batches are windows of
            streams: tensors of the same shapes at every step, which `Batch.following()` is given.
    """

    total: Tensor
    weight: float
    sums: Mapping[str, float] = {}
    carried: tuple[Tensor, ...] = ()

    def mean(self) -> Tensor:
        """What a training step follows; 0 for a batch without any term."""
        return self.total / max(self.weight, 1.0)


@dataclass(frozen=True)
class Evaluation:
    """What a network says of examples, and how good that is.

    Attributes:
        loss: The mean loss, by the weights of `Loss`.
        metrics: By name, without a prefix.
        answers: One row per example, as `Task` says of its columns.
    """

    loss: float
    metrics: dict[str, float]
    answers: pl.DataFrame


@dataclass(frozen=True)
class Baseline:
    """A simple method that a network must beat.

    Attributes:
        name: As it stands in tables, such as "last value".
        about: One sentence: what it does.
        answers: What it says of the test part, with the columns of the network's answers.
        seconds: What fitting it took, in seconds.
        parameters: How many numbers it learnt; 0 where it learns nothing.
    """

    name: str
    about: str
    answers: pl.DataFrame
    seconds: float
    parameters: int = 0


@dataclass(frozen=True)
class Scores:
    """How good a trained network is on examples with known answers.

    Attributes:
        metrics: Of the network, by name.
        answers: What it says; None where only metrics are known.
        baselines: The metrics of simple methods on the same examples, by their names.
        test: The examples with what is known of them, one row each; None where only metrics are known.
    """

    metrics: dict[str, float]
    answers: pl.DataFrame | None = None
    baselines: Mapping[str, dict[str, float]] = field(default_factory=dict)
    test: pl.DataFrame | None = None


class Trained(NamedTuple):
    """One of the trainings of a run: the task as it was fitted, and its network."""

    task: Task
    model: nn.Module


class Task(ABC):
    """A task fitted to a dataset's training part.

    A task of one's own gives the abstract methods; all others have defaults that fit a task whose every example has one
    answer. `tasks.register()` makes it known.

    Attributes:
        options: What it says of its options without being imported; None where it has none of its own.
        name: The name on the command line.
        metric: The metric that decides, without the "test_" prefix.
        lower_is_better: Whether a smaller metric is a better one.
        shown: The metrics that a table shows first, without the "test_" prefix; all where it is empty.
        row_table: The table of a run that has the rows a person reads, where it is not its answers themselves.
        needs_input: Whether a prediction needs something to predict; a forecast goes on from what was learnt from.
        example_input: What a person may predict first, as the command line takes it.
        reads_bytes: Whether its stream is one of bytes, as sound is, rather than of rows.
        formats: Forms beside tables that predictions can be written in, such as "srt"; also the endings of files.
    """

    options: ClassVar[TaskOptions | None] = None
    name: ClassVar[str]
    metric: ClassVar[str]
    lower_is_better: ClassVar[bool]
    shown: ClassVar[tuple[str, ...]] = ()
    row_table: ClassVar[str] = ""
    needs_input: ClassVar[bool] = True
    example_input: ClassVar[str] = '"..."'
    reads_bytes: ClassVar[bool] = False
    formats: ClassVar[tuple[str, ...]] = ()

    @classmethod
    @abstractmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits the data to learn from.

        Args:
            source: A registered data set's name, the path of a file or folder, or a data frame.
            recipe: What is trained.

        Raises:
            UsageError: There is neither such a data set nor such a file, or a column must be named.
            DataError: The data are not what was expected.
        """

    @classmethod
    def check(cls, source: Any, recipe: Recipe) -> Findings:
        """What a dry look at data says: what was read, and what would stop a training.

        Args:
            source: As for `load()`.
            recipe: What would be trained.
        """
        try:
            dataset = cls.load(source, recipe)
        except DataError as error:
            return Findings((), (sentence(error),))
        return Findings(tuple(cls.fit(dataset, recipe.data).about(dataset)), (), dataset.provenance.notes)

    @classmethod
    @abstractmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> Task:
        """Learns vocabulary, classes and scaling from `dataset.train` alone."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, Any]) -> Task:
        """The task whose `state()` this is."""

    @property
    def takes(self) -> tuple[str, ...]:
        """The forms in which one may ask it over a network: "texts", "series", or "rows" of a table; none by default.

        Whoever asks is a stranger: what a task takes so must not be able to name a file of this machine.
        """
        return ()

    @property
    def reads_parts(self) -> bool:
        """Whether every row of a table is an example of its own, so that a table is predicted part by part."""
        return False

    @classmethod
    def decided(cls, recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
        """The task's own recipe with what depends on the data; the recipe itself by default.

        Args:
            recipe: The recipe.
            dataset: The data.
            given: The fields that a person gave, by their bare or qualified names, which stay as they are.
        """
        return recipe

    def about(self, dataset: Dataset) -> list[str]:
        """What was read, in lines for a person: how many examples for what."""
        parts = (f"{len(getattr(dataset, name)):,} for {word}" for name, word in _PARTS.items())
        return [f"{dataset.name}: {', '.join(parts)}"]

    def outlook(self, dataset: Dataset, recipe: Recipe) -> list[str]:
        """What a person may expect of a training before it begins, in lines; nothing by default."""
        return []

    @abstractmethod
    def encode(self, split: Split) -> Examples:
        """Examples ready to be batched."""

    def order(self, examples: Examples, config: TrainingOptions, epoch: int) -> Sequence[np.ndarray]:
        """The batches of an epoch, in order; as many in every epoch, and a function of the arguments alone.

        Args:
            examples: The training part, encoded.
            config: The size of a batch and the seed.
            epoch: The epoch, counted from 1.

        Returns:
            For each step what `Examples.batch()` is given, the first dimension of which several processes share.
        """
        return training_order(examples.lengths, config.batch_size, config.seed, epoch, config.bucket)

    @abstractmethod
    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights; its `forward()` takes the named tensors of a batch."""

    def begin(self, model: nn.Module, dataset: Dataset) -> None:  # noqa: B027
        """Changes fresh weights before the first step of a training, as to go on from another network's."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The loss of a network on a batch."""

    def specimen(self, model: nn.Module) -> dict[str, str]:
        """What a network makes after an epoch, as texts by name, for a person to see; nothing by default.

        It draws from no random generator but its own, so that training is the same with and without it.
        """
        return {}

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live | None:
        """What a page needs in which a trained network runs; None where the task has no such page of its own.

        Args:
            model: The trained network.
            given: Inputs that a person gave for the page to begin with, as `read()` gives them.
            test: The test part as the run keeps it, for examples.
        """
        return None

    @abstractmethod
    def evaluate(self, model: nn.Module, examples: Examples) -> Evaluation:
        """What a network says of examples with known answers, and how good that is."""

    @abstractmethod
    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Every metric of a table of answers, a network's or a baseline's; `metric` is among them."""

    def sample(self, answers: pl.DataFrame) -> Sample | None:
        """What each example adds to the metric that decides; None where that is no mean over examples."""
        return None

    @abstractmethod
    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """What a person wants to see of examples, as rows of a table."""

    def inference(self, config: ModelOptions, weights: Mapping[str, np.ndarray]) -> Inference | None:
        """What answers without torch; None, as by default, where the task or this network needs it.

        Args:
            config: The cell, its size and its options.
            weights: Those of the trained network by name, which anybody may have written: none is used unchecked.
        """
        return None

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads what is to be predicted.

        Args:
            source: What the task takes: a text, a path, a data frame; None where it needs no input.
            recipe: What the task was trained with.
            options: Options of a prediction that this task has, such as `horizon` of a forecast.

        Raises:
            UsageError: The task has no such option, or cannot read such a source.
        """
        raise UsageError(f'the task "{self.name}" cannot predict new examples')

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads examples with known answers; see `read()`."""
        raise UsageError(f'the task "{self.name}" cannot be measured on new examples')

    def align(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """Where in each input each part of its known answer lies, as rows that `written()` can write.

        Raises:
            UsageError: The task's answers have no place in their inputs.
        """
        raise UsageError(f'the task "{self.name}" cannot say where in an input its answer lies')

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """Every simple method, fitted to the training part and run on the test part; none by default."""
        return []

    def absent(self, dataset: Dataset) -> list[str]:
        """Which simple methods are not run here and why, one sentence each."""
        return []

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:  # noqa: B027
        """Adjusts a trained network's buffers by the validation part, before the test part is looked at.

        Args:
            model: The trained network.
            dataset: The data.
            earlier: The trainings of `dataset.trainings` before the last one.
        """

    def test(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Evaluation:
        """What is said of the test part; changes nothing. The arguments are those of `calibrate()`."""
        return self.evaluate(model, self.encode(dataset.test))

    @property
    def blend(self) -> Blend | None:
        """What answers where the validation part chose among network and simple methods; else None: the network."""
        return None

    def blended(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Task:
        """The task with the answer that does best on the validation part: see `gatework.tasks._blend`.

        What it answers then is that of its `blend`, whose needs stand in its `state()` as "answer". The arguments are
        those of `calibrate()`, which was called before. Without simple methods that can be kept in a run, the task as
        it is.
        """
        return self

    def simple(self, model: nn.Module, split: Split) -> Mapping[str, pl.DataFrame]:
        """What the simple methods of the `blend` say alone of examples with known answers, by name; none by default."""
        return {}

    def advanced(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Task:
        """The task, and in place the network's buffers, gone on over the test part, from whose end it predicts."""
        return self

    def tables(self, model: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Mapping[str, pl.DataFrame]:
        """Further tables that a run keeps for its report, by the name of their file; none by default."""
        return {}

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, **options: Any) -> Scores:
        """How good a trained network is on a source with known answers; the arguments are those of `read_known()`."""
        split = self.read_known(source, recipe, **options)
        evaluation = self.evaluate(model, self.encode(split))
        return Scores(evaluation.metrics, evaluation.answers, test=split.table())

    def remark(
        self, dataset: Dataset, metrics: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]]
    ) -> str:
        """What a verdict must add to the deciding metric of a network, in a sentence; nothing by default.

        Args:
            dataset: The data.
            metrics: The network's metrics on the test part, without a prefix.
            baselines: Those of the simple methods, by their names.
        """
        return ""

    def is_copied(self, answers: pl.DataFrame) -> bool:
        """Whether answers equal the targets exactly, so that copying the input solves the task."""
        return False

    def lines(self, predictions: pl.DataFrame) -> list[str] | None:
        """Predictions as lines of text, where a person reads them so; None where a table is read better."""
        return None

    def pieces(self, model: nn.Module, split: Split) -> Iterator[str] | None:
        """What is predicted, piece by piece as it comes, where that is text to be read; None where it is a table."""
        return None

    def written(self, predictions: pl.DataFrame, form: str) -> str:
        """Predictions in one of the task's `formats`, as the content of a file."""
        raise UsageError(f'the task "{self.name}" writes no {form}')

    def summary(self, predictions: pl.DataFrame) -> list[str]:
        """What predictions amount to, one line each, beside the table of them; nothing by default."""
        return []

    def stream(self, model: nn.Module, recipe: Recipe) -> Stream:
        """Answers rows as they come, with carried state.

        Raises:
            UsageError: The task or the network cannot go step by step.
        """
        raise UsageError(f'the task "{self.name}" cannot answer row by row')

    def byte_stream(self, model: nn.Module, recipe: Recipe, **options: Any) -> ByteStream:
        """Answers bytes as they come, with carried state, where the task `reads_bytes`.

        Args:
            model: The trained network.
            recipe: What it was trained with.
            options: Options of a prediction that this task has.

        Raises:
            UsageError: The task or the network cannot.
        """
        raise UsageError(f'the task "{self.name}" reads rows and no bytes')

    def calibrated(self, model: nn.Module) -> nn.Module:
        """The network with what `calibrate()` chose among its weights, as it is written to files; by default itself."""
        return model

    def exportable(self, model: nn.Module) -> tuple[nn.Module, dict[str, Any]] | None:
        """What is written of a network as an ONNX file, and the keywords of `gatework.export.onnx` for it.

        None where the network is written as it is called in training.
        """
        return None

    def charts(self, split: Split, rows: pl.DataFrame) -> list[Chart]:
        """A picture of predictions.

        Args:
            split: What was predicted, as `read()` gives it.
            rows: What `predict()` says of it.

        Raises:
            UsageError: The task draws none.
        """
        raise UsageError(f'the task "{self.name}" draws no picture of its predictions')

    def backtest(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame:
        """Answers beside what came to pass, as rows that a person reads.

        Args:
            answers: The answers to the test part.
            test: The test part, as `Split.table()` gives it.
        """
        return test.hstack(answers.drop([name for name in answers.columns if name in test.columns]))

    def breakdown(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame | None:
        """The figures of each part that examples fall into, such as a class or a series; None where there are none."""
        return None

    @classmethod
    def recipe_in_use(cls, recipe: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A recipe for a reader: with what was decided where it left a choice, and without what had no effect.

        Args:
            recipe: The recipe's sections.
            state: The fitted task, as `state()` gives it.
        """
        unused = cls.options.unused if cls.options else frozenset()
        return {
            name: {key: value for key, value in part.items() if f"{name}.{key}" not in unused}
            if isinstance(part, Mapping)
            else part
            for name, part in recipe.items()
        }

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers beyond their metrics; nothing by default.

        Args:
            answered: The entries of a run or a comparison with their answers to the test part.
        """
        return []


def refuse_options(task: str, options: Mapping[str, Any], known: Sequence[str] = ()) -> None:
    """Refuses options of a prediction that a task does not have; those that are None were not given.

    Raises:
        UsageError: There is one.
    """
    for name, value in options.items():
        if value is not None and name not in known:
            raise UsageError(f'the task "{task}" takes no --{name.replace("_", "-")}')
