"""Layers on int8: the integers of every instruction set, and the gates that are made of them."""

import numpy as np
import pytest
import torch

from gatework import _native, nn
from gatework.cells import BUILT_IN, REGISTRY
from gatework.scan import reference
from gatework.scan.isa import supported_isas, use_isa
from gatework.scan.options import PLAIN
from gatework.scan.quantized import LARGEST, ByteRows, byte_isas

SUPPORTED = [isa for isa in range(len(_native.BYTE_ISAS)) if _native.has_byte_isa(isa)]
EPS = float(np.finfo(np.float32).eps)


def integers(isa: int, row: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """The bytes of a row, what a byte of 1 is worth, and the sums with a matrix."""
    hidden, width = matrix.shape
    written, worth, sums = np.empty(width, np.int8), np.empty(1, np.float32), np.empty(hidden, np.int32)
    _native.integers(
        isa, row.ctypes.data, width, matrix.ctypes.data, hidden, written.ctypes.data, worth.ctypes.data,
        sums.ctypes.data,
    )  # fmt: skip
    return written, float(worth[0]), sums


def rounded(vectors: np.ndarray) -> np.ndarray:
    """Rows of float32 as the kernels see them, in float64."""
    most = np.abs(vectors).max(-1, keepdims=True).astype(np.float32)
    steps = np.divide(np.float32(LARGEST), most, out=np.zeros_like(most), where=most >= 1e-30)
    return np.rint(vectors * steps).astype(np.float64) * (most / np.float32(LARGEST))


@pytest.mark.parametrize("isa", SUPPORTED, ids=lambda isa: _native.BYTE_ISAS[isa])
def test_every_instruction_set_gives_the_integers_of_plain_sums(isa):
    random = np.random.default_rng(0)
    for width, hidden in ((1, 1), (3, 5), (4, 16), (31, 17), (128, 33), (515, 7)):
        matrix = random.integers(-LARGEST, LARGEST + 1, (hidden, width)).astype(np.int8)
        # Halves are where roundings differ: 127 makes a step of 1.
        halves = (random.integers(-126, 126, width) + 0.5).astype(np.float32)
        halves[0] = LARGEST
        for row in (random.standard_normal(width).astype(np.float32), halves, np.zeros(width, np.float32)):
            written, worth, sums = integers(isa, row, matrix)
            most = np.abs(row).max()
            steps = np.float32(LARGEST) / most if most else np.float32(0)
            assert (written == np.rint(row * steps)).all()
            assert worth == np.float32(most / np.float32(LARGEST))
            assert (sums == matrix.astype(np.int64) @ written.astype(np.int64)).all()
        # The largest sums that there are: an instruction that saturates on the way would be seen.
        matrix[:] = LARGEST * np.where(np.arange(width) % 2, 1, -1)
        _, _, sums = integers(isa, matrix[0].astype(np.float32), matrix)
        assert (sums == width * LARGEST**2).all()


@pytest.mark.parametrize("isa", SUPPORTED, ids=lambda isa: _native.BYTE_ISAS[isa])
def test_a_row_with_nan_is_worth_nan_and_one_too_small_to_divide_by_is_zero(isa):
    matrix = np.ones((2, 40), np.int8)
    row = np.full(40, 0.5, np.float32)
    for place in (0, 17, 39):
        broken = row.copy()
        broken[place] = np.nan
        assert np.isnan(integers(isa, broken, matrix)[1])
    written, _, sums = integers(isa, np.full(40, 1e-38, np.float32), matrix)
    assert not written.any()
    assert not sums.any()


@pytest.mark.parametrize("isa", supported_isas())
@pytest.mark.parametrize("cell", BUILT_IN)
@torch.inference_mode()
def test_each_step_is_the_cell_on_rounded_factors(cell, isa):
    """The oracle computes in float64 from the h that the kernel gave at the step before, so that no rounding of a
    factor can fall to the other side; what is left is float32's rounding of sums that are exact until then."""
    torch.manual_seed(3)
    spec, (steps, batch, inputs, hidden) = REGISTRY[cell], (9, 2, 6, 19)
    layer = nn.Recurrent(cell, inputs, hidden).eval()
    x = torch.randn(steps, batch, inputs)
    start = tuple([torch.rand(1, batch, hidden) + 0.5 for _ in spec.states])
    with use_isa(isa):
        output, _ = nn.quantize(layer)(x, start[0] if len(start) == 1 else start)
    weights = layer.weights_at(0)
    w, u = (torch.from_numpy(ByteRows.of(m.numpy()).numbers()).double() for m in (weights.weight_ih, weights.weight_hh))
    b, d = (None if bias is None else bias.double() for bias in (weights.bias_ih, weights.bias_hh))
    states = [state[0].double() for state in start]
    for t in range(steps):
        h = start[0][0] if t == 0 else output[t - 1]
        product = torch.nn.functional.linear(torch.from_numpy(rounded(x[t].numpy())), w, b)
        recurrent = torch.nn.functional.linear(torch.from_numpy(rounded(h.numpy())), u, d)
        parts = reference._parts(spec, product, recurrent)
        states[0] = h.double()
        parts["state"] = states
        if weights.weight_unit is not None:
            parts["p"] = weights.weight_unit.double().unbind()
        values = PLAIN.step(spec, [parts[kind][place] for kind, place in spec.sources])
        states = [values[name] for name in spec.states]
        # Some 20 operations a step, and states other than h carry theirs on.
        assert (output[t] - states[0]).abs().max() <= 40 * (t + 1) * EPS * states[0].abs().max().clamp(min=1)


@torch.inference_mode()
def test_an_rnn_stays_within_the_bound_of_its_rounding_steps():
    """tanh shrinks distances, so the error of h is at most that of the sums: of each product half a step of the vector
    by the weights and half a step of the weights by the rounded vector, and the error of the last h by the weights."""
    torch.manual_seed(0)
    steps, hidden = 40, 24
    layer = nn.RNN(5, hidden).eval()
    x = torch.randn(steps, 1, 5)
    output = nn.quantize(layer)(x)[0][:, 0].double().numpy()
    exact = layer.double()(x.double())[0][:, 0].numpy()
    matrices = [layer.weight_ih_l0.float().numpy(), layer.weight_hh_l0.float().numpy()]
    error, bounds = np.zeros(hidden), []
    for t in range(steps):
        vectors = [x[t, 0].double().numpy(), output[t - 1] if t else np.zeros(hidden)]
        total = np.abs(matrices[1]).astype(np.float64) @ error + 100 * EPS
        for matrix, vector in zip(matrices, vectors, strict=True):
            vector_step = np.abs(vector).max() / LARGEST
            matrix_step = np.abs(matrix).max(1) / LARGEST
            total += np.abs(matrix).sum(1) * vector_step / 2
            total += matrix_step / 2 * (np.abs(vector) + vector_step / 2).sum()
        error = total
        bounds.append(error)
    distance = np.abs(output - exact)
    assert (distance <= np.array(bounds)).all()
    assert distance.max() > 0  # it is int8 that was measured


def test_an_instruction_set_that_is_forced_is_used():
    for isa in supported_isas():
        with use_isa(isa):
            allowed = byte_isas()
        assert allowed[0] in ("baseline", "neon")
        assert isa != "baseline" or allowed == ("baseline",)
