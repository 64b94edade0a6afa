"""Questions with several right answers: boxes that are judged together, on the site and in a notebook."""

import html

import pytest

from gatework.course.quizzes import Question, display_quiz
from gatework.course.site import _quiz_script

ANSWERS = {"first": True, "second": True, "wrong": False, "as wrong": False}
QUESTION = Question(
    "both",
    {
        "type": "many_choice",
        "question": "Which? Choose all.",
        "answers": [{"answer": a, "correct": c, "feedback": f"That of {a}."} for a, c in ANSWERS.items()],
    },
)
ONE = Question(
    "one",
    {
        "type": "multiple_choice",
        "question": "Which one?",
        "answers": [{"answer": a, "correct": a == "first", "feedback": f"That of {a}."} for a in ANSWERS],
    },
)
SPANS = QUESTION.span() + ONE.span()


def _of_site() -> str:
    places = "".join(f'<section class="quiz" data-quiz="{name}"></section>' for name in ("both", "one"))
    return f"{SPANS}{places}<script>{_quiz_script()}</script>"


def _of_notebook(monkeypatch) -> str:
    """What `display_quiz` shows, each of it put into a page as a notebook does: when what is before it has run."""
    shown = []
    for place in ("IPython.display.display", "jupyterquiz.dynamic.display.display"):
        monkeypatch.setattr(place, shown.append)
    display_quiz("#both")
    display_quiz("#one")
    kinds = {"HTML": "{}", "Javascript": "<script>{}</script>"}
    return SPANS + "".join(kinds[type(each).__name__].format(each.data) for each in shown)


@pytest.mark.browser
@pytest.mark.parametrize("place", ["site", "notebook"])
def test_several_right_answers_are_boxes_that_are_judged_together(place, monkeypatch, show, tmp_path):
    body = _of_site() if place == "site" else _of_notebook(monkeypatch)
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><title>{html.escape(place)}</title>{body}", encoding="utf-8")
    page = show(path)
    page.locator("input[type=checkbox]").first.wait_for()
    question = page.locator(".Quiz", has_text="Choose all")
    assert question.locator("input[type=checkbox]").count() == len(ANSWERS)
    assert page.locator(".Quiz", has_text="Which one?").locator("input[type=radio]").count() == len(ANSWERS)
    feedback, check = question.locator(".Feedback"), question.get_by_role("button", name="Check")

    def said(*ticked):
        for name in ANSWERS:
            question.get_by_role("checkbox", name=name, exact=True).set_checked(name in ticked)
        assert feedback.inner_text() == ""
        check.click()
        assert question.locator(".correctButton").count() == sum(ANSWERS[name] for name in ticked)
        assert question.locator(".incorrectButton").count() == sum(not ANSWERS[name] for name in ticked)
        return feedback.inner_text().split("\n\n"), "incorrect" not in feedback.get_attribute("class")

    assert said() == (["Tick every answer that is right, then check."], False)
    assert said("first") == (["That of first.", "So far right; one is missing."], False)
    assert said("first", "wrong") == (["That of wrong."], False)
    assert said("first", "second", "as wrong") == (["That of as wrong."], False)
    told, is_right = said("first", "second")
    assert (sorted(told), is_right) == (["That of first.", "That of second.", "These are all."], True)
