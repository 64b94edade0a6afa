"""`lengths=`: ragged batches without sorting or packing by hand."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

import gatework
from gatework.nn import _ragged
from support.drop_ins import DropIn, tensors

TIME, BATCH, INPUT = 6, 5, 2
LENGTHS = [3, 0, 6, 1, 3]


def a_case(drop_in: DropIn, **options):
    theirs, ours = drop_in.pair(INPUT, 4, num_layers=2, bidirectional=True, dtype=torch.float64, **options)
    x = torch.randn(TIME, BATCH, INPUT, dtype=torch.float64)
    depth = 4
    states = [torch.randn(depth, BATCH, ours.output_size if s == "h" else 4).double() for s in ours.spec.states]
    return theirs, ours, x, (tuple(states) if len(states) > 1 else states[0])


@pytest.mark.parametrize("given", [list, tuple, torch.tensor, lambda v: torch.tensor(v, dtype=torch.int32)])
def test_each_sequence_runs_as_if_alone(drop_in: DropIn, path: str, given):
    _, ours, x, hx = a_case(drop_in)
    output, finals = ours(x, hx, lengths=given(LENGTHS))
    assert output.shape == (TIME, BATCH, 2 * ours.output_size)
    for n, length in enumerate(LENGTHS):
        own = [state[:, n : n + 1] for state in tensors(hx)]
        alone, ends = ours(x[:length, n : n + 1], tuple(own) if len(own) > 1 else own[0])
        torch.testing.assert_close(output[:length, n : n + 1], alone)
        assert not output[length:, n].any(), "the output after the end is zero"
        for final, end in zip(tensors(finals), tensors(ends), strict=True):
            torch.testing.assert_close(final[:, n : n + 1], end)


def test_padded_with_lengths_equals_torch_on_a_packed_sequence(drop_in: DropIn, path: str):
    theirs, ours, x, hx = a_case(drop_in)
    lengths = [3, 2, 6, 1, 3]
    packed, expected = theirs(pack_padded_sequence(x, lengths, enforce_sorted=False), hx)
    output, finals = ours(x, hx, lengths=lengths)
    padded = torch.nn.utils.rnn.pad_packed_sequence(packed)[0]
    torch.testing.assert_close(output, padded)
    for mine, torchs in zip(tensors(finals), tensors(expected), strict=True):
        torch.testing.assert_close(mine, torchs)


def test_what_lies_beyond_the_end_is_never_read(path: str):
    layer = gatework.nn.GRU(INPUT, 3, batch_first=True)
    x = torch.randn(BATCH, TIME, INPUT)
    expected = layer(x, lengths=LENGTHS)
    for n, length in enumerate(LENGTHS):
        x[n, length:] = torch.nan
    x.requires_grad_()
    output, final = layer(x, lengths=LENGTHS)
    assert torch.equal(output, expected[0])
    assert torch.equal(final, expected[1])
    output.sum().backward()
    assert x.grad is not None
    for n, length in enumerate(LENGTHS):
        assert not x.grad[n, length:].any()
        assert x.grad[n, :length].all()


def test_only_the_steps_that_exist_are_computed():
    ragged = _ragged.from_lengths(LENGTHS, TIME, BATCH, torch.device("cpu"))
    assert ragged is not None
    assert len(ragged.rows) == sum(LENGTHS)
    assert ragged.batch_sizes.tolist() == [4, 3, 3, 1, 1, 1]
    x = torch.randn(TIME, BATCH, 1)
    mask = torch.arange(TIME).unsqueeze(1) < torch.tensor(LENGTHS)
    assert torch.equal(ragged.pad(ragged.pack(x)), x * mask.unsqueeze(-1))


def test_nothing_is_packed_where_every_sequence_runs_to_the_end():
    assert _ragged.from_lengths([TIME] * BATCH, TIME, BATCH, torch.device("cpu")) is None


@pytest.mark.parametrize("lengths", [[0] * BATCH, [TIME] * BATCH, [TIME] + [0] * (BATCH - 1)], ids=str)
def test_extreme_lengths_work(drop_in: DropIn, path: str, lengths: list[int]):
    _, ours, x, hx = a_case(drop_in)
    output, finals = ours(x, hx, lengths=lengths)
    alone, ends = ours(x, hx)
    for n, length in enumerate(lengths):
        torch.testing.assert_close(output[:, n], alone[:, n] if length else torch.zeros_like(alone[:, n]))
        for final, end, start in zip(tensors(finals), tensors(ends), tensors(hx), strict=True):
            torch.testing.assert_close(final[:, n], end[:, n] if length else start[:, n])


def test_a_single_sequence_and_an_empty_batch_take_lengths():
    layer = gatework.nn.LSTM(INPUT, 3)
    x = torch.randn(TIME, INPUT)
    output, (h, _) = layer(x, lengths=[2])
    torch.testing.assert_close(output[:2], layer(x[:2])[0])
    assert h.shape == (1, 3)
    output, _ = layer(torch.empty(TIME, 0, INPUT), lengths=[])
    assert output.shape == (TIME, 0, 3)


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([1, 2], ValueError, r"one length for each of the 5 sequences of the batch, got shape \(2,\)"),
        ([[1] * 5], ValueError, r"got shape \(1, 5\)"),
        ([1, 2, -3, 4, 5], ValueError, r"lengths\[2\] is -3, which is negative"),
        ([1, 2, 3, 4, 7], ValueError, r"lengths\[4\] is 7, which is beyond the 6 steps"),
        ([1.5] * 5, TypeError, "lengths must be integers"),
        ([True] * 5, TypeError, "lengths must be integers"),
    ],
    ids=str,
)
def test_wrong_lengths_are_refused_in_one_sentence(lengths, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        gatework.nn.LSTM(INPUT, 3)(torch.zeros(TIME, BATCH, INPUT), lengths=lengths)


def test_a_packed_sequence_takes_no_lengths():
    packed = pack_padded_sequence(torch.zeros(3, 2, INPUT), [3, 1])
    with pytest.raises(ValueError, match="brings its own lengths"):
        gatework.nn.RNN(INPUT, 3)(packed, lengths=[3, 1])
