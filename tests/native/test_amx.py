"""Products on tile registers (AMX), on a model of them in software where the processor has none.

The model (tile_model.h) does what Intel's manual says of each instruction and ends the program where the processor
would raise an exception.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

import gatework
from gatework import _native
from gatework.cells import REGISTRY, _build
from gatework.scan import isa as scan_isa
from gatework.scan import kernels, operators, reference
from gatework.scan.scan import Scan, ScanWeights
from support.scans import Case, check_threads, run

HERE = Path(__file__).parent
LIBRARY = Path(str(_native.__file__))
ISA = "avx512_amx"
EPS = torch.finfo(torch.bfloat16).eps
FLAGS = _build.flags(LIBRARY.parent / "csrc")
# Both products side by side, apart, and the input's alone.
CELLS = ("lstm", "gru", "minimal")
INSTRUCTIONS = {"ldtilecfg", "tileloadd", "tdpbf16ps", "tilestored", "tilezero", "tilerelease"}

pytestmark = pytest.mark.skipif(
    "avx512_bf16" not in kernels.supported_isas() or not shutil.which("g++"),
    reason="needs a processor with AVX512-BF16, on which the model runs, and g++",
)


def flags(where: str) -> list[str]:
    """The flags of the instruction set, on the model or on the processor's own tile registers."""
    return [*FLAGS[ISA], *([f'-DGATEWORK_TILE_MODEL="{HERE / "tile_model.h"}"'] if where == "model" else [])]


def program(where: str, folder: Path) -> Path:
    sources = [str(HERE / "amx.cpp"), str(HERE.parents[1] / "csrc" / "processor.cpp")]
    command = ["g++", "-std=c++17", "-w", *flags(where), "-O1", f"-DGATEWORK_ISA={ISA}"]
    subprocess.run([*command, *sources, "-o", str(folder / "amx")], check=True)
    return folder / "amx"


@pytest.fixture(scope="module")
def on_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return program("model", tmp_path_factory.mktemp("amx"))


def test_every_product_on_the_model_is_right_to_the_last_bit(on_model: Path):
    done = subprocess.run([str(on_model)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "all products on tile registers are right\n")


@pytest.mark.skipif(ISA not in kernels.supported_isas(), reason="needs a processor with AMX")
def test_every_product_on_the_processor_is_right_to_the_last_bit(tmp_path: Path):
    done = subprocess.run([str(program("processor", tmp_path))], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "all products on tile registers are right\n")


@pytest.mark.parametrize(
    ("misuse", "words"),
    {
        "palette": "no shape of tile registers",
        "rows": "no shape of tile registers",
        "bytes": "no shape of tile registers",
        "unshaped": "before it has a shape",
        "released": "before it has a shape",
        "fit": "whose shapes do not fit",
        "unreleased": "never released",
    }.items(),
)
def test_the_model_ends_where_the_processor_raises_an_exception(on_model: Path, misuse: str, words: str):
    done = subprocess.run([str(on_model), misuse], capture_output=True, text=True, check=False)
    assert done.returncode < 0
    assert words in done.stderr


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory):
    """The built-in cells once more under names of their own, so that they are compiled, and on the model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEWORK_CACHE", str(tmp_path_factory.mktemp("cells")))
        patch.setattr(_build, "flags", lambda headers: {**FLAGS, ISA: flags("model")})
        patch.setattr(_build, "takes_shared", lambda compiler: False)  # the package's products are not on the model
        patch.setattr(scan_isa, "supported_isas", lambda: ("avx512", "avx512_bf16", ISA))
        for name in CELLS:
            gatework.cell(name=f"{name}_on_tiles")(REGISTRY[name].step)
        with kernels.use_isa(ISA):
            yield {name: f"{name}_on_tiles" for name in CELLS}
        for name in CELLS:
            del REGISTRY[f"{name}_on_tiles"]


def check(case: Case) -> None:
    """The error is at most twice that of the reference, which rounds after every operation, and a few last places."""
    exact = run(case, torch.float64, reference.run, rounding=torch.bfloat16)
    usual = run(case, torch.bfloat16, reference.run).errors(exact)
    for name, error in run(case, torch.bfloat16).errors(exact).items():
        assert error <= 2 * usual[name] + 2 * EPS, (case, name, error, usual[name])


@pytest.mark.parametrize("hidden", [1, 15, 16, 17, 32, 33, 70])
@pytest.mark.parametrize("name", CELLS)
def test_a_scan_on_tile_registers_is_as_accurate_as_the_reference(cells: dict[str, str], name: str, hidden: int):
    check(Case(cells[name], steps=5, batch=hidden % 11 + 1, input=hidden // 2 + 1, hidden=hidden))
    check(Case(cells[name], steps=4, batch=37, input=3, hidden=hidden, is_packed=True, reverse=True, bias=False))


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_projected_scan_on_tile_registers_is_as_accurate_as_the_reference(cells: dict[str, str], is_packed: bool):
    check(Case(cells["lstm"], 9, 33, 5, 18, projection=7, is_packed=is_packed, reverse=is_packed))
    check(Case(cells["lstm"], 6, 5, 4, 70, projection=33, is_packed=is_packed))


def one_step(cell: str, isa: str) -> list[torch.Tensor]:
    """The states after a step and the gradients, in float32."""
    x, weights, states, _ = Case(cell, 1, 45, 70, 50).tensors()
    given = [None if t is None else t.float().requires_grad_() for t in weights]
    leaves = [t for t in given if t is not None and t.numel()]
    with kernels.use_isa(isa):
        _, finals = operators.run(Scan(REGISTRY[cell], x.bfloat16(), ScanWeights(*given), [s.float() for s in states]))
        return [*finals, *torch.autograd.grad(sum(f.sum() for f in finals), leaves)]


@pytest.mark.parametrize("name", CELLS)
def test_one_step_differs_from_avx512_bf16_by_the_order_of_float32_sums_alone(cells: dict[str, str], name: str):
    found, expected = one_step(cells[name], ISA), one_step(name, "avx512_bf16")
    count = len(REGISTRY[name].states)
    # Sums of 120 terms; what a derivative's own rounding flips is one last place of bfloat16 in few of 45 rows.
    for value, other in zip(found[:count], expected[:count], strict=True):
        torch.testing.assert_close(value, other, rtol=120 * 2**-23, atol=120 * 2**-23)
    for value, other in zip(found[count:], expected[count:], strict=True):
        assert (value - other).abs().max() <= EPS * (1 + other.abs().max())
        assert (value - other).abs().mean() <= EPS / 64 * (1 + other.abs().max())


def output_and_gradient(layer: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.requires_grad_()
    output = layer(x)[0]
    output.float().sum().backward()
    assert x.grad is not None
    return output.detach(), x.grad


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_in_its_own_sequence(cells: dict[str, str], number: float):
    # Rows that end within a step of depth: what lies behind one is the next sequence's. So many rows that the backward
    # pass uses its block of derivatives more than once.
    layer = gatework.nn.recurrent(cells["lstm"], 3, 5, dtype=torch.bfloat16)
    usual = torch.randn(40, 40, 3).bfloat16()
    unusual = usual.clone()
    unusual[30, 1, 0] = number
    found, d_found = output_and_gradient(layer, unusual)
    expected, d_expected = output_and_gradient(layer, usual)
    others = [0, *range(2, 40)]
    assert torch.equal(found[:, others], expected[:, others])
    assert torch.equal(found[:30, 1], expected[:30, 1])
    assert torch.equal(d_found[:, others], d_expected[:, others])
    assert found[30:, 1].isnan().any() == (number != number)
    assert d_found[:30, 1].isnan().any() == (number != number)


def test_results_depend_neither_on_the_run_nor_on_the_number_of_threads(cells: dict[str, str]):
    check_threads(Case(cells["lstm"], 30, 50, 20, 40), torch.bfloat16)


@pytest.mark.skipif(not shutil.which("objdump"), reason="needs objdump")
def test_the_library_that_is_shipped_has_the_instructions(tmp_path: Path):
    listing = subprocess.run(["objdump", "-d", str(LIBRARY)], check=True, capture_output=True, text=True).stdout
    assert set(re.findall("|".join(INSTRUCTIONS), listing)) == INSTRUCTIONS
