r"""A language model of words as the beginning of a classifier: it learns texts without labels, and hands its layers on.

The layers read a text in the directions in which the classifier will. What they know before word $t$ predicts it,

$$p(x_t) = \mathrm{softmax}(E\, P \overrightarrow{h}_{t-1} + b), \qquad
p(x_t) = \mathrm{softmax}(E\, \overleftarrow{P}\, \overleftarrow{h}_{t+1} + b),$$

with the matrix $E$ of the word vectors, over the whole vocabulary or a sample of it (`gatework.nn.SampledSoftmax`).

Sources: A. Dai and Q. Le, "Semi-supervised sequence learning", NIPS 2015; J. Howard and S. Ruder, "Universal language
model fine-tuning for text classification", ACL 2018; both directions as in M. Peters et al., "Deep contextualized word
representations", NAACL 2018.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from gatework.data.batches import evaluation_order
from gatework.data.dataset import Batch, Dataset, Split
from gatework.data.text import FIRST_WORD, PADDING, TextEncoder, Texts
from gatework.errors import UsageError
from gatework.nn import SampledSoftmax, linear_cross_entropy
from gatework.nn.model import layers
from gatework.options import DataOptions, ModelOptions
from gatework.tasks._metric import Metric, register_metrics
from gatework.tasks._task import Before, Evaluation, Loss, Task
from gatework.tasks.classify.context import language_options
from gatework.tasks.classify.options import PretrainingOptions
from gatework.tasks.classify.unlabelled import UnlabelledDataset

if TYPE_CHECKING:
    from gatework.data.dataset import Examples
    from gatework.recipe import Recipe

register_metrics(Metric("word_perplexity", "perplexity of a word", lower_is_better=True))

NAME = "language-model"
"""The folder of the pre-training in that of a run."""
_IGNORED = -100
_NEGATIVES = 1024
_HELD, _MOST_HELD = 0.02, 500
"""The share of the texts, and the most of them, that the language model is measured on and does not learn from."""
_EVALUATION_BATCH = 64
_FEWEST_WORDS = 2
_MATRIX, _LAYERS = "softmax.weight", "recurrent."


class WordModel(nn.Module):
    """Predicts each word of a text from all before it, and from all behind it where the layers read both ways.

    Args:
        config: The classifier's network, whose embedding and recurrent layers it has.
        counts: How often each word occurs.
    """

    def __init__(self, config: ModelOptions, counts: np.ndarray) -> None:
        super().__init__()
        occurring = torch.from_numpy(counts.astype(np.float64))
        size = len(counts), config.embedding
        self.softmax = SampledSoftmax(size, _NEGATIVES, proposal="unigram", counts=occurring)
        self.softmax.bias = nn.Parameter(((occurring + 1) / (occurring + 1).sum()).log().float())
        self.recurrent = layers(config, config.embedding, bidirectional=config.bidirectional)
        self.directions = 2 if config.bidirectional else 1
        self.projections = nn.ModuleList(nn.Linear(config.hidden, config.embedding) for _ in range(self.directions))
        self.dropout, self.is_sampled = config.dropout, len(counts) > 4 * _NEGATIVES

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """What is said of each word from either side, before the softmax: (directions, time - 1, batch, embedding).

        Of the first direction the features at a step predict the word at the next one; of the second, those at a step
        predict the word at the one before.

        Args:
            inputs: Words of shape (batch, time), int64.
            lengths: Words of each text, shape (batch,); None if all have the same.
        """
        vectors = self._locked(embedding(inputs.t(), self.softmax.weight))
        sequence, _ = self.recurrent(vectors, lengths=lengths)
        ahead, *behind = self._locked(sequence).chunk(self.directions, dim=-1)
        sides = [ahead[:-1], *(states[1:] for states in behind)]
        return torch.stack([to(side) for to, side in zip(self.projections, sides, strict=True)])

    def loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """The mean cross-entropy of the words.

        Args:
            features: As `forward()` gives them.
            targets: The words of each direction, shape (directions, time - 1, batch); -100 where there is none.
        """
        if self.is_sampled:
            loss: Tensor = self.softmax(features, targets, ignore_index=_IGNORED)
            return loss
        softmax = self.softmax
        return linear_cross_entropy(features, softmax.weight, targets, softmax.bias, ignore_index=_IGNORED)

    def _locked(self, values: Tensor) -> Tensor:
        """Values of shape (time, batch, features) with a share of the features zero at all steps, in training."""
        if not self.training or self.dropout == 0:
            return values
        return values * torch.empty_like(values[:1]).bernoulli_(1 - self.dropout).div_(1 - self.dropout)


class WordExamples:
    """Texts as pieces of at most so many words; every word of a text is in one.

    Attributes:
        split: The texts.
        lengths: Words of each piece, shape (pieces,), int64.
    """

    def __init__(self, split: Split, encoder: TextEncoder) -> None:
        self.split = split
        texts = split.inputs
        if not isinstance(texts, Texts):
            raise TypeError(f"a language model of words reads texts, not {texts.kind}")
        tokens = texts.tokens
        self._words = encoder.words.indices(tokens.types.to_list())[tokens.flat()]
        most = encoder.max_tokens or max(int(tokens.lengths.max(initial=1)), 1)
        pieces = -(-tokens.lengths // most)
        first = np.repeat(np.cumsum(tokens.lengths) - tokens.lengths, pieces)
        place = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        left = np.repeat(tokens.lengths, pieces) - place * most
        is_long = left >= _FEWEST_WORDS
        self._starts, self.lengths = (first + place * most)[is_long], np.minimum(left, most)[is_long]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def words(self) -> np.ndarray:
        """All words, one text after the other."""
        return self._words

    def batch(self, index: np.ndarray) -> Batch:
        """The pieces at these positions; padding behind."""
        lengths = self.lengths[index]
        steps = np.arange(int(lengths.max()))
        is_word = steps < lengths[:, None]
        words = np.full(is_word.shape, PADDING, dtype=np.int64)
        words[is_word] = self._words[(self._starts[index][:, None] + steps)[is_word]]
        inputs = torch.from_numpy(words)
        return Batch(inputs, torch.from_numpy(lengths), torch.where(torch.from_numpy(is_word), inputs, _IGNORED))


@dataclass(frozen=True)
class WordModelTask(Task):
    """The words of texts from those around them.

    Attributes:
        encoder: How texts become words.
        counts: How often each word occurs in the texts that are learnt from.
    """

    name: ClassVar[str] = NAME
    metric: ClassVar[str] = "word_perplexity"
    lower_is_better: ClassVar[bool] = True

    encoder: TextEncoder
    counts: np.ndarray

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Refuses: it comes before another task, and has no data of its own.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"a {NAME} comes before a classifier: gatework train classify FILE --pretrain FILE")

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> WordModelTask:
        """Counts the words of the training part."""
        if not isinstance(dataset.train.inputs, Texts):
            raise TypeError("a language model of words reads texts")
        return cls.counted(TextEncoder.fit(dataset.train.inputs, config), dataset.train)

    @classmethod
    def counted(cls, encoder: TextEncoder, train: Split) -> WordModelTask:
        """The task with a vocabulary that is known."""
        words = WordExamples(train, encoder).words
        return cls(encoder, np.bincount(words, minlength=len(encoder.words.words) + FIRST_WORD))

    def state(self) -> dict[str, Any]:
        """All that is needed to predict, as values that JSON can hold."""
        return {"encoder": self.encoder.state(), "counts": self.counts.tolist()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> WordModelTask:
        """The task whose `state()` this is."""
        return cls(TextEncoder.from_state(state["encoder"]), np.array(state["counts"], dtype=np.int64))

    def encode(self, split: Split) -> WordExamples:
        """The texts in pieces."""
        return WordExamples(split, self.encoder)

    def model(self, config: ModelOptions) -> WordModel:
        """A network with fresh weights."""
        return WordModel(config, self.counts)

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The cross-entropy of the words, summed over both directions."""
        network: Any = model
        ahead, behind = batch.targets.t()[1:], batch.targets.t()[:-1]
        # A word behind the last one has no features: there the state of the padding would predict it.
        behind = behind.masked_fill(ahead == _IGNORED, _IGNORED)
        targets = torch.stack([ahead, behind][: network.directions])
        mean = network.loss(network(**batch.tensors()), targets)
        weight = int((batch.lengths - 1).sum()) * network.directions
        return Loss(mean * weight, weight)

    def evaluate(self, model: nn.Module, examples: Examples) -> Evaluation:
        """The perplexity of a word of texts that were not learnt from."""
        model.eval()
        total, weight = 0.0, 0.0
        with torch.no_grad():
            for index in evaluation_order(examples.lengths, _EVALUATION_BATCH):
                loss = self.loss(model, examples.batch(index))
                total, weight = total + float(loss.total), weight + loss.weight
        answers = pl.DataFrame({"nats": [total], "words": [weight]})
        return Evaluation(total / max(weight, 1.0), self.metrics(answers), answers)

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """The perplexity of a word."""
        nats, words = float(answers["nats"].sum()), float(answers["words"].sum())
        return {self.metric: math.exp(min(nats / max(words, 1.0), 700.0))}

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """How well texts are predicted, as one row."""
        return self.evaluate(model, self.encode(split)).answers


def before(encoder: TextEncoder, dataset: UnlabelledDataset, recipe: Recipe) -> Before:
    """The training of the language model: of the texts that are trained on and those without labels, and no others.

    Args:
        encoder: The classifier's.
        dataset: The classifier's data.
        recipe: The classifier's.
    """
    plan, train = recipe.section(PretrainingOptions), dataset.train.inputs
    texts = Texts.joined([part for part in (train, dataset.unlabelled) if isinstance(part, Texts)])
    order = np.random.default_rng(recipe.training.seed).permutation(len(texts))
    held = min(max(int(_HELD * len(texts)), 1), _MOST_HELD)
    learnt, measured = (_split(texts[np.sort(index)]) for index in (order[held:], order[:held]))
    data = replace(dataset, train=learnt, validation=measured, test=measured.take(np.arange(0)))
    changed = recipe.changed(
        minutes=plan.pretrain_minutes, epochs=plan.pretrain_epochs, learning_rate=plan.pretrain_rate,
        schedule="cosine", warmup=0.05, patience=0, averaging=0.0, best_weights=False,
        **{"model.dropout": plan.pretrain_dropout},
    )  # fmt: skip
    if plan.contextual:
        changed = replace(changed, model=language_options(changed.model, plan.contextual))
    return Before(NAME, WordModelTask.counted(encoder, learnt), data, changed)


def _split(texts: Texts) -> Split:
    return Split(texts, np.zeros(len(texts), dtype=np.int64))


def take_over(model: nn.Module, earlier: Mapping[str, Tensor]) -> None:
    """Gives a classifier, or what it reads beside words, the word vectors and the layers of a language model.

    Args:
        model: The classifier, or its `Context`.
        earlier: The weights of the language model, by name.
    """
    network: Any = model
    recurrent = {name.removeprefix(_LAYERS): tensor for name, tensor in earlier.items() if name.startswith(_LAYERS)}
    with torch.no_grad():
        network.embedding.weight[: len(earlier[_MATRIX])] = earlier[_MATRIX]  # pairs of words follow
    network.recurrent.load_state_dict(recurrent)
