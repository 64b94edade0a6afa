import math

import numpy as np
import polars as pl
import pytest

from gatework.data.numbers import NumberReader, number_marks, numbers, plain_texts
from gatework.data.reading import Reading
from gatework.errors import DataError

ROW = "row {}".format


def read(*columns: list[object], **reading: str) -> list[list[float]]:
    series = [pl.Series(f"c{k}", values) for k, values in enumerate(columns)]
    marks = number_marks(series, Reading(**reading))[0]
    return [numbers(column, "x.csv", ROW, marks).tolist() for column in series]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1", "2.5", "1e3"], [1, 2.5, 1000]),
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1.234,5", "3"], [1234.5, 3]),
        (["1,234.5", "3"], [1234.5, 3]),
        (["1.000.000", "500"], [1e6, 500]),
        (["1 234,5", "1\u202f234,5", "1\u00a0000"], [1234.5, 1234.5, 1000]),
        (["1'234.5", "2"], [1234.5, 2]),
        (["−5", "-3"], [-5, -3]),
        (["True", "false"], [1, 0]),
        (["1.000,50 €", "-3,5 €", "€ -2", "-€ 4"], [1000.5, -3.5, -2, -4]),
        (["$1,200.50", "($7.25)", "(3)", "$ (1,234.00)", "$( 5 )"], [1200.5, -7.25, -3, -1234, -5]),
        (["12%", "−5 %", "7.5"], [12, -5, 7.5]),
        (["1'000.50 CHF", "USD 3", "NA"], [1000.5, 3, math.nan]),
        (["-€ 5", "- 3 €", "€- 2,5", "5,00 €-", "15,00- €", "€-"], [-5, -3, -2.5, -5, -15, 0]),
        (["- €", "€ -", "7,– €", "8,-- €", "1.234,-", "2,50"], [0, 0, 7, 8, 1234, 2.5]),
        (["$ -   ", "US$ 5", "$5.00 USD", "R$1", "₽3", "4 SEK", "5 ‰", "- %"], [0, 5, 5, 1, 3, 4, 5, math.nan]),
        (["1.234,56-", "- 2,00", "3,00"], [-1234.56, -2, 3]),
        (["12,34,567.5", "1,00,000", "2.5"], [1234567.5, 100000, 2.5]),
        (["1\u2009234,5", "1\u2007000,5"], [1234.5, 1000.5]),
        (["１２", "＋３.5", "－4", "1"], [12, 3.5, -4, 1]),
        (["1.238", "70.7"], [1.238, 70.7]),
        (["0.238", "0.707"], [0.238, 0.707]),
        (["1000000001.735", "999999999.072"], [1000000001.735, 999999999.072]),
    ],
    ids=str,
)
def test_numbers_are_read_in_the_marks_that_fit_all_of_them(texts, expected) -> None:
    np.testing.assert_array_equal(read(texts), [expected])


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("12%", "12"),
        ("1,5 €", "1,5"),
        ("(3.5)", "-3.5"),
        ("$ (2.5)", "-2.5"),
        ("- €", "0"),
        ("7,–", "7"),
        ("1,5-", "-1,5"),
        ("- 2", "-2"),
    ],
)
def test_what_was_read_without_the_sign_beside_it_is_told(text, plain) -> None:
    said = number_marks([pl.Series("a", ["1", "2"]), pl.Series("y", ["1", text])], Reading())[1]
    assert said[0] == f'"{text}" in the column "y" was read as {plain}.'
    assert not number_marks([pl.Series("y", ["a", text])], Reading())[1]


def test_two_currencies_in_one_column_are_told() -> None:
    (said,) = number_marks([pl.Series("y", ["5 €", "$6", "7 €", "8"])], Reading())[1]
    assert said == '"5 €" in the column "y" was read as 5; it holds € and $, which were not told apart.'


def test_three_digits_after_every_mark_are_a_doubt_that_is_decided_and_told() -> None:
    assert read(["1.238", "707"]) == [[1238, 707]]
    assert read(["1.238", "1.707"]) == [[1.238, 1.707]]
    assert read(["1.238", "1.707"], decimal=",") == [[1238, 1707]]
    assert read(["1.238", "707"], decimal=".") == [[1.238, 707]]
    assert read(["1,238", "1,707"]) == [[1238, 1707]]
    assert read(["1,238", "1,707"], separator=";") == [[1.238, 1.707]]
    _, notes = number_marks([pl.Series("sales", ["1.238", "707"])], Reading())
    assert notes[0].startswith('"1.238" in the column "sales" was read as 1238')
    assert notes[0].endswith('give --decimal ".".')


def test_one_column_decides_for_another() -> None:
    assert read(["1.238", "1.707"], ["12,5", "1"]) == [[1238, 1707], [12.5, 1]]
    assert read(["20.123", "19.456"], ["45", "146"]) == [[20.123, 19.456], [45, 146]]


@pytest.mark.parametrize("odd", ["broken", "1.0.2", "1,2,3"])
def test_one_odd_field_leaves_the_others_readable_and_is_the_one_that_is_named(odd: str) -> None:
    with pytest.raises(DataError, match=f'row 20 is "{odd}", expected a number; mend'):
        read([f"{20 + k},5" for k in range(20)] + [odd])
    with pytest.raises(DataError, match=f'row 20 is "{odd}", expected a number; mend'):
        read([f"1.{100 + k},5" for k in range(20)] + [odd])


def test_dashes_and_what_spreadsheets_and_people_write_for_nothing_are_missing_values() -> None:
    missing = ["---", "–", "n/a", "#DIV/0!", "#NV", ".", "k.A."]
    assert str(read(["1,5", *missing])) == str([[1.5] + [float("nan")] * len(missing)])


@pytest.mark.parametrize(
    "text", ["1_0", "two", "0x10", "12%%", "5 EUR/h", "1€2", "(a)", "%", "1,5,5", "١", "2-", "1-5", "-5-"]
)
def test_what_is_no_number_is_named(text) -> None:
    with pytest.raises(DataError, match=r'x.csv, column "c0": row 1 is ".*", expected a number; mend'):
        read(["1", text])
    assert NumberReader(Reading())(text) is None


@pytest.mark.parametrize("text", ["1e39", "-1e300", "9" * 400, "inf"])
def test_a_number_that_cannot_be_computed_with_is_named(text) -> None:
    with pytest.raises(DataError, match='column "c0": row 1 is'):
        read(["1", text])


@pytest.mark.parametrize("text", ["1.5", "-3", "1e5", "", "NA", " 7 ", "true", "12%", "($3)", "- €", "5.00-", "7.– €"])
def test_one_text_is_read_as_a_column_is(text) -> None:
    column = read(["2.5", text])[0][1]
    one = NumberReader(Reading())(text)
    assert one == column or (one is not None and math.isnan(one) and math.isnan(column))


@pytest.mark.parametrize(
    ("values", "known", "expected"),
    [
        (["1.0", "0.0"], (), ["1", "0"]),
        ([1.0, 0.0, None], (), ["1", "0", None]),
        (["True", "false"], (), ["true", "false"]),
        ([True, False], (), ["true", "false"]),
        (["1.0", "1.5"], (), ["1.0", "1.5"]),
        (["1.0"], ("1.0", "1.5"), ["1.0"]),
        (["1.0"], ("0", "1"), ["1"]),
        ([1], ("1.0", "2.5"), ["1.0"]),
        (["007", "1"], (), ["007", "1"]),
        (["0.0", "1.0", "NaN"], (), ["0", "1", None]),
        ([np.nan, 1.5], (), [None, "1.5"]),
        ([" a ", ""], (), ["a", None]),
    ],
    ids=str,
)
def test_a_label_is_the_same_however_a_program_wrote_it(values, known, expected) -> None:
    assert plain_texts(pl.Series("l", values), "x.csv", known).to_list() == expected
