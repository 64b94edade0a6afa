"""`gatework doctor`: what this installation and this machine offer."""

from __future__ import annotations

import json
import platform
import sys

from gatework.cli import _options as options
from gatework.formatting import wrapped

# By whether the processor multiplies bfloat16 numbers itself, and in less time than it multiplies float32.
_BFLOAT16 = {(True, True): "by the processor", (True, False): "by the processor, slower than float32"}


def doctor(as_json: options.AsJson = False) -> None:
    """Show versions, threads, the GPU, the compiler, and the instruction sets compiled, supported and active."""
    import torch

    from gatework import __version__, _native
    from gatework.scan import kernels

    compiled = [name for k, name in enumerate(_native.ISAS) if _native.is_compiled(k)]
    facts = {
        "gatework": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "GPU": _gpu(),
        "instruction sets compiled": compiled,
        "instruction sets supported": list(kernels.supported_isas()),
        "instruction set active": kernels.active_isa(),
        "bfloat16 products": _BFLOAT16.get((kernels.multiplies_bfloat16(), kernels.gains_by_bfloat16()), "as float32"),
        "cells with kernels": list(_native.CELLS),
        "compiler for cells of your own": _compiler(),
    }
    if as_json:
        print(json.dumps(facts, indent=2))
        return
    for name, value in facts.items():
        line = f"{name}: {', '.join(value) if isinstance(value, list) else value}"
        print(wrapped(line, sys.stdout, 2))


def _compiler() -> str:
    """What compiles a person's own cells."""
    from gatework.cells._build import BuildError, compiler_words

    try:
        return compiler_words()[0]
    except BuildError as error:
        return f"none, so that these are slow: {error}"


def _gpu() -> str:
    """The GPU that torch computes on, and what computes the cells there that torch does not have."""
    import torch

    from gatework.scan import triton_kernels

    if not torch.cuda.is_available():
        return "none that torch can use"
    others = (
        "Triton"
        if triton_kernels.is_there()
        else 'no Triton, so that other cells are slow: pip install "gatework[gpu]"'
    )
    return f"{torch.cuda.get_device_name()}, {others}"
