"""The functions of the kernels against extended precision, in units in the last place."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import gatework
from gatework import _native
from gatework.cells import _build
from gatework.scan import kernels

# sigmoid: exp is off by one unit at most, and 1 + exp and the division round once more each. tanh: the same, and the
# cancellation in exp(-2 |x|) - 1 may double one of the three roundings before it. torch's are off by 2.2 and 0.7.
MOST = {"i": 2.5, "g": 3.0}
TYPES = {torch.float32: np.float32, torch.float64: np.float64}


def points(dtype: torch.dtype) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    exponents = torch.empty(20_000, dtype=torch.float64).uniform_(-8, 0, generator=generator)
    small = torch.randn(20_000, generator=generator, dtype=torch.float64) * 10**exponents
    return torch.cat([torch.linspace(-80, 80, 80_001, dtype=torch.float64), small]).to(dtype)


def gates_of(x: torch.Tensor) -> dict[str, np.ndarray]:
    """i = sigmoid(x) and g = tanh(x), from an LSTM with one unit that only passes its input on."""
    layer = gatework.nn.LSTM(1, 1, bias=False, dtype=x.dtype)
    with torch.no_grad():
        layer.weight_ih_l0.fill_(1)
        layer.weight_hh_l0.fill_(0)
        return {name: values.flatten().numpy() for name, values in layer.trace(x.view(1, -1, 1)).items()}


@pytest.mark.parametrize("isa", kernels.supported_isas())
@pytest.mark.parametrize("dtype", TYPES)
def test_sigmoid_and_tanh_are_off_by_few_units_in_the_last_place(dtype, isa):
    x = points(dtype)
    with kernels.use_isa(isa):
        found = gates_of(x)
    extended = x.numpy().astype(np.longdouble)
    exact = {"i": 1 / (1 + np.exp(-extended)), "g": np.tanh(extended)}
    for name, most in MOST.items():
        spacing = np.spacing(np.abs(exact[name]).astype(TYPES[dtype]))
        is_normal = np.abs(exact[name]) >= np.finfo(TYPES[dtype]).tiny
        units = np.abs(found[name].astype(np.longdouble) - exact[name])[is_normal] / spacing[is_normal]
        assert units.max() <= most, f"{name}: {units.max():.2f} units at x = {x[is_normal][units.argmax()]:.9g}"


@pytest.mark.parametrize("isa", kernels.supported_isas())
@pytest.mark.parametrize("dtype", TYPES)
def test_what_is_infinite_or_no_number_stays_so(dtype, isa):
    x = torch.tensor([torch.inf, -torch.inf, torch.nan, 1e30, -1e30], dtype=dtype)
    with kernels.use_isa(isa):
        found = gates_of(x)
    np.testing.assert_array_equal(found["i"][[0, 3]], 1)
    assert (found["i"][[1, 4]] < 1e-37).all()
    np.testing.assert_array_equal(found["g"], [1, -1, np.nan, 1, -1])
    assert np.isnan(found["i"][2])


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
@pytest.mark.parametrize("isa", kernels.supported_isas())
def test_every_function_that_a_step_may_call_is_within_its_bound(isa: str, tmp_path: Path):
    flags = _build.flags(Path(str(_native.__file__)).parent / "csrc")[isa]
    target = tmp_path / "activations"
    source = Path(__file__).parent / "activations.cpp"
    command = ["g++", "-std=c++17", "-w", *flags, f"-DGATEWORK_ISA={isa}", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    done = subprocess.run([str(target)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("units at") == 10
