"""What can be said of a task without importing it: its sections, its prediction's options, its help, its recipes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from gatework._registry import Registry, resolve
from gatework.errors import UsageError
from gatework.options._column_summary import ColumnSummary
from gatework.options._option import Option, OptionSection, options_of
from gatework.options._sections import READING, DataOptions, ModelOptions, TrainingOptions

# What is no table: a text by its ending.
_TEXTS = (".txt", ".text", ".md")

SHARED: tuple[type[OptionSection], ...] = (DataOptions, ModelOptions, TrainingOptions)
"""The sections of every recipe."""


def _never(_: object) -> bool:
    return False


def _nothing(_: object) -> None:
    return None


@dataclass(frozen=True)
class TaskOptions:
    """The options of a task.

    Attributes:
        name: The task's name on the command line and in recipes.
        about: One sentence: what is learnt.
        example: A command line that trains it.
        task: The task's class, or its place as "module:attribute".
        sections: The sections of its recipes beyond those of every recipe.
        unused: Options of the shared sections that it does not read, such as "data.text"; no flags are made for them.
        help: What options of the shared sections are in this task, such as "data.target", where theirs says too little.
        needed: The options without which a table of a person's own cannot be read, such as "time.time".
        prediction: The options of a prediction or an evaluation; none if None.
        recipes: The folder of its recipes; the one with the task's name is its own.
        is_meant_by: Whether these options, given by their bare names, speak of this task and no other; asked where a
            person names no task and every option is one of its own.
        reads_texts: Whether a plain text file is what it learns from.
        options_for: The options by which it could learn from a table with such columns; None where it could not.
        is_made_for: Whether what is at this path is read by this task and no other, as a folder of recordings is.
    """

    name: str
    about: str
    example: str
    task: Any = ""
    sections: tuple[type[OptionSection], ...] = ()
    unused: frozenset[str] = frozenset()
    help: Mapping[str, str] = field(default_factory=dict)
    needed: frozenset[str] = frozenset()
    prediction: type[OptionSection] | None = None
    recipes: Path | None = None
    is_meant_by: Callable[[Collection[str]], bool] = _never
    options_for: Callable[[Sequence[ColumnSummary]], tuple[str, ...] | None] = _nothing
    is_made_for: Callable[[Path], bool] = _never
    reads_texts: bool = False

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """Every option of its recipes, those that it does not read included."""
        sections: tuple[type[OptionSection], ...] = (DataOptions, *self.sections, ModelOptions, TrainingOptions)
        return tuple(
            replace(o, help=self.help.get(o.qualified, o.help)) for section in sections for o in options_of(section)
        )

    @cached_property
    def shown(self) -> tuple[Option, ...]:
        """The options of its recipes that it reads, the data set apart, which is an argument."""
        return tuple(o for o in self.options if o.qualified not in self.unused | {"data.dataset"})

    @cached_property
    def prediction_options(self) -> tuple[Option, ...]:
        """The options of a prediction or an evaluation: the task's own, and those of reading a table."""
        sections = {section.section for section in (*SHARED, *self.sections)}
        declared = options_of(self.prediction) if self.prediction else ()
        return (*declared, *(o for o in READING if o.section in sections))

    @cached_property
    def asked_by_strangers(self) -> Mapping[str, Option]:
        """The options of a prediction by name that whoever asks over a network may give: none names a file or a run."""
        return {
            o.name: o
            for o in self.prediction_options
            if o not in READING and "predict" in o.commands and o.metavar not in ("FILE", "RUN", "RUNS")
        }

    def load(self) -> Any:
        """The task's class."""
        return resolve(self.task) if isinstance(self.task, str) else self.task


def _of_class(named: Any) -> TaskOptions:
    """The options of what an entry point names: a task's class, or its options."""
    return named if isinstance(named, TaskOptions) else replace(named.options, task=named)


TASKS: Registry[TaskOptions] = Registry(
    "task",
    "gatework.tasks",
    {
        "classify": "gatework.tasks.classify.options:OPTIONS",
        "regress": "gatework.tasks.regress.options:OPTIONS",
        "forecast": "gatework.tasks.forecast.options:OPTIONS",
        "detect": "gatework.tasks.detect.options:OPTIONS",
        "translate": "gatework.tasks.translate.options:OPTIONS",
        "transcribe": "gatework.tasks.transcribe.options:OPTIONS",
        "generate": "gatework.tasks.generate.options:OPTIONS",
    },
    _of_class,
)
"""Every task by its name; a task of the package is its folder and its line here."""


def owners(name: str) -> list[str]:
    """The tasks that read an option, given by its bare or qualified name."""
    return [task.name for task in TASKS.values() if name in _names(task)]


def implied_task(given: Collection[str], data: Path | None = None) -> str:
    """The task that options and data speak of, where no task is named.

    Args:
        given: The options, by their bare or qualified names.
        data: Where the data is, if it is a file or a folder.

    Raises:
        UsageError: They speak of several tasks, or a plain text of none.
    """
    made_for = [task.name for task in TASKS.values() if data and task.is_made_for(data)]
    if made_for:
        return made_for[0]
    bare = {name.rpartition(".")[2] for name in given}
    able = [task for task in TASKS.values() if set(given) <= _names(task)]
    meant = [task.name for task in able if task.is_meant_by(bare)]
    if len(meant) > 1:
        raise UsageError(
            f"these options fit several tasks ({', '.join(meant)}); name one: gatework check {meant[0]} FILE, "
            f"gatework compare FILE --task {meant[0]}"
        )
    readers = [task.name for task in TASKS.values() if task.reads_texts]
    if data and data.suffix.lower() in _TEXTS and not set(meant) & set(readers):
        raise UsageError(
            f"{data} is a text, not a table: name the task that is to learn from it, {' or '.join(readers)}"
        )
    return meant[0] if meant else next(iter(TASKS))


def _names(task: TaskOptions) -> set[str]:
    return {name for option in task.shown for name in (option.name, option.qualified)}
