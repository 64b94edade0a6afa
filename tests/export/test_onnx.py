"""Recurrent layers as ONNX, in onnxruntime, beside the layers themselves."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from gatework import cells
from gatework.errors import ExportError, KindError, UsageError
from gatework.nn import Recurrent, ScanOptions
from gatework.scan import jit, kernels
from support.custom_cells import Mixed, MyLSTM, Names
from support.onnx_files import closest, operators, run

onnx = pytest.importorskip("onnx", reason="the extra gatework[export] is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra gatework[export] is not installed")
from gatework import export  # noqa: E402

OWN = (MyLSTM, Mixed, Names)
NATIVE = {"rnn": "RNN", "rnn_relu": "RNN", "gru": "GRU", "lstm": "LSTM", "peephole": "LSTM", "coupled": "LSTM"}
OPTIONS = {
    "layer norm": ScanOptions(layer_norm=True),
    "zoneout": ScanOptions(zoneout={"h": 0.2}),
    "dropout": ScanOptions(recurrent_dropout=0.3, weight_drop=0.5),
    "all": ScanOptions(recurrent_dropout=0.1, zoneout=0.3, layer_norm=True),
}
BOTH = {"num_layers": 2, "bidirectional": True}


@pytest.mark.parametrize("cell", [*cells.BUILT_IN, *OWN], ids=lambda cell: getattr(cell, "name", cell))
def test_a_ragged_stateful_stack_of_any_cell_goes_on_in_onnxruntime_where_a_call_has_left_off(cell, tmp_path: Path):
    layer = Recurrent(cell, 3, 4, **BOTH, batch_first=True)
    written = export.onnx(layer, tmp_path / "a.onnx", ragged=True, stateful=True)
    states = layer.spec.states
    assert written.state == {state: f"{state}_next" for state in states}
    assert written.inputs["x"] == ("batch", "time", 3)
    x, lengths = torch.randn(5, 10, 3), torch.tensor([10, 0, 3, 7, 10])
    carried = [torch.zeros(4, 5, 4) for _ in states]
    with torch.no_grad():
        for _ in range(2):
            output, ends = layer(x, carried[0] if len(carried) == 1 else tuple(carried), lengths=lengths)
            found, *left = run(written.file, x=x, lengths=lengths, **dict(zip(states, carried, strict=True)))
            closest(found, output)
            carried = [ends] if len(carried) == 1 else list(ends)
            for mine, other in zip(left, carried, strict=True):
                closest(mine, other)


def test_a_cell_of_ones_own_is_exported_without_compiling_more_than_training_did(tmp_path, monkeypatch):
    asked, address = set(), jit.address

    def noted(cell, isa, operands, variant):
        asked.add((operands, variant))
        return address(cell, isa, operands, variant)

    monkeypatch.setattr(jit, "address", noted)
    kernels._find.cache_clear()
    layer = Recurrent(Mixed, 3, 4)
    layer(torch.randn(2, 1, 3))
    trained = set(asked)
    assert trained == {("Exact<Widest<float>>", "plain")}
    export.onnx(layer, tmp_path / "a.onnx", weights="int8")
    assert asked == trained
    layer.double()(torch.randn(2, 1, 3).double())
    assert asked > trained, "whoever asks for float64 has its kernel"


@pytest.mark.parametrize("cell", cells.BUILT_IN)
def test_a_cell_that_onnx_has_an_operator_for_is_written_as_it_and_any_other_as_a_scan(cell, tmp_path: Path):
    written = export.onnx(Recurrent(cell, 3, 4), tmp_path / "a.onnx")
    assert NATIVE.get(cell, "Scan") in operators(written.file)
    assert written.error <= max(2 * written.own_error, 1e-5)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "slstm", Mixed], ids=lambda cell: getattr(cell, "name", cell))
def test_what_acts_around_a_cell_in_evaluation_is_exported(cell, options, tmp_path: Path):
    layer = Recurrent(cell, 3, 4, **BOTH, options=options)
    for name, parameter in layer.named_parameters():
        if "norm" in name:
            nn.init.uniform_(parameter, 0.5, 1.5)
    x, lengths = torch.randn(9, 4, 3), torch.tensor([9, 2, 5, 9])
    written = export.onnx(layer, tmp_path / "a.onnx", ragged=True)
    assert layer.training, "the layer itself stays as it was"
    closest(run(written.file, x=x, lengths=lengths)[0], layer.eval()(x, lengths=lengths)[0])


@pytest.mark.parametrize("cell", ["lstm", "peephole"])
def test_a_clipped_cell_state_and_a_projection_are_exported(cell, tmp_path: Path):
    layer = Recurrent(cell, 3, 5, **BOTH, proj_size=2, options=ScanOptions(clip=0.05, zoneout={"h": 0.2})).eval()
    x, h, c = torch.randn(9, 4, 3), torch.randn(4, 4, 2), torch.randn(4, 4, 5)
    written = export.onnx(layer, tmp_path / "a.onnx", stateful=True)
    output, (last, state) = layer(x, (h, c))
    for mine, other in zip(run(written.file, x=x, h=h, c=c), (output, last, state), strict=True):
        closest(mine, other)
    assert state.abs().max() <= 0.05


def test_a_layer_without_biases_is_exported(tmp_path: Path):
    for cell in ("lstm", "gru", "minimal"):
        layer = Recurrent(cell, 3, 4, bias=False)
        x = torch.randn(6, 2, 3)
        closest(run(export.onnx(layer, tmp_path / "a.onnx").file, x=x)[0], layer(x)[0])


def test_a_hundred_exports_in_one_process_all_take_any_batch_and_time(tmp_path: Path):
    for number in range(100):
        cell = ("lstm", "gru", "rnn", "slstm")[number % 4]
        layer = Recurrent(cell, 2, 3, bidirectional=number % 3 == 0)
        written = export.onnx(layer, tmp_path / "a.onnx")
        assert written.inputs == {"x": ("time", "batch", 2)}
    x = torch.randn(300, 2, 2)
    closest(run(written.file, x=x)[0], layer(x)[0])


@pytest.mark.parametrize(
    "layer",
    [nn.LSTM(3, 4, **BOTH), nn.LSTM(3, 4, proj_size=2), nn.GRU(3, 4, batch_first=True), nn.RNN(3, 4, 2)],
    ids=["LSTM", "projected LSTM", "GRU", "RNN"],
)
def test_a_layer_of_torch_is_exported(layer: nn.RNNBase, tmp_path: Path):
    written = export.onnx(layer, tmp_path / "a.onnx", stateful=True)
    x = torch.randn(8, 2, 3)
    batch = 8 if layer.batch_first else 2
    depth = layer.num_layers * (2 if layer.bidirectional else 1)
    h, c = torch.randn(depth, batch, layer.proj_size or 4), torch.randn(depth, batch, 4)
    is_lstm = isinstance(layer, nn.LSTM)
    output, _ = layer(x, (h, c) if is_lstm else h)
    closest(run(written.file, x=x, h=h, **({"c": c} if is_lstm else {}))[0], output)
    export.onnx(layer, tmp_path / "b.onnx", ragged=True)


@pytest.mark.parametrize(("weights", "share"), [("bfloat16", 0.6), ("int8", 0.4)])
@pytest.mark.parametrize("cell", ["lstm", "coupled", "slstm"])
def test_weights_in_fewer_bits_make_a_smaller_file_that_computes_what_the_rounded_layer_does(
    cell: str, weights: str, share: float, tmp_path: Path
):
    layer = Recurrent(cell, 32, 32, 2, bidirectional=cell != "coupled")
    whole, small = (export.onnx(layer, tmp_path / kind, weights=kind) for kind in ("float32", weights))
    assert small.file.stat().st_size < share * whole.file.stat().st_size
    assert small.error < 1e-4 < small.rounding < 0.5, "it is checked as strictly, and the rounding is said"
    x = torch.randn(9, 2, 32)
    assert 0 < (run(small.file, x=x)[0] - layer(x)[0]).abs().max() < 0.5
    with pytest.raises(UsageError, match='did you mean "int8"'):
        export.onnx(layer, tmp_path / "a.onnx", weights="int4")


def test_the_pairs_of_states_and_what_travels_beside_are_in_the_metadata(tmp_path: Path):
    about = {"labels": ["no", "yes"], "scaling": {"mean": [0.5]}}
    written = export.onnx(Recurrent("lstm", 3, 4), tmp_path / "a.onnx", stateful=True, about=about)
    session = onnxruntime.InferenceSession(written.file, providers=["CPUExecutionProvider"])
    facts = json.loads(session.get_modelmeta().custom_metadata_map["gatework"])
    assert facts["state"] == {"h": "h_next", "c": "c_next"}
    assert facts["about"] == about
    assert facts["error"] == written.error
    with pytest.raises(KindError, match="JSON"):
        export.onnx(Recurrent("lstm", 3, 4), tmp_path / "a.onnx", about={"labels": {1, 2}})


def test_a_wrong_graph_is_refused_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from gatework.export import _native

    wrong = {**_native._OPERATORS, "gru": _native.Operator("GRU", _native._same(1, 0, 2))}  # resets before the product
    monkeypatch.setattr(_native, "_OPERATORS", wrong)
    with pytest.raises(ExportError, match='its output "output" on inputs x'):
        export.onnx(Recurrent("gru", 3, 4), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_missing_package_is_a_sentence_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from gatework.export import _extra

    monkeypatch.setattr(_extra, "find_spec", lambda name: None if name == "onnxscript" else name)
    with pytest.raises(UsageError, match=r'an ONNX file needs onnxscript: pip install "gatework\[export\]"'):
        export.onnx(Recurrent("lstm", 3, 4), tmp_path / "a.onnx")


def test_what_cannot_be_exported_is_said_in_a_sentence(tmp_path: Path):
    with pytest.raises(UsageError, match="give an example of its inputs"):
        export.onnx(nn.Linear(2, 3), tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="without inputs"):
        export.onnx(nn.Linear(2, 3), tmp_path / "a.onnx", (torch.zeros(2, 2),), ragged=True)
