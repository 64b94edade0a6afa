"""Derivatives of every kind, function transforms, and autocast."""

import copy

import pytest
import torch
from torch.autograd import forward_ad
from torch.autograd.functional import hessian as hessian_of
from torch.autograd.functional import jacobian
from torch.func import functional_call, grad, hessian, jvp, stack_module_state, vmap
from torch.utils.checkpoint import checkpoint

import gatework
from gatework.nn import ScanOptions
from support.drop_ins import DropIn, tensors

# torch compiles its own forward-mode formulas with its own deprecated compiler.
TORCHS_OWN = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
STACK = {"num_layers": 2, "bidirectional": True}


def loss(layer: torch.nn.Module, parameters: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return functional_call(layer, parameters, (x.unsqueeze(1),))[0].pow(2).sum()


def test_per_sample_gradients_are_those_of_each_sample_alone(drop_in: DropIn):
    _, layer = drop_in.pair(3, 4, **STACK, dtype=torch.float64)
    x = torch.randn(5, 6, 3, dtype=torch.float64)
    parameters = {name: p.detach() for name, p in layer.named_parameters()}
    found = vmap(grad(lambda p, sample: loss(layer, p, sample)), (None, 1))(parameters, x)
    for n in range(6):
        alone = torch.autograd.grad(layer(x[:, n : n + 1])[0].pow(2).sum(), list(layer.parameters()))
        for name, expected in zip(parameters, alone, strict=True):
            torch.testing.assert_close(found[name][n], expected)


def test_an_ensemble_runs_as_one_with_its_weights_stacked(drop_in: DropIn):
    _, layer = drop_in.pair(3, 4, **STACK, dtype=torch.float64)
    layers = [copy.deepcopy(layer) for _ in range(3)]
    for member in layers:
        member.reset_parameters()
    parameters, _ = stack_module_state(layers)
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    together = vmap(lambda p: functional_call(layer, p, (x,))[0])(parameters)
    for output, member in zip(together, layers, strict=True):
        torch.testing.assert_close(output, member(x)[0])


@TORCHS_OWN
def test_forward_mode_agrees_with_reverse_mode(drop_in: DropIn):
    _, layer = drop_in.pair(2, 4, **STACK, dtype=torch.float32)
    x, direction, weight = torch.randn(4, 2, 2), torch.randn(4, 2, 2), torch.randn(4, 2, 2 * layer.output_size)

    def weighted(x):
        return (layer(x)[0] * weight).sum()

    _, forwards = jvp(weighted, (x,), (direction,))
    with forward_ad.dual_level():
        dual = forward_ad.unpack_dual(weighted(forward_ad.make_dual(x, direction))).tangent
    backwards = (grad(weighted)(x) * direction).sum()
    torch.testing.assert_close(forwards, backwards)
    torch.testing.assert_close(dual, backwards)


@pytest.mark.parametrize("options", [{}, STACK | {"bias": False}], ids=str)
def test_gradients_and_second_gradients_agree_with_finite_differences(drop_in: DropIn, path: str, options: dict):
    _, layer = drop_in.pair(2, 4, **options, dtype=torch.float64)
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    hx = [torch.randn_like(state).requires_grad_() for state in tensors(layer(x)[1])]
    names = [name for name, _ in layer.named_parameters()]
    weights = [p.detach().requires_grad_() for p in layer.parameters()]

    def run(x, *rest):
        state = rest[: len(hx)]
        parameters = dict(zip(names, rest[len(hx) :], strict=True))
        results = functional_call(layer, parameters, (x, state if len(state) > 1 else state[0]), {"lengths": [3, 1]})
        return tuple(tensors(results))

    leaves = (x, *hx, *weights)
    assert torch.autograd.gradcheck(run, leaves, fast_mode=True)
    assert torch.autograd.gradgradcheck(run, leaves, fast_mode=True)


def test_a_penalty_on_the_gradient_can_be_trained(drop_in: DropIn):
    _, layer = drop_in.pair(2, 4, **STACK)
    x = torch.randn(4, 2, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(x)[0].sum(), x, create_graph=True)
    gradient.pow(2).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for n, p in layer.named_parameters() if "weight" in n)


def test_a_checkpointed_layer_has_the_same_gradients(drop_in: DropIn, path: str):
    _, layer = drop_in.pair(3, 4, **STACK)
    x = torch.randn(5, 2, 3, requires_grad=True)
    leaves = [x, *layer.parameters()]
    outputs = layer(x)[0], checkpoint(layer, x, use_reentrant=False)[0]
    plain, again = (torch.autograd.grad(output.pow(2).sum(), leaves) for output in outputs)
    torch.testing.assert_close(again, plain)


@pytest.mark.parametrize("options", [{"zoneout": 0.2, "recurrent_dropout": 0.3}, {"layer_norm": True}], ids=str)
def test_a_checkpointed_layer_with_something_around_its_cell_has_the_same_gradients(options: dict):
    layer = gatework.nn.LSTM(3, 4, **STACK, dropout=0.2, options=ScanOptions(**options))
    x = torch.randn(5, 2, 3, requires_grad=True)
    found = []
    for run in (layer, lambda x: checkpoint(layer, x, use_reentrant=False)):
        torch.manual_seed(0)
        found.append(torch.autograd.grad(run(x)[0].pow(2).sum(), [x, *layer.parameters()]))
    torch.testing.assert_close(*found)


def test_second_gradients_are_right_where_inputs_are_computed_from_each_other(path: str):
    layer = gatework.nn.LSTM(4, 4, dtype=torch.float64)
    weights = {name: p.detach() for name, p in layer.named_parameters()}

    def run(weight: torch.Tensor) -> torch.Tensor:
        tied = weights | {"weight_hh_l0": weight, "weight_ih_l0": weight.tanh()}
        state = weight[:2, None].transpose(0, 1)  # one tensor as both states
        return functional_call(layer, tied, (weight.view(8, 2, 4), (state, state)))[0]

    assert torch.autograd.gradcheck(run, weights["weight_hh_l0"].clone().requires_grad_())
    assert torch.autograd.gradgradcheck(run, weights["weight_hh_l0"].clone().requires_grad_(), fast_mode=True)


@TORCHS_OWN
def test_hessians_of_a_layer_exist(drop_in: DropIn):
    _, layer = drop_in.pair(2, 4, dtype=torch.float64)
    found = hessian(lambda x: layer(x)[0].sum())(torch.randn(2, 1, 2, dtype=torch.float64))
    square = found.reshape(4, 4)
    torch.testing.assert_close(square, square.T)


@pytest.mark.parametrize("options", [None, {"zoneout": 0.2, "recurrent_dropout": 0.3}, {"layer_norm": True}], ids=str)
@pytest.mark.parametrize("cell", ["lstm", "gru", "peephole"])
def test_the_derivatives_of_many_results_come_at_once_as_one_by_one(cell: str, options: dict | None):
    layer = gatework.nn.Recurrent(
        cell, 2, 3, bidirectional=True, dtype=torch.float64, options=ScanOptions(**options or {})
    )
    weight = layer.eval().weight_hh_l0_reverse.detach()

    def run(x: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, ...]:
        output, states = functional_call(layer, {"weight_hh_l0_reverse": weight}, (x,), {"lengths": [1, 3]})
        return output.sum((0, 1)), *tensors(states)

    inputs = torch.randn(3, 2, 2, dtype=torch.float64), weight
    together, apart = (jacobian(run, inputs, vectorize=is_vectorised) for is_vectorised in (True, False))
    torch.testing.assert_close(together, apart)
    together, apart = (
        hessian_of(lambda x: run(x, weight)[0].pow(2).sum(), inputs[0], vectorize=is_vectorised)
        for is_vectorised in (True, False)
    )
    torch.testing.assert_close(together, apart)


def test_an_exported_program_and_bfloat16_have_the_derivatives_of_many_results_at_once():
    x = torch.randn(3, 2, 2)
    exported = torch.export.export(gatework.nn.LSTM(2, 3), (x,)).module()
    for one, given in ((exported, x), (gatework.nn.LSTM(2, 3, dtype=torch.bfloat16), x.bfloat16())):
        together, apart = (jacobian(lambda x: one(x)[0], given, vectorize=v) for v in (True, False))  # noqa: B023
        torch.testing.assert_close(together.float(), apart.float(), rtol=0, atol=0.01 if one is not exported else 1e-6)


@pytest.mark.parametrize("has_lengths", [False, True])
def test_autocast_stays_within_the_precision_of_bfloat16(drop_in: DropIn, path: str, has_lengths: bool):
    _, layer = drop_in.pair(3, 4, **STACK)
    x = torch.randn(6, 2, 3)
    lengths = [6, 2] if has_lengths else None
    twin = gatework.nn.Recurrent(layer.spec, 3, 4, **STACK, proj_size=layer.proj_size, dtype=torch.float64)
    twin.load_state_dict(layer.state_dict())
    truth = twin(x.double(), lengths=lengths)[0].detach()
    with torch.autocast("cpu", torch.bfloat16):
        for given in (x, x.bfloat16()):
            output, _ = layer(given, lengths=lengths)
            # A product of bfloat16 numbers errs by 2^-8 of itself, and each of 6 steps and 2 layers adds as much again;
            # outputs are below 1 but for the rectified cell.
            scale = max(1.0, float(truth.abs().max()))
            assert (output.double() - truth).abs().max() < 12 * 2**-8 * scale
        output.float().sum().backward()
    assert {p.grad.dtype for p in layer.parameters() if p.grad is not None} == {torch.float32}


def test_on_the_reference_path_autocast_keeps_the_precision_of_the_weights(monkeypatch: pytest.MonkeyPatch):
    layer = gatework.nn.Recurrent("gru", 3, 4, options=ScanOptions(layer_norm=True))
    monkeypatch.setattr("gatework.nn._paths.choose", lambda *_, **__: "reference")
    x = torch.randn(6, 2, 3)
    expected = layer.trace(x)["h"]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.trace(x)["h"], expected)
        state = layer.step(x[0].bfloat16())[1]
        assert state.dtype == torch.float32
        assert layer.step(x[1].bfloat16(), state)[0].dtype == torch.float32


def test_inference_mode_works(drop_in: DropIn, path: str):
    _, layer = drop_in.pair(3, 4, **STACK)
    with torch.inference_mode():
        assert layer(torch.randn(5, 2, 3))[0].is_inference()
