"""A whole training step of a sentiment classifier, with our layer and optimiser against plain torch: words to vectors,
an LSTM whose last output decides, loss, gradients, Adam; torch as it comes, and with subnormal numbers flushed to zero.

The gradient of the last output fades over 200 steps to subnormal numbers, which some processors take many times as long
for. Each side takes its steps in turn, one at a time.

python benchmarks/imdb_step.py --pairs 15
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

import gatework
from gatework.bench.clock import flushing, seconds_of
from gatework.training.optimizer import Adam

BATCH, STEPS, WORDS, WIDTH = 32, 200, 20_000, 128


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        self.lstm = nn.LSTM(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, 1)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.lstm(self.embedding(tokens))[0][-1]).squeeze(-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    sides = {"ours": our_step(), "torch as it comes": torch_step(), "torch, flushed": torch_step()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for pair in range(-2, options.pairs):
        for name, step in sides.items():
            with flushing(name == "torch, flushed"):
                seconds = seconds_of(step)
            if pair >= 0:
                times[name].append(seconds)
    for name, found in times.items():
        low, middle, high = statistics.quantiles([t / o for t, o in zip(found, times["ours"], strict=True)], n=4)
        print(f"{name:18} {statistics.median(found) * 1e3:7.2f} ms  {middle:5.2f} x  [{low:.2f}, {high:.2f}]")


def our_step() -> Callable[[], None]:
    model = gatework.accelerate(Classifier())
    optimizer, loss = Adam(model.parameters()), loss_of(model)

    def step() -> None:
        optimizer.forget_gradients()
        loss().backward()
        optimizer.step(1e-3)

    return step


def torch_step() -> Callable[[], None]:
    model = Classifier()
    optimizer, loss = torch.optim.Adam(model.parameters()), loss_of(model)

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def loss_of(model: nn.Module) -> Callable[[], Tensor]:
    tokens, labels = torch.randint(WORDS, (STEPS, BATCH)), torch.randint(2, (BATCH,)).float()
    return lambda: binary_cross_entropy_with_logits(model(tokens), labels)


if __name__ == "__main__":
    main()
