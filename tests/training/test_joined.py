"""Small parameters are one tensor for the optimiser, and nothing else notices."""

import copy

import torch
from torch import nn

from gatework.training.joined import JoinedParameters


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 300), nn.Tanh(), nn.Linear(300, 300), nn.Tanh(), nn.Linear(300, 2))


def train(model: nn.Module, parameters: list[nn.Parameter], forget, steps: int = 20) -> None:
    optimizer = torch.optim.Adam(parameters, 1e-2, fused=True)
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        forget()
        x = torch.randn(16, 6, generator=generator)
        (model(x) - x[:, :2]).square().mean().backward()
        optimizer.step()


def test_training_goes_as_with_the_parameters_one_by_one():
    joined, plain = network(), network()
    parameters = JoinedParameters(joined.parameters())
    train(joined, parameters.tensors, parameters.forget_gradients)
    train(plain, list(plain.parameters()), plain.zero_grad)
    for own, other in zip(joined.parameters(), plain.parameters(), strict=True):
        # The same operations on the same numbers: only where an element falls in a vector differs.
        torch.testing.assert_close(own, other, rtol=1e-5, atol=1e-6)
    assert not torch.equal(joined[0].weight, network()[0].weight)


def test_only_small_parameters_are_joined():
    model = network()
    sizes = [parameter.numel() for parameter in model.parameters()]
    tensors = JoinedParameters(model.parameters()).tensors
    assert [tensor.numel() for tensor in tensors] == [sum(sizes) - 300 * 300, 300 * 300]
    assert tensors[1] is model[2].weight


def test_a_network_of_large_parameters_alone_needs_nothing_joined():
    model = nn.Linear(300, 300, bias=False)
    parameters = JoinedParameters(model.parameters())
    train_inputs = torch.randn(4, 300)
    parameters.forget_gradients()
    model(train_inputs).sum().backward()
    torch.optim.Adam(parameters.tensors, 1e-2, fused=True).step()
    assert model.weight.grad is not None
    assert torch.isfinite(model.weight).all()


def test_loaded_weights_reach_what_the_optimiser_sees():
    model, other = network(), network()
    parameters = JoinedParameters(model.parameters())
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.fill_(0.5)
    model.load_state_dict(other.state_dict())
    assert all((tensor == 0.5).all() for tensor in parameters.tensors)
    assert all(torch.equal(a, b) for a, b in zip(copy.deepcopy(model).parameters(), other.parameters(), strict=True))
