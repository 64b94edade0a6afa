"""The course as a static site: the lessons run, their outputs and plots in the page, working quizzes, no network."""

from __future__ import annotations

import functools
import html
import itertools
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatework._files import check_place, is_occupied, make_folder, write_text
from gatework.course.experiments.pages import EXPERIMENTS
from gatework.course.extra import COURSE, need
from gatework.course.glossary import anchored, linked, text
from gatework.course.lessons import Lesson, lessons
from gatework.course.markdown import code_to_html, to_html
from gatework.course.notebooks import build, kernel
from gatework.course.quizzes import answer_sets
from gatework.course.search import search_script
from gatework.errors import DataError, RunError
from gatework.inside.playground import write_playground

if TYPE_CHECKING:
    from nbformat import NotebookNode

_PLOT = "application/vnd.plotly.v1+json"
_SHOWN = re.compile(r'display_quiz\("#([^"]+)"\)')
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def build_site(folder: Path, *, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Runs every lesson and writes the site.

    Args:
        folder: Where to; made if it is not there. Files of an earlier site are replaced.
        progress: Told in a sentence what is being done.

    Returns:
        The path of the first page.

    Raises:
        RunError: The folder holds something else, or cannot be written.
        UsageError: What the course needs is not installed.
    """
    need(*COURSE)
    _refuse_other(folder)
    check_place(folder)
    done: dict[Lesson, NotebookNode] = {}
    with kernel() as running:
        for lesson in lessons():
            progress(f"running lesson {lesson.number}: {lesson.title}")
            with tempfile.TemporaryDirectory(prefix="gatework-course-") as working:
                done[lesson] = running.execute(build(lesson), Path(working))
    return write_site(folder, done)


def write_site(folder: Path, done: Mapping[Lesson, NotebookNode]) -> Path:
    """Writes the site of lessons that have been run.

    Args:
        folder: Where to.
        done: Each lesson with its notebook, outputs included, in order.

    Returns:
        The path of the first page.
    """
    _refuse_other(folder)
    assets = folder / "assets"
    make_folder(assets)
    for name, content in _assets().items():
        write_text(assets / name, content)
    every = list(done)
    bodies = {lesson: _body(notebook, lesson.number) for lesson, notebook in done.items()}
    for place, lesson in enumerate(every):
        page = _template("lesson.html").render(
            lesson=lesson,
            count=len(every),
            body=bodies[lesson],
            before=every[place - 1] if place else None,
            after=every[place + 1] if place + 1 < len(every) else None,
        )
        write_text(folder / f"{lesson.name}.html", page)
    write_playground(folder / "playground.html")
    for experiment in EXPERIMENTS:
        experiment.write(folder / "experiments" / f"{experiment.name}.html")
    glossary = _glossary()
    write_text(folder / "glossary.html", _template("glossary.html").render(body=glossary))
    pages = {f"{lesson.name}.html": (f"{lesson.number}. {lesson.title}", str(body)) for lesson, body in bodies.items()}
    write_text(assets / "search.js", search_script(pages, str(glossary)))
    write_text(folder / "index.html", _template("index.html").render(lessons=every, experiments=EXPERIMENTS))
    return folder / "index.html"


def _refuse_other(folder: Path) -> None:
    if is_occupied(folder) and not (folder / "assets" / "site.js").exists():
        raise RunError(f"{folder} exists already and holds something else than this site; name another folder")


def _assets() -> dict[str, str]:
    from plotly.offline import get_plotlyjs

    templates = files("gatework.course").joinpath("templates")
    return {
        # First what says that a folder is a site, so that one that ended half-way is replaced.
        "site.js": templates.joinpath("site.js").read_text("utf-8"),
        "plotly.min.js": get_plotlyjs(),
        "quiz.js": _quiz_script(),
        "site.css": templates.joinpath("site.css").read_text("utf-8"),
    }


def _quiz_script() -> str:
    """JupyterQuiz's own scripts, in a scope of their own, with the questions of the page handed to them."""
    parts = sorted(files("jupyterquiz").joinpath("js").iterdir(), key=lambda part: part.name)
    library = "\n".join(part.read_text("utf-8") for part in parts if part.name.endswith(".js"))
    start = files("gatework.course").joinpath("templates", "quiz.js").read_text("utf-8")
    return start.replace("/* JupyterQuiz */", library).replace("/* answer_set.js */", answer_sets())


@functools.cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("gatework.course"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["markdown"] = _inline
    return environment


def _template(name: str) -> Any:
    return _environment().get_template(name)


def _inline(text: str) -> Any:
    from markupsafe import Markup

    return Markup(to_html(text).strip().removeprefix("<p>").removesuffix("</p>"))


def _body(notebook: NotebookNode, lesson: int) -> Any:
    from markupsafe import Markup

    parts: list[str] = []
    numbers = itertools.count(1)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(to_html(cell.source))
        elif "quiz" in cell.metadata.get("tags", []):
            parts.append(_quiz(cell.source, next(numbers)))
        elif cell.cell_type == "code":
            parts.append(_code(cell))
    return Markup(linked("\n".join(parts), lesson))


def _glossary() -> Any:
    from markupsafe import Markup

    return Markup(anchored(to_html(text())))


def _quiz(source: str, number: int) -> str:
    match = _SHOWN.search(source)
    if match is None:
        raise DataError(f"the cell {source!r} is tagged as a quiz and shows none")
    name = html.escape(match[1], quote=True)
    return f'<section class="quiz" data-quiz="{name}" aria-label="Question {number}"></section>'


def _code(cell: NotebookNode) -> str:
    shown = "".join(_output(output) for output in cell.outputs)
    results = f'<div class="output">{shown}</div>' if shown else ""
    return f'<div class="cell"><pre class="code"><code>{code_to_html(cell.source)}</code></pre>{results}</div>'


def _output(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return f'<pre class="text">{html.escape(_ANSI.sub("", output.text))}</pre>'
    if output.output_type == "error":
        raise DataError(f"a lesson with a failed cell cannot be shown: {output.ename}: {output.evalue}")
    content = output.data
    if _PLOT in content:
        figure = json.dumps({"data": content[_PLOT]["data"], "layout": content[_PLOT]["layout"]})
        height = int(content[_PLOT]["layout"].get("height", 340))
        return (
            f'<div class="plot" style="height:{height}px" role="img" aria-label="Plot: {_described(content[_PLOT])}">'
            f'<script type="application/json">{figure.replace("<", chr(92) + "u003c")}</script></div>'
        )
    if "text/html" in content:
        return f'<div class="html">{content["text/html"]}</div>'
    if "image/svg+xml" in content:
        return str(content["image/svg+xml"])
    return f'<pre class="text">{html.escape(content.get("text/plain", ""))}</pre>'


def _described(figure: Mapping[str, Any]) -> str:
    titles = [figure["layout"].get(axis, {}).get("title", {}).get("text", "") for axis in ("yaxis", "xaxis")]
    names = [str(trace["name"]) for trace in figure["data"] if trace.get("name")]
    told = " by ".join(title for title in titles if title) + (f", for {', '.join(names)}" if names else "")
    return html.escape(told, quote=True)
