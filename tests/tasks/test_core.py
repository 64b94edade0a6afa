"""What a task of one's own must give, and what it may leave out."""

import inspect

import pytest

from gatework.tasks import Scores, Task
from gatework.tasks._core import Core
from support.source_tree import ROOT
from support.spelling import SpellTask

REFERENCE = (ROOT / "docs" / "reference" / "tasks.md").read_text(encoding="utf-8")
SEVEN = {"load", "fit", "state", "encode", "model", "loss", "evaluate"}


def methods(owner):
    """The methods and properties that a class defines itself."""
    return {name for name, value in vars(owner).items() if inspect.isroutine(value) or isinstance(value, property)}


def test_a_task_must_give_seven_methods_and_no_presentation():
    assert Task.__abstractmethods__ == SEVEN
    assert {name for name in methods(Core) if name[0] != "_"} == SEVEN | {"from_state"}


def test_every_other_method_belongs_to_one_capability_and_has_a_default():
    assert not [name for name in methods(Task) if name[0] != "_"]
    capabilities = [base for base in Task.__mro__[1:] if issubclass(base, Core) and base is not Core]
    names = [name for base in capabilities for name in methods(base) if name[0] != "_"]
    assert len(capabilities) == 6
    assert all(f"{base.__module__}.{base.__name__}" in REFERENCE for base in (Core, *capabilities))
    assert len(set(names)) == len(names)
    assert not set(names) & SEVEN


def test_a_task_of_the_seven_alone_can_be_made_and_comes_back_from_its_state():
    bare = type("Bare", (Task,), {name: vars(SpellTask)[name] for name in SEVEN} | {"__init__": SpellTask.__init__})
    assert bare.from_state({"longest": 4}).state() == {"longest": 4}
    assert bare.baselines(bare(4), None) == []


@pytest.mark.parametrize(("lower_is_better", "better"), [(True, ["a", "b"]), (False, ["c"])])
def test_what_does_better_is_told_best_first_and_nothing_where_a_metric_is_not_known(lower_is_better, better):
    scores = Scores({"mse": 3.0}, baselines={"b": {"mse": 2.0}, "c": {"mse": 4.0, "mae": 1.0}, "a": {"mse": 1.0}})
    assert scores.better("mse", lower_is_better=lower_is_better) == better
    assert scores.better("mae", lower_is_better=lower_is_better) == []


@pytest.mark.parametrize(("theirs", "is_level"), [(0.612, True), (0.601, False), (0.628, False), (0.614, True)])
def test_a_figure_within_2_percent_is_as_good(theirs: float, is_level: bool) -> None:
    assert Scores({"mase": 0.614}, baselines={"naive": {"mase": theirs}}).is_level("naive", "mase") is is_level
