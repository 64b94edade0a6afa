"""Scans of any cell, layout and size, and how far the kernels may be from the reference."""

from dataclasses import dataclass, replace

import torch

from gatework.cells import REGISTRY, CellSpec
from gatework.scan import operators, reference
from gatework.scan.options import PLAIN, Norms, StepOptions, normalised_states
from gatework.scan.scan import Scan, ScanWeights


@dataclass(frozen=True)
class Case:
    """One scan: a cell, its sizes, and options. The states are ones that the cell reaches from zero."""

    cell: str
    steps: int
    batch: int
    input: int
    hidden: int
    projection: int = 0
    is_packed: bool = False
    reverse: bool = False
    bias: bool = True
    seed: int = 0
    options: StepOptions = PLAIN
    is_normalised: bool = False

    @property
    def stretch(self) -> float:
        """How much a difference may grow in a norm, which divides by no less than the root of 1e-5."""
        return 1e-5**-0.5 if self.is_normalised else 1.0

    def norms(self) -> list[torch.Tensor | None]:
        """The gains of the two products, the gains and the biases of the normalised states, in float64."""
        generator = torch.Generator().manual_seed(self.seed + 2)
        spec, states = self.spec, len(normalised_states(self.spec))
        counts = (len(spec.input_gates), len(spec.recurrent_gates))
        shapes = [(count * self.hidden,) for count in counts] + [(states, self.hidden)] * 2
        return [torch.randn(s, generator=generator).double() if s[0] else None for s in shapes]

    @property
    def spec(self) -> CellSpec:
        return REGISTRY[self.cell]

    def tensors(self) -> tuple[torch.Tensor, list[torch.Tensor | None], list[torch.Tensor], torch.Tensor | None]:
        """x, the six weights, the states and the batch sizes, in float64 and rounded to float32."""
        generator = torch.Generator().manual_seed(self.seed)
        spec, output = self.spec, self.projection or self.hidden
        inputs, gates = len(spec.input_gates) * self.hidden, len(spec.recurrent_gates) * self.hidden
        units = len(spec.unit_weights)

        def draw(*shape: int, scale: float = 1.0) -> torch.Tensor:
            return (torch.randn(shape, generator=generator) * scale).double()

        weights: list[torch.Tensor | None] = [
            draw(inputs, self.input, scale=self.input**-0.5),
            draw(gates, output, scale=0.7 * output**-0.5),
            draw(inputs) if self.bias else None,
            draw(gates) if self.bias and gates else None,
            draw(output, self.hidden, scale=self.hidden**-0.5) if self.projection else None,
            draw(units, self.hidden, scale=0.5) if units else None,
        ]
        zeros = [
            torch.zeros(self.batch, self.hidden if k else output, dtype=torch.float64) for k in range(len(spec.states))
        ]
        before = draw(2, self.batch, self.input)
        reached = reference.run(Scan(spec, before, ScanWeights(*weights), zeros))[1]
        states = [state.float().double() for state in reached]
        if not self.is_packed:
            return draw(self.steps, self.batch, self.input), weights, states, None
        lengths = torch.randint(0, self.steps + 1, (self.batch,), generator=generator)
        sizes = torch.tensor([int((lengths > t).sum()) for t in range(int(lengths.max()))], dtype=torch.int64)
        return draw(int(sizes.sum()), self.input), weights, states, sizes


@dataclass(frozen=True)
class Results:
    """Everything that a scan and its backward pass give."""

    values: dict[str, torch.Tensor]

    def errors(self, exact: "Results") -> dict[str, float]:
        """The largest error of each result, relative to the largest value of the exact one."""
        return {
            name: float((value.double() - exact.values[name]).abs().max() / (1 + exact.values[name].abs().max()))
            for name, value in self.values.items()
            if value.numel()
        }


def run(case: Case, dtype: torch.dtype, scan=None, rounding: torch.dtype | None = None) -> Results:
    """Run forward and backward, natively or with the given scan, on what was rounded to `rounding` first."""
    first = rounding or dtype
    x, weights, states, sizes = case.tensors()
    norms = case.norms() if case.is_normalised else []
    leaves = [None if t is None else t.to(first).to(dtype).requires_grad_() for t in (x, *weights, *states, *norms)]
    given = iter(leaves)
    x, weights = next(given), ScanWeights(*(next(given) for _ in weights))
    states = [next(given) for _ in states]
    options = replace(case.options, norms=Norms(*given)) if case.is_normalised else case.options
    output, finals = (scan or operators.run)(Scan(case.spec, x, weights, states, sizes, case.reverse, options))
    generator = torch.Generator().manual_seed(case.seed + 1)
    seeds = [torch.randn(t.shape, generator=generator).to(first).to(t.dtype) for t in (output, *finals)]
    wanted = [t for t in leaves if t is not None]
    # The output of no steps depends on nothing, and the reference says so.
    ends = [(y, seed) for y, seed in zip((output, *finals), seeds, strict=True) if y.requires_grad]
    gradients = torch.autograd.grad(
        [y for y, _ in ends], wanted, [seed for _, seed in ends], allow_unused=True, materialize_grads=True
    )
    values = {"output": output.detach()}
    values |= {f"final {k}": f.detach() for k, f in enumerate(finals)}
    names = (*NAMES, *(f"state {k}" for k in range(len(states))), *(f"norm {k}" for k in range(len(norms))))
    names = [n for n, t in zip(names, leaves, strict=True) if t is not None]
    values |= {f"d {name}": g for name, g in zip(names, gradients, strict=True)}
    return Results(values)


NAMES = ("x", *ScanWeights._fields)


def check(case: Case, *, is_single: bool = False) -> None:
    """In float64, unless `is_single`, the kernels agree with the reference; in float32 they are as accurate as it is.

    Two float64 runs differ by rounding only: each sum of n terms by n eps at most, over at most `steps` steps that pass
    it on. The float32 error against float64 is at most twice the reference's own, and some roundings where that is
    tiny.
    """
    exact = run(case, torch.float64, reference.run)
    terms = case.steps * (case.input + case.hidden + 8)
    for name, error in () if is_single else run(case, torch.float64).errors(exact).items():
        assert error <= case.stretch * terms * torch.finfo(torch.float64).eps, (case, name, error)
    usual = run(case, torch.float32, reference.run).errors(exact)
    for name, error in run(case, torch.float32).errors(exact).items():
        assert error <= 2 * usual[name] + 16 * torch.finfo(torch.float32).eps, (case, name, error, usual[name])


__all__ = ["Case", "Results", "check", "replace", "run"]


def check_threads(case: Case, dtype: torch.dtype) -> None:
    """Results repeat, and all but the gradients of weights are the same for any number of threads."""
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (2, 2, 1, 3):
            torch.set_num_threads(threads)
            results.append(run(case, dtype).values)
    finally:
        torch.set_num_threads(before)
    for name, value in results[0].items():
        assert torch.equal(results[1][name], value)
        if "weight" not in name and "bias" not in name:
            assert torch.equal(results[2][name], value)
            assert torch.equal(results[3][name], value)
