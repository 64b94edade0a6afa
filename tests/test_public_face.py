"""`__all__` is what can be imported, and importing the package is free."""

import ast
import importlib
import pkgutil
import subprocess
import sys
import types

import pytest

import gatework
from support.source_tree import file_of, tree

PACKAGES = sorted(
    ["gatework", *(m.name for m in pkgutil.walk_packages(gatework.__path__, "gatework.") if m.ispkg)],
)


def for_types(package: types.ModuleType) -> set[str]:
    """The names that a package's face imports for type checkers and editors alone."""
    blocks = (node for node in tree(file_of(package.__name__)).body if isinstance(node, ast.If))
    imports = (node for block in blocks for node in ast.walk(block) if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name for node in imports for alias in node.names}


def public(package: types.ModuleType) -> set[str]:
    """What a package's face holds under a public name and has defined itself, or taken from a public module of its."""
    homes = {name: getattr(value, "__module__", "") for name, value in vars(package).items() if name[0] != "_"}
    parts = {name: home.rpartition(".") for name, home in homes.items() if "._" not in home}
    return {name for name, (folder, _, _) in parts.items() if package.__name__ in (folder, homes[name])}


@pytest.mark.parametrize("name", PACKAGES)
def test_everything_in_all_can_be_imported_and_nothing_public_is_missing(name: str):
    package = importlib.import_module(name)
    names = getattr(package, "__all__", [])
    assert len(names) == len(set(names))
    assert set(names) <= set(dir(package))
    for _ in range(2):
        # A module that is imported takes its name's place in the package: the second answer must be the first.
        assert [n for n in names if isinstance(getattr(package, n), types.ModuleType)] == [
            n for n in names if file_of(f"{name}.{n}") is not None
        ]
    assert not hasattr(package, "__all__") or public(package) <= set(names)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_lazy_face_shows_type_checkers_what_it_gives(name: str):
    package = importlib.import_module(name)
    if "__getattr__" in vars(package):
        assert for_types(package) == set(package.__all__) - {"__version__"}


def test_importing_gatework_imports_neither_torch_nor_numpy():
    code = "import gatework, sys; assert not {'torch', 'numpy', 'polars'} & set(sys.modules); gatework.nn.LSTM(1, 1)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", PACKAGES)
def test_an_unknown_name_is_an_attribute_error(name: str):
    with pytest.raises(AttributeError, match="no attribute 'LTSM'"):
        importlib.import_module(name).LTSM  # noqa: B018
