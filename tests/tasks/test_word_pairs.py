"""A classifier that reads pairs of words, in training and wherever it answers."""

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from gatework import train
from gatework.errors import UsageError
from gatework.export._models import NetworkModel
from gatework.export._network import network
from gatework.nn.pair_vectors import PairVectors

NEW = ["not good", "never not bad", "good bad film", "", "unseen good"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on texts that say what "good" and "bad" mean only with the word before."""
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["not", "never", "good", "bad", "film"], 3)) for _ in range(160)]
    labels = ["no" if "not good" in text or "never bad" in text else "yes" for text in texts]
    frame = pl.DataFrame({"text": texts, "label": labels})
    given = {"pairs": 15, "epochs": 2, "hidden": 6, "embedding": 5, "blend": False, "seed": 1}
    return train("classify", frame, out=tmp_path_factory.mktemp("pairs") / "run", **given)


def test_pairs_learn_and_answers_without_torch_are_those_of_the_network(made):
    table = made.network.embedding
    assert isinstance(table, PairVectors)
    assert len(table.seconds) == len(made.task.encoder.pairs) == 15
    assert (table.weight[table.words :] != 0).any(dim=1).all(), "every pair has learnt"
    split = made.task.read(NEW, made.recipe)
    assert (made.task.encode(split).batch(np.arange(5)).inputs >= table.words).any()
    slow, _ = made.task.outputs(made.network, made.task.encode(split))
    shares = torch.from_numpy(slow).softmax(1).tolist()
    said = [[*row.values()] for row in made.predict(split)["probabilities"]]
    np.testing.assert_allclose(said, shares, atol=1e-6)


@torch.no_grad()
def test_what_is_written_for_other_systems_has_whole_vectors(made):
    calibrated = made.task.calibrated(made.network).eval()
    written = NetworkModel(calibrated, is_ragged=True, is_stateful=False)
    assert type(written.embedding) is nn.Embedding
    batch = made.task.encode(made.task.read(NEW, made.recipe)).batch(np.arange(5))
    wanted = made.network.eval()(**batch.tensors()) / made.network.joining.temperature
    torch.testing.assert_close(written(batch.inputs, batch.lengths).double(), wanted.double(), atol=1e-6, rtol=1e-5)
    np.testing.assert_array_equal(network(calibrated).embedding, made.network.tensors()["embedding.weight"])


def test_what_cannot_read_pairs_says_so(made, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("text,label\n" + "".join(f"not good n{k},no\ngood n{k},yes\n" for k in range(40)))
    given = {"epochs": 1, "bidirectional": False, "hidden": 4, "blend": False}
    streamed = train("classify", table, out=tmp_path / "run", pairs=5, **given)
    with pytest.raises(UsageError, match="--pairs 0"):
        streamed.task.stream(streamed.network, streamed.recipe)
    with pytest.raises(UsageError, match="give --pairs 0"):
        train("classify", table, out=tmp_path / "other", pairs=5, store=str(tmp_path / "store"), **given)
