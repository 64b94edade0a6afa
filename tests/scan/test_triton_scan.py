"""The kernels printed for Triton, which its interpreter runs on the CPU, beside the reference."""

from __future__ import annotations

import ast
import importlib.util
import warnings

import pytest
import torch

from gatework.cells import BUILT_IN, REGISTRY, _emit_triton
from gatework.cells._derive import derive
from gatework.scan import counter_rng, reference, triton_scan
from gatework.scan.options import StepOptions
from gatework.scan.scan import Scan, ScanWeights

_HIDDEN, _INPUT, _BATCH = 4, 2, 3
_LAYOUTS = (None, torch.tensor([3, 2, 1]), torch.tensor([2, 1, 1]))  # uniform, ragged, one sequence without steps
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="Triton is not installed; pip install gatework[gpu]"
)


@pytest.fixture(autouse=True)
def interpreter(monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "1")


def scan_of(cell: str, layout: torch.Tensor | None, options: StepOptions, *, reverse: bool, steps: int = 3) -> Scan:
    spec = REGISTRY[cell]
    inputs, recurrent, units = len(spec.input_gates), len(spec.recurrent_gates), len(spec.unit_weights)
    random = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=random).requires_grad_()

    x = draw(steps, _BATCH, _INPUT) if layout is None else draw(int(layout.sum()), _INPUT)
    weights = ScanWeights(
        draw(inputs * _HIDDEN, _INPUT), draw(recurrent * _HIDDEN, _HIDDEN), draw(inputs * _HIDDEN),
        draw(recurrent * _HIDDEN), None, draw(units, _HIDDEN) if units else None,
    )  # fmt: skip
    states = [draw(_BATCH, _HIDDEN) for _ in spec.states]
    if cell == "slstm":
        states[2].data.abs_()  # a normaliser is positive
    return Scan(spec, x, weights, states, layout, reverse, options)


def results(computer, scan: Scan) -> list[torch.Tensor]:
    """The output, the final states, and the gradients of everything by a sum of all of them, each with its weight."""
    output, finals = computer.run(scan)
    random = torch.Generator().manual_seed(2)
    weighted = [(y * torch.randn(y.shape, dtype=y.dtype, generator=random)).sum() for y in (output, *finals)]
    leaves = [t for t in scan.slots.flat() if t is not None and t.numel()]
    gradients = torch.autograd.grad(sum(weighted), leaves, allow_unused=True, materialize_grads=True)
    return [output.detach(), *(f.detach() for f in finals), *gradients]


@needs_triton
@pytest.mark.parametrize("number", range(len(BUILT_IN)), ids=BUILT_IN)
def test_kernels_compute_what_the_reference_does_there_and_back(number):
    # Every cell once; layouts, directions and options go round among them.
    cell, layout, reverse = BUILT_IN[number], _LAYOUTS[number % 3], bool(number % 2)
    spec = REGISTRY[cell]
    after = {"zoneout": dict.fromkeys(spec.states, 0.3), "clip": {"c": 0.5} if "c" in spec.states else {}}
    dropout = 0.4 if spec.recurrent_gates else 0.0
    acting = StepOptions(training=True, seed=7, place=2, recurrent_dropout=dropout, after=after)
    scan = scan_of(cell, layout, acting if number % 2 else StepOptions(), reverse=reverse)
    assert triton_scan.has_kernel(scan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, of quotients that no unit takes
        found = results(triton_scan, scan)
    # Both round each of some dozen operations a step, in another order.
    for ours, theirs in zip(found, results(reference, scan), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-11)


@needs_triton
def test_what_is_recorded_on_a_gpu_depends_on_no_tensor_but_those_that_it_is_given():
    first = scan_of(
        "lstm", None, StepOptions(training=True, seed=3, after={"zoneout": {"h": 0.3}}), reverse=False, steps=8
    )
    work = triton_scan._Work.of(triton_scan.with_product(first))
    assert work.is_recorded
    other = [None if t is None else t.detach().clone() for t in work.parts()]
    with torch.no_grad():
        expected = triton_scan._forward(work, is_saved=True)[0]
        work.scan.x.zero_()
        assert torch.equal(triton_scan._forward(work.on(other), is_saved=True)[0], expected)


@needs_triton
def test_a_second_derivative_is_that_of_the_reference():
    scan = scan_of("gru", None, StepOptions(), reverse=False, steps=2)
    seconds = []
    for computer in (triton_scan, reference):
        (first,) = torch.autograd.grad(computer.run(scan)[0].square().sum(), scan.x, create_graph=True)
        seconds.append(torch.autograd.grad(first.square().sum(), scan.weights.weight_hh)[0])
    torch.testing.assert_close(*seconds, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("cell", BUILT_IN)
def test_every_cell_is_printed_as_two_kernels_whose_names_are_all_given(cell):
    module = ast.parse(_emit_triton.kernels(derive(REGISTRY[cell])))
    kernels = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    assert set(kernels) == {"forward", "backward"}
    imported = {
        alias.asname or alias.name for node in module.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    for kernel in kernels.values():
        parameters = [argument.arg for argument in kernel.args.args]
        assert len(set(parameters)) == len(parameters)
        names = [node for node in ast.walk(kernel) if isinstance(node, ast.Name) and node.id not in ("triton", "tl")]
        stored = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        assert {node.id for node in names} <= {*parameters, *stored, *imported, "float"}


def test_masks_of_all_steps_at_once_are_those_of_each_step():
    place = {"shape": (3, 5), "share": 0.4, "device": torch.device("cpu")}
    each = counter_rng.is_kept_each(11, 2, 1, steps=4, **place)
    assert torch.equal(each, torch.stack([counter_rng.is_kept(11, 2, 1, step, **place) for step in range(4)]))
