import fcntl
import io
import os
import struct
import termios

import pytest

from gatework.formatting import aligned, listed, number, spell, with_spread, wrapped


@pytest.mark.parametrize(
    ("mean", "std", "text"),
    [
        (0.001862, 0.000043, "0.00186 ± 0.00004"),
        (0.001862, 0.000123, "0.00186 ± 0.00012"),
        (0.86234, 0.0041, "0.862 ± 0.004"),
        (0.5, 0.0, "0.500"),
        (123456.0, 789.0, "123,456 ± 789"),
        (0.9996, 0.000001, "0.9996 ± 0.000001"),
    ],
)
def test_a_mean_has_the_digits_that_its_spread_supports(mean, std, text):
    assert with_spread(mean, std, 2) == text


def test_names_are_listed_as_a_sentence_has_them():
    assert [listed(list("abc")[:count]) for count in range(4)] == ["", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (float("nan"), "—"),
        (float("inf"), "∞"),
        (0, "0"),
        (5121, "5,121"),
        (0.0063, "0.00630"),
        (1.5e-7, "1.50 × 10⁻⁷"),
        (1234.5, "1,234"),
    ],
)
def test_a_number_has_three_significant_digits(value, text):
    assert number(value) == text


def test_decimal_points_stand_below_each_other():
    assert aligned(["1.5", "12.25", "7"]) == ["\u20071.5", "12.25", "\u20077"]


def test_a_span_of_time_has_the_unit_that_a_person_would_take():
    spans = (0.2, 7, 89.4, 300, 720, 5400, 100_000)
    assert [spell(seconds) for seconds in spans] == [
        "1 second", "7 seconds", "89 seconds", "5 minutes", "12 minutes", "1.5 hours", "28 hours",
    ]  # fmt: skip


def test_a_sentence_is_cut_between_words_on_a_terminal_alone():
    sentence = "gatework: /a/path/that/is/longer/than/a/line.csv has no column; name another"
    assert wrapped(sentence, io.StringIO()) == sentence
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "w") as terminal:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
        lines = wrapped(sentence, terminal).split("\n")
        beside = wrapped("name  what it is in more words than a line has", terminal, 6)
    assert beside.split("\n") == ["name  what it is in more words", "      than a line has"]
    assert lines == ["gatework:", "/a/path/that/is/longer/than/a/line.csv", "has no column; name another"]
