"""A plugin of pytest that puts other builds of the native modules in place: those in the folder GATEWORK_SANITIZED."""

import importlib.util
import os
import sys
from pathlib import Path

for name in ("_native", "_decoding", "_training"):
    path = Path(os.environ["GATEWORK_SANITIZED"], f"{name}.so")
    spec = importlib.util.spec_from_file_location(f"gatework.{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
