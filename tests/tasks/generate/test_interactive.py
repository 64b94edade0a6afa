import pytest

from gatework.tasks.generate.drawing import writer_of
from gatework.tasks.generate.interactive import Turns, played
from gatework.tasks.generate.request import Request
from support.texts import run as trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("interactive"))


def session(run, prompt: str = "The ") -> Turns:
    return Turns(writer_of(run.network), run.task.tokens, prompt, Request(seed=1, does_end=False))


def test_choices_are_the_likeliest_and_one_of_them_is_taken(run):
    under_way = session(run)
    choices = under_way.choices()
    assert len(choices) == 9
    assert [p for _, p in choices] == sorted((p for _, p in choices), reverse=True)
    assert under_way.obey("2") == ""
    assert under_way.text == "The " + run.task.tokens.pieces[choices[1][0]].decode()


def test_going_back_takes_one_thing_back_and_the_same_is_drawn_again(run):
    under_way = session(run)
    under_way.obey("+30")
    written = under_way.text
    assert len(written) == 34
    under_way.obey('"and so')
    assert under_way.text == written + "and so"
    under_way.obey("u")
    under_way.obey("u")
    assert under_way.text == "The "
    assert under_way.obey("u") == "there is nothing to go back to"
    under_way.obey("+30")
    assert under_way.text == written


def test_the_temperature_changes_on_the_fly(run):
    first, second = session(run), session(run)
    for under_way in (first, second):
        under_way.obey("t 0")
    first.obey("")
    second.obey("+40")
    assert first.text == second.text
    assert "expected a number" in first.obey("t hot")


@pytest.mark.parametrize("line", ["0", "10", "x", "+x"])
def test_a_line_that_means_nothing_is_answered_with_what_does(run, line):
    assert "u goes back" in session(run).obey(line)


def test_a_terminal_shows_the_text_and_its_choices_until_the_end(run):
    shown = list(played(session(run), iter(["+5\n", "bad\n", "q\n", "+5\n"])))
    assert len(shown) == 5
    assert "1 " in shown[1]
    assert shown[-1].startswith("\nThe ")
    assert len(shown[-1].strip("\n")) <= 9
