"""How weights start: torch's way, forget bias, orthogonal gates."""

import pytest
import torch

import gatework
from gatework.errors import UsageError

STACK = {"num_layers": 2, "bidirectional": True}


def directions(layer: gatework.nn.RecurrentLayer) -> list[dict[str, torch.Tensor]]:
    """The parameters of each layer and direction by their names without the ending."""
    return [
        {name.split("_l")[0]: dict(layer.named_parameters())[name] for name in names} for names in layer._weight_names
    ]


@pytest.mark.parametrize("value", [0.0, 1.0, -2.5])
def test_the_two_forget_biases_add_up_to_the_value_in_every_layer_and_direction(value: float):
    torch.manual_seed(0)
    plain = gatework.nn.LSTM(3, 4, **STACK)
    torch.manual_seed(0)
    layer = gatework.nn.LSTM(3, 4, **STACK, forget_bias=value)
    assert len(directions(layer)) == 4
    for mine, usual in zip(directions(layer), directions(plain), strict=True):
        total = mine["bias_ih"] + mine["bias_hh"]
        assert torch.equal(total[4:8], torch.full((4,), value))
        assert torch.equal(mine["bias_ih"][:4], usual["bias_ih"][:4])
        assert torch.equal(mine["bias_hh"][8:], usual["bias_hh"][8:])
        assert torch.equal(mine["weight_hh"], usual["weight_hh"])


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_every_gate_starts_with_an_orthogonal_recurrent_matrix(name: str):
    layer = getattr(gatework.nn, name)(3, 8, **STACK, orthogonal=True)
    for weights in directions(layer):
        blocks = weights["weight_hh"].split(8)
        assert len(blocks) == len(layer.spec.gates)
        for block in blocks:
            # A product of two orthogonal 8 x 8 matrices from a float32 QR: 8 terms, each a few roundings.
            torch.testing.assert_close(block @ block.T, torch.eye(8), rtol=0, atol=100 * torch.finfo(torch.float32).eps)
        assert len({block[0, 0].item() for block in blocks}) == len(blocks), "the gates differ from each other"


def test_with_a_projection_the_columns_are_orthonormal():
    layer = gatework.nn.LSTM(3, 8, proj_size=5, orthogonal=True)
    for block in layer.weight_hh_l0.split(8):
        torch.testing.assert_close(block.T @ block, torch.eye(5), rtol=0, atol=100 * torch.finfo(torch.float32).eps)


def test_resetting_starts_the_same_way_again():
    layer = gatework.nn.LSTM(3, 4, forget_bias=1.0, orthogonal=True)
    with torch.no_grad():
        layer.bias_ih_l0.fill_(9)
    layer.reset_parameters()
    assert torch.equal((layer.bias_ih_l0 + layer.bias_hh_l0)[4:8], torch.ones(4))


def test_a_forget_bias_needs_biases():
    with pytest.raises(UsageError, match="needs bias=True"):
        gatework.nn.LSTM(3, 4, bias=False, forget_bias=1.0)


@pytest.mark.parametrize("name", ["RNN", "GRU"])
def test_a_cell_without_a_forget_gate_takes_no_forget_bias(name: str):
    with pytest.raises(TypeError, match="forget_bias"):
        getattr(gatework.nn, name)(3, 4, forget_bias=1.0)
    with pytest.raises(UsageError, match="has no forget gate"):
        gatework.nn.Recurrent(name.lower(), 3, 4, forget_bias=1.0)


def test_device_and_dtype_are_taken():
    layer = gatework.nn.LSTM(3, 4, device="meta", dtype=torch.float64)
    assert {(p.device.type, p.dtype) for p in layer.parameters()} == {("meta", torch.float64)}


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_keras_start_is_glorots_and_orthogonal_over_all_gates_together(name: str):
    torch.manual_seed(0)
    options = {"forget_bias": 1.0} if name == "LSTM" else {}
    layer = getattr(gatework.nn, name)(16, 8, **STACK, **options)
    layer.start_as_in_keras()
    for weights in directions(layer):
        rows, columns = weights["weight_ih"].shape
        # Glorot's bound; the largest of so many uniform values comes near it.
        bound = (6 / (rows + columns)) ** 0.5
        assert 0.95 * bound < weights["weight_ih"].abs().max() <= bound
        product = weights["weight_hh"].T @ weights["weight_hh"]
        torch.testing.assert_close(product, torch.eye(8), rtol=0, atol=100 * torch.finfo(torch.float32).eps)
        total = weights["bias_ih"] + weights["bias_hh"]
        forget = total[8:16] if name == "LSTM" else total[:0]
        assert torch.equal(forget, torch.ones_like(forget))
        assert total.abs().sum() == len(forget)
