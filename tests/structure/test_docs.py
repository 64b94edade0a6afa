"""The documentation says nothing untrue of the tree: each public package has its reference, each page its place."""

from __future__ import annotations

import importlib.util
import re
import traceback
from pathlib import Path

import pytest
import yaml

from gatework import _native, training
from support import unmended
from support.datasets import waves
from support.source_tree import ROOT, SOURCE, packages

DOCS = ROOT / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
# Paths are given from the repository, from the package, or from the folder of tasks.
FOLDERS = (ROOT, SOURCE, SOURCE / "tasks")
PAGES = sorted(DOCS.rglob("*.md"))
REFERENCES = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, whose own tags do not matter here."""


def navigation() -> list[str]:
    def paths(node: object) -> list[str]:
        if isinstance(node, str):
            return [node]
        children = node.values() if isinstance(node, dict) else node
        return [path for child in children for path in paths(child)]

    return paths(yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Loader)["nav"])


def test_every_page_stands_once_in_the_navigation():
    assert sorted(navigation()) == [page.relative_to(DOCS).as_posix() for page in PAGES]


@pytest.mark.parametrize("package", sorted(p.parent.name for p in SOURCE.glob("*/__init__.py")))
def test_every_public_package_has_its_reference(package: str):
    text = (SOURCE / package / "__init__.py").read_text(encoding="utf-8")
    if "__all__" in text and package not in ("cli",):
        assert f"::: gatework.{package}\n" in REFERENCES


def table(heading: str, page: str = ARCHITECTURE) -> list[list[str]]:
    """The rows of the table under a heading of a page, each a list of cells."""
    section = re.split(r"^## ", page, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(heading))
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def test_the_map_names_every_package_and_no_other():
    rooms = packages() - {unmended.FACE}
    assert sorted(row[0].strip("`") for row in table("The map")) == sorted(rooms)


def test_the_picture_is_drawn_from_the_floors():
    spec = importlib.util.spec_from_file_location("map", DOCS / "map.py")
    drawn = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawn)
    assert drawn.OUT.read_text(encoding="utf-8") == drawn.draw(drawn.floors()), "run python docs/map.py"


@pytest.mark.parametrize("heading", ["The map", "The life of one training step", "Where a change goes"])
def test_every_path_of_the_architecture_exists(heading: str):
    cells = [cell for row in table(heading) for cell in row]
    paths = [path for cell in cells for path in re.findall(r"`([\w./<>-]+/[\w./<>-]*|[\w-]+\.(?:txt|py))`", cell)]
    assert paths
    for path in set(paths):
        pattern = re.sub(r"<\w+>", "*", path).rstrip("/")
        assert any(place for folder in FOLDERS for place in folder.glob(pattern)), path


def test_the_counts_of_files_are_those_of_the_paths_and_within_what_was_promised():
    most = {"a cell": 2, "an element type of tensors": 6, "what acts around a cell at a step": 4, "a metric": 1}
    counted = {row[0]: row for row in table("Where a change goes")}
    for change, (_, count, where) in counted.items():
        paths = set(
            re.findall(r"`((?:csrc|cells|scan|nn|options|data|inside|cli|tasks)/[^`]+|CMakeLists\.txt)`", where)
        )
        if change not in ("a task", "a section of a report"):
            assert int(count.split()[0]) >= len(paths), change
        assert int(count.split()[0]) <= most.get(change, int(count.split()[0])), change
    assert most.keys() <= counted.keys()


def test_the_glossary_gives_each_word_one_meaning():
    words = [row[0] for row in table("Glossary")]
    assert len(words) == len(set(words)) >= 30


def test_every_built_in_cell_is_in_the_reference():
    from gatework.cells import BUILT_IN, REGISTRY

    modules = {REGISTRY[name].step.__module__ for name in BUILT_IN}
    assert all(f"::: {module}\n" in REFERENCES for module in modules)


def test_every_path_of_contributing_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"(?<![\w/])((?:src|tests|docs|options)/[\w./-]*\w|[\w.]+\.(?:toml|txt))", text))
    assert len(paths) > 5
    for path in paths - {"quiz.toml", ".quiz.toml"}:
        assert any((folder / path).exists() for folder in (ROOT, SOURCE, ROOT / "tests" / "structure")), path


def test_every_target_of_contributing_is_in_the_makefile():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make (\w+)", text, re.MULTILINE)) <= targets


def test_the_walk_of_a_step_is_as_the_page_says(tmp_path, monkeypatch):
    walks, forward = [], _native.forward

    def noted(*arguments):
        files = [Path(frame.filename) for frame in traceback.extract_stack()]
        rooms = [file.relative_to(SOURCE).as_posix() for file in files if file.is_relative_to(SOURCE)]
        walks.append(list(dict.fromkeys(rooms)))
        return forward(*arguments)

    monkeypatch.setattr(_native, "forward", noted)
    dataset, recipe = waves()
    training.train("regress", dataset.limited(16), out=tmp_path / "run", recipe=recipe.changed(epochs=1), threads=1)
    walk = next(rooms for rooms in walks if "training/loop.py" in rooms)
    told = [row[0].strip("`") for row in table("The life of one training step")]
    assert [room for room in told if room.endswith(".py")] == ["cli/train.py", *walk]
    assert len(told) <= 12


def test_every_symbol_of_a_cell_and_every_term_of_a_lesson_is_in_the_glossary():
    from gatework.cells import BUILT_IN, REGISTRY

    page = (SOURCE / "course" / "glossary.md").read_text(encoding="utf-8")
    symbols, terms = table("Symbols", page), table("Terms", page)
    used = {name for cell in BUILT_IN for name in REGISTRY[cell].names}
    assert used <= {row[0].strip("`") for row in symbols}
    assert [row[0].lower() for row in terms] == sorted(row[0].lower() for row in terms)
    for term, *_, lesson in [*((row[1], row[3]) for row in symbols if len(row) > 3), *terms]:
        text = next((SOURCE / "course" / "lessons").glob(f"{int(lesson):02}-*.md")).read_text(encoding="utf-8")
        assert term in text.lower() or term in text, (term, lesson)
