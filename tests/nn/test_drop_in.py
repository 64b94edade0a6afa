"""gatework.nn.RNN, GRU and LSTM beside torch.nn's: signatures, weights, results, gradients and errors."""

import inspect
import pickle
from typing import get_overloads

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

import gatework
from gatework.errors import UsageError
from support.drop_ins import DropIn, tensors

STACKS = [
    {},
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 3, "bias": False},
    {"num_layers": 2, "batch_first": True, "bidirectional": True, "bias": False},
]


def torch_parameters(name: str) -> list[inspect.Parameter]:
    """torch's constructor as its first overload documents it."""
    overload = get_overloads(getattr(torch.nn, name).__init__)[0]
    return list(inspect.signature(overload).parameters.values())


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_the_constructor_takes_torchs_arguments_in_torchs_order_with_torchs_defaults(name: str):
    ours = list(inspect.signature(getattr(gatework.nn, name).__init__).parameters.values())
    shared = [p for p in ours if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert [(p.name, p.default) for p in shared] == [(p.name, p.default) for p in torch_parameters(name)]
    assert all(p.default in (None, False) for p in ours if p.kind is inspect.Parameter.KEYWORD_ONLY)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_forward_takes_torchs_arguments(name: str):
    theirs = list(inspect.signature(getattr(torch.nn, name).forward).parameters)
    ours = inspect.signature(getattr(gatework.nn, name).forward).parameters
    assert [n for n, p in ours.items() if p.kind is not inspect.Parameter.KEYWORD_ONLY] == theirs


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_the_same_seed_gives_torchs_weights_under_torchs_names(drop_in: DropIn, stack: dict):
    torch.manual_seed(5)
    theirs = getattr(torch.nn, drop_in.name)(3, 4, **drop_in.options, **stack)
    torch.manual_seed(5)
    ours = getattr(gatework.nn, drop_in.name)(3, 4, **drop_in.options, **stack)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert repr(ours) == repr(theirs)
    assert ours.mode == theirs.mode
    assert [[w.shape for w in ws] for ws in ours.all_weights] == [[w.shape for w in ws] for ws in theirs.all_weights]


def test_state_dicts_load_both_ways(drop_in: DropIn):
    theirs, ours = drop_in.pair(3, 4, num_layers=2, bidirectional=True)
    ours.reset_parameters()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(5, 2, 3)
    for mine, torchs in zip(tensors(ours(x)), tensors(theirs(x)), strict=True):
        torch.testing.assert_close(mine, torchs)


def inputs(batch_first: bool, dtype: torch.dtype = torch.float64) -> dict[str, torch.Tensor | PackedSequence]:
    x = torch.randn(*((3, 5) if batch_first else (5, 3)), 2, dtype=dtype)
    sequences = [torch.randn(n, 2, dtype=dtype) for n in (2, 4, 1)]
    return {
        "padded": x,
        "single": x[0],
        "packed": pack_sequence(sequences, enforce_sorted=False),
        "sorted": pack_padded_sequence(torch.randn(4, 3, 2, dtype=dtype), [4, 4, 1]),
        "strided": torch.randn(2, *x.shape[:2], dtype=dtype).permute(1, 2, 0),
        "no sequences": x[:0] if batch_first else x[:, :0],
    }


def states(layer: torch.nn.RNNBase, batch: int | None, dtype: torch.dtype = torch.float64):
    depth = layer.num_layers * (2 if layer.bidirectional else 1)
    lead = (depth,) if batch is None else (depth, batch)
    h = torch.randn(*lead, layer.proj_size or layer.hidden_size, dtype=dtype)
    return (h, torch.randn(*lead, layer.hidden_size, dtype=dtype)) if layer.mode == "LSTM" else h


@pytest.mark.parametrize("stack", STACKS, ids=str)
@pytest.mark.parametrize("kind", ["padded", "single", "packed", "sorted", "strided", "no sequences"])
@pytest.mark.parametrize("has_states", [False, True])
def test_results_have_torchs_form_and_numbers(drop_in: DropIn, path: str, stack: dict, kind: str, has_states: bool):
    theirs, ours = drop_in.pair(2, 4, dtype=torch.float64, **stack)
    x = inputs(theirs.batch_first)[kind]
    batch = {"single": None, "no sequences": 0}.get(kind, 3)
    hx = states(theirs, batch) if has_states else None
    expected, got = theirs(x, hx), ours(x, hx)
    assert type(got[0]) is type(expected[0])
    assert type(got[1]) is type(expected[1])
    for mine, torchs in zip(tensors(got), tensors(expected), strict=True):
        assert mine.shape == torchs.shape
        torch.testing.assert_close(mine, torchs)


@pytest.mark.parametrize("kind", ["padded", "packed"])
def test_gradients_are_torchs(drop_in: DropIn, path: str, kind: str):
    theirs, ours = drop_in.pair(2, 4, num_layers=2, bidirectional=True, dtype=torch.float64)
    x, hx = inputs(False)[kind], states(theirs, 3)
    found = []
    for layer in (theirs, ours):
        leaves = [leaf.detach().clone().requires_grad_() for leaf in tensors(hx)]
        results = layer(x, tuple(leaves) if len(leaves) > 1 else leaves[0])
        loss = sum(
            (result**2).sum() for result in tensors([results[0][0] if kind == "packed" else results[0], results[1]])
        )
        found.append(torch.autograd.grad(loss, [*layer.parameters(), *leaves]))
    for torchs, mine in zip(*found, strict=True):
        torch.testing.assert_close(mine, torchs)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_errors_against_float64_are_at_most_twice_torchs(drop_in: DropIn, path: str, dtype: torch.dtype):
    exact, _ = drop_in.pair(6, 17, num_layers=2, dtype=torch.float64)
    theirs, ours = drop_in.pair(6, 17, num_layers=2, dtype=dtype)
    for layer in (theirs, ours):
        layer.load_state_dict(exact.state_dict())
    exact.load_state_dict({name: value.double() for name, value in theirs.state_dict().items()})
    x = torch.randn(40, 5, 6, dtype=dtype)
    truth = exact(x.double())[0]
    error = (ours(x)[0].double() - truth).abs().max()
    allowed = 2 * (theirs(x)[0].double() - truth).abs().max() + 4 * torch.finfo(dtype).eps
    assert error <= allowed


def test_dropout_acts_between_layers_in_training_only(drop_in: DropIn, path: str):
    _, ours = drop_in.pair(2, 50, num_layers=2, dropout=0.5)
    x = torch.randn(3, 4, 2)
    first, second = ours(x)[0], ours(x)[0]
    assert not torch.equal(first, second)
    ours.eval()
    assert torch.equal(ours(x)[0], ours(x)[0])
    everything = drop_in.pair(2, 50, num_layers=2, dropout=1.0)[1]
    with torch.no_grad():
        alone = everything(x)[0]
        everything.weight_ih_l1.zero_()
        assert torch.equal(alone, everything(x)[0]), "with dropout 1 the second layer sees zeros"


def test_a_batch_without_steps_gives_no_output_and_the_initial_states(drop_in: DropIn):
    theirs, ours = drop_in.pair(2, 4, num_layers=2, bidirectional=True)
    hx = states(theirs, 3, torch.float32)
    output, finals = ours(torch.empty(0, 3, 2), hx)
    assert output.shape == (0, 3, 2 * ours.output_size)
    for final, state in zip(tensors(finals), tensors(hx), strict=True):
        assert torch.equal(final, state)


BAD_OPTIONS = [
    {"input_size": 3.0},
    {"input_size": 0},
    {"hidden_size": "4"},
    {"hidden_size": -1},
    {"num_layers": 0},
    {"num_layers": 1.5},
    {"bias": 1},
    {"batch_first": None},
    {"dropout": 2},
    {"dropout": -0.1},
    {"dropout": True},
    {"dropout": "half"},
    {"proj_size": 4},
    {"proj_size": -1},
    {"unknown": 1},
]


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("bad", BAD_OPTIONS, ids=str)
def test_a_wrong_option_raises_torchs_exception_type(name: str, bad: dict):
    arguments = {"input_size": 3, "hidden_size": 4, "num_layers": 2} | bad
    with pytest.raises(Exception) as expected:
        getattr(torch.nn, name)(**arguments)
    with pytest.raises(expected.type, match=next(iter(bad))):
        getattr(gatework.nn, name)(**arguments)


def test_an_unknown_nonlinearity_raises_torchs_exception_type():
    for module in (torch.nn, gatework.nn):
        with pytest.raises(ValueError, match="nonlinearity"):
            module.RNN(3, 4, nonlinearity="sine")


def test_dropout_with_one_layer_warns_as_torch_does():
    for module in (torch.nn, gatework.nn):
        with pytest.warns(UserWarning, match="dropout") as caught:
            module.LSTM(3, 4, dropout=0.5)
    assert caught[0].filename == __file__, "the warning points at the caller"


def bad_calls(layer: torch.nn.RNNBase):
    x = torch.randn(5, 2, 3)
    good = states(layer, 2, torch.float32)
    first = tensors(good)[0]
    rest = tensors(good)[1:]

    def joined(h):
        return (h, *rest) if rest else h

    return {
        "one dimension": (x[0, 0],),
        "four dimensions": (x[None],),
        "features": (x[..., :2],),
        "dtype": (x.double(),),
        "device": (x.to("meta"),),
        "batch of the state": (x, joined(torch.zeros(2, 3, first.shape[-1]))),
        "layers of the state": (x, joined(first[:1])),
        "features of the state": (x, joined(first[..., :1])),
        "dtype of the state": (x, joined(first.double())),
        "batched state for a single sequence": (x[0], joined(first)),
        "single state for a batch": (x, joined(first[:, 0])),
    }


@pytest.mark.parametrize("call", list(bad_calls(torch.nn.GRU(3, 4, 2))))
def test_a_wrong_input_raises_torchs_exception_type_in_one_sentence(drop_in: DropIn, path: str, call: str):
    theirs, ours = drop_in.pair(3, 4, num_layers=2)
    arguments = bad_calls(theirs)[call]
    with pytest.raises(Exception) as expected:
        theirs(*arguments)
    with pytest.raises(UsageError) as raised:
        ours(*arguments)
    assert isinstance(raised.value, expected.type)
    assert str(raised.value).startswith(f"{drop_in.name}: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("wrong", [[[1.0]], None, "text"], ids=str)
def test_an_input_that_is_no_tensor_is_a_type_error(wrong):
    with pytest.raises(TypeError, match="must be a Tensor"):
        gatework.nn.LSTM(1, 2)(wrong)


def test_a_wrong_number_of_states_is_a_runtime_error():
    with pytest.raises(RuntimeError, match=r"2 states \(h, c\), got 1"):
        gatework.nn.LSTM(1, 2)(torch.zeros(3, 1, 1), torch.zeros(1, 1, 2))


def test_a_pickled_layer_is_the_same_layer(drop_in: DropIn):
    _, ours = drop_in.pair(2, 4, num_layers=2)
    again = pickle.loads(pickle.dumps(ours))
    x = torch.randn(3, 2, 2)
    assert torch.equal(again(x)[0], ours(x)[0])
    assert repr(again) == repr(ours)
