"""The scan as an operator of torch: its registration, its shapes, its gradients."""

import pytest
import torch
from torch.library import opcheck
from torch.utils._python_dispatch import TorchDispatchMode

from gatework import cells
from gatework.scan import exported
from gatework.scan.options import PLAIN, StepOptions
from gatework.scan.scan import Scan, ScanWeights

TIME, BATCH, INPUT, HIDDEN = 3, 2, 2, 3
NAMES = "weight_ih,weight_hh,bias_ih,bias_hh"


def leaf(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def arguments(cell: str, packed: bool, is_traced: bool, options: StepOptions = PLAIN):
    spec = cells.get(cell)
    inputs, gates = len(spec.input_gates) * HIDDEN, len(spec.recurrent_gates) * HIDDEN
    weights = [leaf(inputs, INPUT), leaf(gates, HIDDEN), leaf(inputs), leaf(gates)]
    names = NAMES
    if spec.unit_weights:
        weights, names = [*weights, leaf(len(spec.unit_weights), HIDDEN)], f"{NAMES},weight_unit"
    states = [leaf(BATCH, HIDDEN) for _ in spec.states]
    x = leaf(6, INPUT) if packed else leaf(TIME, BATCH, INPUT)
    numbers = exported.packed_options(spec, options)
    seed = torch.tensor(options.seed) if options.training else None
    return (
        cell,
        x,
        names,
        weights,
        states,
        torch.tensor([2, 2, 1]) if packed else None,
        packed,
        is_traced,
        numbers,
        seed,
    )


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_operator_is_registered_as_torch_wants_it(cell: str):
    opcheck(torch.ops.gatework.opaque_scan, arguments(cell, packed=False, is_traced=True))


def test_the_operator_with_masks_is_registered_as_torch_wants_it():
    after = {"zoneout": {"c": 0.2}, "clip": {"c": 0.5}}
    options = StepOptions(training=True, seed=7, place=1, recurrent_dropout=0.3, after=after)
    opcheck(torch.ops.gatework.opaque_scan, arguments("lstm", packed=False, is_traced=False, options=options))


def test_the_packed_operator_and_its_gradient_are_registered_as_torch_wants_it():
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    inputs = arguments("lstm", packed=True, is_traced=False)
    opcheck(torch.ops.gatework.opaque_scan, inputs, test_utils=checks)
    gradients = [torch.randn_like(result) for result in torch.ops.gatework.opaque_scan(*inputs)]
    cell, x, names, weights, states, *options = inputs
    still = (cell, x.detach(), names, [w.detach() for w in weights], [s.detach() for s in states], *options)
    opcheck(torch.ops.gatework.opaque_scan_backward, (*still, gradients), test_utils=("test_schema", "test_faketensor"))


@pytest.mark.parametrize("cell", cells.BUILT_IN)
@pytest.mark.parametrize("packed", [False, True])
def test_results_gradients_and_second_gradients_are_the_references(cell: str, packed: bool):
    inputs = arguments(cell, packed, is_traced=False)
    _, x, names, weights, states, sizes, reverse, *_ = inputs

    def run(x, *rest):
        given = ScanWeights(**dict(zip(names.split(","), rest[: len(weights)], strict=True)))
        output, finals = exported.run(Scan(cells.get(cell), x, given, rest[len(weights) :], sizes, reverse))
        return output, *finals

    assert torch.autograd.gradcheck(run, (x, *weights, *states))
    # Along random directions, as to take every number alone needs ten times as long.
    assert torch.autograd.gradgradcheck(run, (x, *weights, *states), fast_mode=True)


def test_rows_beyond_the_batch_sizes_give_zeros():
    cell, x, names, weights, states, sizes, *rest = arguments("lstm", packed=True, is_traced=False)
    whole = torch.ops.gatework.opaque_scan(cell, x[:5], names, weights, states, sizes, *rest)
    padded = torch.ops.gatework.opaque_scan(
        cell, x, names, weights, states, torch.cat([sizes, sizes.new_zeros(2)]), *rest
    )
    assert torch.equal(padded[0][:5], whole[0])
    assert not padded[0][5:].any()
    assert all(torch.equal(a, b) for a, b in zip(padded[1:], whole[1:], strict=True))


def test_no_steps_give_copies_of_the_states():
    cell, x, *rest = arguments("lstm", packed=False, is_traced=False)
    states = rest[2]
    with torch.no_grad():
        _, *finals = torch.ops.gatework.opaque_scan(cell, x[:0], *rest)
    for final, state in zip(finals, states, strict=True):
        assert torch.equal(final, state)
        assert final.data_ptr() != state.data_ptr()


class Watch(TorchDispatchMode):
    """Sees every operation, as profilers and counters of FLOPs do, and switches autograd off below."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


def test_gradients_are_right_under_a_mode_that_watches_every_operation():
    cell, x, names, weights, states, *options = arguments("gru", packed=False, is_traced=False)
    leaves = [x, *weights, *states]

    def gradients():
        output, _ = torch.ops.gatework.opaque_scan(cell, x, names, weights, states, *options)
        return torch.autograd.grad(output.sum(), leaves)

    expected = gradients()
    with Watch():
        found = gradients()
    torch.testing.assert_close(found, expected)


def test_a_cell_of_ones_own_is_not_known_to_the_operator():
    own = cells.CellSpec(name="lstm", title="Mine", step=cells.get("gru").step)
    assert not exported.is_known(own)
    assert exported.is_known(cells.get("lstm"))
