"""A person's own cell: the same as a built-in one in every use, and one sentence where it cannot be."""

import copy
import inspect
import json
import math
import os
import pickle
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import sigmoid, tanh, where

import gatework
from gatework import _native, cells
from gatework.cells import _build, stored
from gatework.cells._derive import derive
from gatework.errors import KindError, UsageError
from gatework.scan import kernels, operators, reference
from gatework.scan.options import StepOptions
from support import custom_cells as own
from support import patience
from support.cell_battery import _check_gradients, _check_layer, _check_scan, _check_step
from support.drop_ins import take_the_reference
from support.forked import Forked
from support.scans import Case, check, run

CELLS = Path(own.__file__)
OWN = [own.MyLSTM, own.Mixed, own.Names]


@pytest.mark.parametrize("cell", OWN, ids=lambda c: c.name)
def test_a_cell_of_ones_own_passes_the_battery_of_the_built_in_ones(cell: cells.CustomCell):
    assert operators.has_kernel(cell, torch.zeros(1))
    for part in (_check_step, _check_scan, _check_gradients, _check_layer):
        part(cell)


@pytest.mark.parametrize(
    ("cell", "isa"),
    [
        *((cell, kernels.active_isa()) for cell in OWN),
        *((own.MyLSTM, isa) for isa in kernels.supported_isas() if isa != kernels.active_isa()),
    ],
    ids=lambda v: v if isinstance(v, str) else v.name,
)
def test_the_compiled_cell_agrees_with_its_reference(cell: cells.CustomCell, isa: str):
    # Another instruction set is other flags, whatever the element type: one of them shows it.
    is_single = isa != kernels.active_isa()
    packed = {"is_packed": True, "reverse": True, "bias": False}
    with kernels.use_isa(isa):
        for dtype in (torch.float32,) if is_single else (torch.float32, torch.float64):
            assert operators.has_kernel(cell, torch.zeros(1, dtype=dtype))
        check(Case(cell.name, steps=6, batch=5, input=3, hidden=19), is_single=is_single)
        check(Case(cell.name, steps=4, batch=7, input=9, hidden=33, **packed), is_single=is_single)


@pytest.mark.parametrize("cell", [own.MyLSTM, own.Mixed], ids=lambda c: c.name)
def test_a_cell_of_ones_own_computes_in_bfloat16(cell: cells.CustomCell):
    layer, x = cell(5, 18), torch.randn(9, 4, 5)
    expected = layer(x)[0]
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(x)[0]
    assert found.dtype == torch.bfloat16
    # Each of 9 steps rounds its factors once more.
    assert (found - expected).abs().max() <= 9 * torch.finfo(torch.bfloat16).eps
    found.float().sum().backward()


@pytest.mark.parametrize("is_normalised", [False, True])
def test_the_compiled_cell_agrees_with_its_reference_whatever_acts_around_it(is_normalised: bool):
    options = StepOptions(training=True, seed=3, recurrent_dropout=0.3, after={"zoneout": {"s": 0.2, "h": 0.1}})
    case = Case("Mixed", 5, 6, 3, 19, is_packed=True, options=options, is_normalised=is_normalised)
    assert operators.has_kernel(case.spec, torch.zeros(1, dtype=torch.float64), case.options)
    exact = run(case, torch.float64, reference.run)
    terms = case.steps * (case.input + case.hidden + 8)
    for name, error in run(case, torch.float64).errors(exact).items():
        assert error <= case.stretch * terms * torch.finfo(torch.float64).eps, name


def test_a_cell_that_repeats_the_lstm_gives_the_very_same_numbers():
    torch.manual_seed(2)
    mine = own.MyLSTM(5, 18, num_layers=2, bidirectional=True)
    theirs = gatework.nn.LSTM(5, 18, num_layers=2, bidirectional=True)
    theirs.load_state_dict(mine.state_dict())
    x, lengths = torch.randn(9, 4, 5), [9, 0, 3, 7]
    results = []
    for layer in (mine, theirs):
        output, (h, c) = layer(x, lengths=lengths)
        (output.square().sum() + c.sum()).backward()
        results.append([output, h, c, *(p.grad for p in layer.parameters()), *layer.trace(x).values()])
        with torch.no_grad():
            stream = gatework.nn.Recurrent(layer.spec, 5, 18).step(x[0])[0] * 0
        assert stream.shape == (4, 18)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_a_cell_of_ones_own_streams_copies_pickles_compiles_and_exports():
    layer = own.Mixed(3, 6, num_layers=2, dropout=0.5).eval()
    x = torch.randn(5, 2, 3)
    with torch.no_grad():
        whole, state = layer(x)[0], None
        for t in range(len(x)):
            output, state = layer.step(x[t], state)
            torch.testing.assert_close(output, whole[t])
    assert copy.deepcopy(layer).spec is own.Mixed
    assert pickle.loads(pickle.dumps(layer)).spec is own.Mixed
    torch.testing.assert_close(torch.compile(layer, backend="aot_eager", fullgraph=True)(x)[0], whole)
    batch = torch.export.Dim("batch")
    program = torch.export.export(layer, (x,), dynamic_shapes=({1: batch},))
    torch.testing.assert_close(program.module()(x[:, :1])[0], whole[:, :1])


def test_numbers_that_change_nothing_may_stand_in_a_step():
    def step(a_f, a_g, h, q):
        f = 1 * sigmoid(a_f) + 0
        q = where(f > 0.9, 0 * q, q / 1) + tanh(a_g) - 0
        return {"f": f, "q": q, "h": f * q}

    def plain(a_f, a_g, h, q):
        f = sigmoid(a_f)
        q = where(f > 0.9, 0, q) + tanh(a_g)
        return {"f": f, "q": q, "h": f * q}

    torch.manual_seed(0)
    layers = [gatework.cell(each)(3, 4) for each in (step, plain)]
    layers[1].load_state_dict(layers[0].state_dict())
    x = torch.randn(5, 2, 3)
    assert torch.equal(layers[0](x)[0], layers[1](x)[0])


def hard(a_f, x_g, u_g, p_s, h):
    f = torch.clamp(0.25 * a_f + 0.5, 0.0, 1.0)
    g = F.silu(x_g).clamp(max=0.4) + F.relu(u_g) + F.tanh(h) - h.square()
    h = (1 - f) * h + f * F.sigmoid(g + abs(p_s) + np.float64(0.1) * h.abs())
    return {"f": f, "g": g, "h": h}


@pytest.mark.parametrize("path", ["reference", "chosen"])
def test_what_is_made_of_other_functions_has_torchs_values_and_derivatives(path: str, monkeypatch: pytest.MonkeyPatch):
    cell = gatework.cell(name="Hard")(hard)
    layer = cell(2, 5, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_unit_l0[0, :2] = 0.0
        layer.weight_ih_l0[:2], layer.bias_ih_l0[:2] = 0.0, torch.tensor([2.0, -2.0])  # f is at a bound of clamp
        layer.weight_hh_l0[:2], layer.bias_hh_l0[:2] = 0.0, 0.0
    weights = dict(layer.named_parameters())

    def alone(x: torch.Tensor) -> torch.Tensor:
        h, outputs = x.new_zeros(x.shape[1], 5), []
        for step in x:
            given, back = ((step, "ih"), (h, "hh"))
            (a, x_g), (u, u_g) = [
                (v @ weights[f"weight_{n}_l0"].T + weights[f"bias_{n}_l0"]).chunk(2, 1) for v, n in (given, back)
            ]
            h = hard(a + u, x_g, u_g, weights["weight_unit_l0"][0], h)["h"]
            outputs.append(h)
        return torch.stack(outputs)

    if path == "reference":
        take_the_reference(monkeypatch)
        layer.spec = stored.rebuilt(json.loads(json.dumps(stored.to_data(cell))))
    x = torch.randn(7, 3, 2, dtype=torch.float64, requires_grad=True)
    leaves = [x, *weights.values()]
    output, expected = layer(x)[0], alone(x)
    torch.testing.assert_close(output, expected)
    found, known = (torch.autograd.grad(y.pow(2).sum(), leaves) for y in (output, expected))
    torch.testing.assert_close(found, known)


def test_the_source_shows_each_line_of_the_step_beside_what_came_of_it():
    lines = own.MyLSTM.source.splitlines()
    assert any(line.split("//")[0].split() == ["const", "V", "o", "=", "sigmoid(a_o);"] for line in lines)
    assert any(line.endswith("// c = f * c + i * g") for line in lines)
    assert "static void backward" in own.MyLSTM.source


def test_a_kept_product_has_no_line_beside_it_as_it_is_given():
    @gatework.cell
    def gated(a_f, x_g, u_g, h):
        f = sigmoid(a_f)
        h = f * h + tanh(x_g + f * u_g)
        return {"f": f, "h": h}

    source = gated.source
    assert re.findall(r"const V u_g = saved.*", source) == ["const V u_g = saved[1];"]
    body = inspect.getsource(gated.step)
    assert all(comment in body for comment in re.findall(r"; +// (.*)", source))


@pytest.mark.parametrize("cell", OWN, ids=lambda c: c.name)
def test_a_run_that_has_stored_its_cell_predicts_with_the_library_that_training_compiled(cell: cells.CustomCell):
    again = stored.rebuilt(json.loads(json.dumps(stored.to_data(cell))))
    assert "_OPERATIONS" not in again.source, "nobody wrote its lines"
    options = ("avx2", "Exact<Widest<float>>", False)
    compiled = [_build._unit(derive(each), *options, takes_shared=True) for each in (cell, again)]
    assert compiled[0] == compiled[1]


def test_names_titles_forget_gates_and_vectors_are_understood():
    assert own.MyLSTM.title == "The LSTM once more"
    assert (own.MyLSTM.states, own.MyLSTM.forget_gate) == (("h", "c"), "f")
    layer = gatework.nn.recurrent("MyLSTM", 2, 3, forget_bias=1.0)
    assert torch.equal(layer.bias_ih_l0[3:6], torch.ones(3))
    assert own.Mixed.states == ("h", "s")
    assert ((own.Mixed(2, 50).weight_unit_l0 - 0.7).abs() <= 0.2).all()


def test_a_cell_defined_anew_replaces_the_first_and_old_layers_go_on():
    def first(a_h):
        return {"h": torch.tanh(a_h)}

    def second(a_h):
        return {"h": torch.tanh(-a_h)}

    one = gatework.cell(name="Twice")(first)(3, 4)
    other = gatework.cell(name="Twice")(second)(3, 4)
    other.load_state_dict(one.state_dict())
    x = torch.randn(1, 2, 3)
    torch.testing.assert_close(one(x)[0], -other(x)[0])
    assert cells.get("Twice") is other.spec


def unknown_function(a_h, h):
    return {"h": torch.tanh(a_h) + torch.cos(h)}


def control_flow(a_h, h):
    return {"h": a_h if h > 0 else h}


def over_units(a_h, h):
    return {"h": torch.tanh(a_h - a_h.mean(-1, keepdim=True))}


def an_index(a_h, h):
    return {"h": a_h[:, :1]}


def missing_state(a_h, memory):
    return {"h": torch.tanh(a_h + memory)}


def a_tuple(a_h, h):
    return torch.tanh(a_h), h


def no_input(u_h):
    return {"h": torch.tanh(u_h)}


def pythons_own(a_h):
    return {"h": math.tanh(a_h)}


def a_number(a_h):
    return {"h": torch.maximum(a_h, 0.0)}


def of_numpy(a_h):
    return {"h": np.tanh(a_h)}


def between_values(a_h, h):
    return {"h": torch.clamp(a_h, min=h)}


def changed_in_place(a_h):
    return {"h": a_h.sigmoid_()}


def a_default(a_h, scale=2.0):
    return {"h": scale * a_h}


def twice(a_h, x_h):
    return {"h": torch.tanh(a_h) + x_h}


def in_place(a_h, h):
    h += torch.tanh(a_h)
    return {"h": h}


def conjunction(a_h, h):
    return {"h": torch.where((a_h > 0) & (h > 0), a_h, h)}


def a_comparison(a_h, h):
    return {"h": a_h > h}


def equality(a_h, h):
    return {"h": torch.where(h == 0, a_h, h)}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (unknown_function, "the function cos()"),
        (control_flow, "where(condition, a, b)"),
        (over_units, "the attribute .mean"),
        (an_index, "an index"),
        (missing_state, 'does not return the state "memory"'),
        (a_tuple, "return a dictionary"),
        (no_input, "sees no input"),
        (pythons_own, "Python's numbers"),
        (a_number, "fails on values of shape"),
        (a_number, "a number bounds values by clamp(x, min=..., max=...)"),
        (of_numpy, "NumPy's tanh() (write torch's)"),
        (between_values, "clamp() between values (write maximum and minimum)"),
        (changed_in_place, "the attribute .sigmoid_"),
        (a_default, 'the parameter "scale"'),
        (twice, "one of them once more"),
        (equality, "write >= and <="),
        (in_place, "write h = h + ..."),
        (conjunction, "write one where() in the other"),
        (a_comparison, 'returns a comparison as "h"'),
    ],
)
def test_a_step_that_cannot_be_a_cell_is_one_sentence_with_file_and_line(step, words: str):
    with pytest.raises(UsageError) as error:
        gatework.cell(step)
    message = str(error.value)
    assert words in message
    assert "\n" not in message
    first = step.__code__.co_firstlineno
    assert any(f"{Path(__file__).name}:{line}:" in message for line in (first, first + 1))
    assert step.__name__ not in cells.REGISTRY


def test_what_is_no_function_or_has_the_name_of_a_built_in_cell_is_refused():
    with pytest.raises(KindError, match="expected a function"):
        gatework.cell(torch.tanh)  # type: ignore[call-overload]
    with pytest.raises(UsageError, match='built-in cell named "lstm"'):
        gatework.cell(name="lstm")(unknown_function)
    with pytest.raises(UsageError, match='no gate "g": there is h'):
        gatework.cell(forget_gate="g")(control_flow)


def test_a_cell_is_found_by_file_and_name_and_mistakes_are_one_sentence(tmp_path: Path):
    spec = cells.get(f"{CELLS}:MyLSTM")
    assert spec.name == "MyLSTM"
    assert cells.get(f"{CELLS}:MyLSTM") is spec
    assert pickle.loads(pickle.dumps(spec)) is spec
    with pytest.raises(UsageError, match="there is no file"):
        cells.get(f"{tmp_path / 'mine.py'}:Mine")
    with pytest.raises(UsageError, match='did you mean "MyLSTM"'):
        cells.get(f"{CELLS}:MyLSTN")
    with pytest.raises(UsageError, match=r"put @gatework\.cell before"):
        cells.get(f"{CELLS}:sigmoid")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(UsageError, match="ZeroDivisionError"):
        cells.get(f"{tmp_path / 'broken.py'}:Mine")


SCRIPT = """
import sys, torch, gatework
from gatework.scan import operators
from torch import tanh

@gatework.cell
def Shared(a_h, p_h, h):
    return {"h": tanh(a_h) - p_h * h}

layer = Shared(2, 3)
output = layer(torch.ones(4, 1, 2))[0]
layer(torch.ones(4, 1, 2))
print(operators.has_kernel(Shared, torch.ones(1)), bool(output.isfinite().all()))
"""


def start(cache: Path, script: Path, **environment: str) -> Forked:
    code = "import runpy, sys; runpy.run_path(sys.argv[1])"
    return Forked(script, code=code, GATEWORK_CACHE=str(cache), OMP_NUM_THREADS="1", **environment)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture
def compiler(tmp_path: Path) -> str:
    """A compiler that does not optimise, which is faster, and waits while there is a file "waits" in the folder."""
    path = tmp_path / "compiler"
    path.write_text(f'#!/bin/sh\nif [ -e "{tmp_path / "waits"}" ]; then sleep 1000; fi\nexec c++ "$@" -O0\n')
    path.chmod(0o755)
    return str(path)


def test_processes_that_need_the_same_cell_at_once_compile_it_once(tmp_path: Path, script: Path, compiler: str):
    processes = [start(tmp_path, script, CXX=compiler) for _ in range(3)]
    told = [process.communicate() for process in processes]
    assert [out.strip() for out, _ in told] == ["True True"] * 3, told
    assert sum("compiling the cell Shared" in error for _, error in told) == 1
    assert {path.suffix for path in (tmp_path / "cells").iterdir()} == {".so", ".sha256", ".lock"}


def test_what_is_half_built_damaged_or_in_a_folder_of_others_does_no_harm(tmp_path: Path, script: Path, compiler: str):
    waits = tmp_path / "waits"
    waits.touch()
    process = start(tmp_path, script, CXX=compiler)
    deadline = time.monotonic() + patience.SECONDS
    while not list(tmp_path.glob("cells/*.build/*.cpp")) and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list(tmp_path.glob("cells/*.build/*.cpp"))
    assert not list(tmp_path.glob("cells/*.so"))
    waits.unlink()

    def builds_again() -> None:
        out, error = start(tmp_path, script, CXX=compiler).communicate()
        assert (out.strip(), error.count("compiling")) == ("True True", 1)
        assert not list(tmp_path.glob("cells/*.build"))

    builds_again()
    (library,) = tmp_path.glob("cells/*.so")
    library.write_bytes(library.read_bytes()[:1000])
    builds_again()
    library.parent.chmod(0o777)
    out, error = start(tmp_path, script).communicate()
    assert out.strip() == "False True"
    assert "can be changed by other users; name a folder of your own by GATEWORK_CACHE" in error


@pytest.mark.parametrize(
    ("compiler", "reason"),
    [("no-such-compiler", "CXX names no-such-compiler"), ("false", "false failed; its words are in")],
)
def test_without_a_working_compiler_a_cell_runs_as_the_reference_and_says_so_once(
    tmp_path: Path, script: Path, compiler: str, reason: str
):
    out, error = start(tmp_path, script, CXX=compiler).communicate()
    assert out.strip() == "False True"
    assert error.count("runs as the reference") == 1
    assert reason in error
    assert "Traceback" not in error


def test_ziglang_compiles_where_there_is_no_other_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(_build.BuildError, match=r'no C\+\+ compiler was found; pip install "gatework\[compiler\]"'):
        _build.compiler_words()
    package = tmp_path / "ziglang"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "zig").touch(mode=0o755)
    monkeypatch.syspath_prepend(tmp_path)
    zig, *words = _build.compiler_words()
    assert Path(zig) == package / "zig"
    assert words[:2] == ["c++", "-target"]
    assert words[2].split("-")[0] in ("x86_64", "aarch64")


def test_a_cell_with_more_gates_than_a_tile_takes_runs_as_the_reference(capsys: pytest.CaptureFixture[str]):
    def five(a_a, a_b, a_c, a_d, a_e):
        return {"h": torch.tanh(a_a + a_b + a_c + a_d + a_e)}

    layer = gatework.cell(five)(2, 3)
    assert layer(torch.randn(4, 1, 2))[0].shape == (4, 1, 3)
    assert "it has 5 gates that the input product feeds, and the kernels take 4" in capsys.readouterr().err
    assert five.__name__ not in _native.CELLS
