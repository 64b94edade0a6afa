import ast
import importlib
import re
from importlib.util import find_spec

import pytest

from support.source_tree import ROOT

BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gatework":
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_from_here_is_here(path):
    for module, name in imported(path):
        assert hasattr(importlib.import_module(module), name) or find_spec(f"{module}.{name}"), f"{module}: {name}"


def test_there_are_benchmarks_that_import_from_here():
    assert sum(bool(list(imported(path))) for path in BENCHMARKS) > 20


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_answers_help_and_misses_its_data_in_a_sentence(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""environ(\["GATEWORK_DATA"\]|\.get\("GATEWORK_DATA", )""", text), (
        "asking.data_folder() says what is missing"
    )
    is_run = 'if __name__ == "__main__"' in text
    assert not is_run or "ArgumentParser" in text or "help_if_asked(__doc__)" in text
