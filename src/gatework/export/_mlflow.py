"""A run as an MLflow model: a folder of the flavour python_function, whose loader is this module, never a pickle."""

from __future__ import annotations

import json
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gatework import __version__
from gatework._files import write_text
from gatework.data.frames import like
from gatework.errors import DataError, UsageError, nearest
from gatework.export._hub import new_folder, write_predicting
from gatework.options import TASKS
from gatework.training.run import Run

_RUN = "run"


def mlflow(run: Run, folder: Path) -> str:
    """Writes the folder; `mlflow.pyfunc.load_model(FOLDER)` and `mlflow models serve -m FOLDER` take it.

    Args:
        run: A finished run.
        folder: Where to write.

    Returns:
        A sentence for a person.

    Raises:
        RunError: The folder holds something, or training has not ended.
        UsageError: The run reads files of this machine, which whoever asks an MLflow server could then name.
    """
    _refuse_files(run)
    version = ".".join(map(str, sys.version_info[:3]))
    environment = {"python": version, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}
    flavour = {
        "loader_module": __name__,
        "data": _RUN,
        "python_version": version,
        "env": {"virtualenv": "python_env.yaml"},
    }
    model = {
        "flavors": {"python_function": flavour, "gatework": {"gatework_version": __version__, "data": _RUN}},
        "model_uuid": uuid.uuid4().hex,
        "utc_time_created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "metadata": {"task": run.recipe.task, "cell": run.recipe.model.cell},
    }
    with new_folder(folder) as temporary:
        write_predicting(run, temporary / _RUN)
        extras = ",".join(run.task.extras)
        write_text(temporary / "requirements.txt", f"gatework{f'[{extras}]' if extras else ''}=={__version__}\n")
        write_text(temporary / "python_env.yaml", _yaml(environment))
        write_text(temporary / "MLmodel", _yaml(model))
    return f"{folder}: an MLflow model; mlflow.pyfunc.load_model({str(folder)!r}) opens it where gatework is installed"


def _yaml(content: dict[str, Any]) -> str:
    """JSON is YAML: nothing needs a writer of its own."""
    return json.dumps(content, indent=2) + "\n"


def _refuse_files(run: Run) -> None:
    if run.task.needs_input and not run.task.takes:
        raise UsageError(
            f'a run of the task "{run.recipe.task}" cannot be an MLflow model: it reads files of this machine; use '
            f"gatework predict {run.path} {run.task.example_input}"
        )


class _Model:
    """What MLflow asks: tables in, tables out. Whoever asks is a stranger and names no file of this machine."""

    def __init__(self, run: Run) -> None:
        _refuse_files(run)
        self.run = run

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """What the run says of a table's rows, or of a list of texts or series, as a table of the caller's kind.

        MLflow's own server makes arrays of lists, and writes no other table than pandas': such are answered by rows.

        Args:
            model_input: A pandas frame with the columns that the run was trained on, or a list; an array of either's
                values, or arrays by column.
            params: Options of a prediction, as `horizon`.

        Raises:
            DataError: The input is neither.
            UsageError: An option is none of this task, or names a file or another run.
        """
        if isinstance(model_input, (str, bytes, os.PathLike)):
            raise DataError("a table or a list was expected, and this is a text; put it into a list")
        known = TASKS.find(self.run.recipe.task).asked_by_strangers if self.run.task.takes_options else {}
        for name in params or {}:
            if name not in known:
                raise UsageError(f'the model has no parameter "{name[:40]}": {nearest(name, known)}')
        is_bare = isinstance(model_input, (np.ndarray, dict))
        given = _without_arrays(model_input) if is_bare else model_input
        texts = None if "rows" in self.run.task.takes else _one_column(given)
        answers = self.run.predict(given if texts is None else texts, **(params or {}))
        if not isinstance(answers, pl.DataFrame):
            return answers
        return answers.to_dicts() if is_bare else like(model_input, answers)


def _without_arrays(model_input: np.ndarray | dict[str, Any]) -> Any:
    """An array of texts as a list, one of numbers as it is, and arrays by column as a table."""
    if isinstance(model_input, np.ndarray):
        return model_input if model_input.ndim > 1 and model_input.dtype != object else model_input.tolist()
    columns = {name: np.atleast_1d(values).tolist() for name, values in model_input.items()}
    if len({len(values) for values in columns.values()}) != 1:
        raise DataError("the columns are not equally long, expected one value of each for every row")
    return pl.DataFrame(columns)


def _one_column(model_input: Any) -> list[Any] | None:
    """The texts or series of a table with one column; None for any other input."""
    columns = getattr(model_input, "columns", None)
    if columns is None:
        return None
    if len(columns) != 1:
        return None
    values = model_input[columns[0]].to_list()
    if not values:
        raise DataError("the table has no row, expected at least one to answer")
    return list(values)


def _load_pyfunc(path: str) -> _Model:
    """What MLflow calls with the run's folder."""
    return _Model(Run.open(path))
