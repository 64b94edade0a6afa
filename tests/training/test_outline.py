"""The table of a network's parts that training prints."""

from types import SimpleNamespace

import torch
from torch import nn

from gatework.training.outline import outline


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.output = nn.Linear(3, 2)  # used without being called
        self.dropout = nn.Dropout()
        self.later = nn.Identity()  # acts only once the network is trained
        self.layers = nn.Linear(5, 3)

    def forward(self, x):
        return self.dropout(self.layers(x)) @ self.output.weight.T + self.output.bias


def test_parts_stand_in_the_order_of_computing():
    examples = SimpleNamespace(batch=lambda rows: SimpleNamespace(tensors=lambda: {"x": torch.zeros(len(rows), 5)}))
    lines = [line.split() for line in outline(Network(), examples)]
    assert [line[0] for line in lines] == ["part", "layers", "dropout", "output", "total"]
    assert [line[-1] for line in lines[1:]] == ["18", "0", "8", "26"]
