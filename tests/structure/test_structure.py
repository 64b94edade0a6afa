"""The house's rules, kept by tests: imports run down, no circles, no names of tasks outside them, one class one name.

What is not mended yet stands in `unmended.toml`, exactly: a new place fails, and so does one that is mended and still
listed (`cd tests && ../.venv/bin/python -m support.unmended` writes the list as it is; it may only become shorter).
"""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache, partial

import support
from support import unmended
from support.apart import apart
from support.source_tree import ROOT, SOURCE, packages

CONFTEST = str(ROOT / "tests" / "conftest.py")
LISTED = tomllib.loads(unmended.LIST.read_text(encoding="utf-8"))
# Less than a fifth of what there were before the redesign, 31 and 21.
MOST = {"assert_isinstance": 4, "type_ignore": 2}
# Not while the tests are collected, as every worker does that: it reads the whole tree of sources.
measured = cache(unmended.measured)


def test_every_package_has_a_floor():
    rooms = packages() - {unmended.FACE}
    assert rooms <= set(unmended.LEVEL), "name the new package in FLOORS (tests/support/unmended.py)"


def test_what_is_left_to_mend_is_exactly_what_is_listed():
    assert measured() == LISTED


def test_types_are_asserted_and_ignored_in_few_places_alone():
    for escape, most in MOST.items():
        assert measured()[escape] <= most, escape


def test_no_value_has_a_name_that_would_fit_any_other():
    assert unmended.names_that_say_nothing() == {}


def test_tests_share_helpers_through_support_alone():
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()} - {"support"}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        nodes = list(ast.walk(apart(partial(ast.parse, text))))
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not {module.split(".")[0] for module in modules} & (
            (folders - {path.parent.name}) | {"tests", "conftest"}
        ), path


def test_every_helper_is_in_the_table_of_support():
    helpers = {path.stem for path in (ROOT / "tests" / "support").glob("*.py")} - {"__init__"}
    assert set(re.findall(r"^\| `(\w+)` \|", support.__doc__, re.MULTILINE)) == helpers


def test_every_place_that_is_called_slow_exists(pytestconfig):
    places = [place for places in pytestconfig.pluginmanager.get_plugin(CONFTEST).SLOW.values() for place in places]
    for place in places:
        path, _, test = place.partition("::")
        assert (ROOT / "tests" / path).exists(), place
        assert not test or f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), place


def test_no_path_is_read_as_a_pattern():
    """polars takes brackets and stars in a path for a pattern, which a person's folder may have in its name."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(apart(partial(ast.parse, path.read_text(encoding="utf-8")))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if re.fullmatch(r"pl\.(read|scan)_(csv|ndjson|parquet)", ast.unparse(node.func)):
                is_content = re.search(r"content|block|glob\.escape", ast.unparse(node.args[0]))
                assert is_content or any(each.arg == "glob" for each in node.keywords), f"{path}:{node.lineno}"
