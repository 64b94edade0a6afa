"""Lessons to Jupyter notebooks, and notebooks run.

Three comments in a lesson's Markdown are directives, each on a line of its own:

| directive | becomes |
| --- | --- |
| `<!-- quiz: NAME -->` | the hidden question, and a cell that shows it |
| `<!-- solution: NAME -->` | the exercise's solution, folded away |
| `<!-- claim: EXPRESSION -->` | nothing for a reader; in a checked notebook a cell that asserts it |

So a figure or a statement in the text stands beside the expression that proves it.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework.course.exercises import REGISTRY
from gatework.course.extra import need
from gatework.course.lessons import Lesson
from gatework.errors import DataError

if TYPE_CHECKING:
    from nbformat import NotebookNode

_DIRECTIVE = re.compile(r"^<!-- (quiz|solution|claim): (.+?) -->$", re.MULTILINE)
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_SECONDS = 180


def build(lesson: Lesson, *, is_checked: bool = False) -> NotebookNode:
    """The lesson as a notebook without outputs.

    Args:
        lesson: The lesson.
        is_checked: Whether every claim of the text and every computed quiz answer becomes an assertion.

    Raises:
        DataError: A directive names a quiz or an exercise that is not there.
        UsageError: jupytext is not installed.
    """
    need("jupytext", "jsonschema")
    import jupytext

    text = _DIRECTIVE.sub(lambda found: _expand(lesson, found[1], found[2], is_checked), lesson.text)
    notebook = jupytext.reads(text, fmt="md")
    # Where a directive stood alone between two cells, nothing is left of it.
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    notebook.metadata = type(notebook.metadata)({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
    for place, cell in enumerate(notebook.cells):
        # The same text gives the same file, so a copy that nobody edited can be told from one that somebody did.
        cell.id = hashlib.sha256(f"{lesson.name} {place} {cell.source}".encode()).hexdigest()[:12]
    return notebook


def _expand(lesson: Lesson, kind: str, argument: str, is_checked: bool) -> str:
    if kind == "claim":
        return _cell(f"assert {argument}, {argument!r}", "claim") if is_checked else ""
    if kind == "solution":
        return _solution(lesson, argument)
    question = lesson.questions.get(argument)
    if question is None:
        raise DataError(f'{lesson.path} shows the quiz "{argument}", which its .quiz.toml does not hold')
    shown = f'{question.span()}\n\n{_cell(f"""course.display_quiz("#{argument}")""", "quiz")}'
    if is_checked and question.computed:
        ask = f"lesson({lesson.number}).questions[{argument!r}].accepts({question.computed})"
        shown += "\n\n" + _cell(f"from gatework.course.lessons import lesson\nassert {ask}, {argument!r}", "claim")
    return shown


def _cell(code: str, tag: str) -> str:
    return f'```python tags=["{tag}"]\n{code}\n```'


def _solution(lesson: Lesson, name: str) -> str:
    if name not in REGISTRY:
        raise DataError(f'{lesson.path} shows the solution "{name}", which no exercise has')
    # A fenced block of Python would become a cell; Jupytext leaves one in a fence of tildes alone.
    source = inspect.getsource(REGISTRY[name].solution).rstrip()
    return f"<details><summary>Show a solution</summary>\n\n~~~python\n{source}\n~~~\n\n</details>"


def execute(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Runs a notebook from top to bottom; its outputs are written into it.

    Args:
        notebook: The notebook.
        folder: The working folder of its kernel.

    Raises:
        DataError: A cell failed; the message ends with its error.
        UsageError: nbclient is not installed.
    """
    need("nbclient")
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="gatework-kernel-") as sockets:
        # Sockets in a folder of our own rather than ports: nobody else on the machine can listen.
        transport = {"transport": "ipc", "ip": f"{sockets}/kernel"} if os.name == "posix" else {}
        client = NotebookClient(
            notebook,
            timeout=_SECONDS,
            startup_timeout=_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            config=Config({"KernelManager": transport}),
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise DataError(f"a cell of the lesson failed: {error.ename}: {error.evalue}\n{error}") from None
    return notebook


def outputs(notebook: NotebookNode) -> list[dict[str, Any]]:
    """Every output of every cell, in order."""
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
