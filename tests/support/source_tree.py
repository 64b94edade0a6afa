"""The source tree as the tests of its structure read it: packages, files, imports and classes, parsed and not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "gatework"
LESSONS = "course/lessons"


@dataclass(frozen=True)
class Import:
    """One imported module: where, its full name, whether inside a function and whether for the type checker alone."""

    file: str
    line: int
    module: str
    is_local: bool
    is_for_types: bool

    def __str__(self) -> str:
        return f"src/gatework/{self.file}:{self.line} imports {self.module}"


@cache
def files() -> tuple[str, ...]:
    """Every Python file of the package, relative to it; the lessons' snippets are none of its modules."""
    paths = (path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
    return tuple(sorted(path for path in paths if not path.startswith(LESSONS)))


@cache
def tree(file: str) -> ast.Module:
    """The syntax tree of a file of the package."""
    return ast.parse((SOURCE / file).read_text(encoding="utf-8"))


@cache
def nodes(file: str) -> tuple[ast.AST, ...]:
    """Every node of a file's syntax tree."""
    return tuple(ast.walk(tree(file)))


def package(module: str) -> str:
    """The package or root module that a file or a module's full name belongs to."""
    name = module.removeprefix("gatework.").replace("/", ".").removesuffix(".py").split(".")[0]
    return "gatework" if name == "__init__" else name


def packages() -> set[str]:
    """Every package and root module, the compiled ones among them; the package's own face is "gatework"."""
    return {package(file) for file in files()} | {"_decoding", "_native", "_training"}


@cache
def imports(file: str) -> tuple[Import, ...]:
    """Every import of a file, wherever it stands in it."""
    return tuple(_imports(file, tree(file), is_local=False, is_for_types=False))


def _imports(file: str, node: ast.AST, is_local: bool, is_for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file, child.lineno, alias.name, is_local, is_for_types)
        elif isinstance(child, ast.ImportFrom):
            for module in _modules(child):
                yield Import(file, child.lineno, module, is_local, is_for_types)
        is_typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _imports(file, child, is_local or is_function, is_for_types or is_typing)


def _modules(statement: ast.ImportFrom) -> set[str]:
    assert statement.level == 0, "imports are absolute"
    assert statement.module is not None
    names = (f"{statement.module}.{alias.name}" for alias in statement.names)
    return {name if _is_module(name) else statement.module for name in names}


def _is_module(name: str) -> bool:
    path = ROOT / "src" / name.replace(".", "/")
    return path.is_dir() or any(path.with_suffix(suffix).exists() for suffix in (".py", ".pyi"))


def file_of(module: str) -> str | None:
    """The file of one of the package's own modules, or None for a foreign or compiled one."""
    path = ROOT / "src" / module.replace(".", "/")
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.exists():
            return candidate.relative_to(SOURCE).as_posix()
    return None


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of nodes that reach each other, larger than one node (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for target in sorted(edges.get(node, ())):
            if target not in order:
                visit(target)
            if target in stack:
                lowest[node] = min(lowest[node], lowest[target])
        if lowest[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                groups.append(sorted(group))

    for node in sorted(edges):
        if node not in order:
            visit(node)
    return sorted(groups)
