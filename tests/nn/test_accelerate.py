"""Replacing torch.nn's recurrent layers inside a model."""

import copy
import pickle
from abc import ABC, abstractmethod

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import gatework
from gatework.errors import UsageError
from gatework.nn._layer import RecurrentLayer
from support.drop_ins import DropIn, tensors


class Tagger(nn.Module):
    """A model with recurrent layers at several depths, one of them used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 4)
        self.encoder = nn.LSTM(4, 6, num_layers=2, bidirectional=True, batch_first=True, dropout=0.2)
        self.blocks = nn.ModuleList([nn.GRU(12, 12, batch_first=True), nn.RNN(12, 12, 1, "relu", batch_first=True)])
        self.again = self.blocks[0]
        self.head = nn.Linear(12, 3)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.encoder(self.embedding(tokens))[0]
        for block in [*self.blocks, self.again]:
            x = block(x)[0]
        return self.head(x)


def test_every_recurrent_layer_is_replaced_and_the_model_computes_the_same(capsys: pytest.CaptureFixture[str]):
    model = Tagger().eval()
    tokens = torch.randint(10, (3, 7))
    expected, names = model(tokens), list(model.state_dict())
    assert gatework.accelerate(model) is model
    assert type(model.encoder) is gatework.nn.LSTM
    assert [type(block) for block in model.blocks] == [gatework.nn.GRU, gatework.nn.RNN]
    assert model.again is model.blocks[0], "a shared layer stays shared"
    assert not any(isinstance(module, nn.RNNBase) for module in model.modules())
    assert list(model.state_dict()) == names
    assert model.encoder.dropout == 0.2
    assert not model.encoder.training
    torch.testing.assert_close(model(tokens), expected)
    said = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in said] == ["encoder", "blocks.0", "blocks.1"]
    assert "replaced LSTM(4, 6, num_layers=2" in said[0]


def test_an_optimiser_made_before_goes_on_as_if_nothing_had_happened():
    torch.manual_seed(0)
    model = Tagger().eval()
    twin = copy.deepcopy(model)
    tokens = torch.randint(10, (3, 7))

    def train(model: nn.Module, optimiser: torch.optim.Optimizer, steps: int) -> None:
        for _ in range(steps):
            optimiser.zero_grad()
            model(tokens).pow(2).mean().backward()
            optimiser.step()

    optimisers = [torch.optim.Adam(m.parameters()) for m in (model, twin)]
    for m, optimiser in zip((model, twin), optimisers, strict=True):
        train(m, optimiser, 2)
    before = list(model.parameters())
    gatework.accelerate(model, verbose=False)
    assert all(mine is old for mine, old in zip(model.parameters(), before, strict=True))
    for m, optimiser in zip((model, twin), optimisers, strict=True):
        train(m, optimiser, 3)
    for mine, torchs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, torchs)


def test_a_model_that_is_itself_a_layer_comes_back_as_ours(drop_in: DropIn):
    theirs, _ = drop_in.pair(3, 4, num_layers=2, bias=False)
    theirs.weight_hh_l0.requires_grad_(False)
    ours = gatework.accelerate(theirs, verbose=False)
    assert type(ours) is getattr(gatework.nn, drop_in.name)
    x = torch.randn(5, 2, 3)
    for mine, torchs in zip(tensors(ours(x)), tensors(theirs(x)), strict=True):
        torch.testing.assert_close(mine, torchs)
    assert ours.weight_hh_l0 is theirs.weight_hh_l0


def test_hooks_still_run_and_can_still_be_removed():
    model = nn.Sequential(nn.LSTM(2, 3))
    calls = []
    handle = model[0].register_forward_hook(lambda *_: calls.append(1))
    gatework.accelerate(model, verbose=False)
    model(torch.zeros(1, 1, 2))
    handle.remove()
    model(torch.zeros(1, 1, 2))
    assert calls == [1]


class Special(nn.LSTM):
    """A subclass that changes what torch's forward asks its layer for."""

    def permute_hidden(self, hx, permutation):
        return tuple(state.flip(1) for state in hx)


def test_what_may_compute_something_else_is_kept_and_said(capsys: pytest.CaptureFixture[str]):
    model = nn.ModuleDict({"special": Special(2, 3), "normed": nn.LSTM(2, 3), "cell": nn.LSTMCell(2, 3)})
    model["normed"] = nn.utils.parametrizations.weight_norm(model["normed"], "weight_hh_l0")
    kinds = {name: type(module) for name, module in model.items()}
    gatework.accelerate(model)
    assert {name: type(module) for name, module in model.items()} == kinds
    said = capsys.readouterr().err
    assert "special: kept Special, whose permute_hidden is not that of torch.nn.LSTM" in said
    assert "normed: kept" in said
    with pytest.raises(UsageError, match="kept Special"):
        gatework.nn.from_torch(model["special"])


class Packing(ABC, nn.RNNBase):
    """What some libraries put between torch's layers and theirs: a forward of its own around the inherited one."""

    @abstractmethod
    def first_output(self, state): ...

    def forward(self, x, hx=None, lengths=None):
        if lengths is None:
            return super().forward(x, hx)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, self.batch_first, enforce_sorted=False)
        output, state = super().forward(packed, hx)
        return nn.utils.rnn.pad_packed_sequence(output, self.batch_first)[0], self.first_output(state)


class PackingLSTM(Packing, nn.LSTM):
    def first_output(self, state):
        return state[0][0]


class PackingGRU(Packing, nn.GRU):
    def first_output(self, state):
        return state[0]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The layers of gatework's that compute, as they do."""
    called = []

    def counting(layer, *args, forward=RecurrentLayer.forward):
        called.append(type(layer).__name__)
        return forward(layer, *args)

    monkeypatch.setattr(RecurrentLayer, "forward", counting)
    return called


def check_like(layer: nn.Module, theirs: nn.Module, x: torch.Tensor) -> None:
    for given in ({}, {"lengths": torch.tensor([2, 5, 4])}):
        for mine, torchs in zip(tensors(layer(x, **given)), tensors(theirs(x, **given)), strict=True):
            torch.testing.assert_close(mine, torchs)


@pytest.mark.parametrize("kind", [PackingLSTM, PackingGRU])
def test_a_subclass_keeps_its_methods_and_inherits_our_forward(kind, calls, capsys: pytest.CaptureFixture[str]):
    model = nn.ModuleDict({"layer": kind(3, 4, num_layers=2, batch_first=True, dropout=0.9).eval()})
    layer, theirs = model["layer"], copy.deepcopy(model["layer"])
    names, parameters, hooked = list(model.state_dict()), list(model.parameters()), []
    handle = layer.register_forward_hook(lambda *_: hooked.append(1))
    gatework.accelerate(model)
    assert f"layer: {theirs!r} keeps its methods" in capsys.readouterr().err
    assert model["layer"] is layer
    assert isinstance(layer, kind)
    assert repr(layer) == repr(theirs)
    assert list(model.state_dict()) == names
    assert all(mine is old for mine, old in zip(model.parameters(), parameters, strict=True))
    x = torch.randn(3, 5, 3)
    check_like(layer, theirs, x)
    handle.remove()
    assert calls == [kind.__name__.removeprefix("Packing")] * 2
    assert len(hooked) == 2
    for each in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        with torch.no_grad():
            each.weight_hh_l1.mul_(2)
            theirs.weight_hh_l1.copy_(each.weight_hh_l1)
        check_like(each, theirs, x)  # its own weights, not those of the layer that it is a copy of
    gatework.accelerate(model)
    assert f"kept {kind.__name__}, which inherits gatework's forward already" in capsys.readouterr().err
    assert type(gatework.nn.to_torch(model)["layer"]) is kind
    calls.clear()
    layer(x)
    assert not calls


def test_a_subclass_that_is_pruned_afterwards_computes_as_before(calls):
    layer = gatework.accelerate(PackingLSTM(3, 4, batch_first=True), verbose=False)
    prune.random_unstructured(layer, "weight_hh_l0", 0.5)
    theirs = PackingLSTM(3, 4, batch_first=True)
    theirs.load_state_dict({name: getattr(layer, name) for name in theirs.state_dict()})
    check_like(layer, theirs, torch.randn(3, 5, 3))
    assert not calls


def test_our_own_layer_computes_with_parametrised_weights():
    layer = nn.utils.parametrizations.weight_norm(gatework.nn.GRU(2, 3), "weight_hh_l0")
    plain = gatework.nn.GRU(2, 3)
    plain.load_state_dict({n: getattr(layer, n) for n in plain.state_dict()})
    x = torch.randn(4, 2, 2)
    torch.testing.assert_close(layer(x)[0], plain(x)[0])
    layer(x)[0].sum().backward()
    assert layer.parametrizations.weight_hh_l0.original1.grad is not None


def test_a_model_without_recurrent_layers_is_said_to_have_none(capsys: pytest.CaptureFixture[str]):
    gatework.accelerate(nn.Linear(2, 3))
    assert "nothing was replaced" in capsys.readouterr().err


def test_replacing_draws_no_random_numbers():
    model = Tagger()
    state = torch.random.get_rng_state()
    gatework.accelerate(model, verbose=False)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_something_that_is_no_module_is_a_type_error():
    with pytest.raises(TypeError, match=r"expected a torch.nn.Module, got dict"):
        gatework.accelerate({})
