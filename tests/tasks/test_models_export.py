"""Trained networks of the workbench as one graph, with a batch and a time of any size."""

import numpy as np
import pytest
import torch
from torch.export import Dim, export

import gatework
from support.daily_tables import daily, trained
from support.datasets import opinions

POOLINGS = ("last", "mean", "max", "concat", "attention")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    out = tmp_path_factory.mktemp("classifier") / "run"
    return gatework.train("classify", opinions(), out=out, epochs=1, hidden=6, embedding=5, pooling="concat", threads=1)


def test_a_trained_classifier_of_ragged_texts_exports(classifier):
    task, network = classifier.task, classifier.network
    split = task.read(["good", "a very bad film that nobody liked", "good good bad", "bad film"], classifier.recipe)
    batch = task.encode(split).batch(np.arange(4)).tensors()
    shapes = {"inputs": {0: Dim("batch"), 1: Dim("time")}, "lengths": {0: Dim("batch")}}
    program = export(network, (), kwargs=batch, dynamic_shapes=shapes).module()
    for sizes in ((2, 9), (5, 3), (1, 4)):
        inputs = torch.randint(0, 5, sizes)
        lengths = torch.randint(1, sizes[1] + 1, sizes[:1])
        # The same kernels compute both: nothing but the order of sums in the linear output may differ.
        torch.testing.assert_close(program(inputs=inputs, lengths=lengths), network(inputs, lengths))


def test_a_trained_classifier_compiles_into_one_graph(classifier):
    network = classifier.network
    compiled = torch.compile(network, fullgraph=True, dynamic=True, backend="eager")
    for sizes in ((3, 5), (2, 8)):
        inputs, lengths = torch.randint(0, 5, sizes), torch.randint(1, sizes[1] + 1, sizes[:1])
        torch.testing.assert_close(compiled(inputs, lengths), network(inputs, lengths))
        torch.testing.assert_close(compiled(inputs), network(inputs))


@pytest.mark.parametrize("decoder", ["direct", "recursive"])
def test_a_trained_forecaster_exports_with_any_batch_and_window(tmp_path, decoder):
    run = trained(daily(np.sin(np.arange(90.0))), tmp_path / "run", epochs=1, decoder=decoder, window=8, segment=2)
    task, network = run.task, run.network
    batch = task.encode(task.read(None, run.recipe)).batch(np.zeros(3, dtype=np.int64)).tensors()
    rows, segments = Dim("batch"), Dim("segments", min=2)
    shapes = {name: {0: rows} for name in batch} | {"inputs": {0: rows, 1: 2 * segments}}
    program = export(network, (), kwargs=batch, dynamic_shapes=shapes).module()
    for count, window in ((2, 12), (5, 6), (1, 8)):
        other = {name: torch.randn(count, *tensor.shape[1:]) for name, tensor in batch.items()}
        other["inputs"] = torch.randn(count, window, batch["inputs"].shape[2])
        torch.testing.assert_close(program(**other), network(**other))


def test_a_foreign_model_is_accelerated_and_exports():
    class Foreign(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.GRU(3, 4, num_layers=2, batch_first=True, bidirectional=True)
            self.head = torch.nn.Linear(8, 2)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    torch.manual_seed(0)
    foreign = Foreign().eval()
    x = torch.randn(4, 9, 3)
    before = foreign(x)
    ours = gatework.accelerate(foreign)
    assert isinstance(ours.rnn, gatework.nn.GRU)
    torch.testing.assert_close(ours(x), before)
    program = export(ours, (x,), dynamic_shapes=({0: Dim("batch"), 1: Dim("time")},)).module()
    y = torch.randn(2, 21, 3)
    torch.testing.assert_close(program(y), ours(y))
