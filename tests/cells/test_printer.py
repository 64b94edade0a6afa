"""Every language writes every operation, and its numbers as the language reads them."""

import math

import pytest

from gatework.cells._printer import CPP, JAVASCRIPT, statements
from gatework.cells._symbol import ARITIES, Graph


@pytest.mark.parametrize("language", [CPP, JAVASCRIPT], ids=["C++", "JavaScript"])
def test_a_language_writes_every_operation_with_all_its_arguments(language):
    assert set(language.operations) == set(ARITIES)
    for operation, arity in ARITIES.items():
        names = [f"name{k}" for k in range(arity)]
        written = language.operations[operation].format(*names)
        assert all(written.count(name) == 1 for name in names)


def test_a_node_is_written_once_and_after_its_arguments():
    graph = Graph("")
    x, half = graph.input("x"), graph.constant(0.5)
    y = graph.apply("tanh", x) * half
    z = graph.apply("where", y > x, y, graph.constant(-math.inf))
    names = {x: "x"}
    assert [text for _, text in statements([z, y], names, {z: "z"}, JAVASCRIPT)] == [
        "const t1 = tanh(x);",
        "const t3 = t1 * (0.5);",
        "const t4 = t3 > x;",
        "const z = t4 ? t3 : (-Infinity);",
    ]
    names = {x: "x"}
    assert [text for _, text in statements([z, y], names, {z: "z"}, CPP)] == [
        "const V t1 = tanh(x);",
        "const V t3 = t1 * V::constant(0.5);",
        "const auto t4 = t3 > x;",
        "const V z = select(t4, t3, V::constant(-__builtin_inf()));",
    ]
