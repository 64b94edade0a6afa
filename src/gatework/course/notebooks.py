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

import contextlib
import hashlib
import inspect
import os
import re
import tempfile
from collections.abc import Iterator
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
_SECONDS_TO_START = 180
# As in a new process, torch draws its first seed by chance. First the folder: the last one may be gone, and IPython
# asks where it is before it forgets a name.
_AFRESH = """__import__("os").chdir({folder!r})
%reset -f
__import__("torch").seed();"""


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

    text = _DIRECTIVE.sub(lambda match: _expand(lesson, match[1], match[2], is_checked), lesson.text)
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


class NotebookKernel:
    """A Jupyter kernel that runs notebooks one after the other, each as if it were the first.

    Packages that one of them has imported are at hand for the next, which takes most of the time of a short lesson;
    names, the working folder and torch's random numbers begin afresh.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def execute(self, notebook: NotebookNode, folder: Path) -> NotebookNode:
        """Runs a notebook from top to bottom; its outputs are written into it.

        Args:
            notebook: The notebook.
            folder: The working folder.

        Raises:
            DataError: A cell failed, and the cause has the cell and its traceback; or the kernel died.
        """
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, DeadKernelError
        from nbformat.v4 import new_code_cell

        # However slow a machine is, a cell is waited for.
        client = NotebookClient(notebook, km=self._manager, timeout=None, startup_timeout=_SECONDS_TO_START)
        notebook.cells.insert(0, new_code_cell(_AFRESH.format(folder=str(folder))))
        try:
            client.execute()
        except CellExecutionError as error:
            raise DataError(f"a cell of the lesson failed: {error.ename}: {error.evalue}") from error
        except DeadKernelError as error:
            raise DataError(
                "the Python that runs the lessons ended in the middle of a cell; this happens where memory is short"
            ) from error
        finally:
            notebook.cells.pop(0)
            if client.kc is not None:
                client.kc.stop_channels()
        return notebook


@contextlib.contextmanager
def kernel() -> Iterator[NotebookKernel]:
    """Starts a kernel with the first notebook, and ends it after the last one.

    Raises:
        UsageError: nbclient is not installed.
    """
    need("nbclient")
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync

    with tempfile.TemporaryDirectory(prefix="gatework-kernel-") as sockets:
        # Sockets in a folder of our own rather than ports: nobody else on the machine can listen.
        transport = {"transport": "ipc", "ip": f"{sockets}/kernel"} if os.name == "posix" else {}
        manager = AsyncKernelManager(kernel_name="python3", **transport)
        try:
            yield NotebookKernel(manager)
        finally:
            if manager.has_kernel:
                run_sync(manager.shutdown_kernel)(now=True)


def outputs(notebook: NotebookNode) -> list[dict[str, Any]]:
    """Every output of every cell, in order."""
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
