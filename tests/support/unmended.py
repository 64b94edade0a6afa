"""What the structure of `src/` has left to mend, measured from its files.

The list in `tests/structure/unmended.toml` may only become shorter. It is exact, so that whoever mends a place is asked
to take it off; `cd tests && ../.venv/bin/python -m support.unmended` writes it as it is.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import tomli_w

from support.source_tree import ROOT, SOURCE, Import, circles, file_of, files, imports, nodes, package

LIST = ROOT / "tests" / "structure" / "unmended.toml"

# Lowest first. A package imports from the floors below its own and from itself, never from its own floor or above.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("_equal_runs", "_files", "_lazy", "_pair_vectors", "_registry", "_stored", "_threads", "formatting"),
    ("options",),
    ("_decoding", "_native", "_training"),
    ("cells",),
    ("scan",),
    ("inference", "nn"),
    ("decoding",),
    ("data",),
    ("recipe",),
    ("tasks",),
    ("training",),
    ("evaluation",),
    ("pages", "search"),
    ("reports",),
    ("inside",),
    ("_compared", "_trained", "_tuned"),
    ("estimators", "export", "serve"),
    ("bench", "course"),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
# The package's own face: it names everything lazily, and anybody may ask it for the version.
FACE = "gatework"
# Rooms that do not stand on their floor yet, and the floor they are going to.
MOVING: dict[str, str] = {}

# Commands are read for `gatework --help`, which imports nothing heavy; a comparison starts workers before it imports.
LAZY_FACES = ("cli/", "_compared.py", "_trained.py", "_tuned.py")
# What takes long to import, or comes with an extra that may be absent.
HEAVY = {
    *("torch", "triton", "numpy", "polars", "narwhals", "plotly", "sklearn", "scipy", "safetensors", "statsforecast"),
    *("holidays", "babel"),
    *("rich", "pooch", "requests", "jinja2", "markupsafe", "matplotlib"),
    *("keras", "tensorflow", "jax", "flax"),
    *("tokenizers", "sacrebleu", "rapidfuzz", "soundfile", "soxr", "kaldi_native_fbank", "sounddevice"),
    *("starlette", "msgspec", "uvicorn", "optuna", "distributed"),
    *("huggingface_hub", "tensorboardX", "wandb", "mlflow"),
    *("onnx", "onnxruntime", "h5py", "sympy"),
    *(
        "IPython",
        "nbformat",
        "nbclient",
        "jupyter_client",
        "jupyter_core",
        "traitlets",
        "jupytext",
        "jupyterquiz",
        "jsonschema",
    ),
    *("latex2mathml", "markdown_it", "mdit_py_plugins", "pygments"),
    *("onnx", "onnxruntime", "sympy", "charset_normalizer"),
    # Not on every system.
    *("resource", "multiprocessing"),
}

EMPTY_NAMES = {"found", "own"}

# Other people's code, and toys that have small tasks of their own.
OTHERS = {"vendor", "playground"}
# No package below or beside the tasks knows one of them by name, in code, texts or templates.
NAMELESS = ("cli", "reports", "evaluation", "search", "training", "data", "inside")
TASK = re.compile(
    r"(?<![a-z])(classif(y|ier|ication)|regress(ion)?|forecast(s|ing|er)?|detect(s|ion|ions|or)?)(?![a-z])",
    re.IGNORECASE,
)


def measured() -> dict[str, object]:
    """Everything that is left, in the form of the list."""
    asserts, ignores = escapes()
    return {
        "imports_upward": sorted({place(found) for found in inner_imports() if not runs_down(found)}),
        "imports_in_circles": sorted(file for group in circles(edges()) for file in group),
        "own_imports_in_functions": own_imports_in_functions(),
        "light_imports_in_functions": light_imports_in_functions(),
        "files_that_name_a_task": files_that_name_a_task(),
        "class_names_used_twice": class_names_used_twice(),
        "assert_isinstance": asserts,
        "type_ignore": ignores,
    }


def inner_imports() -> list[Import]:
    """Every import of one file of the package by another."""
    return [found for file in files() for found in imports(file) if found.module.split(".")[0] == "gatework"]


def place(found: Import) -> str:
    """An import as the list names it: a file and the package that it reaches for."""
    return f"{found.file} -> {package(found.module)}"


def floor(name: str) -> str:
    """The room's place in FLOORS, be it there already or on its way."""
    return MOVING.get(name, name)


def runs_down(found: Import) -> bool:
    """Whether an import stays in its package or goes to a lower floor."""
    source, target = package(found.file), package(found.module)
    if FACE in (source, target):
        return True
    return floor(source) == floor(target) or LEVEL.get(floor(target), len(FLOORS)) < LEVEL.get(floor(source), -1)


def edges() -> dict[str, set[str]]:
    """Which files each file imports at run time, wherever in it the import stands."""
    result: dict[str, set[str]] = {file: set() for file in files()}
    for found in inner_imports():
        target = file_of(found.module)
        if target not in (None, found.file) and not found.is_for_types:
            result[found.file].add(str(target))
    return result


def own_imports_in_functions() -> dict[str, int]:
    """How many imports of the package itself stand inside the functions of each file that is no lazy face."""
    local = (found.file for found in inner_imports() if found.is_local)
    return dict(sorted(Counter(file for file in local if not file.startswith(LAZY_FACES)).items()))


def light_imports_in_functions() -> list[str]:
    """Imports of foreign packages inside functions that cost nothing at the top."""
    roots = {
        (file, found.module.split(".")[0])
        for file in files()
        for found in imports(file)
        if found.is_local and not file.startswith("bench/")
    }
    return sorted(f"{file} -> {root}" for file, root in roots if root not in HEAVY | {"gatework"})


def files_that_name_a_task() -> list[str]:
    """Files of the packages that know no task which name one all the same."""
    paths = (path for name in NAMELESS for path in sorted((SOURCE / name).rglob("*")))
    written = (path for path in paths if path.suffix in (".py", ".html", ".js") and not OTHERS & set(path.parts))
    named = (path for path in written if _names_a_task(path))
    return sorted(path.relative_to(SOURCE).as_posix() for path in named)


def _names_a_task(path: Path) -> bool:
    file = path.relative_to(SOURCE).as_posix()
    texts = _words_of_code(file) if path.suffix == ".py" else [path.read_text(encoding="utf-8")]
    return any(TASK.search(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", text)) for text in texts)


def _words_of_code(file: str) -> list[str]:
    """Names and strings of a file, without its docstrings and comments."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = (node.body for node in nodes(file) if isinstance(node, documented))
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    fields = ("id", "attr", "name", "arg", "value", "module")
    values = [getattr(node, field, None) for node in nodes(file) if id(node) not in docstrings for field in fields]
    return [value for value in values if isinstance(value, str)]


def class_names_used_twice() -> list[str]:
    """Names that more than one class of the tree has; a private one is its file's own affair."""
    names = (node.name for file in files() for node in nodes(file) if isinstance(node, ast.ClassDef))
    return sorted(name for name, count in Counter(names).items() if count > 1 and not name.startswith("_"))


def names_that_say_nothing() -> dict[str, int]:
    """How often each file calls something by a name that would fit anything."""
    bound = (
        file
        for file in files()
        for node in nodes(file)
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in EMPTY_NAMES)
        or (isinstance(node, ast.arg) and node.arg in EMPTY_NAMES)
    )
    return dict(sorted(Counter(bound).items()))


def escapes() -> tuple[int, int]:
    """How often a type is asserted at run time, and how often the type checker is told to look away."""
    asserts = sum(
        isinstance(node, ast.Assert) and "isinstance(" in ast.unparse(node.test)
        for file in files()
        for node in nodes(file)
    )
    ignores = sum((SOURCE / file).read_text(encoding="utf-8").count("# type: ignore") for file in files())
    return asserts, ignores


if __name__ == "__main__":
    LIST.write_text(tomli_w.dumps(measured()), encoding="utf-8")
