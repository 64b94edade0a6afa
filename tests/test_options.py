"""Options are declared once: everything that is made from them is current and complete."""

import ast
import dataclasses
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gatework
from gatework.errors import UsageError
from gatework.options import SHARED, TASKS, OptionSection, column_names, implied_task, option, options_of, owners
from gatework.options._generate import signatures, tables

ROOT = Path(gatework.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
SECTIONS = [*SHARED, *dict.fromkeys(s for name in TASKS.built_in for s in TASKS[name].sections)]
EVERY = [o for section in SECTIONS for o in options_of(section)]


@pytest.mark.parametrize("declared", EVERY, ids=lambda o: o.qualified)
def test_every_option_has_a_help_of_sentences_and_a_default_within_its_range(declared):
    assert re.fullmatch(r"[A-Za-z].*\.", declared.help)
    assert declared.problem(declared.default) is None
    if declared.low is not None and not declared.choices:
        below = declared.low if declared.is_low_open else declared.low - 1
        kind = declared.members[0]
        assert "expected" in declared.problem(kind(below))


def test_the_tables_of_the_documentation_are_current():
    page = PAGE.read_text(encoding="utf-8")
    assert tables(page) == page, "run: make options"
    for declared in EVERY:
        assert f"| `{declared.name}` |" in page


def test_the_typed_signatures_are_current():
    assert (ROOT / "_typed.pyi").read_text(encoding="utf-8") == signatures(), "run: make options"


@pytest.mark.parametrize("name", ["train", "compare"])
def test_the_typed_signatures_have_the_parameters_that_the_calls_have(name):
    typed = next(f for f in ast.parse(signatures()).body if isinstance(f, ast.FunctionDef) and f.name == name)
    declared = [a.arg for a in (*typed.args.args, *typed.args.kwonlyargs)]
    assert declared == list(inspect.signature(getattr(gatework, name)).parameters)


SNIPPET = """
import gatework

run = gatework.train("classify", "reviews.csv", out="run", text="review", hidden=64, pooling="max", zoneout={"c": 0.1})
reveal_type(run)
reveal_type(gatework.resume("run"))
gatework.train("forecast", "sales.csv", out="run", target=["a", "b"], horizon=3)
gatework.train("classify", "reviews.csv", out="run", hiden=3)
gatework.train("classify", "reviews.csv", out="run", pooling="median")
gatework.compare("waves", out="out", epochs="five")
gatework.trian

@gatework.cell
def mine(x, h):
    return h

gatework.train("regress", "waves", out="run", cell=mine)
gatework.compare("waves", out="out", cells=("lstm", mine))
gatework.compare("waves", out="out", cells=("lstm", 3))
"""


def test_a_type_checker_knows_every_keyword_argument(tmp_path):
    (tmp_path / "snippet.py").write_text(SNIPPET)
    heavy = "torch,numpy,polars,narwhals,pandas,plotly,sklearn,scipy,rich,typer"
    skipped = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\n" for name in heavy.split(","))
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nignore_missing_imports = true\nfollow_imports = silent\n{skipped}")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--no-color-output", "snippet.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT.parent), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line.removeprefix("snippet.py:") for line in done.stdout.splitlines()]
    expected = [
        '5: note: Revealed type is "gatework._trained.ShownRun"',
        '6: note: Revealed type is "gatework._trained.ShownRun"',
        '8: error: Unexpected keyword argument "hiden" for "train"; did you mean "hidden"?',
        '9: error: Argument "pooling" to "train" has incompatible type',
        '10: error: Argument "epochs" to "compare" has incompatible type "str"; expected "int"',
        "11: error: Module has no attribute",
        '19: error: Argument "cells" to "compare" has incompatible type "tuple[str, int]"',
    ]
    errors = [line for line in found if " defined in " not in line]
    assert [line[: len(e)] for line, e in zip(errors, expected, strict=True)] == expected


@pytest.mark.parametrize(
    ("given", "task"),
    [
        ((), "classify"),
        (("text", "label"), "classify"),
        (("target",), "regress"),
        (("data.target", "hidden"), "regress"),
        (("time", "target"), "forecast"),
        (("time", "target", "horizon", "known"), "forecast"),
        (("time", "target", "label"), "detect"),
        (("time.time", "detect.gap"), "detect"),
        (("time", "target", "label", "series"), "detect"),
        (("time", "label", "series"), "classify"),
    ],
)
def test_each_task_says_itself_whether_options_speak_of_it(given, task):
    assert implied_task(given) == task


def test_a_plain_text_without_a_task_names_those_that_read_one():
    with pytest.raises(UsageError, match=r"story\.txt is a text, not a table: name the task .* translate or generate"):
        implied_task((), Path("story.txt"))
    assert implied_task(("source_column", "target"), Path("pairs.txt")) == "translate"
    assert implied_task((), Path("memory.TMX.gz")) == "translate"
    assert implied_task((), Path("tweets.txt.gz.csv")) == "classify"


def test_the_tasks_that_read_an_option_are_known():
    assert owners("horizon") == ["forecast"]
    assert set(owners("time")) == {"classify", "forecast", "detect"}
    assert owners("nothing") == []


COLUMNS = ("a", "b", "Consumption, MWh")


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, ()),
        ("a", ("a",)),
        ("a, b", ("a", "b")),
        ("Consumption, MWh", ("Consumption, MWh",)),
        (("a", "Consumption, MWh"), ("a", "Consumption, MWh")),
        ("Consumtion, MWh", ("Consumtion, MWh",)),
        ("a,c", ("a", "c")),
    ],
)
def test_columns_are_named_by_commas_or_as_a_list_and_one_with_a_comma_by_its_name(given, meant):
    assert column_names(given, COLUMNS) == meant


def test_a_field_without_a_declaration_is_refused():
    @dataclasses.dataclass(frozen=True)
    class Bare(OptionSection):
        section = "bare"
        title = "Bare"
        size: int = 3

    with pytest.raises(TypeError, match=r"Bare\.size"):
        options_of(Bare)


def test_a_name_that_two_sections_have_must_be_qualified():
    from gatework.options import find_option

    @dataclasses.dataclass(frozen=True)
    class Other(OptionSection):
        section = "other"
        title = "Other"
        hidden: int = option(1, help="Another size.")

    both = [*EVERY, *options_of(Other)]
    with pytest.raises(UsageError, match=r"could be model\.hidden or other\.hidden"):
        find_option(both, "hidden", "a recipe")
    assert find_option(both, "other.hidden", "a recipe").help == "Another size."


@pytest.mark.parametrize("task", TASKS.built_in)
def test_no_two_sections_of_a_task_have_one_name(task):
    names = [o.name for o in TASKS[task].options]
    assert sorted(names) == sorted(set(names)), "such a name could no longer be given bare"


def test_naming_options_imports_nothing_heavy():
    code = "import sys, gatework.recipe as r; [r.find_recipe(n) for n in r.recipe_files()]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "polars", "plotly", "sklearn", "scipy", "pandas", "numpy"}
