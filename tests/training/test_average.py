import torch
from torch import nn

from gatework.training.average import Average


def test_the_average_is_that_of_its_formula_goes_on_where_it_stopped_and_is_exchanged_back():
    model = nn.Linear(2, 1)
    average, expected = Average(model, 0.5, {}), model.weight.detach().clone()
    for step in range(4):
        with torch.no_grad():
            model.weight += step + 1
        average.add(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = expected + (1 - decay) * (model.weight.detach() - expected)
        average = Average(model, 0.5, {name: tensor.clone() for name, tensor in average.tensors.items()})
    assert torch.allclose(average.tensors["weight"], expected, rtol=1e-6)
    last = model.weight.detach().clone()
    average.exchange()
    assert torch.allclose(model.weight, expected, rtol=1e-6)
    average.exchange()
    assert torch.equal(model.weight, last)
