"""The quizzes: their form, where they stand, and how they travel in a page."""

from __future__ import annotations

import base64
import json
import re

import pytest

from gatework.course.lessons import lessons
from gatework.course.notebooks import build
from gatework.course.quizzes import Question, read_questions
from gatework.errors import DataError

LESSONS = lessons()
BY_NAME = pytest.mark.parametrize("each", LESSONS, ids=[each.name for each in LESSONS])


@BY_NAME
def test_every_lesson_asks_three_questions_and_shows_each_once(each):
    shown = re.findall(r"<!-- quiz: (\S+) -->", each.text)
    assert len(shown) >= 3
    assert sorted(shown) == sorted(each.questions)


@BY_NAME
def test_every_numeric_answer_is_computed_by_its_lesson_or_stands_in_the_question(each):
    for question in each.questions.values():
        if question.content["type"] == "numeric":
            assert question.computed or re.search(r"\d", question.content["question"])
            kinds = [answer["type"] for answer in question.content["answers"]]
            assert kinds[-1] == "default", "a number nobody foresaw needs feedback too"


def wrong_answers(question):
    """The feedback of every wrong answer of a question."""
    return [answer["feedback"].strip() for answer in question.content["answers"] if not answer.get("correct")]


@BY_NAME
def test_every_wrong_answer_is_told_why_in_words_about_that_answer(each):
    for question in each.questions.values():
        assert wrong_answers(question), question.name
        seen = []
        for feedback in wrong_answers(question):
            assert len(feedback.split()) >= 6, (question.name, feedback)
            assert re.search(r"[.?]$", feedback), (question.name, feedback)
            assert len(re.findall(r"[.?!:](?= [A-Z])", feedback)) <= 2, (question.name, feedback)
            # Two that share most of their words would fit each other's answer.
            words = set(re.findall(r"\w+", feedback.lower()))
            assert all(len(words & other) < 0.5 * len(words | other) for other in seen), (question.name, feedback)
            seen.append(words)


def test_no_wrong_answer_of_the_course_is_answered_as_another_is():
    every = [
        text.lower() for each in LESSONS for question in each.questions.values() for text in wrong_answers(question)
    ]
    assert len(every) > 100
    assert len(every) == len(set(every))


def test_the_names_of_the_questions_are_unique_in_the_course():
    names = [name for each in LESSONS for name in each.questions]
    assert len(names) == len(set(names))


def test_the_two_questions_of_the_founding_notes_are_asked():
    asked = {q.content["question"]: q for each in LESSONS for q in each.questions.values()}
    first = asked["Why do traditional feedforward networks not suit sequential data?"]
    second = asked["Which problem of RNNs are LSTMs designed to overcome?"]
    rights = [[a["answer"] for a in q.content["answers"] if a["correct"]] for q in (first, second)]
    assert rights == [
        ["They assume that inputs are independent of each other."],
        ["Vanishing and exploding gradients"],
    ]


def test_a_hidden_question_has_id_and_class_and_survives_what_a_browser_does_to_it():
    question = Question("h-before", {"type": "string", "question": "hₜ₋₁ < 1 & é?", "answers": []})
    span = question.span()
    assert ' class="h-before"' in span
    assert ' id="h-before"' in span
    encoded = re.search(r">([^<]+)</span>", span)[1]
    # atob() gives one character per byte: only ASCII JSON comes out whole.
    as_a_browser_reads_it = base64.b64decode(encoded).decode("latin-1")
    assert json.loads(as_a_browser_reads_it) == [question.content]


@BY_NAME
def test_a_notebook_holds_each_question_before_the_cell_that_shows_it(each):
    text = ""
    for cell in build(each).cells:
        for name in re.findall(r'display_quiz\("#([^"]+)"\)', cell.source):
            assert f'id="{name}"' in text
        text += cell.source


ANSWER = 'answer = "x", correct = {}, feedback = "f"'
CHOICE = '[a]\ntype = "multiple_choice"\nquestion = "?"\nanswers = [{{{}}}, {{{}}}]'


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[a]\ntype = "essay"\nquestion = "?"\nanswers = [{}, {}]', "essay"),
        (CHOICE.format(ANSWER.format("true"), 'answer = "y", correct = false'), "feedback"),
        (CHOICE.format(ANSWER.format("true"), ANSWER.format('"no"')), "a.answers.1.correct"),
        (CHOICE.format(ANSWER.format("true"), ANSWER.format("false") + ", colour = 1"), "colour"),
        (CHOICE.format(ANSWER.format("false"), ANSWER.format("false")), "no right answer"),
        ("[a", "not a TOML file"),
        ("a = 1", "expected a table"),
    ],
)
def test_a_malformed_question_is_named(tmp_path, toml, told):
    file = tmp_path / "x.quiz.toml"
    file.write_text(toml)
    with pytest.raises(DataError, match=re.escape(str(file))) as caught:
        read_questions(file)
    assert told in str(caught.value)


def test_the_first_answer_that_fits_a_number_decides():
    answers = [
        {"type": "value", "value": 0.12, "correct": True, "feedback": "f"},
        {"type": "range", "range": [1, 2], "correct": True, "feedback": "f"},
        {"type": "value", "value": 1.5, "correct": False, "feedback": "f"},
    ]
    question = Question("q", {"type": "numeric", "precision": 2, "answers": answers})
    assert question.accepts(0.1216)
    assert question.accepts(1.5)
    assert not question.accepts(2.0)
    assert not question.accepts(0.13)
