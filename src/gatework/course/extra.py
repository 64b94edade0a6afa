"""The packages that only the course needs."""

from __future__ import annotations

import importlib.util

from gatework.errors import UsageError

COURSE = (
    "jupytext",
    "jupyterquiz",
    "jsonschema",
    "latex2mathml",
    "markdown_it",
    "mdit_py_plugins",
    "nbclient",
    "nbformat",
    "onnxruntime",
    "sacrebleu",
    "uvicorn",
)


def need(*modules: str) -> None:
    """Refuses to go on without these modules.

    Raises:
        UsageError: One of them is not installed; the sentence says how to install it.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise UsageError(
            f'the course needs {", ".join(missing)}, which is not installed; try: pip install "gatework[course]"'
        )
