"""Networks to export, of every kind that JavaScript and C take."""

from __future__ import annotations

import torch
from torch import nn

from gatework.nn import Recurrent, ScanOptions
from gatework.nn.model import Pooling
from gatework.options import ModelOptions
from support.custom_cells import Mixed

INPUTS, UNITS, TOKENS = 3, 4, 11


class Network(nn.Module):
    """The parts of a recipe's network."""

    def __init__(
        self, cell, pooling: str, *, tokens: int | None = None, bidirectional: bool = False, **options
    ) -> None:
        super().__init__()
        config = ModelOptions(hidden=options.get("proj_size", UNITS), pooling=pooling, bidirectional=bidirectional)
        self.embedding = None if tokens is None else nn.Embedding(tokens, INPUTS)
        self.recurrent = Recurrent(cell, INPUTS, UNITS, 2, bidirectional=bidirectional, **options)
        self.pooling = Pooling(config)
        self.output = nn.Linear(self.pooling.width, 2)
        for name, parameter in self.named_parameters():
            if "norm" in name:
                nn.init.uniform_(parameter, 0.5, 1.5)

    def forward(self, inputs: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        x = inputs.transpose(0, 1)
        x = x if self.embedding is None else self.embedding(x)
        sequence, state = self.recurrent(x, lengths=lengths)
        last = state[0] if isinstance(state, tuple) else state
        return self.output(self.pooling(sequence, last, lengths))


KINDS = {
    "lstm, last": lambda: Network("lstm", "last"),
    "gru, both ways, concat": lambda: Network("gru", "concat", bidirectional=True),
    "peephole on tokens, attention": lambda: Network("peephole", "attention", tokens=TOKENS),
    "coupled without biases, mean": lambda: Network("coupled", "mean", bias=False),
    "indrnn, both ways, max": lambda: Network("indrnn", "max", bidirectional=True),
    "minimal, last": lambda: Network("minimal", "last"),
    "slstm, mean": lambda: Network("slstm", "mean"),
    "a cell of one's own, last": lambda: Network(Mixed, "last"),
    "lstm with everything around it": lambda: Network(
        "lstm", "last", options=ScanOptions(layer_norm=True, clip=0.3, zoneout={"h": 0.1, "c": 0.2})
    ),
    "lstm with a projection": lambda: Network("lstm", "mean", proj_size=2, options=ScanOptions(zoneout=0.1)),
}


def sequence(network: Network, steps: int = 9) -> torch.Tensor:
    """One random input of a network, a batch of one."""
    if network.embedding is not None:
        return torch.randint(TOKENS, (1, steps))
    return torch.randn(1, steps, INPUTS)


def allowed(network: Network, inputs: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The right output in float64, and twice the error that the network itself has in float32, with some roundings."""
    with torch.no_grad():
        own = network(inputs)
        exact = network.double()(inputs.double() if inputs.is_floating_point() else inputs)
    network.float()
    error = float((own - exact).abs().max())
    return exact[0], 2 * error + 32 * torch.finfo(torch.float32).eps * max(1.0, float(exact.abs().max()))
