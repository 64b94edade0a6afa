"""Two threads that share the units of one sequence give what one gives, to the last bit.

tests/native/driver.cpp has what a partner may do that goes away, is late or is left in the middle of a step.
"""

from collections.abc import Iterator

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from gatework import _native
from gatework.cells import REGISTRY
from gatework.nn import Recurrent, RecurrentLayer

# Wide and long enough for any cell with a recurrent product: 150 KB of recurrent weights, 10 million products.
HIDDEN, INPUT, STEPS = 196, 40, 260
WITH_PRODUCT = [cell for cell in _native.CELLS if REGISTRY[cell].recurrent_gates]


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


def results(layer: RecurrentLayer, x: object, state: object, threads: int) -> list[torch.Tensor]:
    torch.set_num_threads(threads)
    output, final = layer(x, state)
    return [output.data if isinstance(x, torch.nn.utils.rnn.PackedSequence) else output, *final]


@pytest.mark.parametrize("cell", WITH_PRODUCT)
def test_results_of_one_sequence_do_not_depend_on_the_number_of_threads(cell: str):
    layer = Recurrent(cell, INPUT, HIDDEN, num_layers=2, bidirectional=True).eval()
    x = torch.randn(STEPS, 1, INPUT)
    _, state = layer(x[:9])
    for given in (x, pack_padded_sequence(x, torch.tensor([STEPS - 7]))):
        one = results(layer, given, state, threads=1)
        for threads in (2, 3):
            for mine, other in zip(results(layer, given, state, threads), one, strict=True):
                assert torch.equal(mine, other)


def test_a_partner_is_asked_where_the_caller_allows_threads():
    layer = Recurrent("lstm", INPUT, HIDDEN).eval()
    x = torch.randn(8 * STEPS, 1, INPUT)
    before = _native.errands_done()
    one = results(layer, x, None, threads=1)
    assert _native.errands_done() == before
    for _ in range(200):
        assert all(map(torch.equal, results(layer, x, None, threads=2), one))
        if _native.errands_done() > before:
            return
    pytest.skip("no second core was free")
