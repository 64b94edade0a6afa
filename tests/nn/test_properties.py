"""Relations that hold for every layer, over shapes that a generator chooses: sizes 0, 1, 3 and odd ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gatework
from gatework import cells
from support.drop_ins import take_the_reference, tensors

SIZES = st.sampled_from([1, 2, 3, 5, 8, 17])
FEW = settings(derandomize=True, max_examples=25)


@dataclass(frozen=True)
class Case:
    """A layer with an input and states; float64, so that another order of sums changes only the last digits."""

    layer: gatework.nn.RecurrentLayer
    x: torch.Tensor
    states: tuple[torch.Tensor, ...]
    lengths: list[int]

    @property
    def hx(self):
        return self.states if len(self.states) > 1 else self.states[0]


# torch's layer for each cell that it has too.
TORCH = {
    "rnn": ("RNN", {}),
    "rnn_relu": ("RNN", {"nonlinearity": "relu"}),
    "gru": ("GRU", {}),
    "lstm": ("LSTM", {}),
}


@st.composite
def cases(
    draw: st.DrawFn,
    bidirectional: bool | None = None,
    min_time: int = 0,
    min_batch: int = 0,
    cell_names: Sequence[str] = cells.BUILT_IN,
) -> Case:
    torch.manual_seed(draw(st.integers(0, 2**16)))
    time = draw(st.sampled_from([n for n in (0, 1, 3, 6, 7) if n >= min_time]))
    batch = draw(st.sampled_from([n for n in (0, 1, 3, 5) if n >= min_batch]))
    is_double = draw(st.booleans()) if bidirectional is None else bidirectional
    layer = gatework.nn.Recurrent(
        draw(st.sampled_from(cell_names)),
        draw(SIZES),
        draw(SIZES),
        draw(st.integers(1, 2)),
        bidirectional=is_double,
        bias=draw(st.booleans()),
        dtype=torch.float64,
    )
    x = torch.randn(time, batch, layer.input_size, dtype=torch.float64)
    depth = layer.num_layers * layer.num_directions
    states = tuple(torch.randn(depth, batch, layer.hidden_size, dtype=torch.float64) for _ in layer.spec.states)
    return Case(layer, x, states, draw(st.lists(st.integers(0, time), min_size=batch, max_size=batch)))


def same(first, second) -> None:
    for mine, other in zip(tensors(first), tensors(second), strict=True):
        torch.testing.assert_close(mine, other)


@pytest.mark.usefixtures("path_of_every_example")
@FEW
@given(cases(bidirectional=False), st.floats(0, 1))
def test_a_sequence_in_two_parts_with_carried_states_is_the_whole(case: Case, share: float):
    cut = int(share * len(case.x))
    first, state = case.layer(case.x[:cut], case.hx)
    second, finals = case.layer(case.x[cut:], state)
    same((torch.cat([first, second]), finals), case.layer(case.x, case.hx))


@pytest.mark.usefixtures("path_of_every_example")
@FEW
@given(cases(min_time=1, min_batch=1))
def test_padded_with_lengths_is_packed(case: Case):
    lengths = [max(1, n) for n in case.lengths]
    packed, finals = case.layer(pack_padded_sequence(case.x, lengths, enforce_sorted=False), case.hx)
    output, _ = pad_packed_sequence(packed, total_length=len(case.x))
    same(case.layer(case.x, case.hx, lengths=lengths), (output, finals))


@pytest.mark.usefixtures("path_of_every_example")
@FEW
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_batch_does_not_matter(case: Case, random):
    order = list(range(case.x.shape[1]))
    random.shuffle(order)
    states = tuple(state[:, order] for state in case.states)
    output, finals = case.layer(case.x, case.hx, lengths=case.lengths)
    shuffled = case.layer(
        case.x[:, order], states if len(states) > 1 else states[0], lengths=[case.lengths[n] for n in order]
    )
    same(shuffled, (output[:, order], [final[:, order] for final in tensors(finals)]))


@pytest.mark.usefixtures("path_of_every_example")
@FEW
@given(cases(bidirectional=True))
def test_the_backward_half_is_the_forward_half_of_the_reversed_sequences(case: Case):
    layer = case.layer
    one = gatework.nn.Recurrent(layer.spec, layer.input_size, layer.hidden_size, bias=layer.bias, dtype=torch.float64)
    one.load_state_dict({name: getattr(layer, f"{name}_reverse") for name in one.state_dict()})
    reversed_x = case.x.clone()
    for n, length in enumerate(case.lengths):
        reversed_x[:length, n] = case.x[:length, n].flip(0)
    states = tuple(state[1:2] for state in case.states)
    backwards, _ = one(reversed_x, states if len(states) > 1 else states[0], lengths=case.lengths)
    first = layer.trace(case.x, case.hx, case.lengths)["h"][0, 1]
    for n, length in enumerate(case.lengths):
        same(first[:length, n], backwards[:length, n].flip(0))


@pytest.mark.usefixtures("path_of_every_example")
@FEW
@given(cases())
def test_the_trace_of_h_holds_the_output(case: Case):
    output, _ = case.layer(case.x, case.hx, lengths=case.lengths)
    traced = case.layer.trace(case.x, case.hx, case.lengths)["h"][-1]
    same(torch.cat([*traced], -1), output)


@FEW
@given(cases(min_time=1, cell_names=list(TORCH)), st.sampled_from([torch.float32, torch.float64]))
def test_every_path_errs_at_most_twice_as_much_as_torch(case: Case, dtype: torch.dtype):
    """Against the reference in float64, on the same weights, input and states."""
    options = {"num_layers": case.layer.num_layers, "bias": case.layer.bias, "bidirectional": case.layer.bidirectional}
    name, kind = TORCH[case.layer.spec.name]
    sizes = (case.layer.input_size, case.layer.hidden_size)
    theirs, ours = (getattr(module, name)(*sizes, **options, **kind, dtype=dtype) for module in (torch.nn, gatework.nn))
    theirs.load_state_dict(case.layer.state_dict())
    ours.load_state_dict(theirs.state_dict())
    case.layer.load_state_dict(theirs.state_dict())
    x, states = case.x.to(dtype), [state.to(dtype) for state in case.states]
    hx = tuple(states) if len(states) > 1 else states[0]
    exact_states = tuple(state.double() for state in states)
    with pytest.MonkeyPatch.context() as monkeypatch:
        take_the_reference(monkeypatch)
        truth = case.layer(x.double(), exact_states if len(states) > 1 else exact_states[0])
    for mine, torchs, exact in zip(tensors(ours(x, hx)), tensors(theirs(x, hx)), tensors(truth), strict=True):
        if not exact.numel():
            continue
        scale = max(1.0, float(exact.detach().abs().max()))
        error, torchs_error = ((value.double() - exact).detach().abs().max() for value in (mine, torchs))
        assert error <= 2 * torchs_error + 8 * torch.finfo(dtype).eps * scale
