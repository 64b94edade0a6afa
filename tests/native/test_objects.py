"""What the shared library contains: nothing compiled for one instruction set may be shared with the others."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gatework import _native
from gatework.cells import _build
from gatework.errors import UsageError
from gatework.scan import kernels

ROOT = Path(__file__).parents[2]
FLAGS = _build.flags(Path(str(_native.__file__)).parent / "csrc")
FIRST, LAST = kernels.supported_isas()[0], kernels.supported_isas()[-1]
OBJECTS = [(FIRST, "float32"), *((isa, "bfloat16") for isa in (LAST, [*FLAGS][-1]))]


@pytest.mark.skipif(not (shutil.which("g++") and shutil.which("nm")), reason="needs g++ and nm")
@pytest.mark.parametrize(("isa", "element"), dict.fromkeys(OBJECTS))
def test_every_symbol_of_an_instruction_set_is_in_its_own_namespace(isa: str, element: str, tmp_path: Path):
    # Without optimisation nothing is inlined away: a weak symbol outside the namespace would be shared by the linker.
    target = tmp_path / "kernels.o"
    defined = [f"-DGATEWORK_ISA={isa}", f"-DGATEWORK_ELEMENT={element}"]
    source = ROOT / "csrc" / "kernels.cpp"
    subprocess.run(
        ["g++", "-std=c++17", *FLAGS[isa], "-O0", *defined, "-c", str(source), "-o", str(target)], check=True
    )
    listing = subprocess.run(
        ["nm", "-C", "--defined-only", str(target)], check=True, capture_output=True, text=True
    ).stdout
    shared = [line for line in listing.splitlines() if re.match(r"\S* ?[A-TV-Zuvw] ", line)]
    assert any(f"gatework::{isa}::" in line for line in shared)
    assert [line for line in shared if f"gatework::{isa}::" not in line and "DW.ref" not in line] == []


def test_an_unknown_instruction_set_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match='did you mean "avx512"'), kernels.use_isa("avx521"):
        pass


def test_a_forced_instruction_set_is_the_active_one():
    for isa in kernels.supported_isas():
        with kernels.use_isa(isa):
            assert kernels.active_isa() == isa
    assert set(kernels.supported_isas()) <= set(_native.ISAS)
