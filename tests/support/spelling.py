"""A task of a person's own whose outputs are ragged: the name of every digit of a number, "407" as "four zero seven".

It is registered from outside the package, as any plug-in is; no file of the package knows it.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import gatework
from gatework.data import Batch, Dataset, Provenance, Split
from gatework.data.batches import evaluation_order
from gatework.errors import DataError
from gatework.options import TaskOptions
from gatework.tasks import Baseline, Evaluation, Loss, Metric, Task, register, register_metrics

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PADDING = len(WORDS)
IGNORED = -100

register_metrics(
    Metric("exact", "share spelt right", lower_is_better=False, is_share=True),
    Metric("word_error", "word error", lower_is_better=True, is_share=True),
)


class Numbers(Split):
    """Numbers as strings of digits, and their words."""

    def take(self, index):
        return Numbers([self.inputs[k] for k in index], [self.targets[k] for k in index])

    def table(self):
        return pl.DataFrame({"number": self.inputs, "target": self.targets})


class NumberExamples:
    def __init__(self, split):
        self.split = split
        self.lengths = np.array([len(number) for number in split.inputs], dtype=np.int64)

    def __len__(self):
        return len(self.split)

    def batch(self, index):
        lengths = torch.from_numpy(self.lengths[index])
        inputs = torch.full((len(index), int(lengths.max())), PADDING)
        targets = torch.full_like(inputs, IGNORED)
        for row, k in enumerate(index):
            inputs[row, : lengths[row]] = torch.tensor([int(digit) for digit in self.split.inputs[k]])
            targets[row, : lengths[row]] = torch.tensor([WORDS.index(word) for word in self.split.targets[k]])
        return Batch(inputs, lengths, targets)


class Speller(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.embedding = nn.Embedding(PADDING + 1, config.embedding)
        self.recurrent = gatework.nn.recurrent(config.cell, config.embedding, config.hidden)
        self.output = nn.Linear(config.hidden, len(WORDS))

    def forward(self, inputs, lengths=None):
        hidden, _ = self.recurrent(self.embedding(inputs).transpose(0, 1), lengths=lengths)
        return self.output(hidden).transpose(0, 1)


def answers_of(split, said):
    columns = {"number": split.inputs, "actual": split.targets, "said": said}
    return pl.DataFrame(columns, schema_overrides={"actual": pl.List(pl.String), "said": pl.List(pl.String)})


class SpellStream:
    """Digits as they come, each named at once."""

    def __init__(self, model):
        self.model, self.state, self.words = model.eval(), None, []

    def answer(self, row, where):
        digit = str(next(iter(row.values()))).strip()
        if len(digit) != 1 or not digit.isdigit():
            raise DataError(f'{where} is "{digit}", expected one digit')
        with torch.no_grad():
            hidden, self.state = self.model.recurrent.step(self.model.embedding(torch.tensor([int(digit)])), self.state)
        self.words.append(WORDS[int(self.model.output(hidden).argmax())])
        return {"words": " ".join(self.words)}


@register
@dataclass(frozen=True)
class SpellTask(Task):
    """Name every digit of a number."""

    options = TaskOptions("spell", "Name every digit of a number.", "gatework train spell numbers.csv --out RUN")
    name = "spell"
    metric = "exact"
    lower_is_better = False
    shown = ("exact", "word_error")

    longest: int

    @classmethod
    def load(cls, source, recipe):
        text = Path(source).read_text()
        numbers = [line for line in text.splitlines()[1:] if line]
        parts = [numbers[k::3] for k in range(3)]
        splits = [Numbers(part, [[WORDS[int(digit)] for digit in number] for number in part]) for part in parts]
        return Dataset("numbers", "number", *splits, Provenance(str(source), "yours", _fingerprint(text)))

    @classmethod
    def fit(cls, dataset, config):
        return cls(max(len(number) for number in dataset.train.inputs))

    def state(self):
        return {"longest": self.longest}

    def encode(self, split):
        return NumberExamples(split)

    def model(self, config):
        return Speller(config)

    def loss(self, model, batch):
        scores = model(**batch.tensors())
        total = cross_entropy(scores.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED, reduction="sum")
        return Loss(total, float((batch.targets != IGNORED).sum()))

    def evaluate(self, model, examples):
        said, total, weight = [None] * len(examples), 0.0, 0.0
        model.eval()
        with torch.no_grad():
            for index in evaluation_order(examples.lengths, 64):
                batch = examples.batch(index)
                loss = self.loss(model, batch)
                total, weight = total + float(loss.total), weight + loss.weight
                best = model(**batch.tensors()).argmax(-1)
                for row, k in enumerate(index):
                    said[k] = [WORDS[word] for word in best[row, : batch.lengths[row]]]
        answers = answers_of(examples.split, said)
        return Evaluation(total / max(weight, 1.0), self.metrics(answers), answers)

    def metrics(self, answers):
        pairs = list(zip(answers["actual"].to_list(), answers["said"].to_list(), strict=True))
        wrong = sum(a != b for actual, said in pairs for a, b in zip(actual, said, strict=True))
        return {
            "exact": float(np.mean([actual == said for actual, said in pairs])),
            "word_error": wrong / sum(len(actual) for actual, _ in pairs),
        }

    def predict(self, model, split):
        answers = self.evaluate(model, self.encode(split)).answers
        return answers.select("number", words=pl.col("said").list.join(" "))

    def read(self, source, recipe, **options):
        numbers = [source] if isinstance(source, str) else list(source)
        for number in numbers:
            if not number.isdigit():
                raise DataError(f'"{number}" is no number, digits were expected')
        return Numbers(numbers, [[WORDS[0]] * len(number) for number in numbers])

    def read_known(self, source, recipe, **options):
        return self.load(source, recipe).test

    def baselines(self, dataset):
        start = perf_counter()
        word, _ = Counter(word for words in dataset.train.targets for word in words).most_common(1)[0]
        said = [[word] * len(number) for number in dataset.test.inputs]
        about = f'Always says "{word}", the most frequent word.'
        return [Baseline("most frequent word", about, answers_of(dataset.test, said), perf_counter() - start, 1)]

    def stream(self, model, recipe):
        return SpellStream(model)


def _fingerprint(text):
    return hashlib.sha256(text.encode()).hexdigest()
