"""Random scans against the reference: a share of what `make fuzz` runs, all cells on all instruction sets."""

import os
import random

import pytest
import torch

from gatework import _native
from gatework.cells import REGISTRY
from gatework.scan import kernels, operators, reference
from gatework.scan.options import StepOptions
from gatework.scan.scan import Scan, ScanWeights
from support.scans import Case, replace, run

CASES, AROUND_CASES = 100, 150
# `make fuzz` runs twenty parts, from any on.
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
PARTS = range(FIRST, FIRST + int(os.environ.get("FUZZ_PARTS", "6")))


def draw(generator: random.Random, seed: int) -> Case:
    hidden = generator.choice([1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 20, 31, 33])
    cell = generator.choice(_native.CELLS)
    can_project = "h" not in REGISTRY[cell].arguments and hidden > 1
    return Case(
        cell,
        steps=generator.choice([0, 1, 2, 3, 5]),
        batch=generator.choice([0, 1, 2, 3, 7, 8, 13, 16, 32]),
        input=generator.choice([1, 2, 3, 8, 17, 30]),
        hidden=hidden,
        projection=generator.randint(1, hidden - 1) if can_project and generator.random() < 0.25 else 0,
        is_packed=generator.random() < 0.4,
        reverse=generator.random() < 0.5,
        bias=generator.random() < 0.8,
        seed=seed,
    )


@pytest.mark.parametrize("part", PARTS)
def test_random_scans_agree_with_the_reference(part: int):
    isas = kernels.supported_isas()
    generator = random.Random(part)
    eps = torch.finfo(torch.float64).eps
    for k in range(CASES):
        case = draw(generator, seed=1000 * part + k)
        if case.is_packed and (case.batch == 0 or case.steps == 0):
            case = Case(**{**case.__dict__, "is_packed": False})
        with kernels.use_isa(isas[k % len(isas)]):
            found = run(case, torch.float64)
        exact = run(case, torch.float64, reference.run)
        terms = (case.steps + 1) * (case.input + case.hidden + 8)
        for name, error in found.errors(exact).items():
            assert error <= terms * eps, (case, isas[k % len(isas)], name, error)


def test_every_cell_is_drawn_for_every_instruction_set():
    isas, met = kernels.supported_isas(), set()
    for part in PARTS:
        generator = random.Random(part)
        met |= {(draw(generator, seed=0).cell, isas[k % len(isas)]) for k in range(CASES)}
    assert met == {(cell, isa) for cell in _native.CELLS for isa in isas}


def drawn_options(generator: random.Random, cell: str) -> tuple[StepOptions, bool]:
    """A random combination of what may act around a cell, and whether there is a layer norm."""
    states = REGISTRY[cell].states
    options = StepOptions(
        training=generator.random() < 0.7,
        seed=generator.getrandbits(62),
        place=generator.randrange(4),
        recurrent_dropout=generator.choice([0.0, 0.3, 0.8]),
        after={
            "zoneout": {state: generator.choice([0.0, 0.1, 0.9]) for state in states if generator.random() < 0.6},
            "clip": {state: generator.choice([0.2, 1.0]) for state in states if generator.random() < 0.5},
        },
    )
    return options, generator.random() < 0.5


@pytest.mark.parametrize("part", PARTS)
def test_random_scans_with_something_around_the_cell_agree_with_the_reference(part: int):
    isas = kernels.supported_isas()
    generator = random.Random(1_000_000 + part)
    eps = torch.finfo(torch.float64).eps
    for k in range(AROUND_CASES):
        case = draw(generator, seed=1_000_000 + 2000 * part + k)
        options, is_normalised = drawn_options(generator, case.cell)
        case = replace(case, options=options, is_normalised=is_normalised)
        if case.is_packed and (case.batch == 0 or case.steps == 0):
            case = replace(case, is_packed=False)
        assert operators.has_kernel(case.spec, torch.zeros((), dtype=torch.float64), case.options)
        with kernels.use_isa(isas[k % len(isas)]):
            found = run(case, torch.float64)
        exact = run(case, torch.float64, reference.run)
        terms = (case.steps + 1) * (case.input + case.hidden + 8)
        for name, error in found.errors(exact).items():
            assert error <= case.stretch * terms * eps, (case, isas[k % len(isas)], name, error)


@pytest.mark.parametrize("name", ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "x", "state"])
@pytest.mark.parametrize("damage", ["shape", "dtype", "strides", "overlap"])
def test_a_call_that_does_not_fit_is_an_error_or_simply_works(name: str, damage: str):
    case = Case("lstm", 3, 4, 5, 6)
    x, weights, states, _ = case.tensors()
    tensors = {"x": x, "weight_ih": weights[0], "weight_hh": weights[1], "bias_ih": weights[2], "bias_hh": weights[3]}
    tensors |= {"state": states[0], "cell state": states[1]}

    def call(t: dict[str, torch.Tensor]) -> torch.Tensor:
        given = ScanWeights(t["weight_ih"], t["weight_hh"], t["bias_ih"], t["bias_hh"])
        return operators.run(Scan(case.spec, t["x"], given, [t["state"], t["cell state"]]))[0]

    expected, tensor = call(tensors), tensors[name]
    if damage == "shape":
        with pytest.raises((ValueError, RuntimeError)):
            call({**tensors, name: tensor[..., :-1]})
    elif damage == "dtype":
        with pytest.raises((ValueError, RuntimeError)):
            call({**tensors, name: tensor.float()})
    elif damage == "strides":
        spread = torch.empty(*tensor.shape, 2, dtype=tensor.dtype)[..., 1]
        torch.testing.assert_close(call({**tensors, name: spread.copy_(tensor)}), expected)
    else:
        one = tensor[..., :1].expand_as(tensor)
        torch.testing.assert_close(call({**tensors, name: one}), call({**tensors, name: one.contiguous()}))


@pytest.mark.parametrize("sizes", [[4, 5], [5, 4], [4, -1, 4], [3], [4, 4, 4]])
def test_batch_sizes_that_do_not_describe_the_rows_are_refused(sizes: list[int]):
    case = Case("gru", 3, 4, 5, 6)
    _, weights, states, _ = case.tensors()
    x = torch.zeros(7, 5, dtype=torch.float64)
    scan = Scan(case.spec, x, ScanWeights(*weights[:4]), states, torch.tensor(sizes))
    with pytest.raises(ValueError, match="batch_sizes"):
        operators.run(scan)
