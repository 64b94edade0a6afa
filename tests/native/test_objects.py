"""What the shared library contains: nothing compiled for one instruction set may be shared with the others."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gatework import _native
from gatework.errors import UsageError
from gatework.scan import kernels

# What `make setup` compiles, and leaves there.
BUILD = Path(__file__).parents[2] / "build"
OBJECTS = sorted(BUILD.glob("*/CMakeFiles/*kernels_*.dir/csrc/**/*.o"))
ISA = re.compile(r"kernels_(\w+?)(?:_(?:float32|float64|bfloat16))?\.dir")


@pytest.mark.skipif(not OBJECTS, reason=f"nothing was compiled in {BUILD}")
@pytest.mark.skipif(shutil.which("nm") is None, reason="needs nm")
def test_every_symbol_of_an_instruction_set_is_in_its_own_namespace():
    # The linker keeps one of several weak symbols of a name: were it compiled for a newer processor, an older one
    # would end there.
    isas = set()
    for path in OBJECTS:
        (isa,) = ISA.findall(str(path))
        isas.add(isa)
        listing = subprocess.run(
            ["nm", "-C", "--defined-only", str(path)], check=True, capture_output=True, text=True
        ).stdout
        shared = [line for line in listing.splitlines() if re.match(r"\S* ?[A-TV-Zuvw] ", line)]
        assert any(f"gatework::{isa}::" in line for line in shared), path
        assert [line for line in shared if f"gatework::{isa}::" not in line and "DW.ref" not in line] == [], path
    assert isas >= set(kernels.supported_isas())


def test_an_unknown_instruction_set_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match='did you mean "avx512"'), kernels.use_isa("avx521"):
        pass


def test_a_forced_instruction_set_is_the_active_one():
    for isa in kernels.supported_isas():
        with kernels.use_isa(isa):
            assert kernels.active_isa() == isa
    assert set(kernels.supported_isas()) <= set(_native.ISAS)
