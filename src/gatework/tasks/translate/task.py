"""Translation: a sentence of one language from a sentence of another."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework._stored import converted
from gatework.data.batches import evaluation_order, even_order
from gatework.data.dataset import Split
from gatework.data.pairs import read_sources
from gatework.data.subwords import PLACEHOLDERS, Subwords
from gatework.data.tables import is_path
from gatework.data.text import Texts
from gatework.errors import DataError, UsageError
from gatework.nn import linear_cross_entropy
from gatework.nn._target_rows import TargetRows
from gatework.tasks._sample import Sample
from gatework.tasks._task import Baseline, Evaluation, Loss, Scores, Task, Trained, refuse_options
from gatework.tasks.translate import report
from gatework.tasks.translate.baselines import baselines
from gatework.tasks.translate.data import PairDataset, load_pairs, read_known, sides_of
from gatework.tasks.translate.examples import PairExamples
from gatework.tasks.translate.exporting import exportable
from gatework.tasks.translate.glossary import read_glossary, together
from gatework.tasks.translate.kept import Keeping
from gatework.tasks.translate.live import live
from gatework.tasks.translate.looked import coverage_table, looked_table
from gatework.tasks.translate.memory import TranslationMemory
from gatework.tasks.translate.metrics import answers_of, closeness, metrics, need_sacrebleu
from gatework.tasks.translate.model import TranslationModel
from gatework.tasks.translate.options import OPTIONS, TranslateOptions
from gatework.tasks.translate.shortlist import Shortlist
from gatework.tasks.translate.translator import Search, Translation, Translator

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Batch, Dataset, Examples
    from gatework.options import DataOptions, ModelOptions, TrainingOptions
    from gatework.recipe import Recipe
    from gatework.tasks._after_training import Exportable
    from gatework.tasks._live import Live
    from gatework.tasks._section import Answered, ReportSection

_EVALUATION_BATCH = 128
_LOW = 0.1
# Words of translations. Phrase by phrase wins over a network below 100,000 words (Sennrich and Zhang 2019).
_FEW_WORDS, _SOME_WORDS = 30_000, 100_000


@dataclass(frozen=True)
class Asked(Split):
    """Sentences to translate, and how.

    Attributes:
        beam: Beginnings that are kept of each; the task's own if None.
        alternatives: Translations of each.
        shortlist: For each piece of a sentence how many likely pieces of translations are weighed; all if 0.
        glossary: Terms that are translated so, beside those of the training.
        others: Networks whose probabilities are averaged with those of the one that is asked.
    """

    beam: int | None = None
    alternatives: int = 1
    shortlist: int = 0
    glossary: Mapping[str, str] = dataclasses.field(default_factory=dict)
    others: Sequence[TranslationModel] = ()


@dataclass(frozen=True, eq=False)
class TranslateTask(Task):
    """What a sentence is in another language.

    Answers have the columns "target" (the reference), "translation" and "confidence", the geometric mean of the
    probabilities of a translation's pieces.

    Attributes:
        subwords: The pieces of words of both languages.
        settings: How the network looks at the source, and how translations are searched.
        longest: TargetRows of the longest source of the training part.
        columns: The names of both sides.
        memory: The training pairs.
        keeping: What a translation keeps as it is.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "bleu"
    lower_is_better = False
    shown = ("bleu", "chrf", "exact_match")

    subwords: Subwords
    settings: TranslateOptions
    longest: int
    columns: tuple[str, str]
    memory: TranslationMemory
    keeping: Keeping

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads, tidies and splits pairs; see `gatework.tasks.translate.data`."""
        need_sacrebleu()
        return load_pairs(source, recipe)

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> TranslateTask:
        """Learns the pieces of words, and what is kept, from the training part alone.

        Raises:
            DataError: The data set holds no pairs of sentences, or the glossary no terms.
        """
        if dataset.kind != "pairs":
            raise DataError(f'"{dataset.name}" holds no pairs of sentences to learn a translation from')
        sources, targets = sides_of(dataset.train)
        settings = dataset.settings if isinstance(dataset, PairDataset) else TranslateOptions()
        if settings.glossary and not settings.copying:
            raise UsageError("a glossary needs placeholders; leave out --copying 0")
        placeholders = PLACEHOLDERS if settings.copying else ()
        subwords = Subwords.fit([*sources, *targets], config.vocabulary, placeholders)
        longest = max((len(row) for row in subwords.encode(sources)), default=0)
        columns = (str(dataset.columns.get("source", "source")), str(dataset.columns.get("target", "target")))
        keeping = Keeping.learnt(sources, targets, read_glossary(settings.glossary, columns))
        return cls(subwords, settings, longest, columns, TranslationMemory(sources, targets), keeping)

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {
            "subwords": self.subwords.state(),
            "settings": dataclasses.asdict(self.settings),
            "longest": self.longest,
            "columns": list(self.columns),
            "memory": self.memory.packed(),
            "keeping": self.keeping.state(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TranslateTask:
        """The task whose `state()` this is."""
        settings = TranslateOptions.from_state(state["settings"])
        source, target = converted(state["columns"], tuple[str, str])
        memory = TranslationMemory.unpacked(state["memory"])
        subwords, keeping = Subwords.from_state(state["subwords"]), Keeping.from_state(state["keeping"])
        return cls(subwords, settings, int(state["longest"]), (source, target), memory, keeping)

    def about(self, dataset: Dataset) -> list[str]:
        """What was read: pairs, words, and what may be expected of so many."""
        _, targets = sides_of(dataset.train)
        words = sum(len(target.split()) for target in targets)
        return [
            *super().about(dataset),
            f"{self.columns[0]} to {self.columns[1]}: {words:,} words of translations, {len(self.subwords):,} pieces",
            expectation(words),
        ]

    def encode(self, split: Split) -> Examples:
        """Examples ready to be batched."""
        return PairExamples(split, self.subwords, self.keeping)

    def lessons(
        self, model: nn.Module, examples: Examples, config: TrainingOptions, epoch: int, share: float, *, is_fresh: bool
    ) -> Examples:
        """The pairs with hidden words and other cuts; see `gatework.tasks.translate.rehearsal`."""
        copying, dropout = self.settings.copying, self.settings.piece_dropout
        if not ((copying or dropout) and isinstance(examples, PairExamples)):
            return examples
        return examples.rehearsed(copying, dropout, np.random.default_rng((config.seed, epoch)))

    def order(self, examples: Examples, config: TrainingOptions, epoch: int) -> Sequence[np.ndarray]:
        """Batches of sentences of similar length, with about as many pieces each."""
        if not config.bucket:
            return super().order(examples, config, epoch)
        return even_order(examples.lengths, config.batch_size, config.seed, epoch)

    def model(self, config: ModelOptions) -> nn.Module:
        """A network with fresh weights."""
        return TranslationModel(config, self.settings, len(self.subwords))

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """Cross-entropy of every piece of every translation, its end among them, with label smoothing."""
        network = _network(model)
        inputs = {name: tensor for name, tensor in batch.tensors().items() if tensor is not None}
        pieces = TargetRows.of(inputs.pop("target_lengths"), batch.inputs.device)
        targets = pieces.of_targets(batch.targets)
        total = linear_cross_entropy(
            network.features(**inputs, pieces=pieces),
            network.embedding.weight,
            targets,
            network.bias,
            reduction="sum",
            label_smoothing=self.settings.label_smoothing,
            rounds_factors=network.rounds_factors,
        )
        return Loss(total, float(len(targets)))

    def evaluate(self, model: nn.Module, examples: Examples) -> Evaluation:
        """Translations of sentences whose references are known; greedy ones while a network is being trained."""
        asked = _asked(examples.split)
        beam = 1 if model.training else asked.beam or self.settings.beam
        loss = self._mean_loss(model, examples)
        said = self._translated(model, asked, beam)
        answers = answers_of(
            examples.split.targets.tolist(), [best.text for best, *_ in said], [best.confidence for best, *_ in said]
        )
        return Evaluation(loss, self.metrics(answers), answers)

    def _mean_loss(self, model: nn.Module, examples: Examples) -> float:
        import torch

        total, weight = 0.0, 0.0
        model.eval()
        with torch.no_grad():
            for index in evaluation_order(examples.lengths, _EVALUATION_BATCH):
                loss = self.loss(model, examples.batch(index))
                total, weight = total + float(loss.total), weight + loss.weight
        return total / max(weight, 1.0)

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """BLEU, chrF, BLEU of lower-cased text and the share that is exactly right."""
        return metrics(answers)

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:
        """Learns which confidence is low: a tenth of the validation part's translations lie below."""
        said = self._translated(model, _asked(dataset.validation), self.settings.beam)
        confidences = [best.confidence for best, *_ in said]
        model.get_buffer("low").fill_(float(np.quantile(confidences, _LOW)) if confidences else 0.0)

    @property
    def told_by_content(self) -> bool:
        """A pair of sentences is."""
        return True

    @property
    def pipeline(self) -> str:
        """The hub's word for it."""
        return "translation"

    @property
    def takes(self) -> tuple[str, ...]:
        """Sentences as such, or in the column of a table."""
        return ("texts", "rows")

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads sentences.

        Args:
            source: One sentence, a list of them, a text file with a sentence a line, a table's path or a data frame.
            recipe: What the task was trained with.
            options: `beam`, `alternatives`, `shortlist`, `glossary` and `ensemble`, trained tasks by name.

        Raises:
            UsageError: The task takes no such option.
            DataError: The source holds no sentences, or the glossary no terms.
        """
        refuse_options(self.name, options, ("beam", "alternatives", "shortlist", "glossary", "ensemble"))
        glossary = read_glossary(options.get("glossary"), self.columns)
        if glossary and not self.subwords.placeholders:
            raise UsageError("this network has learnt no placeholders (--copying 0), so that it cannot obey a glossary")
        sentences, beside = self._sentences(_whole(source), recipe)
        return Asked(
            Texts(sentences),
            np.array([""] * len(sentences), dtype=object),
            beside,
            beam=options.get("beam"),
            alternatives=options.get("alternatives") or 1,
            shortlist=options.get("shortlist") or 0,
            glossary=glossary,
            others=self._others(options.get("ensemble") or {}),
        )

    def _others(self, ensemble: Mapping[str, Trained]) -> list[TranslationModel]:
        """The networks of other runs.

        Raises:
            UsageError: One does not translate with the same pieces of words.
        """
        for name, (task, _) in ensemble.items():
            if not isinstance(task, TranslateTask) or task.subwords.state() != self.subwords.state():
                raise UsageError(
                    f"{name} has other pieces of words than this run; an ensemble takes runs that were trained on the "
                    "same pairs with the same --vocabulary"
                )
        return [_network(model) for _, model in ensemble.values()]

    def _sentences(self, source: Any, recipe: Recipe) -> tuple[pl.Series, pl.DataFrame | None]:
        import polars as pl

        if isinstance(source, str) and not is_path(source):
            return pl.Series("text", [source], dtype=pl.String), None
        if isinstance(source, (list, tuple)):
            return pl.Series("text", [str(line) for line in source], dtype=pl.String), None
        return read_sources(source, recipe.data, self.columns[0])

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads pairs with known translations, all of them as they stand."""
        refuse_options(self.name, options, ("beam", "shortlist", "ensemble"))
        split = read_known(source, recipe, self.columns)
        return Asked(
            split.inputs,
            split.targets,
            split.beside,
            beam=options.get("beam"),
            shortlist=options.get("shortlist") or 0,
            others=self._others(options.get("ensemble") or {}),
        )

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, **options: Any) -> Scores:
        """How good a network is on pairs with known translations, beside simple methods that know the kept pairs."""
        split = self.read_known(source, recipe, **options)
        evaluation = self.evaluate(model.eval(), self.encode(split))
        beside = {method.name: self.metrics(method.answers) for method in baselines(self.memory, split)}
        return Scores(evaluation.metrics, evaluation.answers, beside, split.table(), inputs=split.inputs)

    def exportable(self, model: nn.Module) -> Exportable:
        """The encoder, and one step of the decoder."""
        return exportable(_network(model))

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """The translation of each sentence and its confidence, and where that is low the nearest known pair."""
        import polars as pl

        asked = _asked(split)
        beam = max(asked.beam or self.settings.beam, asked.alternatives)
        said = self._translated(model, asked, beam)
        sentences = split.table()["text"].to_list()
        low = float(model.get_buffer("low"))
        is_low = [
            bool(s.strip()) and alternatives[0].confidence < low
            for s, alternatives in zip(sentences, said, strict=True)
        ]
        hits = iter(self.memory.nearest([s for s, unsure in zip(sentences, is_low, strict=True) if unsure]))
        nearest = [next(hits)[:2] if unsure else (None, None) for unsure in is_low]
        rows = [
            (at, rank, alternative.text, alternative.confidence, *nearest[at])
            for at, translations in enumerate(said)
            for rank, alternative in enumerate(translations[: asked.alternatives], start=1)
        ]
        schema = {"at": pl.Int64, "rank": pl.Int64, "translation": pl.String, "confidence": pl.Float64}
        schema |= {"nearest_source": pl.String, "nearest_target": pl.String}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        beside = split.beside if split.beside is not None else pl.DataFrame({"text": sentences})
        beside = beside.drop([name for name in beside.columns if name in frame.columns])[frame["at"]]
        return beside.hstack(frame.drop("at", *([] if asked.alternatives > 1 else ["rank"])))

    def lines(self, predictions: pl.DataFrame) -> list[str]:
        """A translation a line; of several alternatives with their confidence."""
        if "rank" not in predictions.columns:
            return predictions["translation"].to_list()
        columns = (predictions[name] for name in ("rank", "confidence", "translation"))
        return [f"{rank}\t{confidence:.3f}\t{text}" for rank, confidence, text in zip(*columns, strict=True)]

    def summary(self, predictions: pl.DataFrame) -> list[str]:
        """Which translations are unsure, and what is known that is like them."""
        unsure = predictions.filter(predictions["nearest_source"].is_not_null())
        if len(predictions) == 1 and len(unsure):
            confidence, source, target = unsure.select("confidence", "nearest_source", "nearest_target").row(0)
            return [f'unsure (confidence {confidence:.2f}); the nearest known sentence is "{source}": "{target}"']
        if not len(unsure):
            return []
        return [
            f"{len(unsure):,} of {len(predictions):,} translations are unsure; --json, or --out FILE.csv, shows which, "
            "each with the nearest known pair"
        ]

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live:
        """A page in which the network translates."""
        return live(
            _network(model),
            self.subwords,
            self.settings,
            self.keeping,
            longest=self._translator([_network(model)], {}).longest,
            memory=self.memory,
            sentences=[] if given is None else given.table()["text"].to_list(),
            test=test,
        )

    def tables(self, model: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Mapping[str, pl.DataFrame]:
        """Where the network looks in some sentences of the test part, and what it hardly looks at or several times."""
        sentences = (sides_of(dataset.test)[0], evaluation.answers["translation"].to_list())
        return {
            "attention": looked_table(_network(model), self.subwords, self.keeping, sentences, sides_of(dataset.train)),
            "coverage": coverage_table(_network(model), self.subwords, self.keeping, *sentences),
        }

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of translations."""
        return report.sections(answered)

    def sample(self, answers: pl.DataFrame) -> Sample:
        """How far each sentence is from its reference by chrF: BLEU itself is no mean over sentences."""
        pairs = zip(answers["translation"], answers["target"], strict=True)
        return Sample.of_rows(np.array([100 - closeness(text, reference) for text, reference in pairs]))

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """Copy, translation memory, and a dictionary word by word."""
        return baselines(TranslationMemory(*sides_of(dataset.train)), dataset.test)

    def _translated(self, model: nn.Module, asked: Asked, beam: int) -> list[list[Translation]]:
        translate = self._translator([_network(model), *asked.others], asked.glossary)
        settings = self.settings
        search = Search(beam, settings.length_penalty, settings.coverage_penalty, asked.shortlist)
        return translate(asked.table()["text"].to_list(), search)

    def _translator(self, models: Sequence[TranslationModel], glossary: Mapping[str, str]) -> Translator:
        keeping = dataclasses.replace(self.keeping, glossary=together(self.keeping.glossary, glossary))
        return Translator(models, self.subwords, self.longest, keeping, lambda: self._shortlist)

    @cached_property
    def _shortlist(self) -> Shortlist:
        return Shortlist(self.subwords, self.memory.sources, self.memory.targets)


def _asked(split: Split) -> Asked:
    """Sentences, with the task's own settings where nothing else was asked."""
    return split if isinstance(split, Asked) else Asked(split.inputs, split.targets, split.beside)


def _network(model: nn.Module) -> TranslationModel:
    """The network, which is one of this task.

    Raises:
        UsageError: It is another.
    """
    if not isinstance(model, TranslationModel):
        raise UsageError(f"a {type(model).__name__} cannot translate; a network of this task was expected")
    return model


def _whole(source: Any) -> Any:
    """A source whose sentences UTF-8 can hold: bytes that are not UTF-8 come as lone surrogates from a terminal.

    Raises:
        DataError: One cannot be held.
    """
    for text in (source,) if isinstance(source, str) else source if isinstance(source, (list, tuple)) else ():
        try:
            str(text).encode()
        except UnicodeEncodeError as error:
            byte = ord(str(text)[error.start]) & 0xFF
            raise DataError(
                f"a sentence has the byte 0x{byte:02x}, which is not valid UTF-8; convert it first"
            ) from None
    return source


def expectation(words: int) -> str:
    """What may be expected of so many words of translations."""
    if words < _FEW_WORDS:
        return (
            f"{words:,} words are few for sentences of all kinds, where the translation memory and the dictionary "
            "often win; sentences made by few patterns are learnt from fewer"
        )
    if words < _SOME_WORDS:
        return f"{words:,} words: the network and the dictionary may be as good as each other"
    return f"{words:,} words: expect the network to be ahead of the dictionary, most on sentences like these"
