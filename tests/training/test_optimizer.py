"""The training loop's Adam: torch's own, with small parameters as one tensor that nothing else notices."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from gatework.nn.model import SequenceModel
from gatework.options import ModelOptions
from gatework.training.optimizer import Adam
from gatework.training.rows import LARGE, learn_by_rows, numbers_of, summed


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 300), nn.Tanh(), nn.Linear(300, 300), nn.Tanh(), nn.Linear(300, 2))


def inputs(steps: int = 20) -> Tensor:
    return torch.randn(steps, 16, 6, generator=torch.Generator().manual_seed(1))


def learn(model: nn.Module, optimizer: Adam, batches: Tensor, clip: float = 0.0) -> list[float]:
    norms = []
    for x in batches:
        optimizer.forget_gradients()
        (model(x) - x[:, :2]).square().mean().backward()
        norms.append(optimizer.clip(clip))
        optimizer.step(1e-2)
    return norms


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("clip", [0.0, 0.5, 3.5])
def test_training_goes_as_with_torchs_optimiser(weight_decay, clip):
    ours, theirs = network(), network()
    norms = learn(ours, Adam(ours.parameters(), weight_decay), inputs(), clip)
    optimizer = torch.optim.AdamW(theirs.parameters(), 1e-2, weight_decay=weight_decay)
    for x, norm in zip(inputs(), norms, strict=True):
        optimizer.zero_grad()
        (theirs(x) - x[:, :2]).square().mean().backward()
        theirs_norm = nn.utils.clip_grad_norm_(theirs.parameters(), clip or math.inf)
        # The same sums in another order, over twenty steps that each build on the one before.
        assert norm == pytest.approx(float(theirs_norm), rel=1e-3)
        optimizer.step()
    for own, other, start in zip(ours.parameters(), theirs.parameters(), network().parameters(), strict=True):
        assert (own - other).abs().max() < 1e-3 * (own - start).abs().max()


def test_only_small_parameters_are_joined():
    model = network()
    sizes = [parameter.numel() for parameter in model.parameters()]
    tensors = Adam(model.parameters()).tensors
    assert [tensor.numel() for tensor in tensors] == [sum(sizes) - 300 * 300, 300 * 300]
    assert tensors[1] is model[2].weight


def test_a_network_of_large_parameters_alone_learns():
    model = nn.Linear(300, 300, bias=False)
    before, optimizer = model.weight.detach().clone(), Adam(model.parameters())
    optimizer.forget_gradients()
    model(torch.randn(4, 300)).sum().backward()
    optimizer.step(1e-2)
    assert not torch.equal(model.weight, before)


def test_a_large_parameter_without_a_gradient_stays_as_it_is():
    model = network()
    model[2].requires_grad_(False)
    before = model[2].weight.clone()
    learn(model, Adam(model.parameters()), inputs(3))
    assert torch.equal(model[2].weight, before)


def test_loaded_weights_reach_what_the_optimiser_sees():
    model, other = network(), network()
    optimizer = Adam(model.parameters())
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.fill_(0.5)
    model.load_state_dict(other.state_dict())
    assert all((tensor == 0.5).all() for tensor in optimizer.tensors)
    assert all(torch.equal(a, b) for a, b in zip(copy.deepcopy(model).parameters(), other.parameters(), strict=True))


def test_it_goes_on_from_a_saved_state_as_if_it_had_not_stopped():
    whole, parts = network(), network()
    learn(whole, Adam(whole.parameters()), inputs())
    first = Adam(parts.parameters())
    learn(parts, first, inputs()[:10])
    kept = {name: tensor.clone() for name, tensor in first.state().items()}
    again = network()
    again.load_state_dict(parts.state_dict())
    second = Adam(again.parameters())
    second.load(kept)
    learn(again, second, inputs()[10:])
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))


def test_a_state_of_another_network_is_refused():
    optimizer = Adam(network().parameters())
    with pytest.raises(RuntimeError, match="0/exp_avg has shape"):
        optimizer.load(Adam(nn.Linear(3, 3).parameters()).state() | {"1/step": torch.zeros(())})


def test_groups_learn_at_rates_of_their_own_as_those_of_torch_do_and_one_of_zero_stays():
    torch.manual_seed(0)
    ours, theirs = (nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(2, 1)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    adam = Adam(ours.parameters(), 0.0, 1e-8, [list(layer.parameters()) for layer in ours])
    kept = ours[0].weight.detach().clone()
    adam.pace([0.0, 0.5, 1.0])
    groups = [{"params": theirs[1].parameters(), "lr": 5e-3}, {"params": theirs[2].parameters(), "lr": 1e-2}]
    torchs = torch.optim.Adam(groups)
    for step in range(3):
        x = torch.full((5, 3), step + 1.0)
        adam.forget_gradients()
        torchs.zero_grad()
        for model in (ours, theirs):
            model(x).square().sum().backward()
        adam.step(1e-2)
        torchs.step()
    assert torch.equal(ours[0].weight, kept)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine, other, rtol=1e-5, atol=1e-7)
    adam.pace([1.0, 1.0, 1.0])
    adam.forget_gradients()
    ours(torch.ones(1, 3)).sum().backward()
    adam.step(1e-2)
    assert not torch.equal(ours[0].weight, kept)


def test_word_vectors_that_learn_by_rows_learn_what_whole_tables_do():
    """In two shards that share words, with weight decay."""
    torch.manual_seed(0)
    options = ModelOptions(hidden=4, embedding=64)
    models = [SequenceModel(options, vocabulary=LARGE // 64, inputs=None, outputs=2) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    tables = learn_by_rows(models[1])
    assert tables == [models[1].embedding]
    words = torch.tensor([[3, 9, 3], [4000, 3, 9]])
    norms = []
    for model, given in zip(models, ([], tables), strict=True):
        adam = Adam(model.parameters(), 0.1, tables=given)
        for step in range(3):
            taken = []
            for part in (words + step, words[:1] * 2):
                adam.forget_gradients()
                model(part).square().sum().backward()
                taken.append(adam.taken_gradients())
            both = [summed([a, b]) if a.is_sparse else a + b for a, b in zip(*taken, strict=True)]
            if given:
                assert [numbers_of(g).tolist() for g in both if g.is_sparse] == [
                    sorted({6, 18, 3 + step, 9 + step, 4000 + step})
                ]
            adam.give_gradients(both, 0.5)
            norms.append(adam.clip(0.0))
            adam.step(1e-2)
        adam.release()
    assert norms[:3] == pytest.approx(norms[3:], rel=1e-5)
    for whole, late in zip(models[0].parameters(), models[1].parameters(), strict=True):
        assert torch.allclose(whole, late, rtol=0, atol=1e-6), "to a ten-thousandth of a step"
    learn_by_rows(models[1], is_on=False)
    models[1](words).sum().backward()
    assert not models[1].embedding.weight.grad.is_sparse, "torch.optim takes it again"
