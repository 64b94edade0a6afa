"""Scans in bfloat16: against float64 on the same rounded numbers, and one instruction set against the other."""

import random

import pytest
import torch

import gatework
from gatework import _native
from gatework.cells import REGISTRY
from gatework.errors import UsageError
from gatework.scan import kernels, operators, reference
from gatework.scan.scan import Scan, ScanWeights
from support.scans import Case, Results, check_threads, replace, run

EPS = torch.finfo(torch.bfloat16).eps
PARTS = 10
CASES = 600
# At a kink a unit may be on in one run and off in the other when its sum rounds to the other side.
KINKED = {"rnn_relu"}


def forward_only(results: Results) -> Results:
    return Results({name: value for name, value in results.values.items() if not name.startswith("d ")})


def check(case: Case) -> None:
    """The error is at most twice that of the reference, which rounds after every operation, and a few last places.

    Both errors are against float64 on the same rounded numbers.
    """
    if case.is_packed and (case.batch == 0 or case.steps == 0):
        case = replace(case, is_packed=False)
    exact = run(case, torch.float64, reference.run, rounding=torch.bfloat16)
    usual = run(case, torch.bfloat16, reference.run)
    found = run(case, torch.bfloat16)
    assert {value.dtype for value in found.values.values()} == {torch.bfloat16}
    if case.cell in KINKED:
        usual, found = forward_only(usual), forward_only(found)
    errors = usual.errors(exact)
    for name, error in found.errors(exact).items():
        assert error <= 2 * errors[name] + 2 * EPS, (case, kernels.active_isa(), name, error, errors[name])


@pytest.fixture(params=kernels.supported_isas())
def isa(request: pytest.FixtureRequest):
    with kernels.use_isa(request.param):
        yield request.param


@pytest.mark.parametrize("hidden", [1, 3, 15, 16, 17, 33, 70])
@pytest.mark.parametrize("cell", _native.CELLS)
def test_a_cell_of_any_size_is_as_accurate_as_the_reference(isa: str, cell: str, hidden: int):
    check(Case(cell, steps=5, batch=hidden % 11 + 1, input=hidden // 2 + 1, hidden=hidden))
    check(Case(cell, steps=4, batch=7, input=3, hidden=hidden, is_packed=True, reverse=True, bias=False))


def test_a_layer_whose_derivatives_are_cut_into_strips_is_as_accurate_as_the_reference(isa: str):
    # 1,050 rows are more than a block has; an odd number of them at each step, in 140 tiles of two heights.
    check(Case("lstm", 6, 175, 500, 205))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_projected_cell_is_as_accurate_as_the_reference(isa: str, is_packed: bool, reverse: bool):
    check(Case("lstm", 9, 13, 5, 18, projection=7, is_packed=is_packed, reverse=reverse))
    check(Case("rnn", 6, 5, 4, 33, projection=17, is_packed=is_packed, reverse=reverse))


@pytest.mark.parametrize("part", range(PARTS))
def test_random_scans_are_as_accurate_as_the_reference(part: int):
    isas = kernels.supported_isas()
    generator = random.Random(part)
    for k in range(CASES // PARTS):
        hidden = generator.choice([1, 2, 3, 7, 8, 15, 16, 17, 31, 33])
        cell = generator.choice(_native.CELLS)
        can_project = "h" not in REGISTRY[cell].arguments and hidden > 1
        case = Case(
            cell,
            steps=generator.choice([0, 1, 2, 3, 5]),
            batch=generator.choice([0, 1, 2, 3, 7, 13]),
            input=generator.choice([1, 2, 3, 8, 17, 30]),
            hidden=hidden,
            projection=generator.randint(1, hidden - 1) if can_project and generator.random() < 0.25 else 0,
            is_packed=generator.random() < 0.4,
            reverse=generator.random() < 0.5,
            bias=generator.random() < 0.8,
            seed=1000 * part + k,
        )
        with kernels.use_isa(isas[k % len(isas)]):
            check(case)


def one_step(cell: str, isa: str) -> list[torch.Tensor]:
    """The states after a step, which are float32 where the given ones are, and the gradients of the weights."""
    x, weights, states, _ = Case(cell, 1, 9, 23, 37).tensors()
    given = [None if t is None else t.float().requires_grad_() for t in weights]
    leaves = [t for t in given if t is not None and t.numel()]
    with kernels.use_isa(isa):
        _, finals = operators.run(Scan(REGISTRY[cell], x.bfloat16(), ScanWeights(*given), [s.float() for s in states]))
        found = [*finals, *torch.autograd.grad(sum(f.sum() for f in finals), leaves, allow_unused=True)]
    assert {t.dtype for t in found if t is not None} == {torch.float32}
    return [t.detach() for t in found if t is not None]


@pytest.mark.parametrize("cell", [cell for cell in _native.CELLS if cell not in KINKED])
def test_in_one_step_instruction_sets_differ_by_the_order_of_float32_sums_alone(cell: str):
    expected = one_step(cell, "baseline")
    for isa in kernels.supported_isas():
        found = one_step(cell, isa)
        # Sums of 60 terms; what a derivative's own rounding flips is one last place of bfloat16 in one of 9 rows.
        states = len(REGISTRY[cell].states)
        for value, other in zip(found[:states], expected[:states], strict=True):
            torch.testing.assert_close(value, other, rtol=60 * 2**-23, atol=60 * 2**-23)
        for value, other in zip(found[states:], expected[states:], strict=True):
            assert (value - other).abs().max() <= EPS * (1 + other.abs().max())
            assert (value - other).abs().mean() <= EPS / 64 * (1 + other.abs().max())


def test_sums_are_float32_over_the_whole_depth():
    # 4096 times 1 is a sum that bfloat16, which ends at 256 in steps of 1, cannot count.
    x, weight = torch.ones(1, 1, 4096, dtype=torch.bfloat16), torch.ones(1, 4096, dtype=torch.bfloat16)
    weights = ScanWeights(weight, torch.zeros(1, 1, dtype=torch.bfloat16))
    for isa in kernels.supported_isas():
        with kernels.use_isa(isa):
            output, _ = operators.run(Scan(REGISTRY["rnn_relu"], x, weights, [torch.zeros(1, 1, dtype=torch.bfloat16)]))
        assert output.item() == 4096


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_in_its_own_sequence(isa: str, number: float):
    # An odd width: the last element of a row shares its pair with nothing, least of all with the next row.
    layer = gatework.nn.LSTM(3, 5, dtype=torch.bfloat16)
    x = torch.randn(4, 3, 3).bfloat16()
    expected = layer(x)[0]
    x[2, 1, 0] = number
    found = layer(x)[0]
    assert torch.equal(found[:, [0, 2]], expected[:, [0, 2]])
    assert torch.equal(found[:2, 1], expected[:2, 1])
    assert found[2:, 1].isnan().any() == (number != number)


def test_results_repeat_and_outputs_do_not_depend_on_the_number_of_threads():
    check_threads(Case("lstm", 30, 9, 20, 40), torch.bfloat16)


def test_mixed_element_types_are_refused_with_what_was_expected():
    x, weights, states, _ = Case("lstm", 2, 3, 4, 5).tensors()
    doubles = ScanWeights(*weights)
    floats = ScanWeights(*[None if t is None else t.float() for t in weights])
    with pytest.raises(UsageError, match=r"weight_ih is torch\.float64 on cpu, expected torch\.float32"):
        operators.run(Scan(REGISTRY["lstm"], x.bfloat16(), doubles, [s.float() for s in states]))
    with pytest.raises(UsageError, match=r"state h is torch\.float64 on cpu, expected torch\.float32"):
        operators.run(Scan(REGISTRY["lstm"], x.bfloat16(), floats, states))
