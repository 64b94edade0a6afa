"""Quiz questions in JupyterQuiz's format: read from TOML, checked, embedded in a page, shown.

A question travels inside a hidden element whose text is base64. The element has both an id and a class of the same
name, because newer JupyterLab strips ids; the JSON inside is ASCII only, because the browser's `atob` gives Latin-1.
"""

from __future__ import annotations

import base64
import functools
import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from gatework.course.extra import need
from gatework.errors import DataError

COLOURS = {
    "--jq-multiple-choice-bg": "#17446b",
    "--jq-many-choice-bg": "#17446b",
    "--jq-numeric-bg": "#17446b",
    "--jq-string-bg": "#17446b",
    "--jq-numeric-input-bg": "#e4e9ee",
    "--jq-numeric-input-label": "inherit",
    "--jq-correct-color": "#1a7f4b",
    "--jq-incorrect-color": "#b3261e",
    "--jq-text-color": "#fdfcfa",
}


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        name: The name of the element that holds it.
        content: The question in JupyterQuiz's format.
        computed: For a number that a lesson computes, the expression that gives it there.
    """

    name: str
    content: dict[str, Any]
    computed: str | None = None

    def span(self) -> str:
        """The hidden element."""
        encoded = base64.b64encode(json.dumps([self.content], ensure_ascii=True).encode("ascii")).decode("ascii")
        return f'<span style="display:none" class="{self.name}" id="{self.name}">{encoded}</span>'

    def accepts(self, value: float) -> bool:
        """Whether a numeric question takes this number for right: the first answer that fits it decides."""
        digits = self.content.get("precision")
        for answer in self.content["answers"]:
            if "value" in answer:
                wanted, given = answer["value"], value
                if digits:
                    wanted, given = float(f"{wanted:.{digits}g}"), float(f"{given:.{digits}g}")
                is_met = wanted == given
            else:
                is_met = "range" in answer and answer["range"][0] <= value < answer["range"][1]
            if is_met:
                return bool(answer["correct"])
        return False


def read_questions(path: Path) -> dict[str, Question]:
    """Reads the questions of a TOML file, one table each, named by the table.

    Raises:
        DataError: The file is missing, is not TOML, or holds what JupyterQuiz cannot show.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} is missing: every lesson has its quizzes beside it") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is not a TOML file: {error}") from None
    return {name: _question(path, name, table) for name, table in tables.items()}


def _question(path: Path, name: str, table: Any) -> Question:
    if not isinstance(table, dict):
        raise DataError(f"{path}: {name} is {table!r}, expected a table with type, question and answers")
    content = {key: value for key, value in table.items() if key != "computed"}
    problems = sorted(_validator().iter_errors(content), key=lambda e: len(e.absolute_path), reverse=True)
    if problems:
        where = ".".join([name, *(str(part) for part in problems[0].absolute_path)])
        raise DataError(f"{path}: {where}: {problems[0].message}")
    if not any(answer.get("correct") for answer in content["answers"]):
        raise DataError(f"{path}: {name} has no right answer; give one answer correct = true")
    return Question(name, content, table.get("computed"))


@functools.cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(files("gatework.course").joinpath("quiz_schema.json").read_text("utf-8")))


def answer_sets() -> str:
    """The script that judges the answers of a question with several right ones together."""
    return files("gatework.course").joinpath("templates", "answer_set.js").read_text("utf-8")


# JupyterQuiz shows a question when its element is there, which is after this has run.
_WHEN_SHOWN = """
if (!window.gateworkAnswerSets) {
  window.gateworkAnswerSets = new MutationObserver(() => judgedTogether(document));
  window.gateworkAnswerSets.observe(document.body, { childList: true, subtree: true });
  const style = document.createElement("style");
  style.textContent = ".Quiz .send { font-size: 16px; padding: 6px 16px; margin-bottom: 10px; cursor: pointer; }";
  document.head.append(style);
}
judgedTogether(document);
"""


def display_quiz(reference: str) -> None:
    """Shows the question that a hidden element of this notebook holds.

    Args:
        reference: The element, as "#independent-inputs".

    Raises:
        UsageError: JupyterQuiz is not installed.
    """
    need("jupyterquiz")
    from IPython.display import Javascript, display
    from jupyterquiz import display_quiz as show

    show(reference, colors=COLOURS, border_radius=6)
    display(Javascript(f"{{{answer_sets()}{_WHEN_SHOWN}}}"))
