"""Translation of Multi30k and Tatoeba: how good after so many minutes, how fast, and a training step beside torch.nn's.

GATEWORK_DATA/multi30k holds train, val and test_2016_flickr with the endings .de and .en, gzipped or not, and
GATEWORK_DATA holds fra-eng.txt.gz of manythings.org. Each budget, DIRECTION:MINUTES with de-en or en-de of Multi30k,
or fr-en or en-fr of Tatoeba, trains a network of a size for it, and prints BLEU of the test part (13a, cased), in
lower case, which is near the published tokenised figures, chrF, and the simple methods beside it. Tatoeba is split so
that no sentence of a part stands in another, on either side. With several --seeds the mean, and the runs together as an
ensemble, are printed too. A run that stands in --out is gone on with from where it was left, or taken as it
is. The step is that of the 20-minute network, in float32 and in bfloat16, and of the same network written with
torch.nn, in float32 and under autocast to bfloat16, on the same batches, in turn.

GATEWORK_DATA=... python benchmarks/translate.py --budgets de-en:5 de-en:20 en-de:15 --out build/translate
GATEWORK_DATA=... python benchmarks/translate.py --budgets fr-en:15 --pairs 0
GATEWORK_DATA=... python benchmarks/translate.py --budgets en-de:30 --seeds 3 --set piece_dropout=0.1 --pairs 0
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from asking import data_folder
from runs import finished, settings, take_settings
from torch import nn

from gatework import tasks
from gatework.bench.clock import seconds_of
from gatework.data.dataset import Dataset
from gatework.data.subwords import PADDING
from gatework.nn import to_torch
from gatework.nn.attention_decoder import locked_dropout
from gatework.nn.precision import train_in_bfloat16
from gatework.recipe import Recipe, find_recipe
from gatework.tasks.translate.data import sides_of
from gatework.tasks.translate.metrics import signature
from gatework.tasks.translate.model import TranslationModel
from gatework.training import Run
from gatework.training.optimizer import Adam

# SMALL was looked at on the validation part; LARGE is a guess from its size.
SMALL = {"hidden": 256, "embedding": 192, "vocabulary": 4000, "learning_rate": 3e-3, "dropout": 0.2}
LARGE = {"hidden": 384, "embedding": 256, "vocabulary": 5000, "learning_rate": 2e-3, "dropout": 0.3}
EPOCHS = 1000  # the minutes end a training
COLUMNS = {"en": "1", "fr": "2"}  # of manythings.org's file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", nargs="*", default=["de-en:5", "de-en:20", "en-de:15"])
    parser.add_argument("--out", type=Path, default=Path("build/translate"))
    parser.add_argument("--seeds", type=int, default=1)
    take_settings(parser)
    parser.add_argument("--pairs", type=int, default=15, help="of steps beside torch.nn's; 0 leaves them out")
    parser.add_argument("--busy", action="store_true", help="take the processor's time of steps, not the clock's")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for budget in options.budgets:
        direction, _, minutes = budget.partition(":")
        recipe = recipe_of(direction, float(minutes)).changed(**settings(options))
        out = options.out / budget.replace(":", "-")
        dataset = tasks.get("translate").load(data_of(direction), recipe)
        runs = [
            train(direction, dataset, recipe.changed(seed=seed), out / f"seed-{seed}", options.threads)
            for seed in range(options.seeds)
        ]
        print_baselines(runs[0], dataset)
        known = data_of(direction) if "fr" not in direction else test_part(runs[0], dataset)
        if len(runs) > 1:
            print_together(runs, known)
        measure(runs[0], known)
    if options.pairs:
        step_beside_torch("de-en", options.pairs, time.process_time if options.busy else time.perf_counter)


def data_of(direction: str) -> Path:
    folder = data_folder()
    return folder / "fra-eng.txt.gz" if "fr" in direction else folder / "multi30k"


def recipe_of(direction: str, minutes: float) -> Recipe:
    source, target = (COLUMNS[side] if "fr" in direction else side for side in direction.split("-"))
    sizes = SMALL if minutes < 10 else LARGE
    return find_recipe("translate").changed(
        **sizes, source_column=source, target=target, minutes=minutes, epochs=EPOCHS
    )


def train(direction: str, dataset: Dataset, recipe: Recipe, out: Path, threads: int) -> Run:
    run = finished(out, dataset, recipe, threads)
    measured = {name.removeprefix("test_"): value for name, value in run.summary["metrics"].items()}
    minutes, seed, epochs = recipe.training.minutes, recipe.training.seed, run.summary["epochs"]
    print(f"{direction} in {minutes:g} minutes, seed {seed}, {epochs} epochs: {shown(measured)}  ({signature('bleu')})")
    return run


def shown(metrics: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def print_baselines(run: Run, dataset: Dataset) -> None:
    for baseline in run.task.baselines(dataset):
        print(f"{baseline.name}: {shown(run.task.metrics(baseline.answers))}")


def print_together(runs: Sequence[Run], known: Path | pl.DataFrame) -> None:
    """The mean of several seeds with its standard deviation, and all of them as an ensemble."""
    values = [run.summary["metrics"]["test_bleu_lower"] for run in runs]
    print(f"bleu_lower of {len(runs)} seeds: {statistics.mean(values):.2f} +- {statistics.stdev(values):.2f}")
    others = [str(run.path) for run in runs[1:]]
    scores = runs[0].evaluate(known, ensemble=others)
    print(f"ensemble of {len(runs)}: {shown(scores.metrics)}")


def test_part(run: Run, dataset: Dataset) -> pl.DataFrame:
    """The test part of a set that is split here."""
    return pl.DataFrame(dict(zip(run.task.columns, sides_of(dataset.test), strict=True)))


def measure(run: Run, known: Path | pl.DataFrame) -> None:
    """Words of the source a second, and milliseconds for one sentence, after loading."""
    lines = sides_of(run.task.read_known(known, run.recipe))[0]
    words = sum(len(line.split()) for line in lines)
    for beam, shortlist in ((1, None), (5, None), (1, 20), (5, 20)):
        asked = {"beam": beam, "shortlist": shortlist}
        run.predict(lines[:20], **asked)
        start = time.perf_counter()
        run.predict(lines, **asked)
        seconds = time.perf_counter() - start
        alone = [seconds_of(lambda line=line: run.predict([line], **asked)) for line in lines[:50]]  # noqa: B023
        print(
            f"beam {beam}, shortlist {shortlist or 'none'}: {words / seconds:,.0f} words/s, "
            f"{1e3 * statistics.median(alone):.1f} ms for one sentence"
        )


def step_beside_torch(direction: str, pairs: int, now: Callable[[], float]) -> None:
    """Loss, gradients and Adam on the same batches, the sides in turn."""
    recipe = recipe_of(direction, 20)
    dataset = tasks.get("translate").load(data_of(direction), recipe)
    task = tasks.get("translate").fit(dataset, recipe.data)
    examples = task.encode(dataset.train)
    torch.manual_seed(0)
    ours = task.model(recipe.model)
    theirs = TorchTranslation(copy.deepcopy(ours))
    rounded = copy.deepcopy(ours)
    train_in_bfloat16(rounded)
    steps = {"gatework": stepping(our_loss, task, ours, Adam(ours.parameters()))}
    steps["bfloat16"] = stepping(our_loss, task, rounded, Adam(rounded.parameters()))
    steps["torch.nn"] = stepping(torch_loss, task, theirs, Adam(theirs.parameters()))
    rounding = copy.deepcopy(theirs)
    steps["autocast"] = stepping(autocast_loss, task, rounding, Adam(rounding.parameters()))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for pair, index in enumerate(task.order(examples, recipe.training, 1)[: pairs + 2]):
        batch = examples.batch(np.sort(index))
        for name, step in steps.items():
            start = now()
            step(batch)
            if pair >= 2:
                times[name].append(now() - start)
    for name, found in times.items():
        ratios = [t / o for t, o in zip(times["torch.nn"], found, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"step, {name:9} {1e3 * statistics.median(found):7.1f} ms, torch.nn {middle:.2f} x  "
            f"[{low:.2f}, {high:.2f}], all [{min(ratios):.2f}, {max(ratios):.2f}]"
        )


class TorchTranslation(nn.Module):
    """The same network written with torch.nn: the layers take packed batches, attention padded ones, and what joins
    both and the output are computed for the pieces that exist."""

    def __init__(self, ours: TranslationModel) -> None:
        super().__init__()
        self.embedding, self.scale, self.bias, self.dropout = ours.embedding, ours.scale, ours.bias, ours.dropout
        self.encoder, self.decoder = to_torch(ours.encoder), to_torch(ours.decoder.recurrent)
        self.key, self.join, self.beside = ours.decoder.attention.key, ours.decoder.join, ours.beside

    def forward(self, inputs, lengths, previous, target_lengths):
        outputs, states = self.encoder(self.packed(self.vectors(inputs), lengths))
        memory = self.dropped(nn.utils.rnn.pad_packed_sequence(outputs)[0]).transpose(0, 1)
        begin = tuple(self.beside(state) for state in states)
        hidden, _ = self.decoder(self.packed(self.vectors(previous), target_lengths), begin)
        hidden = self.dropped(nn.utils.rnn.pad_packed_sequence(hidden)[0]).transpose(0, 1)
        beyond = torch.arange(memory.shape[1]) >= lengths[:, None]
        scores = torch.bmm(hidden, self.key(memory).transpose(1, 2)).masked_fill(beyond[:, None], -torch.inf)
        joined = torch.cat([torch.bmm(scores.softmax(-1), memory), hidden], dim=-1)
        is_piece = torch.arange(previous.shape[1]) < target_lengths[:, None]
        mask = nn.functional.dropout(torch.ones(len(inputs), 1, self.join.out_features), self.dropout)
        joined = torch.tanh(self.join(joined[is_piece])) * mask.expand(-1, previous.shape[1], -1)[is_piece]
        return nn.functional.linear(joined, self.embedding.weight, self.bias)

    def vectors(self, pieces):
        return self.dropped(self.embedding(pieces.t()) * self.scale)

    def dropped(self, x):
        return locked_dropout(x, self.dropout, self.training)

    @staticmethod
    def packed(x, lengths):
        return nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)


def torch_loss(task, model, batch):
    targets = batch.targets[batch.targets != PADDING]
    scores = model(**batch.tensors())
    return nn.functional.cross_entropy(scores, targets, label_smoothing=task.settings.label_smoothing)


def autocast_loss(task, model, batch):
    with torch.autocast("cpu", torch.bfloat16):
        return torch_loss(task, model, batch)


def our_loss(task, model, batch):
    return task.loss(model, batch).mean()


def stepping(loss, task, model, optimizer):
    model.train()

    def step(batch) -> None:
        optimizer.forget_gradients()
        loss(task, model, batch).backward()
        optimizer.clip(1.0)
        optimizer.step(1e-3)

    return step


if __name__ == "__main__":
    main()
