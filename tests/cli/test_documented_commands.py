"""Every command line that the README and the pages show has a command and options that there are."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from gatework.cli._application import COMMANDS, build
from support.source_tree import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "course").glob("*.md"))]
# A line of an indented or fenced block, and what follows a backslash at its end.
LINE = re.compile(r"(?:\\\n|[^\n])+")
CALL = re.compile(rf"(?:^|[\s|$])gatework ({'|'.join(COMMANDS)})(?=\s|$)(.*)", re.DOTALL)


def code_of(text: str) -> list[str]:
    """The lines of a page's blocks of code."""
    fenced = re.findall(r"^ *```(?:bash|sh|console|shell)?\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"(?:^ {4}(?:\\\n|[^\n])+\n)+", text, re.MULTILINE)
    return [line for block in (*fenced, *indented) for line in LINE.findall(block)]


def calls() -> list[tuple[str, str, list[str]]]:
    """The page, the command and the arguments of each call."""
    found = []
    for page in PAGES:
        for line in code_of(page.read_text(encoding="utf-8")):
            if match := CALL.search(line):
                words = shlex.split(match[2].replace("\\\n", " "), comments=True)
                ends = [place for place, word in enumerate(words) if word[:1] in ("|", "<", ">", ";", "&")]
                found.append((page.name, match[1], words[: min(ends, default=len(words))]))
    return found


CALLS = calls()


def test_the_pages_show_command_lines():
    assert len(CALLS) > 100
    assert {"README.md", "detect.md", "transcribe.md", "tune.md"} <= {page for page, *_ in CALLS}


@pytest.mark.parametrize(
    ("command", "words"),
    [pytest.param(c, w, id=f"{page} {c} {number}") for number, (page, c, w) in enumerate(CALLS)],
)
def test_a_command_line_of_a_page_has_options_that_there_are(command, words):
    parsed = typer.main.get_command(build([command, *words])).commands[command]
    if command == "recipes":
        return
    known = {flag for parameter in parsed.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked <= known | {"--help"}
