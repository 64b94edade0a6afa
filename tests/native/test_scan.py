"""Every cell in every instruction set against the reference, and the calls that must not get through."""

import pytest
import torch

from gatework import _native
from gatework.cells import BUILT_IN, REGISTRY
from gatework.scan import kernels
from gatework.scan.options import StepOptions
from support.scans import Case, check, check_threads, replace

SIZES = (1, 3, 15, 16, 17, 20, 33, 70)


# Where another owns the kernels there are some for bfloat16 alone; test_bfloat16.py runs them.
OWNERS = [name for name in kernels.supported_isas() if _native.ISAS[_native.owner(_native.ISAS.index(name), 0)] == name]


@pytest.fixture(params=OWNERS)
def isa(request: pytest.FixtureRequest):
    with kernels.use_isa(request.param):
        assert kernels.active_isa() == request.param
        yield request.param


@pytest.mark.usefixtures("only_built_in_cells")
def test_every_built_in_cell_has_kernels():
    assert set(_native.CELLS) == set(BUILT_IN)


@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("cell", _native.CELLS)
def test_a_cell_of_any_size_agrees_with_the_reference(isa: str, cell: str, hidden: int):
    check(Case(cell, steps=5, batch=hidden % 11 + 1, input=hidden // 2 + 1, hidden=hidden))
    check(Case(cell, steps=4, batch=7, input=3, hidden=hidden, is_packed=True, reverse=True, bias=False))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("cell", _native.CELLS)
def test_a_cell_in_any_layout_agrees_with_the_reference(isa: str, cell: str, is_packed: bool, reverse: bool):
    check(Case(cell, 9, 13, 5, 18, is_packed=is_packed, reverse=reverse))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_projected_cell_agrees_with_the_reference(isa: str, is_packed: bool, reverse: bool):
    check(Case("lstm", 9, 13, 5, 18, projection=7, is_packed=is_packed, reverse=reverse))
    check(Case("rnn", 6, 5, 4, 33, projection=17, is_packed=is_packed, reverse=reverse))


@pytest.mark.parametrize("cell", _native.CELLS)
def test_wide_layers_agree_with_the_reference(isa: str, cell: str):
    check(Case(cell, 3, 20, 130, 150))


@pytest.mark.parametrize(("cell", "input", "hidden"), [("lstm", 500, 205), ("rnn", 530, 510)])
def test_layers_whose_derivatives_are_cut_into_strips_agree_with_the_reference(
    isa: str, cell: str, input: int, hidden: int
):
    # 600 rows are more than a block has; neither size is a multiple of a tile's height, nor the tiles of the strips'.
    check(Case(cell, 6, 100, input, hidden))


@pytest.mark.parametrize("is_normalised", [False, True])
@pytest.mark.parametrize("cell", _native.CELLS)
def test_what_acts_around_a_cell_is_as_accurate_as_the_reference(isa: str, cell: str, is_normalised: bool):
    zoneout = dict.fromkeys(REGISTRY[cell].states, 0.2)
    clip = {"c": 0.7} if "c" in zoneout else {}
    options = StepOptions(training=True, seed=3, recurrent_dropout=0.3, after={"zoneout": zoneout, "clip": clip})
    check(Case(cell, 6, 9, 5, 33, is_packed=True, options=options, is_normalised=is_normalised))
    check(Case(cell, 6, 9, 5, 33, options=replace(options, training=False), is_normalised=is_normalised))


@pytest.mark.parametrize("hidden", [1, 3, 5, 20])
@pytest.mark.parametrize("cell", _native.CELLS)
def test_a_small_cell_whose_batch_fills_whole_vectors_agrees_with_the_reference(isa: str, cell: str, hidden: int):
    check(Case(cell, 40, 32, 3, hidden))
    check(Case(cell, 5, 16, 1, hidden, reverse=True, bias=False))
    check(Case(cell, 2, 16, 70, hidden))


def test_results_repeat_and_outputs_do_not_depend_on_the_number_of_threads():
    check_threads(Case("lstm", 30, 9, 20, 40), torch.float32)
