"""Models of Keras, in and out, beside Keras' equations written out, and beside Keras itself where it is installed."""

import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gatework import export
from gatework.errors import DataError, UsageError
from gatework.nn import GRU, LSTM, RNN, Recurrent, RecurrentLayer, ScanOptions
from support.export_networks import TOKENS, Network

h5py = pytest.importorskip("h5py", reason="the extra gatework[export] is not installed")
CELLS = ("lstm", "gru", "rnn", "rnn_relu")


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def lstm(x, h, c, kernel, recurrent, bias):
    """One step of Keras' LSTMCell: gates i, f, c, o."""
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(x, h, _, kernel, recurrent, bias):
    """One step of Keras' GRUCell with reset_after: gates z, r, h."""
    x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=-1)
    h_z, h_r, h_h = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * h + (1 - z) * np.tanh(x_h + r * h_h), h


def rnn(x, h, _, kernel, recurrent, bias):
    """One step of Keras' SimpleRNNCell."""
    return np.tanh(x @ kernel + h @ recurrent + bias), h


def rnn_relu(x, h, _, kernel, recurrent, bias):
    return np.maximum(x @ kernel + h @ recurrent + bias, 0), h


STEPS = {"lstm": lstm, "gru": gru, "rnn": rnn, "rnn_relu": rnn_relu}


def stored(file: Path) -> Any:
    content = zipfile.ZipFile(file).read("model.weights.h5") if file.suffix == ".keras" else file.read_bytes()
    return h5py.File(io.BytesIO(content))


def scanned(cell: str, folder: Any, x: np.ndarray) -> np.ndarray:
    """Keras' layer over (batch, time, features), in float64."""
    variables = [folder[f"cell/vars/{k}"][()].astype(np.float64) for k in range(3)]
    h = c = np.zeros((len(x), len(variables[1])))
    outputs = []
    for step in range(x.shape[1]):
        h, c = STEPS[cell](x[:, step], h, c, *variables)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@pytest.mark.parametrize("cell", CELLS)
def test_a_stack_in_both_directions_computes_in_keras_equations_what_it_computes_here(cell: str, tmp_path: Path):
    layer = Recurrent(cell, 3, 4, 2, bidirectional=True, batch_first=True)
    file = stored(export.keras(layer, tmp_path / "a.weights.h5"))
    x = torch.randn(2, 6, 3)
    values = x.double().numpy()
    for name in ("bidirectional", "bidirectional_1"):
        folder = file[f"layers/{name}"]
        back = scanned(cell, folder["backward_layer"], values[:, ::-1])[:, ::-1]
        values = np.concatenate([scanned(cell, folder["forward_layer"], values), back], axis=-1)
    torch.testing.assert_close(layer(x)[0].double(), torch.from_numpy(values), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("is_both_ways", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_what_was_written_reads_back_as_the_same_layer(cell: str, is_both_ways: bool, tmp_path: Path):
    layer = Recurrent(cell, 3, 4, 2, bidirectional=is_both_ways, batch_first=True)
    read = export.read_keras(export.keras(layer, tmp_path / "a.keras"))
    assert isinstance(read, RecurrentLayer)
    x = torch.randn(2, 6, 3)
    torch.testing.assert_close(read(x), layer(x))
    other = Recurrent(cell, 3, 4, 2, bidirectional=is_both_ways, batch_first=True)
    file = export.keras(layer, tmp_path / "a.weights.h5")
    assert export.read_keras(file, into=other) is other
    torch.testing.assert_close(other(x), layer(x))


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_what_was_written_reads_back_as_the_same_network(pooling: str, tmp_path: Path):
    network = Network("gru", pooling, tokens=TOKENS, bidirectional=True)
    read = export.read_keras(export.keras(network, tmp_path / "a.keras", mask_zero=True))
    inputs = torch.randint(TOKENS, (3, 7))
    x = read.recurrent(read.embedding(inputs.t()))
    torch.testing.assert_close(read.output(read.pooling(x[0], x[1], None)), network(inputs))


def test_a_layer_of_torch_and_one_without_biases_are_written(tmp_path: Path):
    theirs = nn.LSTM(3, 4, bias=False, batch_first=True)
    read = export.read_keras(export.keras(theirs, tmp_path / "a.keras"))
    x = torch.randn(2, 6, 3)
    torch.testing.assert_close(read(x)[0], theirs(x)[0])


def changed(file: Path, change, weights: bytes | None = None) -> Path:
    """The file with its description changed."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    members["model.weights.h5"] = weights or members["model.weights.h5"]
    other = file.with_name("changed.keras")
    with zipfile.ZipFile(other, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "selu"}, "no cell of gatework's"),
        ({"reset_after": False}, "no cell of gatework's"),
        ({"go_backwards": True}, "go_backwards=True"),
        ({"units": "many"}, "units is 'many'"),
        ({"units": 5}, r"has shape \(3, 12\), and the model's description asks for \(3, 15\)"),
    ],
)
def test_a_model_that_gatework_has_not_is_refused_in_a_sentence(change: dict, message: str, tmp_path: Path):
    file = export.keras(GRU(3, 4), tmp_path / "a.keras")
    with pytest.raises((UsageError, DataError), match=message):
        export.read_keras(changed(file, lambda config: config["config"]["layers"][1]["config"].update(change)))


def test_a_hostile_file_is_a_sentence_and_reads_nothing_outside_itself(tmp_path: Path):
    file = export.keras(RNN(3, 4), tmp_path / "a.keras")
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["0"] = np.zeros((3, 4), np.float32)
    outside = io.BytesIO()
    with h5py.File(outside, "w") as weights:
        weights["layers/simple_rnn/cell/vars/0"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/0")
    with pytest.raises(DataError, match="there is no array"):
        export.read_keras(changed(file, lambda _: None, outside.getvalue()))
    encrypted = bytearray(file.read_bytes())
    for entry in re.finditer(rb"PK\x01\x02", bytes(encrypted)):
        encrypted[entry.start() + 8] |= 1
    for content in (b"", b"PK", file.read_bytes()[:200], encrypted):
        (tmp_path / "b.keras").write_bytes(content)
        with pytest.raises(DataError, match=r"is not a \.keras file"):
            export.read_keras(tmp_path / "b.keras")
    with pytest.raises(UsageError, match="holds a Lambda"):
        export.read_keras(changed(file, lambda config: config.update(class_name="Lambda")))
    with pytest.raises(UsageError, match="a Lambda at this place"):
        export.read_keras(changed(file, lambda config: config["config"]["layers"][1].update(class_name="Lambda")))


def test_what_keras_has_not_is_refused_in_a_sentence(tmp_path: Path):
    refused = {
        'the cell "slstm"': Recurrent("slstm", 3, 4),
        "layer norm": LSTM(3, 4, options=ScanOptions(layer_norm=True)),
        "attention": Network("lstm", "attention"),
        "neither a recurrent layer nor a network": nn.Linear(2, 3),
    }
    for message, model in refused.items():
        with pytest.raises(UsageError, match=message):
            export.keras(model, tmp_path / "a.keras")
    with pytest.raises(UsageError, match=r"named \.keras"):
        export.keras(LSTM(3, 4), tmp_path / "a.h5")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")
@pytest.mark.parametrize("cell", CELLS)
def test_keras_itself_opens_what_is_written_and_what_it_writes_is_read(cell: str, tmp_path: Path):
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="Keras is not installed (pip install keras)")
    network = Network(cell, "mean", tokens=TOKENS, bidirectional=True)
    theirs = keras.models.load_model(export.keras(network, tmp_path / "a.keras"))
    inputs = torch.randint(TOKENS, (3, 7))
    expected = network(inputs).detach().numpy()
    np.testing.assert_allclose(keras.ops.convert_to_numpy(theirs(inputs.numpy())), expected, atol=1e-5)
    theirs.save(tmp_path / "b.keras")
    read = export.read_keras(tmp_path / "b.keras")
    x = read.recurrent(read.embedding(inputs.t()))
    np.testing.assert_allclose(read.output(read.pooling(x[0], x[1], None)).detach().numpy(), expected, atol=1e-5)

    inner = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}.get(cell, keras.layers.SimpleRNN)
    options = {"activation": "relu"} if cell == "rnn_relu" else {}
    start = keras.Input((None, 3))
    model = keras.Model(
        start, inner(4, return_sequences=True, dropout=0.1, **options)(keras.layers.Dropout(0.1)(start))
    )
    model.save(tmp_path / "c.keras")
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    mine = export.read_keras(tmp_path / "c.keras")(torch.from_numpy(x))[0]
    np.testing.assert_allclose(mine.detach().numpy(), keras.ops.convert_to_numpy(model(x, training=False)), atol=1e-5)
