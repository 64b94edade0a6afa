"""Seeing every gate, and going step by step."""

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import gatework
from gatework import cells
from gatework.errors import UsageError
from support.drop_ins import DropIn, tensors

NAMES = {"RNN": "h", "GRU": "rznh", "LSTM": "ifgoch"}


@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}], ids=str)
def test_a_trace_has_every_name_with_layers_directions_time_batch_hidden(drop_in: DropIn, options: dict):
    _, ours = drop_in.pair(2, 4, **options)
    x = torch.randn(5, 3, 2)
    traces = ours.trace(x.transpose(0, 1) if ours.batch_first else x)
    assert list(traces) == list(NAMES[drop_in.name])
    for name, values in traces.items():
        features = ours.output_size if name == "h" else 4
        assert values.shape == (ours.num_layers, ours.num_directions, 5, 3, features)


def test_the_last_layer_of_h_is_the_output_and_the_ends_are_the_final_states(drop_in: DropIn):
    _, ours = drop_in.pair(2, 4, num_layers=2, bidirectional=True)
    x, lengths = torch.randn(5, 3, 2), [5, 2, 4]
    output, finals = ours(x, lengths=lengths)
    traces = ours.trace(x, lengths=lengths)
    torch.testing.assert_close(torch.cat([*traces["h"][-1]], -1), output)
    for name, final in zip(ours.spec.states, tensors(finals), strict=True):
        by_direction = final.unflatten(0, (2, 2))
        for n, length in enumerate(lengths):
            torch.testing.assert_close(traces[name][:, 0, length - 1, n], by_direction[:, 0, n])
            torch.testing.assert_close(traces[name][:, 1, 0, n], by_direction[:, 1, n])
            assert not traces[name][:, :, length:, n].any(), "nothing is traced after the end"


def test_the_traced_gates_obey_the_equations():
    layer = gatework.nn.LSTM(2, 4)
    t = {name: values[0, 0] for name, values in layer.trace(torch.randn(5, 3, 2)).items()}
    before = torch.cat([torch.zeros(1, 3, 4), t["c"][:-1]])
    torch.testing.assert_close(t["f"] * before + t["i"] * t["g"], t["c"])
    torch.testing.assert_close(t["o"] * torch.tanh(t["c"]), t["h"])


def test_a_packed_sequence_and_a_single_one_are_traced_in_the_callers_order(drop_in: DropIn):
    _, ours = drop_in.pair(2, 4)
    sequences = [torch.randn(n, 2) for n in (2, 4, 1)]
    traces = ours.trace(pack_sequence(sequences, enforce_sorted=False))
    for n, sequence in enumerate(sequences):
        for name, values in ours.trace(sequence).items():
            assert values.shape[2:4] == (len(sequence), 1)
            torch.testing.assert_close(traces[name][:, :, : len(sequence), n], values[:, :, :, 0])


def test_a_trace_can_be_differentiated(drop_in: DropIn):
    _, ours = drop_in.pair(2, 4, num_layers=2)
    x = torch.randn(3, 2, 2, requires_grad=True)
    for values in ours.trace(x).values():
        (gradient,) = torch.autograd.grad(values[..., -1, :, :].sum(), x, retain_graph=True)
        assert gradient.any()


@pytest.mark.parametrize("is_batched", [True, False])
def test_steps_with_a_carried_state_equal_the_whole_sequence(drop_in: DropIn, is_batched: bool):
    _, ours = drop_in.pair(2, 4, num_layers=2, batch_first=True)
    x = torch.randn(3, 6, 2) if is_batched else torch.randn(6, 2)
    output, finals = ours(x)
    state, outputs = None, []
    for t in range(6):
        out, state = ours.step(x[..., t, :], state)
        outputs.append(out)
    torch.testing.assert_close(torch.stack(outputs, -2), output)
    assert type(state) is type(finals)
    for mine, whole in zip(tensors(state), tensors(finals), strict=True):
        torch.testing.assert_close(mine, whole)


@pytest.mark.parametrize("is_training", [True, False])
def test_a_step_drops_between_layers_in_training_alone_with_gradients_or_without(is_training: bool):
    layer = gatework.nn.LSTM(3, 64, num_layers=2, dropout=0.5).train(is_training)
    x = torch.randn(2, 3)
    with torch.no_grad():
        outputs = [layer.step(x)[0] for _ in range(2)]
    assert torch.equal(*outputs) == (not is_training)
    outputs = [layer.step(x)[0] for _ in range(2)]
    assert torch.equal(*outputs) == (not is_training)


def test_a_bidirectional_layer_cannot_go_step_by_step():
    with pytest.raises(UsageError, match="whole sequence"):
        gatework.nn.GRU(2, 3, bidirectional=True).step(torch.zeros(1, 2))


@pytest.mark.parametrize(
    "x", [torch.zeros(1, 1, 2), torch.zeros(1, 3), torch.zeros(1, 2).double(), [0.0, 0.0]], ids=str
)
def test_a_wrong_input_of_a_step_is_refused(x):
    with pytest.raises(UsageError, match=r"^GRU: "):
        gatework.nn.GRU(2, 3).step(x)


def test_a_state_of_another_batch_is_refused():
    layer = gatework.nn.GRU(2, 3)
    _, state = layer.step(torch.zeros(4, 2))
    with pytest.raises(UsageError, match=r"must have shape \(1, 5, 3\)"):
        layer.step(torch.zeros(5, 2), state)


@pytest.mark.parametrize("name", cells.BUILT_IN)
def test_recurrent_makes_a_layer_of_every_registered_cell(name: str):
    layer = gatework.nn.recurrent(
        name, 2, 4, num_layers=2, bidirectional=True, dropout=0.1, batch_first=True, forget_bias=1.0, orthogonal=True
    )
    assert layer.spec is cells.get(name)
    output, _ = layer(torch.randn(3, 5, 2), lengths=[5, 0, 2])
    assert output.shape == (3, 5, 8)
    generic = gatework.nn.Recurrent(name, 2, 4, 2, bidirectional=True, batch_first=True)
    generic.load_state_dict(layer.state_dict())
    layer.eval()
    x = torch.randn(3, 5, 2)
    torch.testing.assert_close(generic(x)[0], layer(x)[0])
    assert name in repr(generic)


def test_an_unknown_cell_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match='did you mean "lstm"'):
        gatework.nn.recurrent("ltsm", 2, 4)


def test_dropout_of_a_single_layer_is_left_out_without_a_warning():
    assert gatework.nn.recurrent("lstm", 2, 4, dropout=0.5).dropout == 0
