"""Options, each declared once with its default, range and help; and what tasks say of themselves. Nothing heavy."""

from gatework.options._names import Names, as_list, column_names
from gatework.options._option import (
    Among,
    Between,
    Near,
    Option,
    OptionSection,
    Tried,
    find_option,
    option,
    options_of,
)
from gatework.options._sections import (
    AROUND,
    READING,
    AnswerOptions,
    DataOptions,
    Duplicates,
    Missing,
    ModelOptions,
    Padding,
    Pooling,
    Schedule,
    TimeOptions,
    TrainingOptions,
)
from gatework.options._signature import options_of_calls, shows_options
from gatework.options._space import Dimension, dimension, space_of
from gatework.options._task_options import SHARED, TASKS, TaskOptions, implied_task, owners

__all__ = [
    "AROUND",
    "READING",
    "SHARED",
    "TASKS",
    "Among",
    "AnswerOptions",
    "Between",
    "DataOptions",
    "Dimension",
    "Duplicates",
    "Missing",
    "ModelOptions",
    "Names",
    "Near",
    "Option",
    "OptionSection",
    "Padding",
    "Pooling",
    "Schedule",
    "TaskOptions",
    "TimeOptions",
    "TrainingOptions",
    "Tried",
    "as_list",
    "column_names",
    "dimension",
    "find_option",
    "implied_task",
    "option",
    "options_of",
    "options_of_calls",
    "owners",
    "shows_options",
    "space_of",
]
