"""What code and tools that are written for torch.nn do with a drop-in."""

import copy
import io
import re
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import gatework
from gatework.errors import ExportError, UsageError
from gatework.nn import ScanOptions

INPUT, HIDDEN = 5, 6
KINDS = [("GRU", {}), ("RNN", {}), ("LSTM", {}), ("LSTM", {"proj_size": 2}), ("GRU", {"num_layers": 2})]


def gradients(layer: nn.Module, x: torch.Tensor, is_packed: bool, change) -> list[torch.Tensor]:
    given = pack_padded_sequence(x, [7, 7, 4]) if is_packed else x
    output = layer(given)[0]
    changed = change(output.data if is_packed else output)
    return list(torch.autograd.grad(changed.pow(2).sum(), list(layer.parameters())))


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"), [*KINDS, ("LSTM", {"options": ScanOptions(zoneout=0.2, layer_norm=True)})]
)
def test_an_output_changed_in_place_trains_as_a_copy_that_is_changed(kind: str, options: dict, is_packed: bool):
    layer, x = getattr(gatework.nn, kind)(INPUT, HIDDEN, **options).eval(), torch.randn(7, 3, INPUT)
    ours = gradients(layer, x, is_packed, lambda output: output.masked_fill_(output > 0.1, 0))
    copied = gradients(layer, x, is_packed, lambda output: output.masked_fill(output > 0.1, 0))
    torch.testing.assert_close(ours, copied)


def test_a_weight_that_is_replaced_by_a_view_at_the_same_address_is_seen():
    layer, x = gatework.nn.GRU(HIDDEN, HIDDEN), torch.randn(7, 3, HIDDEN)
    layer(x)
    layer.weight_hh_l0.data[:HIDDEN].copy_(torch.randn(HIDDEN, HIDDEN))
    square = gatework.nn.RNN(HIDDEN, HIDDEN)
    torchs = nn.RNN(HIDDEN, HIDDEN)
    torchs.load_state_dict(square.state_dict())
    for change in (lambda w: w.t(), lambda w: w[:1].expand_as(w)):
        for module in (square, torchs):
            module(x)
            module.weight_hh_l0.data = change(module.weight_hh_l0.data)
        torch.testing.assert_close(square(x)[0], torchs(x)[0])
    with torch.no_grad():
        torch.testing.assert_close(square.step(x[0])[0], torchs(x[:1])[0][0])
    square.weight_hh_l0.data = square.weight_hh_l0.data[:2]
    with pytest.raises(RuntimeError):
        square(x)


def test_a_lazy_change_of_sign_is_read_with_its_sign():
    layer, x = gatework.nn.GRU(INPUT, HIDDEN), torch.randn(7, 3, INPUT)
    torch.testing.assert_close(layer(torch._neg_view(x))[0], layer(-x)[0])
    seed = torch.randn(7, 3, HIDDEN)
    lazy = torch.autograd.grad(layer(x)[0], list(layer.parameters()), torch._neg_view(seed))
    torch.testing.assert_close(lazy, torch.autograd.grad(layer(x)[0], list(layer.parameters()), -seed))
    with torch.no_grad():
        torch.testing.assert_close(layer.step(torch._neg_view(x[0]))[0], layer.step(-x[0])[0])


def test_double_backward_through_no_steps_is_zero():
    layer, x = gatework.nn.GRU(INPUT, HIDDEN), torch.randn(0, 3, INPUT, requires_grad=True)
    output, state = layer(x)
    first = torch.autograd.grad(
        output.sum() + state.sum(),
        list(layer.parameters()),
        create_graph=True,
        allow_unused=True,
        materialize_grads=True,
    )
    assert all(not g.any() for g in first)


def test_the_names_of_all_weights_are_torchs():
    for kind, options in KINDS:
        ours, torchs = (getattr(kit, kind)(INPUT, HIDDEN, **options) for kit in (gatework.nn, nn))
        assert ours._all_weights == torchs._all_weights


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = gatework.nn.LSTM(INPUT, HIDDEN, batch_first=True)
        self.output = nn.Linear(HIDDEN, 3)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        output, _ = self.rnn(given)
        return self.output(output[:, -1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_jit_trace_and_a_symbolic_trace_compute_the_same():
    model, x = Model().eval(), torch.randn(4, 9, INPUT)
    expected = model(x)
    torch.testing.assert_close(torch.jit.trace(model, x)(x), expected)
    traced = torch.fx.symbolic_trace(model)
    torch.testing.assert_close(traced(x), expected)
    assert [node.target for node in traced.graph.nodes if node.op == "call_module"] == ["rnn", "output"]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_torchs_own_exporter_to_onnx_writes_torchs_operator_and_refuses_the_rest_in_a_sentence():
    model, x, file = Model().eval(), torch.randn(4, 9, INPUT), io.BytesIO()
    torch.onnx.export(model, (x,), file, dynamo=False)
    session = onnxruntime.InferenceSession(file.getvalue())
    torch.testing.assert_close(torch.from_numpy(session.run(None, {"given": x.numpy()})[0]), model(x).detach())
    model.rnn = gatework.nn.LSTM(INPUT, HIDDEN, batch_first=True, options=ScanOptions(layer_norm=True)).eval()
    with pytest.raises(ExportError, match=r"gatework\.export\.onnx writes any of them"):
        torch.onnx.export(model, (x,), io.BytesIO(), dynamo=False)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_script_is_refused_with_the_way_back():
    with pytest.raises(UsageError, match=r"script gatework\.nn\.to_torch\(copy\.deepcopy\(model\)\)"):
        torch.jit.script(Model())


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_quantisation_says_that_it_leaves_a_layer_as_it_is():
    words = r"stays in torch\.float32; gatework\.quantize\(model\) has them on int8"
    with pytest.warns(UserWarning, match=words):
        torch.ao.quantization.quantize_dynamic(Model().eval(), {nn.Linear}, dtype=torch.qint8)


def test_the_page_on_drop_ins_runs_as_it_stands():
    page = (Path(__file__).parents[2] / "docs" / "drop-in.md").read_text(encoding="utf-8")
    known: dict = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block, known)
    assert type(known["model"].rnn) is nn.LSTM
    recurrent = known["model"].rnn.weight_hh_l0
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(128), atol=1e-5, rtol=0)


def test_a_model_goes_back_to_torch_with_the_same_parameters():
    model, x = Model(), torch.randn(4, 9, INPUT)
    parameters, expected = dict(model.named_parameters()), model(x)
    again = gatework.nn.to_torch(model)
    assert again is model
    assert type(model.rnn) is nn.LSTM
    assert all(parameter is parameters[name] for name, parameter in model.named_parameters())
    torch.testing.assert_close(model(x), expected)
    assert type(gatework.accelerate(model, verbose=False).rnn) is gatework.nn.LSTM
    for kind, options in KINDS:
        layer = getattr(gatework.nn, kind)(INPUT, HIDDEN, **options)
        assert gatework.nn.to_torch(copy.deepcopy(layer)).state_dict().keys() == layer.state_dict().keys()
    with pytest.raises(UsageError, match=r"torch\.nn has no layer for"):
        gatework.nn.to_torch(gatework.nn.LSTM(INPUT, HIDDEN, options=ScanOptions(clip=1.0)))
