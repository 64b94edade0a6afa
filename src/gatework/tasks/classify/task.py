"""Classification of texts, series or sounds into two or more classes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from gatework._stored import converted
from gatework.data.dataset import columns_from_state
from gatework.data.long import is_long, read_long_dataset
from gatework.data.reading import Reading
from gatework.data.recordings import Recordings
from gatework.data.sound_classes import BACKGROUND
from gatework.data.sounds import SoundEncoder
from gatework.data.ts_files import is_ts_file
from gatework.errors import UsageError
from gatework.options import TimeOptions
from gatework.tasks import classify
from gatework.tasks._blend import NETWORK, NETWORK_ALONE, Blend
from gatework.tasks._recorded import recording_options
from gatework.tasks._sequence import Encoder, SequenceTask, encoder_from_state, encoder_state
from gatework.tasks._task import Baseline, Before, Earlier, Evaluation, Loss, PartRates, Scores, refuse_options
from gatework.tasks.classify import beginnings, kinds, report, sounds
from gatework.tasks.classify.baselines import absent, baselines, quick_baselines
from gatework.tasks.classify.charts import backtest, breakdown, charts, tested
from gatework.tasks.classify.class_weights import class_weights, weighted_recipe
from gatework.tasks.classify.joint import Joint, joining_of
from gatework.tasks.classify.label_curve import trainings
from gatework.tasks.classify.metrics import answers_of, metrics, sample, shown, shown_rows, weighted_accuracy
from gatework.tasks.classify.options import (
    OF_SOUND_ANSWERS,
    OPTIONS,
    LossOptions,
    PretrainingOptions,
    SequenceOptions,
    SoundOptions,
)
from gatework.tasks.classify.sounds import Sounds, is_of_sounds
from gatework.tasks.classify.strangers import is_for_strangers
from gatework.tasks.classify.tally import ClassTally
from gatework.tasks.classify.unlabelled import BegunDataset, UnlabelledDataset, bound_recipe, unfrozen, with_unlabelled

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Columns, Dataset, Examples, Split
    from gatework.options import DataOptions, ModelOptions, TrainingOptions
    from gatework.recipe import Recipe
    from gatework.tasks._chart import Chart
    from gatework.tasks._inference import Inference
    from gatework.tasks._live import Live
    from gatework.tasks._sample import Sample
    from gatework.tasks._section import Answered, ReportSection
    from gatework.tasks._sequence_inference import OutputsOf
    from gatework.tasks._sequence_stream import Alone
    from gatework.tasks._stream import ByteStream
    from gatework.tasks._task import Trained


_JOINING = "joining."
"""What the names of a run's weights begin with that are not the network's own."""
_SPOTTING = ("spotting", "listened", "presence.", "familiar.")
_KEPT = ("hears_strangers", "contextual")
"""The fields that stand in its state as they are, where they are not their defaults."""
_NO_KEYWORDS = (BACKGROUND, "silence", "unknown")


@dataclass(frozen=True)
class ClassifyTask(SequenceTask):
    """Which of the classes each example belongs to.

    Outputs are scores of shape (examples, classes) whose softmax is the probability of each class: a network's logits,
    a baseline's log-probabilities.

    Attributes:
        encoder: How inputs become batches.
        classes: The names of the classes, in the order of their indices.
        columns: The columns that it was fitted to, by role.
        reading: How the training table's texts became values.
        chosen: What answers, once the validation part has chosen; the network before.
        sound: How recordings were read, and what is done to them in training; None of texts and series.
        weights: How many times an example of each class counts while the network learns; once if empty.
        hears_strangers: Whether it answers speakers whom it has not learnt from; see `tract`.
        contextual: Units, for each direction, of the language model that is read beside words; 0 without one.
        adversarial: How far a training step moves word vectors, as a share of their length, while the network learns.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "accuracy"
    lower_is_better = False
    answer = "label"
    shown = ("accuracy", "macro_f1", "roc_auc")

    encoder: Encoder
    classes: tuple[str, ...]
    columns: Columns = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    chosen: Blend | None = None
    sound: SoundOptions | None = None
    weights: tuple[float, ...] = ()
    hears_strangers: bool = False
    contextual: int = 0
    adversarial: float = 0.0

    @property
    def pipeline(self) -> str:
        """Only classifiers of texts have a name on the hub."""
        return "text-classification" if self.encoder.kind == "text" else ""

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits the data to learn from: texts, sounds, series of one length in rows, or of a long table."""
        is_sound = is_of_sounds(source, recipe.section(SoundOptions))
        time, values = recipe.section(TimeOptions), recipe.section(SequenceOptions).value
        is_long_table = time.series is not None or is_ts_file(source)
        if recipe.data.store is not None and (is_sound or is_long_table):
            what = "recordings" if is_sound else "series of a long table"
            raise UsageError(f"--store is of tables with an example per row, and these are {what}; leave it out")
        if is_sound:
            return sounds.load(source, recipe)
        if is_long_table:
            return read_long_dataset(source, recipe.data, time, values)
        if time.time is not None or values is not None:
            raise UsageError("--time and --value are of a long table of series; name what tells series apart: --series")
        return with_unlabelled(super().load(source, recipe), recipe)

    @classmethod
    def decided(cls, recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
        """The recipe with what the kind of data needs."""
        return kinds.decided(recipe, dataset, {name.rpartition(".")[2] for name in given})

    @classmethod
    def bound(cls, recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
        """The recipe with the size of the language model that it begins from, and for classes that have weights."""
        named = {name.rpartition(".")[2] for name in given}
        recipe = weighted_recipe(recipe, dataset, named)
        return bound_recipe(recipe, dataset.earlier, named) if isinstance(dataset, BegunDataset) else recipe

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> ClassifyTask:
        """Learns the vocabulary or scale from the training part alone.

        Raises:
            DataError: The data set has no classes, or its training part has examples of one class only.
        """
        kinds.check_classes(dataset)
        if isinstance(dataset.train.inputs, Recordings):
            sound = recording_options(dataset, SoundOptions)
            return cls(
                sounds.encoder_of(dataset.train.inputs, sound),
                dataset.classes,
                sound=sound,
                hears_strangers=is_for_strangers(dataset),
            )
        contextual = dataset.contextual if isinstance(dataset, UnlabelledDataset) else 0
        return cls(
            kinds.encoder_of(dataset, config), dataset.classes, dataset.columns, dataset.reading, contextual=contextual
        )

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {
            "classes": self.classes,
            "columns": dict(self.columns),
            "encoder": encoder_state(self.encoder),
            "reading": self.reading.state(),
            **({"answer": self.chosen.state()} if self.chosen else {}),
            **({"sound": asdict(self.sound)} if self.sound else {}),
            **{name: getattr(self, name) for name in _KEPT if getattr(self, name)},
        }

    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights."""
        sizes = self.sizes
        return classify.Classifier(
            config,
            vocabulary=sizes.vocabulary,
            inputs=sizes.inputs,
            classes=sizes.outputs,
            seconds=self.seconds,
            is_spotting=self.sound is not None,
            contextual=self.contextual,
        )

    def before(self, dataset: Dataset, recipe: Recipe, earlier: Sequence[Earlier] = ()) -> Before | None:
        """The training of a language model, or of a first network, where there are texts without labels."""
        return beginnings.before(self, dataset, recipe, earlier)

    def following(
        self, dataset: Dataset, recipe: Recipe, earlier: Sequence[Earlier]
    ) -> tuple[Dataset, Recipe, Mapping[str, Tensor]]:
        """The texts without labels as well, where a first network was trained to answer them."""
        return beginnings.following(self, dataset, recipe, earlier)

    def begin(self, model: nn.Module, dataset: Dataset, earlier: Mapping[str, Tensor]) -> None:
        """Gives the network what the language model has learnt."""
        beginnings.begin(model, dataset, earlier)

    def taught(self, dataset: Dataset, recipe: Recipe) -> ClassifyTask:
        """The task with the weights of its classes, and with how far word vectors are moved."""
        share = recipe.section(LossOptions).adversarial if self.sizes.vocabulary else 0.0
        return replace(self, weights=class_weights(dataset, recipe), adversarial=share)

    @property
    def deciding(self) -> str:
        """The accuracy, of weighted examples where classes have weights."""
        return "weighted_accuracy" if self.weights else self.metric

    def pace(self, model: nn.Module, recipe: Recipe) -> PartRates | None:
        """Of a pre-trained network the output learns first and fastest, the word vectors last and slowest."""
        plan = recipe.section(PretrainingOptions)
        if not plan.is_on:
            return None
        network: Any = model
        return PartRates(network.depths(), partial(unfrozen, plan))

    def lessons(
        self, model: nn.Module, examples: Examples, config: TrainingOptions, epoch: int, share: float, *, is_fresh: bool
    ) -> Examples:
        """The training part; recordings somewhat otherwise each time."""
        split, encoder = examples.split, self.encoder
        if self.sound is None or not isinstance(split, Sounds) or not isinstance(encoder, SoundEncoder):
            return examples
        nothing = self.classes.index(BACKGROUND) if BACKGROUND in self.classes else classify.NO_CLASS
        return classify.AugmentedExamples(split, encoder, self.sound, nothing)

    def further(self, dataset: Dataset, recipe: Recipe) -> Mapping[str, tuple[Dataset, Recipe]]:
        """Trainings on fewer labels, where a curve of them is wanted."""
        return trainings(dataset, recipe) if recipe.section(PretrainingOptions).label_curve else {}

    def outputs(self, model: nn.Module, examples: Examples) -> tuple[np.ndarray, float]:
        """The scores that are answered, the network's own or the blend's, and the mean loss of the network."""
        joining, said = joining_of(model), super().outputs
        outputs, loss = said(model, examples)
        if joining is None:
            return outputs, loss

        def outputs_of(part: Split) -> np.ndarray:
            return outputs if part is examples.split else said(model, self.encode(part))[0]

        return self._answered(joining.joint, outputs_of, examples.split), loss

    def _answered(self, joint: Joint, outputs: OutputsOf, split: Split) -> np.ndarray:
        """The scores that are answered, from the network's own; those of strangers over several vocal tracts."""
        if self.is_alone:
            return joint.alone(outputs(split))

        def together(part: Split) -> np.ndarray:
            return joint.together(outputs(part), part.inputs)

        return classify.over_tracts(together, split) if self.hears_strangers else together(split)

    def inference(self, config: ModelOptions, weights: Mapping[str, np.ndarray]) -> Inference | None:
        """What answers without torch; None where this network needs it."""
        joining = {name.removeprefix(_JOINING): w for name, w in weights.items() if name.startswith(_JOINING)}
        others = (_JOINING, *_SPOTTING)
        network = {name: array for name, array in weights.items() if not name.startswith(others)}
        try:
            joint = Joint.of(joining, self.width)
        except ValueError:
            return None
        return self.inference_of(config, network, partial(self._answered, joint), joint.alone)

    def alone(self, model: nn.Module) -> Alone:
        """The network's calibrated scores."""
        joining = joining_of(model)
        return super().alone(model) if joining is None else joining.joint.alone

    @property
    def blend(self) -> Blend | None:
        """What answers, and how the validation part chose it."""
        return self.chosen

    @property
    def is_alone(self) -> bool:
        """Whether the network answers alone."""
        return self.chosen is None or self.chosen.is_network

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:
        """Chooses the temperature that the network's scores are divided by."""
        joining, held = joining_of(model), dataset.validation
        if joining is not None:
            outputs, _ = super().outputs(model, self.encode(held))
            joining.calibrate(outputs, held.targets)
            if self.sound is not None:
                classify.calibrate_spotting(self, model, dataset)

    def test(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Evaluation:
        """What is said of the test part, and of sounds how often a stream of them is misheard."""
        evaluation = super().test(model, dataset, earlier)
        return replace(evaluation, metrics=evaluation.metrics | classify.misheard(self, model, dataset.test))

    @property
    def keywords(self) -> tuple[str, ...]:
        """The classes that a stream is searched for."""
        return tuple(name for name in self.classes if name.strip("_").lower() not in _NO_KEYWORDS)

    @property
    def reads_bytes(self) -> bool:
        """A stream of sounds is one of bytes."""
        return self.sound is not None

    takes_options = reads_bytes

    def byte_stream(self, model: nn.Module, recipe: Recipe, **options: Any) -> ByteStream:
        """Searches raw sound for keywords as it comes, in windows as long as most recordings."""
        if self.sound is None:
            return super().byte_stream(model, recipe, **options)
        refuse_options(self.name, options, OF_SOUND_ANSWERS)
        return classify.keyword_stream(self, model, **options)

    def calibrated(self, model: nn.Module) -> nn.Module:
        """The network whose scores are divided by their temperature."""
        joining = joining_of(model)
        return model if joining is None else joining.calibrated(model)

    def blended(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> ClassifyTask:
        """The task with the weight of the network beside simple methods, which the network then carries."""
        joining, held = joining_of(model), dataset.validation
        if joining is None:
            return self
        outputs, _ = super().outputs(model, self.encode(held))
        methods = classify.candidates(dataset.sampled)
        chosen = joining.join(methods, outputs, held.targets, is_equal=is_for_strangers(dataset))
        # The weights are chosen by what has not seen the validation part; the answers are better for having seen it.
        joining.keep(each.refitted() for each in methods)
        return replace(self, chosen=replace(chosen, refitted=" and ".join(each.voice.short_name for each in methods)))

    def beside(self, model: nn.Module, dataset: Dataset) -> Mapping[str, pl.DataFrame]:
        """What each simple method of the answer says alone; without such, the quick ones."""
        joined = self._joined(model, dataset.test)
        return joined or {method.name: method.answers for method in quick_baselines(dataset.sampled)}

    def _joined(self, model: nn.Module, split: Split) -> dict[str, pl.DataFrame]:
        """What each simple method of the answer says alone; empty without such."""
        joining = joining_of(model)
        if self.chosen is None or joining is None:
            return {}
        return {one.short_name: self.answers(one.scores(split.inputs), split) for one in joining.voices}

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, **options: Any) -> Scores:
        """How good the answers are on a source with known answers, beside those of the network and of each method."""
        split = self.read_known(source, recipe, **options)
        answered = self.answered(model, split)
        beside = {name: self.metrics(answers) for name, answers in answered.items()}
        metrics = beside.pop(NETWORK) | classify.misheard(self, model, split)
        return Scores(metrics, answered[NETWORK], beside, self.tested(split), inputs=split.inputs)

    def tested(self, split: Split) -> pl.DataFrame:
        """Examples with what is known of them, behind the other columns of their table."""
        return tested(split)

    def answered(self, model: nn.Module, split: Split) -> dict[str, pl.DataFrame]:
        """What is said of examples, beside what the network and the simple methods say alone where they answer too."""
        alone = {} if self.is_alone else {NETWORK_ALONE: replace(self, chosen=None).answered(model, split)[NETWORK]}
        return super().answered(model, split) | alone | self._joined(model, split)

    def tally(self) -> ClassTally:
        """A count of answers that come part by part."""
        return ClassTally(self.classes)

    @property
    def reads_parts(self) -> bool:
        """Whether every row of a table is an example of its own, as the rows of a long table are not."""
        return self.sound is None and not is_long(self.columns)

    @property
    def takes(self) -> tuple[str, ...]:
        """Texts or series as such, or in the columns of a table whose rows are examples."""
        return ("series",) if is_long(self.columns) else super().takes

    @classmethod
    def recipe_in_use(cls, recipe: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A recipe for a reader, without the options of long tables where there was none."""
        shown = super().recipe_in_use(recipe, state)
        return {name: part for name, part in shown.items() if name not in kinds.unused_sections(recipe, state)}

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads texts, series or recordings without answers."""
        if isinstance(self.encoder, SoundEncoder):
            return self._read_sounds(source, recipe, options, has_labels=False)
        if self.reads_parts or isinstance(source, (np.ndarray, list, tuple)) or kinds.is_row(source):
            return super().read(source, recipe, **options)
        refuse_options(self.name, options)
        columns = {role: names for role, names in self.columns.items() if role != "label"}
        return kinds.of_long_table(source, recipe, columns, self.reading, self.classes)

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads examples with known answers."""
        if isinstance(self.encoder, SoundEncoder):
            return self._read_sounds(source, recipe, options, has_labels=True)
        if self.reads_parts:
            return super().read_known(source, recipe, **options)
        refuse_options(self.name, options)
        return kinds.of_long_table(source, recipe, self.columns, self.reading, self.classes)

    def _read_sounds(self, source: Any, recipe: Recipe, options: Mapping[str, Any], *, has_labels: bool) -> Sounds:
        refuse_options(self.name, options, OF_SOUND_ANSWERS)
        encoder, skip = cast(SoundEncoder, self.encoder), bool(options.get("skip_bad"))
        return sounds.read(source, recipe, encoder.spec, self.classes, has_labels=has_labels, is_skipping=skip)

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live | None:
        """A page in which recordings are played, and the network is seen as it hears them."""
        if not isinstance(self.encoder, SoundEncoder):
            return None
        answered_by = "" if self.chosen is None or self.is_alone else self.chosen.name
        return classify.live_sounds(model, self.encoder, self.classes, given, answered_by)

    def charts(self, split: Split, rows: pl.DataFrame) -> list[Chart]:
        """How often each class is predicted, and how sure the network is."""
        return charts(rows, self.classes)

    def backtest(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame:
        """One row per example: the actual class beside the answer and the probability of each class."""
        return backtest(answers, test, self.classes)

    def breakdown(self, answers: pl.DataFrame, test: pl.DataFrame) -> pl.DataFrame | None:
        """How well each class is found, and what it is taken for."""
        return breakdown(answers, self.classes)

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers."""
        return report.sections(answered)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ClassifyTask:
        """The task whose `state()` this is."""
        reading = Reading.from_state(state["reading"])
        chosen = Blend.from_state(state["answer"]) if "answer" in state else None
        classes, columns = converted(state["classes"], tuple[str, ...]), columns_from_state(state["columns"])
        sound = SoundOptions.from_state(state["sound"]) if "sound" in state else None
        kept = {name: state[name] for name in _KEPT if name in state}
        return cls(encoder_from_state(state["encoder"]), classes, columns, reading, chosen, sound, **kept)

    @property
    def width(self) -> int:
        """One output per class."""
        return len(self.classes)

    def encoded_targets(self, targets: np.ndarray) -> np.ndarray:
        """Class indices, as they are."""
        return targets

    def no_targets(self, count: int) -> np.ndarray:
        """Zeros, shape (count,)."""
        return np.zeros(count, dtype=np.int64)

    def outlook(self, dataset: Dataset, recipe: Recipe, step_seconds: Callable[[], float]) -> list[str]:
        """What was decided for the data."""
        return kinds.outlook(dataset, recipe)

    def about(self, dataset: Dataset) -> list[str]:
        """What was read, with the share of every class in the training part."""
        return [*super().about(dataset), *kinds.about(dataset, self.classes)]

    def loss_of(self, outputs: Tensor, batch: Batch) -> Loss:
        """Cross-entropy; see `gatework.tasks.classify.losses`."""
        return classify.class_loss(outputs, batch.targets, self.weights, batch.weights)

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The loss of a network on a batch, in training perhaps with more than that of its classes."""
        further = classify.training_loss(
            model, batch, self.keywords, self.classes, self.weights, adversarial=self.adversarial
        )
        return super().loss(model, batch) if further is None else further

    def answers(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """The class index of each example and the scores of every class."""
        return answers_of(outputs, split.targets)

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Accuracy, macro F1 and the area under the ROC curve; see `gatework.tasks.classify.metrics`."""
        return metrics(answers) | weighted_accuracy(answers, self.weights)

    def sample(self, answers: pl.DataFrame) -> Sample:
        """Which examples are wrong."""
        return sample(answers)

    def rows(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """For each example the likeliest class, its probability, and the probability of every class."""
        return shown_rows(outputs, self.classes)

    def said(self, output: np.ndarray) -> dict[str, Any]:
        """The likeliest class, its probability, and the probability of every class."""
        return shown(output, self.classes)

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """The most frequent class, linear classifiers, and of sounds and a long table's series the nearest one."""
        return baselines(dataset.sampled)

    def absent(self, dataset: Dataset) -> list[str]:
        """That the nearest series is not looked for among too many."""
        return absent(dataset)
