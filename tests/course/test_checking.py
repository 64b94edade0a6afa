"""The exercises and what their checks say."""

from __future__ import annotations

import pytest

from gatework import course
from gatework.course.exercises import REGISTRY
from gatework.errors import UsageError

EXERCISES = pytest.mark.parametrize("exercise", REGISTRY.values(), ids=REGISTRY)
MISTAKES = [(e, m) for e in REGISTRY.values() for m in e.mistakes]


def named(function, name):
    """The function as a learner would have written it, under the exercise's name."""

    def learners(*arguments):
        return function(*arguments)

    learners.__name__ = name
    return learners


@EXERCISES
def test_the_solution_passes_its_own_check(exercise):
    feedback = course.check(named(exercise.solution, exercise.name))
    assert feedback.is_right
    assert str(feedback) == f"Right. {exercise.praise}"


@EXERCISES
def test_at_least_two_mistakes_are_known_by_name(exercise):
    assert len(exercise.mistakes) >= 2


@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{e.name}-{m.function.__name__}" for e, m in MISTAKES]
)
def test_a_typical_mistake_gets_its_own_sentence(exercise, mistake):
    feedback = course.check(named(mistake.function, exercise.name))
    assert str(feedback) == f"Not yet. {mistake.sentence}"


@EXERCISES
def test_an_empty_answer_is_an_invitation(exercise):
    feedback = course.check(named(lambda *_: None, exercise.name))
    assert not feedback.is_right
    assert str(feedback).startswith("Your turn.")


@EXERCISES
def test_an_error_in_the_answer_is_told_in_words(exercise):
    def broken(*arguments):
        raise ZeroDivisionError("division by zero")

    feedback = course.check(named(broken, exercise.name))
    assert "raised ZeroDivisionError: division by zero" in str(feedback)


@EXERCISES
def test_an_unforeseen_answer_is_shown_beside_the_right_one(exercise):
    feedback = course.check(named(lambda *_: [[12345.0]], exercise.name))
    assert "should be" in str(feedback)


def test_an_unforeseen_number_of_the_right_form_comes_with_a_hint():
    feedback = course.check(named(lambda predicted, actual: 7.0, "mean_squared_error"))
    assert "should be 1.417, and yours is 7" in str(feedback)
    assert "square, mean" in str(feedback)


def test_a_branch_without_return_is_named():
    def clip(gradient, most):
        if (gradient**2).sum() <= most**2:
            return gradient
        return None

    assert "a branch of your function ends without return" in str(course.check(clip))


def test_an_answer_may_change_its_arguments_without_spoiling_the_next_case():
    def windows(series, width):
        pairs = []
        while len(series) > width:
            pairs.append((series[:width], series[width]))
            series.pop(0)
        return pairs

    assert course.check(windows).is_right


def test_a_function_that_no_exercise_asks_for_is_named():
    def forget_gates():
        return None

    with pytest.raises(UsageError, match='did you mean "forget_gate"'):
        course.check(forget_gates)


def test_what_a_page_shows_escapes_what_a_learner_wrote():
    def clip(gradient, most):
        raise ValueError("<script>alert(1)</script>")

    page = course.check(clip)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
