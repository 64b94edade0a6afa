"""Whole models as ONNX: networks of recipes, and anybody's torch.nn modules."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatework import export
from gatework.errors import UsageError
from gatework.options import ModelOptions
from gatework.tasks.forecast.model import ForecastNetwork
from gatework.tasks.forecast.options import ForecastOptions
from support.export_networks import TOKENS, Network
from support.onnx_files import closest, operators, run

# Looked for alone, as to import it takes a second.
if find_spec("onnxscript") is None:
    pytest.skip("the extra gatework[export] is not installed", allow_module_level=True)


@pytest.mark.parametrize(("cell", "pooling"), [("gru", "attention"), ("indrnn", "concat")])
def test_a_network_on_texts_of_any_length_gives_the_same_in_onnxruntime(cell: str, pooling: str, tmp_path: Path):
    network = Network(cell, pooling, tokens=TOKENS, bidirectional=True)
    written = export.onnx(network, tmp_path / "a.onnx", ragged=True)
    assert written.inputs == {"inputs": ("batch", "time"), "lengths": ("batch",)}
    inputs, lengths = torch.randint(TOKENS, (4, 9)), torch.tensor([9, 1, 4, 7])
    closest(run(written.file, inputs=inputs, lengths=lengths)[0], network(inputs, lengths))


def test_a_network_carries_its_states_from_call_to_call(tmp_path: Path):
    network = Network("lstm", "last")
    written = export.onnx(network, tmp_path / "a.onnx", stateful=True)
    x = torch.randn(2, 8, 3)
    h = c = torch.zeros(2, 2, 4)
    for part in (x[:, :3], x[:, 3:7], x[:, 7:]):
        output, h, c = run(written.file, inputs=part.contiguous(), h=h, c=c)
    closest(output, network(x, torch.tensor([8, 8])))
    with pytest.raises(UsageError, match="depends on all steps"):
        export.onnx(Network("lstm", "mean"), tmp_path / "b.onnx", stateful=True)


class Tagger(nn.Module):
    """What a person writes: packed sequences, two recurrent layers, one with weight norm, a convolution before them."""

    def __init__(self) -> None:
        super().__init__()
        self.before = nn.Conv1d(3, 3, 3, padding=1)
        self.encoder = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True)
        self.decoder = weight_norm(nn.GRU(8, 5, batch_first=True), "weight_hh_l0")
        self.output = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.before(x.transpose(1, 2)).transpose(1, 2)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        packed, (h, _) = self.encoder(packed)
        padded, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
        return self.output(self.decoder(padded)[0]), h[-1]


def test_a_model_that_packs_its_sequences_is_exported(tmp_path: Path):
    model = Tagger()
    with pytest.raises(Exception):  # noqa: B017  torch's own words for what it cannot do change from version to version
        torch.onnx.export(model, (torch.randn(2, 5, 3), torch.tensor([5, 3])), dynamo=True, verbose=False)
    written = export.onnx(model, tmp_path / "a.onnx", (torch.randn(2, 5, 3), torch.tensor([5, 3])),
                          output_names=["tags", "summary"])  # fmt: skip
    assert written.inputs == {"x": ("batch", "time", 3), "lengths": ("batch",)}
    assert {"LSTM", "GRU"} <= operators(written.file)
    x, lengths = torch.randn(4, 11, 3), torch.tensor([2, 11, 1, 8])
    for mine, other in zip(run(written.file, x=x, lengths=lengths), model(x, lengths), strict=True):
        closest(mine, other)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    assert packed.data.shape == (22, 3), "packing is torch's own again"


class Step(nn.Module):
    """A language model's step with its state in a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 3)
        self.recurrent = nn.LSTM(3, 4)
        self.output = nn.Linear(4, 9)

    def forward(self, tokens: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        x, state = self.recurrent(self.embedding(tokens), state)
        return self.output(x), *state


def test_a_models_own_states_are_paired_by_name(tmp_path: Path):
    model, zeros = Step(), torch.zeros(1, 2, 4)
    names = {"input_names": ["tokens", "h", "c"], "output_names": ["scores", "h_next", "c_next"]}
    example = (torch.randint(9, (3, 2)), (zeros, zeros))
    with pytest.raises(UsageError, match='no "cell": there is tokens, h, c'):
        export.onnx(model, tmp_path / "a.onnx", example, **names, state={"cell": "c_next"})
    written = export.onnx(model, tmp_path / "a.onnx", example, **names, state={"h": "h_next", "c": "c_next"})
    assert written.inputs["h"] == (1, "batch", 4)
    tokens = torch.randint(9, (6, 3))
    h, c = torch.randn(1, 3, 4), torch.randn(1, 3, 4)
    for mine, other in zip(run(written.file, tokens=tokens, h=h, c=c), model(tokens, (h, c)), strict=True):
        closest(mine, other)
    with pytest.raises(UsageError, match="the model has 3 outputs"):
        export.onnx(model, tmp_path / "a.onnx", example, output_names=["scores"])


def test_forecasters_that_read_their_own_answers_are_exported_as_one(tmp_path: Path):
    shape = {"window": 12, "horizon": 6, "segment": 2, "networks": 2}
    plan = ForecastOptions(**shape, decoder="recursive", distribution="negative-binomial")
    sizes = {"inputs": 3, "ahead": 2, "static": 2, "series": 4, "log": None}
    network = ForecastNetwork(ModelOptions(cell="slstm", hidden=8), plan, **sizes)
    names = ("inputs", "ahead", "static", "level", "scale", "skip")

    def windows(batch: int) -> list[torch.Tensor]:
        shapes = [(batch, 12, 3), (batch, 6, 2), (batch, 2), (batch,), (batch,), (batch, 6)]
        return [torch.rand(*shape) + 0.5 for shape in shapes]

    fixed = {"inputs": (1, 2), "ahead": (1, 2), "static": (1,), "skip": (1,)}
    written = export.onnx(network, tmp_path / "a.onnx", windows(3), fixed=fixed)
    assert written.outputs == {"output": ("batch", 6, network.outputs)}
    others = windows(7)
    closest(run(written.file, **dict(zip(names, others, strict=True)))[0], network(*others))


class Segments(nn.Module):
    """A window of 12 steps in segments of 3, as a forecaster reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.recurrent = nn.RNN(6, 4, batch_first=True)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return self.recurrent(windows.reshape(windows.shape[0], windows.shape[1] // 3, -1))[0]


def test_sizes_that_never_change_are_kept_where_they_are_named(tmp_path: Path):
    model, x = Segments(), torch.randn(4, 12, 2)
    with pytest.raises(UsageError, match=r"the model itself does not run on inputs windows .* fixed="):
        export.onnx(model, tmp_path / "a.onnx", (x,))
    with pytest.raises(UsageError, match='no "x": there is windows'):
        export.onnx(model, tmp_path / "a.onnx", (x,), fixed={"x": (1,)})
    written = export.onnx(model, tmp_path / "a.onnx", (x,), fixed={"windows": (1, 2)})
    assert written.inputs == {"windows": ("batch", 12, 2)}
    closest(run(written.file, windows=x[:1])[0], model(x[:1]))


def test_a_model_that_fixes_its_sizes_itself_is_exported_with_a_warning(tmp_path: Path):
    class Counted(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.reshape(len(x) * 3, -1)

    with pytest.warns(UserWarning, match=r"takes x of the shape \(2, 3, 4\) alone"):
        written = export.onnx(Counted(), tmp_path / "a.onnx", (torch.randn(2, 3, 4),), fixed={"x": (1, 2)})
    assert written.inputs == {"x": (2, 3, 4)}


def test_a_layer_with_a_forward_of_its_own_is_refused_by_name(tmp_path: Path):
    class Reversed(nn.GRU):
        def forward(self, x):
            return super().forward(x.flip(0))

    with pytest.raises(UsageError, match="1: Reversed has a forward"):
        export.onnx(nn.Sequential(nn.Linear(3, 3), Reversed(3, 4)), tmp_path / "a.onnx", (torch.randn(3, 2, 3),))
