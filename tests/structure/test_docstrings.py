"""What a person reads of a function says which tensors it takes and gives."""

import ast
import re
from collections.abc import Iterator

import pytest

from support.source_tree import SOURCE

ARRAYS = re.compile(r"\b(Tensor|ndarray|NDArray|ArrayLike)\b")


def functions(body: list[ast.stmt], owner: ast.ClassDef | None = None) -> Iterator[tuple[str, ast.FunctionDef, str]]:
    """The public functions of a module or class by name, with their docstrings; a constructor has its class's."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions(node.body, node)
        elif isinstance(node, ast.FunctionDef) and (node.name == "__init__" or not node.name.startswith("_")):
            said = owner if owner and node.name == "__init__" else node
            yield f"{owner.name}.{node.name}" if owner else node.name, node, ast.get_docstring(said) or ""


def arrays_of(node: ast.FunctionDef) -> list[str]:
    """The annotations of a function that are of arrays."""
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    given = [a.annotation for a in arguments] + [node.returns]
    return [text for text in (ast.unparse(annotation) for annotation in given if annotation) if ARRAYS.search(text)]


@pytest.mark.parametrize("package", ["nn", "decoding", "inference", "cells", "estimators", "serve", "export", "data"])
def test_whatever_takes_or_gives_tensors_says_their_shapes(package):
    silent, count = [], 0
    for file in sorted((SOURCE / package).rglob("*.py")):
        for name, node, said in functions(ast.parse(file.read_text(encoding="utf-8")).body):
            if arrays_of(node):
                count += 1
                if "shape" not in said.lower():
                    silent.append(f"{file.relative_to(SOURCE)}:{node.lineno} {name}")
    assert count
    assert not silent, chr(10).join(silent)
