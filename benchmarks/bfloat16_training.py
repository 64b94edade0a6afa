"""Training under autocast to bfloat16 against float32: the same network, data, order of batches and seeds.

Each seed draws the first weights and the order of the batches. What is compared is the final test error of the two
precisions, and its spread over the seeds.

python benchmarks/bfloat16_training.py --seeds 3 --epochs 10
"""

from __future__ import annotations

import argparse
import json
import statistics

import torch
from torch import nn

import gatework
from gatework.data import load
from gatework.options import DataOptions
from gatework.training.runtime import prepare

HIDDEN, BATCH, RATE = 32, 32, 0.003


class Network(nn.Module):
    """Two layers of LSTM, and the last step's output through a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = gatework.nn.LSTM(1, HIDDEN, num_layers=2, batch_first=True)
        self.output = nn.Linear(HIDDEN, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(self.recurrent(x)[0][:, -1])


def trained(seed: int, epochs: int, *, is_rounded: bool) -> dict[str, float]:
    """The mean squared errors on the training and the test part after training on "waves"."""
    torch.manual_seed(seed)
    data = load("waves", DataOptions(dataset="waves"))
    parts = [(torch.as_tensor(p.inputs), torch.as_tensor(p.targets)) for p in (data.train, data.test)]
    network = Network()
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    x, y = parts[0]
    for _ in range(epochs):
        for index in torch.randperm(len(x)).split(BATCH):
            with torch.autocast("cpu", torch.bfloat16, enabled=is_rounded):
                found = network(x[index])
            loss = nn.functional.mse_loss(found.float(), y[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=is_rounded):
        errors = [float(nn.functional.mse_loss(network(x).float(), y)) for x, y in parts]
    return {"train": errors[0], "test": errors[1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    prepare(1)
    for name, is_rounded in (("float32", False), ("bfloat16 by autocast", True)):
        errors = [trained(seed, options.epochs, is_rounded=is_rounded) for seed in range(options.seeds)]
        tests = [error["test"] for error in errors]
        mean, spread = statistics.mean(tests), statistics.stdev(tests)
        print(json.dumps({"precision": name, "test_mse": {"mean": mean, "std": spread, "values": tests}}), flush=True)


if __name__ == "__main__":
    main()
