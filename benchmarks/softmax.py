"""A language model's training step over a large vocabulary: torch's whole softmax, and the losses of `gatework.nn`.

    python benchmarks/softmax.py [--vocabulary 20000] [--rounds 9]

The same layer code on both sides: embedding 256, an LSTM of 512 units, a projection to 256, tied output; 64 streams of
35 tokens whose frequencies fall as those of words; one step is forward, backward, and Adam. The sides take turns, step
by step, and the ratio is that of each pair; its median and quartiles are printed. The time is that of the processor,
which other programs on the machine do not lengthen much. The memory is the most that a process had in three steps,
above what it had with torch imported.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

import gatework.nn
from gatework.nn import AdaptiveSoftmax, SampledSoftmax, linear_cross_entropy

WIDTH, HIDDEN, STREAMS, STEPS = 256, 512, 64, 35
KINDS = ("torch", "blocked", "adaptive", "sampled", "layers alone")


class Model(nn.Module):
    """Embedding, layer, projection, and one of the losses."""

    def __init__(self, vocabulary: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        self.recurrent = gatework.nn.LSTM(WIDTH, HIDDEN)
        self.projection = nn.Linear(HIDDEN, WIDTH)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.loss: nn.Module | None = None
        if kind == "adaptive":
            self.loss = AdaptiveSoftmax(self.embedding.weight, (vocabulary // 10, vocabulary * 2 // 5))
        if kind == "sampled":
            self.loss = SampledSoftmax(self.embedding.weight, 1024)

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss."""
        features = self.projection(self.recurrent(self.embedding(inputs))[0]).flatten(0, 1)
        right = targets.flatten()
        if self.kind == "layers alone":
            return features.square().mean()
        if self.loss is not None:
            loss: Tensor = self.loss(features, right)
            return loss
        if self.kind == "blocked":
            return linear_cross_entropy(features, self.embedding.weight, right, self.bias)
        return cross_entropy(linear(features, self.embedding.weight, self.bias), right)


def steps_of(kind: str, vocabulary: int) -> Callable[[], float]:
    """A training step that gives the processor's seconds."""
    torch.manual_seed(0)
    model = Model(vocabulary, kind)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    ranks = torch.arange(1, vocabulary + 1, dtype=torch.float64)
    tokens = torch.multinomial(1 / (ranks + 2.7), (STEPS + 1) * STREAMS, replacement=True).view(STEPS + 1, STREAMS)

    def step() -> float:
        start = time.process_time()
        optimizer.zero_grad()
        model(tokens[:-1], tokens[1:]).backward()
        optimizer.step()
        return time.process_time() - start

    return step


def resident() -> float:
    """The most memory that this process had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vocabulary", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--resident", choices=KINDS, help="print one side's resident memory in MB and end")
    given = parser.parse_args()
    if given.resident:
        before = resident()
        step = steps_of(given.resident, given.vocabulary)
        for _ in range(3):
            step()
        print(resident() - before)
        return
    # First of all: a process begins with the resident memory of the one that starts it.
    command = [sys.executable, __file__, "--vocabulary", str(given.vocabulary), "--resident"]
    memory = {k: float(subprocess.run([*command, k], capture_output=True, check=True, text=True).stdout) for k in KINDS}
    sides = {kind: steps_of(kind, given.vocabulary) for kind in KINDS}
    for step in sides.values():
        step()
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(given.rounds):
        for kind, step in sides.items():
            seconds[kind].append(step())
    print(f"{given.vocabulary:,} tokens, {STREAMS} x {STEPS} a step, {torch.get_num_threads()} thread(s)\n")
    print("| output | ms a step | times faster than torch's (quartiles) | MB |\n| --- | ---: | ---: | ---: |")
    for kind in KINDS:
        ratios = sorted(a / b for a, b in zip(seconds["torch"], seconds[kind], strict=True))
        low, middle, high = statistics.quantiles(ratios, n=4)
        milliseconds = 1000 * statistics.median(seconds[kind])
        print(f"| {kind} | {milliseconds:.0f} | {middle:.2f} ({low:.2f} to {high:.2f}) | {memory[kind]:.0f} |")


if __name__ == "__main__":
    main()
