"""`__all__` is what can be imported, and importing the package is free."""

import importlib
import subprocess
import sys
import types

import pytest

import gatework


@pytest.mark.parametrize("module", ["gatework", "gatework.cells", "gatework.inside", "gatework.nn"])
def test_everything_in_all_can_be_imported_and_nothing_public_is_missing(module: str):
    package = importlib.import_module(module)
    assert len(package.__all__) == len(set(package.__all__))
    values = {name: getattr(package, name) for name in package.__all__}
    public = {n for n, v in vars(package).items() if not n.startswith("_") and not isinstance(v, types.ModuleType)}
    imported_tools = {"annotations", "Any", "TYPE_CHECKING", "import_module"} | {
        n for n in public if n in dir(gatework.errors)
    }
    assert public - imported_tools <= set(values)


def test_importing_gatework_imports_neither_torch_nor_numpy():
    code = "import gatework, sys; assert not {'torch', 'numpy', 'polars'} & set(sys.modules); gatework.nn.LSTM(1, 1)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'LTSM'"):
        gatework.LTSM  # noqa: B018
    assert set(gatework.__all__) <= set(dir(gatework))
