"""Models with layers on int8 beside the same in float32."""

import copy
import io
import warnings

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gatework
from gatework import nn
from gatework.cells import BUILT_IN
from gatework.errors import KindError, UsageError

LENGTHS = torch.tensor([4, 9, 1, 7])


@pytest.fixture(autouse=True)
def without_gradients():
    with torch.inference_mode():
        yield


def states_of(result):
    return (result,) if isinstance(result, torch.Tensor) else result


@pytest.mark.parametrize("cell", BUILT_IN)
def test_a_sequence_is_answered_alike_in_any_batch_and_step_by_step(cell):
    torch.manual_seed(0)
    layer = nn.Recurrent(cell, 3, 18, num_layers=2, batch_first=True).eval()
    made = gatework.quantize(layer)
    x = torch.randn(4, 9, 3)
    output, ends = made(x, lengths=LENGTHS)
    padded, _ = layer(x, lengths=LENGTHS)
    assert 0 < (output - padded).abs().max() < 0.1
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    unpacked, packed_ends = made(packed)
    assert torch.equal(pad_packed_sequence(unpacked, batch_first=True)[0], output)
    for one, other in zip(states_of(ends), states_of(packed_ends), strict=True):
        assert torch.equal(one, other)
    for k, length in enumerate(LENGTHS):
        alone, _ = made(x[k, :length])
        assert torch.equal(alone, output[k, :length])
        assert not output[k, length:].any()
    carried, parts = None, []
    for t in range(5):
        part, carried = made.step(x[:, t], carried)
        parts.append(part)
    parts.append(made(x[:, 5:], carried)[0])
    whole, whole_ends = made(x)
    joined = torch.cat([torch.stack(parts[:5], 1), parts[5]], 1)
    assert torch.equal(joined, whole)
    assert all(map(torch.equal, states_of(made(x[:, 5:], carried)[1]), states_of(whole_ends)))


def test_both_directions_read_each_sequence_from_its_own_ends():
    torch.manual_seed(1)
    layer = nn.LSTM(3, 7, num_layers=2, bidirectional=True).eval()
    made, x = nn.quantize(layer), torch.randn(9, 4, 3)
    output, (h, c) = made(x, lengths=LENGTHS)
    exact, _ = layer(x, lengths=LENGTHS)
    assert (output - exact).abs().max() < 0.05
    for k, length in enumerate(LENGTHS):
        alone, (h_alone, c_alone) = made(x[:length, k])
        assert torch.equal(alone, output[:length, k])
        assert torch.equal(h[:, k], h_alone)
        assert torch.equal(c[:, k], c_alone)
    reset = torch.zeros(9, 4, dtype=torch.bool)
    reset[5] = True
    assert torch.equal(made(x, reset=reset)[0][5:], made(x[5:])[0])
    with pytest.raises(UsageError, match="needs whole sequences"):
        made.step(x[0])


def test_a_quantized_model_is_a_smaller_copy_that_is_saved_loaded_and_copied():
    model = torch.nn.Sequential()
    model.add_module("rnn", nn.GRU(16, 64))
    made = gatework.quantize(model)
    assert type(model.rnn) is nn.GRU
    assert type(made.rnn) is nn.QuantizedLayer
    file, whole = io.BytesIO(), io.BytesIO()
    torch.save(made.state_dict(), file)
    torch.save(model.state_dict(), whole)
    assert len(file.getvalue()) < 0.4 * len(whole.getvalue())
    x = torch.randn(5, 2, 16)
    expected = made(x)[0]
    another = torch.nn.Sequential()
    another.add_module("rnn", nn.GRU(16, 64))
    other = gatework.quantize(another)
    assert not torch.equal(other(x)[0], expected)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other(x)[0], expected)  # laid out anew
    assert torch.equal(copy.deepcopy(made)(x)[0], expected)
    assert "int8" not in repr(model)
    assert "QuantizedLayer(gru, 16, 64" in repr(made)


@torch.inference_mode(mode=False)
def test_what_int8_does_not_know_is_said():
    with pytest.raises(KindError, match=r"expected a torch\.nn\.Module, got int"):
        gatework.quantize(3)
    with pytest.raises(UsageError, match=r"call gatework\.accelerate\(model\) first"):
        gatework.quantize(torch.nn.LSTM(2, 3))
    for layer, reason in (
        (nn.LSTM(2, 3, proj_size=2), "has a projection"),
        (nn.GRU(2, 3, options=nn.ScanOptions(layer_norm=True)), "something around its cell"),
        (nn.RNN(2, 3, dtype=torch.float64), r"is torch\.float64 on cpu"),
    ):
        with pytest.raises(UsageError, match=reason):
            gatework.quantize(torch.nn.ModuleList([layer]))
    made = nn.quantize(nn.LSTM(2, 3))
    with torch.enable_grad(), pytest.raises(UsageError, match="have no derivatives"):
        made(torch.ones(4, 1, 2, requires_grad=True))
    with pytest.raises(UsageError, match=r"float64 and the weights are torch\.float32"):
        made(torch.ones(4, 1, 2, dtype=torch.float64))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nn.LSTM(2, 3).qconfig = "any"
    assert "gatework.quantize(model) has them on int8" in str(caught[0].message)
