"""Sections of a report: what a task shows of its answers, in a run's page and in a comparison's alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from gatework.errors import RunError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class AnsweredEntry:
    """A network or a baseline with what it says of the test part.

    Attributes:
        name: As it stands in tables.
        is_network: Whether it is a trained network, alone or with simple methods, rather than a baseline.
        answers: One table per seed, each with one row per example, as the task says of its columns.
        typical: The position of the seed with the median value of the deciding metric.
        tables: Further tables that the task keeps in a run, those of the typical seed, by the name of their file.
        epochs: One mapping per epoch of the typical seed's training, as in `metrics.jsonl`.
    """

    name: str
    is_network: bool
    answers: tuple[pl.DataFrame, ...]
    typical: int = 0
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    epochs: Sequence[Mapping[str, Any]] = ()

    @property
    def typical_answers(self) -> pl.DataFrame:
        """The answers of the typical seed."""
        return self.answers[self.typical]


@dataclass(frozen=True)
class Answered:
    """All that a task has for its sections.

    Attributes:
        entries: Networks and baselines, best first.
        test: The test part, one row per example, in the order of the answers.
        state: The fitted task, as `Task.state()` gives it.
        metric: The title of the metric that decides.
    """

    entries: tuple[AnsweredEntry, ...]
    test: pl.DataFrame
    state: Mapping[str, Any] = field(default_factory=dict)
    metric: str = ""

    @property
    def networks(self) -> tuple[AnsweredEntry, ...]:
        """The networks, or all entries where there is none."""
        return tuple(entry for entry in self.entries if entry.is_network) or self.entries

    def column(self, *names: str) -> pl.Series:
        """The first of these columns that the test part has.

        Raises:
            RunError: It has none of them.
        """
        for name in names:
            if name in self.test.columns:
                return self.test[name]
        columns = ", ".join(self.test.columns) or "none"
        raise RunError(f'test.parquet lacks the column "{names[-1]}", it holds {columns}; train or compare again')


@dataclass(frozen=True)
class ReportSection:
    """A part of a report.

    Attributes:
        name: A word that no other section of the page has; its script finds its data as `data.sections[name]`.
        title: The heading.
        template: The text of a Jinja template for all below the heading. Besides `context` it sees `looks` (how each
            entry is drawn), `models` (the same, for scripts) and `metric` (the title of the deciding metric).
        context: What the template shows.
        data: What the script draws, as values that JSON can hold.
        script: The text of a script that runs once the page stands; empty where nothing is drawn.
        headline: What a run's report says first, in one short sentence; empty where a figure of its metrics says it.
    """

    name: str
    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    data: Any = None
    script: str = ""
    headline: str = ""


_TEXT_OPTIONS = ("vocabulary", "pairs", "max_tokens", "padding", "embedding", "embedding_dropout")


def without_text_options(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's sections without the options that texts alone have."""
    return {
        name: {key: value for key, value in part.items() if key not in _TEXT_OPTIONS}
        if isinstance(part, Mapping)
        else part
        for name, part in recipe.items()
    }


def section_file(package: str, name: str) -> str:
    """The text of a template or script beside the module that gives a section.

    Args:
        package: The package whose folder holds the file: `__package__` in its `__init__.py`.
        name: The file's name.
    """
    return files(package).joinpath(name).read_text(encoding="utf-8")


def column_of(entry: AnsweredEntry, name: str, *, seed: int | None = None) -> pl.Series:
    """A column of an entry's answers, those of the typical seed if `seed` is None.

    Raises:
        RunError: The answers have no such column.
    """
    answers = entry.answers[entry.typical if seed is None else seed]
    if name not in answers.columns:
        columns = ", ".join(answers.columns) or "none"
        raise RunError(f'the answers of "{entry.name}" lack the column "{name}", they hold {columns}')
    return answers[name]
