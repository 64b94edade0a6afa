"""Language models: the next token of a text from all before it, and texts that go on from a prompt."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gatework.data.dataset import Split
from gatework.data.pieces import CharacterTokens, SubwordTokens, Tokens, tokens_from_state
from gatework.errors import DataError, UsageError
from gatework.tasks import generate
from gatework.tasks._language_run import LEARNT_TABLE
from gatework.tasks._section import Answered, ReportSection
from gatework.tasks._task import Baseline, Evaluation, Loss, Scores, Task, Trained, refuse_options
from gatework.tasks.generate import report
from gatework.tasks.generate.baselines import baselines
from gatework.tasks.generate.counting import Counted
from gatework.tasks.generate.data import TextDataset, learnt_lines, read_documents, text_dataset
from gatework.tasks.generate.inference import LanguageInference
from gatework.tasks.generate.interactive import Turns, played
from gatework.tasks.generate.live import live
from gatework.tasks.generate.metrics import answers_of, metrics, sample
from gatework.tasks.generate.options import OPTIONS
from gatework.tasks.generate.passages import Passages, passages_of
from gatework.tasks.generate.prompts import asked, prompts
from gatework.tasks.generate.request import Request
from gatework.tasks.generate.stored import StoredText, is_large_text, stored_text_dataset
from gatework.tasks.generate.streams import StoredTokenExamples, TokenExamples
from gatework.tasks.generate.writing import streamed, write, written

if TYPE_CHECKING:
    import polars as pl
    from torch import Tensor, nn

    from gatework.data.dataset import Batch, Dataset, Examples
    from gatework.options import DataOptions, ModelOptions, TrainingOptions
    from gatework.recipe import Recipe
    from gatework.tasks._after_training import Exportable
    from gatework.tasks._live import Live
    from gatework.tasks._sample import Sample
    from gatework.tasks.generate.model import LanguageModel

_SPECIMEN = 200


@dataclass(frozen=True)
class GenerateTask(Task):
    """A text's next token, and so texts like it.

    Attributes:
        tokens: What texts are read as.
        window: Tokens of a training step in each stream.
        counts: How often each token occurs in the training part.
        labels: What documents of the training part begin with; none where they have no labels.
        is_whole: Whether documents are many and each stands for itself, so that a new text starts as one does.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "bits_per_character"
    lower_is_better = True
    shown = ("bits_per_character", "nats_per_character", "perplexity")
    needs_input = False

    tokens: Tokens
    window: int
    counts: tuple[int, ...]
    is_whole: bool
    labels: tuple[str, ...] = ()

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits a text, a folder of texts, or a column of a table."""
        if recipe.data.store is not None or is_large_text(source):
            return stored_text_dataset(source, recipe)
        return text_dataset(source, recipe)

    @classmethod
    def decided(cls, recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
        """The recipe with sizes that fit the text and the minutes."""
        return generate.sized(recipe, _texts(dataset), given)

    @classmethod
    def bound(cls, recipe: Recipe, dataset: Dataset, given: Collection[str]) -> Recipe:
        """The recipe with the network and the tokens of the run that it begins from, where there is one."""
        run = _texts(dataset).earlier
        return recipe.changed(**run.sizes, level=run.tokens.level) if run else recipe

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> GenerateTask:
        """Learns the tokens from the training part alone.

        Raises:
            UsageError: The data set holds no texts to go on with.
        """
        texts = _texts(dataset)
        kind = SubwordTokens if texts.plan.level == "subword" else CharacterTokens
        run = texts.earlier
        tokens = run.tokens if run else kind.fit(list(passages_of(texts.train).texts), config.vocabulary)
        counts = _read(texts.train, tokens, texts.plan.window).counts(len(tokens))
        train = passages_of(texts.train)
        first = train[np.flatnonzero(train.places == 0)].texts if texts.is_labelled else ()
        labels = tuple(sorted({text.partition("\n")[0] for text in first}))
        return cls(tokens, texts.plan.window, tuple(counts.tolist()), texts.documents > 1, labels)

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {
            "tokens": self.tokens.state(),
            "window": self.window,
            "counts": list(self.counts),
            "is_whole": self.is_whole,
            "labels": list(self.labels),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> GenerateTask:
        """The task whose `state()` this is."""
        counts = tuple(int(count) for count in state["counts"])
        labels = tuple(map(str, state["labels"]))
        return cls(tokens_from_state(state["tokens"]), int(state["window"]), counts, bool(state["is_whole"]), labels)

    def about(self, dataset: Dataset) -> list[str]:
        """What was read: characters, documents and tokens."""
        return generate.about(_texts(dataset), self.tokens)

    def outlook(self, dataset: Dataset, recipe: Recipe, step_seconds: Callable[[], float]) -> list[str]:
        """How long training takes, and how often the text is read."""
        return generate.outlook(_texts(dataset), sum(self.counts), recipe, step_seconds())

    def encode(self, split: Split) -> TokenExamples:
        """The passages as one ring of tokens."""
        return _read(split, self.tokens, self.window)

    def order(self, examples: Examples, config: TrainingOptions, epoch: int) -> Sequence[np.ndarray]:
        """The windows of an epoch's streams."""
        return _encoded(examples).order(config, epoch)

    def model(self, config: ModelOptions) -> LanguageModel:
        """A network with fresh weights."""
        return generate.LanguageModel(config, self.counts)

    def begin(self, model: nn.Module, dataset: Dataset, earlier: Mapping[str, Tensor]) -> None:
        """Gives the network the weights of the run that training goes on from, where there is one."""
        if run := _texts(dataset).earlier:
            run.given_to(model)

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The cross-entropy of the tokens of a batch, summed, in nats, and the states to go on from."""
        return generate.stream_loss(model, batch)

    def evaluate(self, model: nn.Module, examples: Examples) -> Evaluation:
        """What a network gives to a text that it reads from start to end."""
        encoded = _encoded(examples)
        answers = answers_of(generate.token_nats(_network(model), encoded), encoded)
        loss = float(answers["nats"].sum()) / max(int(answers["tokens"].sum()), 1)
        return Evaluation(loss, self.metrics(answers), answers)

    def test(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> Evaluation:
        """What is said of the test part, also mixed with n-grams of the training part."""
        train, validation, test = (self.encode(part) for part in _parts(dataset.sampled))
        counted = Counted.fit(train, validation, self.tokens.level, len(self.tokens))
        return generate.Beside(_network(model), counted, validation, test).evaluation()

    def tables(self, model: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Mapping[str, pl.DataFrame]:
        """What the report shows: the n-grams' line, a text coloured by surprise, and what is copied."""
        train, held = ("".join(passages_of(part).texts) for part in (dataset.train, dataset.test))
        tables = dict(generate.copies(_network(model), self.tokens, train, held))
        tables[LEARNT_TABLE] = learnt_lines(_texts(dataset))
        if not isinstance(evaluation, generate.ComparedEvaluation):
            return tables
        return {"lines": evaluation.beside.lines(), "surprise": evaluation.beside.surprise(self.tokens), **tables}

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Bits per character and byte, nats per character, and the perplexity of a token."""
        return metrics(answers)

    def sample(self, answers: pl.DataFrame) -> Sample:
        """The bits per character of each passage."""
        return sample(answers)

    def specimen(self, model: nn.Module) -> dict[str, str]:
        """A short text that the network writes by itself."""
        request = Request(length=_SPECIMEN, seed=0, does_end=self.is_whole)
        drawn = write(generate.draw_of(_network(model)), self.tokens, "", request)
        return {"sample": "".join(piece for _, piece in drawn)}

    @property
    def pipeline(self) -> str:
        """The hub's word for it."""
        return "text-generation"

    @property
    def takes(self) -> tuple[str, ...]:
        """Prompts."""
        return ("texts",)

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads the prompt that a text is to go on from, and how.

        Args:
            source: The prompt; a list of prompts; None to start a new text.
            recipe: What the task was trained with.
            options: Those of `GeneratePrediction`.
        """
        return prompts(source, self.is_whole, self.labels, **options)

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads texts to be measured on."""
        refuse_options(self.name, options)
        read = read_documents(source, recipe.data)
        if not read.texts:
            raise DataError(f"{read.where} holds no text to be measured on; give a text")
        passages = Passages.of(read.texts, ends=self.is_whole)
        return Split(passages, passages.documents)

    def measure(self, model: nn.Module, source: Any, recipe: Recipe, **options: Any) -> Scores:
        """How well texts are predicted; with `dynamic`, beside it what a network reaches that learns as it reads."""
        is_dynamic = options.pop("dynamic", None)
        scores = super().measure(model, source, recipe, **options)
        if not is_dynamic:
            return scores
        examples = self.encode(self.read_known(source, recipe))
        learning = metrics(answers_of(generate.dynamic_nats(_network(model), examples), examples))
        return replace(scores, baselines={**scores.baselines, generate.DYNAMIC: learning})

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """The text that follows each prompt: "prompt", "sample" and "text"."""
        return written(generate.draw_of(_network(model)), self.tokens, *asked(split))

    def inference(self, config: ModelOptions, weights: Mapping[str, np.ndarray]) -> LanguageInference | None:
        """What writes without torch; None where this network needs it."""
        return LanguageInference.of(self.tokens, config, weights)

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live:
        """A page in which the network writes."""
        texts, request = asked(given) if given is not None else ([], Request(does_end=self.is_whole))
        return live(
            _network(model),
            self.tokens,
            prompts=texts,
            sampling=request.sampling,
            does_end=request.does_end,
            test=test,
        )

    def exportable(self, model: nn.Module) -> Exportable:
        """Tokens and states in, logits and states out."""
        return generate.exportable(_network(model))

    def pieces(self, model: nn.Module, split: Split) -> Iterator[str] | None:
        """The text that follows the prompt, as it comes."""
        texts, request = asked(split)
        if request.is_interactive:
            return played(Turns(generate.writer_of(_network(model)), self.tokens, texts[0], request), sys.stdin)
        return streamed(generate.draw_of(_network(model)), self.tokens, texts, request)

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """Tables of counts."""
        train, validation, test = (self.encode(part) for part in _parts(dataset.sampled))
        return baselines(train, validation, test, self.tokens.level, len(self.tokens))

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers."""
        return report.sections(answered)


def _texts(dataset: Dataset) -> TextDataset:
    if not isinstance(dataset, TextDataset):
        raise UsageError(f'"{dataset.name}" holds no texts to go on with; train another task of it')
    return dataset


def _parts(dataset: Dataset) -> tuple[Split, Split, Split]:
    return dataset.train, dataset.validation, dataset.test


def _read(split: Split, tokens: Tokens, window: int) -> TokenExamples:
    """A part as one ring of tokens, in memory or on disk."""
    if isinstance(split, StoredText):
        return StoredTokenExamples(split, tokens, window)
    return TokenExamples(split, passages_of(split), tokens, window)


def _encoded(examples: Examples) -> TokenExamples:
    if not isinstance(examples, TokenExamples):
        raise TypeError(f"a language model reads streams of tokens, not {type(examples).__name__}")
    return examples


def _network(model: nn.Module) -> LanguageModel:
    if not isinstance(model, generate.LanguageModel):
        raise TypeError(f"a language model was expected, not {type(model).__name__}")
    return model
