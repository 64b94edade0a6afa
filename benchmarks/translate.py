"""Translation of Multi30k: how good after so many minutes, how fast it answers, and a training step beside torch.nn's.

GATEWORK_DATA/multi30k holds train, val and test_2016_flickr with the endings .de and .en, gzipped or not. Each budget
trains a network of a size for it, and prints BLEU of test_2016_flickr (13a, cased), the same in lower case, which is
near the published tokenised figures, chrF, and the simple methods beside it. The step is that of the 20-minute network
and of the same network written with torch.nn's LSTM, on the same batches, in turn.

GATEWORK_DATA=... python benchmarks/translate.py --budgets de-en:5 de-en:20 en-de:15 --out build/translate
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import gatework
from gatework import tasks
from gatework.bench.timing import seconds_of
from gatework.nn import to_torch
from gatework.recipe import Recipe, find_recipe
from gatework.tasks.translate.data import sides_of
from gatework.tasks.translate.metrics import signature
from gatework.training import Run
from gatework.training.optimizer import Adam
from gatework.training.progress import Lines

# SMALL was looked at on the validation part; LARGE is a guess from its size.
SMALL = {"hidden": 256, "embedding": 192, "vocabulary": 4000, "learning_rate": 3e-3, "dropout": 0.2}
LARGE = {"hidden": 384, "embedding": 256, "vocabulary": 5000, "learning_rate": 2e-3, "dropout": 0.3}
EPOCHS = 1000  # the minutes end a training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", nargs="*", default=["de-en:5", "de-en:20", "en-de:15"])
    parser.add_argument("--out", type=Path, default=Path("build/translate"))
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = Path(os.environ["GATEWORK_DATA"]) / "multi30k"
    for budget in options.budgets:
        direction, _, minutes = budget.partition(":")
        run = train(folder, direction, float(minutes), options.out / budget.replace(":", "-"), options.threads)
        measure(run, folder)
    step_beside_torch(recipe_of("de-en", 20), folder, options.pairs)


def recipe_of(direction: str, minutes: float) -> Recipe:
    source, target = direction.split("-")
    sizes = SMALL if minutes < 10 else LARGE
    return find_recipe("translate").changed(
        **sizes, source_column=source, target=target, minutes=minutes, epochs=EPOCHS
    )


def train(folder: Path, direction: str, minutes: float, out: Path, threads: int) -> Run:
    recipe = recipe_of(direction, minutes)
    run = gatework.train("translate", folder, out=out, recipe=recipe, threads=threads, progress=Lines())
    shown = "  ".join(f"{name.removeprefix('test_')} {value:.4g}" for name, value in run.summary["metrics"].items())
    print(f"{direction} in {minutes:g} minutes, {run.summary['epochs']} epochs: {shown}  ({signature('bleu')})")
    dataset = tasks.get("translate").load(folder, recipe)
    for baseline in run.task.baselines(dataset):
        figures = "  ".join(f"{name} {value:.4g}" for name, value in run.task.metrics(baseline.answers).items())
        print(f"{baseline.name}: {figures}")
    return run


def measure(run: Run, folder: Path) -> None:
    """Words of the source a second, and milliseconds for one sentence, after loading."""
    split = run.task.read_known(folder, run.recipe)
    lines = sides_of(split)[0]
    words = sum(len(line.split()) for line in lines)
    for beam in (1, 5):
        run.predict(lines[:20], beam=beam)
        start = time.perf_counter()
        run.predict(lines, beam=beam)
        seconds = time.perf_counter() - start
        alone = [seconds_of(lambda line=line: run.predict([line], beam=beam)) for line in lines[:50]]  # noqa: B023
        print(f"beam {beam}: {words / seconds:,.0f} words/s, {1e3 * statistics.median(alone):.1f} ms for one sentence")


def step_beside_torch(recipe: Recipe, folder: Path, pairs: int) -> None:
    """Loss, gradients and Adam on the same batches, the sides in turn."""
    dataset = tasks.get("translate").load(folder, recipe)
    task = tasks.get("translate").fit(dataset, recipe.data)
    examples = task.encode(dataset.train)
    torch.manual_seed(0)
    ours = task.model(recipe.model)
    theirs = with_torch_layers(copy.deepcopy(ours))
    steps = {"gatework": stepping(task, ours, Adam(ours.parameters()))}
    steps["torch.nn"] = stepping(task, theirs, Adam(theirs.parameters()))
    times: dict[str, list[float]] = {name: [] for name in steps}
    for pair, index in enumerate(task.order(examples, recipe.training, 1)[: pairs + 2]):
        batch = examples.batch(np.sort(index))
        for name, step in steps.items():
            seconds = seconds_of(lambda step=step, batch=batch: step(batch))
            if pair >= 2:
                times[name].append(seconds)
    for name, found in times.items():
        ratios = [t / o for t, o in zip(found, times["gatework"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"step, {name:9} {1e3 * statistics.median(found):7.1f} ms  {middle:.2f} x  [{low:.2f}, {high:.2f}]")


def with_torch_layers(model: nn.Module) -> nn.Module:
    """The same network on torch.nn's layers: padded batches packed for them, as torch asks."""
    model.encoder = TorchLayers(to_torch(model.encoder))
    layers = TorchLayers(to_torch(model.decoder.recurrent))
    del model.decoder.recurrent
    model.decoder.recurrent = layers
    return model


class TorchLayers(nn.Module):
    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x, state=None, *, lengths=None):
        if lengths is None:
            return self.layers(x, state)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        output, state = self.layers(packed, state)
        return nn.utils.rnn.pad_packed_sequence(output, total_length=x.shape[0])[0], state


def stepping(task, model, optimizer):
    model.train()

    def step(batch) -> None:
        optimizer.forget_gradients()
        task.loss(model, batch).mean().backward()
        optimizer.clip(1.0)
        optimizer.step(1e-3)

    return step


if __name__ == "__main__":
    main()
