import re

import pytest

from gatework.data._delimited import read_delimited
from gatework.data.reading import Reading
from gatework.errors import DataError

ROWS = [("date", "y"), *((f"2023-01-{day:02d}", f"{day}.5") for day in range(1, 12))]
COMMAS = "\n".join(",".join(row) for row in ROWS) + "\n"
SEMICOLONS = COMMAS.replace(",", ";")


def table(text: str) -> list[tuple[str, ...]]:
    found = read_delimited(text.encode(), "x.csv", Reading())
    return [tuple(found.frame.columns), *found.frame.rows()]


@pytest.mark.parametrize(
    "text",
    [
        COMMAS,
        SEMICOLONS,
        COMMAS.replace(",", "\t"),
        COMMAS.replace(",", "|"),
        COMMAS.replace("\n", "\r"),
        COMMAS.replace("\n", "\r\n"),
        COMMAS.replace("\n", "\r\r\n"),
        "sep=;\n" + SEMICOLONS,
        "SEP=;\r\n" + SEMICOLONS.replace("\n", "\r\n"),
        "Sales report 2023\n\n" + SEMICOLONS,
        "Sales report 2023;\n" + SEMICOLONS,
        "\n \n" + COMMAS,
        "# made by a logger\n# unit: K, m\n" + COMMAS,
        SEMICOLONS.replace("\n", ";;\n"),
        SEMICOLONS + ";\n;\n",
        "Report; created 2024\nUnit: MWh\n\n" + SEMICOLONS,
        COMMAS.replace("\n", "\n  \n", 3) + "   \n",
        "\ufeff\u200b" + COMMAS,
    ],
    ids=range(18),
)
def test_every_dialect_gives_the_same_table(text) -> None:
    assert table(text) == ROWS


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('{}, "a, ""b"""\n', "A space before the quote that opens a text was left out."),
        ('{},"a, \\"b\\""\n', 'Quotes inside texts are written \\" and were read as ".'),
        ('{},"a, ""b"""\n', None),
    ],
)
def test_quotes_are_read_as_a_program_wrote_them(rows, said) -> None:
    text = "day,note\n" + "".join(map(rows.format, range(3)))
    assert table(text) == [("day", "note"), *((str(day), 'a, "b"') for day in range(3))]
    assert read_delimited(text.encode(), "x.csv", Reading()).notes == ((said,) if said else ())


def test_a_backslash_that_ends_a_text_stays() -> None:
    assert table('path,size\n"C:\\a\\",1\n"C:\\b\\",2\n')[1:] == [("C:\\a\\", "1"), ("C:\\b\\", "2")]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("date;y;note, with, commas\n2023-01-01;1;a, b\n", ("date", "y", "note, with, commas")),
        ('date,"Consumption, MWh"\n2023-01-01,1\n', ("date", "Consumption, MWh")),
        ("date;a;b\n01.01.2023;1,5;2,5\n02.01.2023;1,6;2,6\n", ("date", "a", "b")),
        (",text,label\n0,good,1\n1,bad,0\n", ("", "text", "label")),
        ("text\ngood; bad, ugly\nbad; good, ugly\n", ("text",)),
        ('text,label\n"good; film\nof two lines",pos\n"bad; film",neg\n', ("text", "label")),
        ("only\nword\n", ("only",)),
    ],
)
def test_the_separator_is_what_cuts_the_rows_alike(text, columns) -> None:
    if columns == ("text",):
        text = text.replace("good; bad, ugly", '"good; bad, ugly"').replace("bad; good, ugly", '"bad; good, ugly"')
    assert table(text)[0] == columns


def test_rows_above_the_header_count_in_a_rows_number_and_are_told() -> None:
    found = read_delimited(("sep=;\nSales report\n" + SEMICOLONS).encode(), "x.csv", Reading())
    assert found.row(0) == "row 4"
    assert found.separator == ";"
    assert found.notes == ("The first 2 rows, which stand above the header, were left out.",)


def test_a_header_without_rows_is_an_empty_table() -> None:
    assert table("only") == [("only",)]


def test_a_row_that_does_not_fit_is_named_though_most_do_not() -> None:
    with pytest.raises(DataError, match=r"row 2: 3 fields where the header has 2; put double quotes"):
        table("text,label\ngood, film,pos\nbad, film,neg\nugly, film,neg\n")


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("0,0", "{k},5"),
        ("2024-01-01;0.5", "2024-02-{k};1.{k}"),
        ("12.5", "{k}.5"),
        ("12.5,7.5", "{k}.5,7.5"),
        ("a good film,pos", "a film {k},pos"),
        ("12/24/2023 10:00,8,x y z", "12/25/2023 11:{k},{k},x"),
    ],
)
def test_a_first_row_of_values_is_no_header(header, rows) -> None:
    text = "\n".join([header, *(rows.format(k=k) for k in range(10, 19))])
    separator = ";" if ";" in header else ","
    named = separator.join(f"name{at + 1}" for at in range(header.count(separator) + 1))
    way = ", or put a letter before names that are numbers or dates" if any(map(str.isdigit, header)) else ""
    with pytest.raises(DataError, match=f'of the columns was expected; write one above them, such as "{named}"{way}$'):
        table(text)
    assert table(named + "\n" + text)[1] == tuple(header.split(separator))


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("country,2010,2015,2020", "c,{k},{k},{k}"),
        ("city,2020", "c,{k}"),
        ("0,1,2", "{k}.5,{k},7"),
        ("protein,400.0,400.5", "{k},{k},{k}"),
        ("400.0,400.5,401.0,402.0", "{k},{k}.5,7,7"),
        ("sample,4000,3998,3996,3994", "s,{k},{k}.5,7,7"),
        ("400,5;401;401,5;402", "{k};{k},5;7;7"),
        ("name,2024-01-01,2024-02-01", "n,{k},7"),
        ("text,spam", "word {k},spam"),
        ("Which film is it,1", "film {k},word"),
        ("1. What is it?,2. Is it good?", "film {k},2"),
    ],
)
def test_numbers_dates_and_questions_may_be_names(header, rows) -> None:
    text = "\n".join([header, *(rows.format(k=k) for k in range(10, 19))])
    assert table(text)[0] == tuple(header.split(";" if ";" in header else ","))


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "Row 5 repeats the header and was"), (2, "2 rows, the first of them row 5, repeat the header and were")],
)
def test_headers_that_come_again_in_files_put_together_are_left_out_and_told(count, said) -> None:
    text = "text,label\n" + "a film,pos\n\nanother,label\n"
    found = read_delimited((text + text.replace("label\n", "label \n", 1) * count).encode(), "x.csv", Reading())
    assert found.frame.rows() == [("a film", "pos"), ("another", "label")] * (count + 1)
    assert found.notes == (f"{said} left out.",)
    assert [found.row(at) for at in range(4)] == ["row 2", "row 4", "row 6", "row 8"]
    # A column alone may hold its name.
    assert len(table("word\n" * 3)) == 3


@pytest.mark.parametrize("header", ["text,label", ",text,label", "text,,label,", "text,label,"])
def test_a_header_comes_again_with_its_byte_order_mark_and_its_columns_without_names(header) -> None:
    row = ",".join("x" for _ in header.split(","))
    assert table(f"{header}\n{row}\n\ufeff{header}\n{row}\n")[1:] == [tuple(row.split(","))] * 2


@pytest.mark.parametrize(
    "end",
    [
        "Summe,66.0\n",
        "total,66\n",
        "Gesamt:,66.0\n",
        ",66.0\n",
        "Mittelwert,6.0\n",
        "Total,66.0\nAverage,6.0\n",
        "Min,1\nMax,11\nCount,11\n",
    ],
)
def test_totals_below_a_table_are_left_out_and_told(end: str) -> None:
    text = "\n".join(["day,y", *(f"2023-01-{day:02d},{day}.0" for day in range(1, 12))]) + "\n"
    found = read_delimited((text + end).encode(), "x.csv", Reading())
    if end.startswith(","):
        assert found.frame.height == 12
        return
    assert found.frame.height == 11
    assert "left out: " + end.split("\n")[0].replace(",", ", ") in found.notes[-1]


@pytest.mark.parametrize("end", ["Summe,67.0\n", "total eclipse,66.0\n"])
def test_a_word_for_totals_is_no_proof_of_them(end: str) -> None:
    text = "\n".join(["day,y", *(f"2023-01-{day:02d},{day}.0" for day in range(1, 12))]) + "\n"
    found = read_delimited((text + end).encode(), "x.csv", Reading())
    assert (found.frame.height, found.notes) == (12, ())


def test_totals_of_amounts_are_summed_in_their_own_marks() -> None:
    text = "Tag;Betrag;Notiz\n" + "".join(f"{day:02d}.01.2023;1.00{day},50 €;\n" for day in range(1, 10))
    found = read_delimited(f"{text}Summe;9.049,50 €;\n".encode(), "x.csv", Reading())
    assert found.frame.height == 9
    assert "Summe, 9.049,50 €" in found.notes[-1]


def test_inches_are_no_quotes_and_are_read() -> None:
    rows = [(str(day), f'{day}" pipe') for day in range(2000)]
    text = "day,note\n" + "".join(f"{day},{note}\n" for day, note in rows)
    assert table(text)[1:] == rows


def test_an_empty_column_behind_a_table_is_left_out() -> None:
    assert table("a,b,\n1,2,\n3,4,\n") == [("a", "b"), ("1", "2"), ("3", "4")]
    assert table(",b\n0,2\n1,4\n") == [("", "b"), ("0", "2"), ("1", "4")]


def test_a_word_for_totals_may_be_a_class() -> None:
    text = "y,label\n" + "".join(f"{k},{'max' if k % 3 else 'min'}\n" for k in range(12))
    assert read_delimited(text.encode(), "x.csv", Reading()).frame.height == 12


DAYS = [f"2024-01-{day:02d}" for day in range(1, 21)]
TWO = "".join(f"{day},{at}.5\n" for at, day in enumerate(DAYS))
FIVE = "".join(f"{day},{at},{at + 1},{at}.5,{at}\n" for at, day in enumerate(DAYS))
FILMS = "".join(f"film {at},{'good' if at % 2 else 'bad'}\n" for at in range(20))


@pytest.mark.parametrize(
    ("text", "row", "told"),
    [
        (f"date,y\n,kWh\n{TWO}", 3, "Row 2 describes the columns and was left out: kWh."),
        (f"date,y\nDD.MM.YYYY hh:mm,10^3 EUR\n{TWO}", 3, "Row 2 describes"),
        ("y\n[W/m²]\n" + "1\n2\n3\n", 3, "Row 2 describes"),
        (f"date,y\n----,---\n{TWO}", 3, "Row 2 describes"),
        (f"date,a,b,c,d\nTS,Deg C,°C,m s-1,%\n,Avg,Avg,Max,Smp\n{FIVE}", 4, "Row 2 and the one below it describe"),
        (f'TOA5,CR1000,x\ndate,y\nTS,"kg/m³"\n,Avg\n{TWO}', 5, "Row 3 and the one below it describe"),
        (
            'date,y\nWhen?,How much?\n"{""ImportId"":""a""}","{""ImportId"":""b""}"\n' + TWO,
            4,
            "Row 2 and the one below it describe the columns and were left out: When?, How much?.",
        ),
    ],
)
def test_units_below_the_names_are_left_out_and_told(text: str, row: int, told: str) -> None:
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert any(note.startswith(told) for note in found.notes)
    assert found.row(0) == f"row {row}"
    assert found.frame.height == text.count("\n") - row + 1


@pytest.mark.parametrize(
    "text", [f"date,y\n,kWh\n{TWO}date,y\n,kWh\n{TWO}", f"date,y\n{TWO}\n\nNote: not final\n(c) an office\n"]
)
def test_units_of_files_put_together_and_footers_leave_the_rows_of_the_table(text: str) -> None:
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert len(found.frame) == text.count("2024")
    assert found.frame["y"].str.contains(r"^\d").all()


@pytest.mark.parametrize(
    "text",
    [
        f"date,y\nsoon,error\n{TWO}",
        f"date,y\n2024-01-01,kWh\n{TWO}",
        f"date,y\n,n/a\n{TWO}",
        "text,label\nin,min\n" + FILMS,
        f"date,y\nthe day,the meter\n{TWO}",
        f",y\nsoon,error\n{TWO}",
        f"date,y,\nsoon,error,\n{TWO}",
    ],
)
def test_a_first_row_that_may_be_of_the_table_stays(text: str) -> None:
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert (found.row(0), found.notes) == ("row 2", ())


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"date,y\n{TWO}Source: an office\n", 1),
        (f"date,y\n{TWO}\nGenerated on 2024-03-01\nn = 20\n", 2),
        (f"date,y\n{TWO}Total,\n", 1),
        (f"date,y\n{TWO}Source: an office, a country, and a third\nof two lines\n", 2),
        (f"text,label\n{FILMS}\nWritten by hand\n", 1),
        (f"text,label\n{FILMS}* not seen by me\n", 1),
    ],
)
def test_footers_are_left_out_and_told(text: str, count: int) -> None:
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert found.frame.height == 20
    rows = "The last row holds" if count == 1 else f"The last {count} rows hold"
    assert found.notes[0].startswith(f"{rows} text and no values and w")


@pytest.mark.parametrize(
    "text",
    [
        f"date,y\n{TWO}2024-01-21,\n",
        f"date,y\n{TWO}soon,5\n",
        f"date,y\n{TWO}n/a,\n",
        f"date,y\n{TWO},7\n",
        f"text,label\n{FILMS}film 20,\n",
        "y\n" + "1\n" * 20 + "two\n",
        "text,label\n" + FILMS.replace("film 3,good", "film 3,") + "\nfilm 20,\n",
    ],
)
def test_a_last_row_that_may_be_of_the_table_stays(text: str) -> None:
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert (found.frame.height, found.notes) == (21, ())


@pytest.mark.parametrize(
    ("header", "first", "row"),
    [
        ("date,Heat,,Rain,\n,min,max,mean,sum\n", "date", 3),
        (",Heat,,Rain,\ndate,min,max,mean,sum\n", "date", 3),
        (",Heat,Heat,Rain,Rain\n,min,max,mean,sum\nwhen,,,,\n", "when", 4),
        ("date,Heat,,Rain,\n,min,max,mean,sum\n,°C,°C,mm,mm\n", "date", 4),
    ],
)
def test_names_over_two_rows_are_put_together_and_told(header: str, first: str, row: int) -> None:
    found = read_delimited((header + FIVE).encode(), "x.csv", Reading())
    assert found.frame.columns == [first, "Heat min", "Heat max", "Rain mean", "Rain sum"]
    assert (found.row(0), len(found.frame)) == (f"row {row}", 20)
    assert 'such as "Rain sum"' in found.notes[0]


def test_lines_are_named_where_fields_go_on_over_several() -> None:
    text = 'text,label\n"a\nb",good\n\nc,bad\n"d\n\n",good\n' + FILMS
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert [found.row(at) for at in (0, 1, 3)] == [
        "row 2",
        "row 4 (line 5 of the file)",
        "row 6 (line 9 of the file)",
    ]
    with pytest.raises(DataError, match=r"row 26 \(line 29 of the file\): 3 fields"):
        table(text + "film,20,good\n")


SETTINGS = "Operator;Ada;\nFrom;2024-01-01;\n\n"


@pytest.mark.parametrize(
    ("above", "names", "rows"),
    [
        (SETTINGS, "day;who;amount", "2024-01-{k};x;{k},5"),
        ("Account;DE12\n", "day;who;amount", "2024-01-{k};x;{k},5"),
        ("Plot title: a garden\n", "#,time,heat", "{k},2024-01-{k},{k}.5"),
        ("Source,An office,\n\nUpdated,2024-01-01,\n\n", "country,code,2019,2020", "c,C,{k},{k}"),
        ("+---+---+---+\n", "| day | a | b |", "| 2024-01-{k} | {k} | {k} |"),
    ],
)
def test_names_below_settings_are_names(above: str, names: str, rows: str) -> None:
    text = above + names + "\n" + "".join(rows.format(k=k) + "\n" for k in range(10, 29))
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert found.frame.height == 19
    assert [name for name in found.frame.columns if name] == [name for name in re.split(r"[;,| ]+", names) if name]
    assert "above the header" in found.notes[0]


def test_rows_wider_than_the_header_make_none_of_their_own() -> None:
    with pytest.raises(DataError, match=r"row 2: 3 fields where the header has 2"):
        table("text,label\n" + "good, film,pos\n" * 5)


def test_a_second_level_of_names_that_is_the_same_for_all_is_left_out() -> None:
    text = "Price,Close,Open\nTicker,X,X\nDate,,\n" + "".join(f"{day},{at},{at}\n" for at, day in enumerate(DAYS))
    found = read_delimited(text.encode(), "x.csv", Reading())
    assert (found.frame.columns, len(found.frame), found.row(0)) == (["Date", "Close", "Open"], 20, "row 4")


def test_quotes_that_stand_around_no_field_are_letters() -> None:
    rows = [(f'Title "{k}', f"broken {k}" if k % 5 < 3 else f'a 5" pipe {k}') for k in range(150)]
    text = "head\tbody\n" + "".join("\t".join(row) + "\n" for row in rows)
    found = read_delimited(text.encode(), "x.tsv", Reading(separator="\t"))
    assert found.frame.rows() == rows
    assert found.notes == ("Quotes were read as letters, as they do not stand around fields.",)


def test_tables_of_database_consoles_are_read() -> None:
    line = "+------------+-----+\n"
    text = f"{line}| day        | y   |\n{line}" + "".join(f"| {day} | {at} |\n" for at, day in enumerate(DAYS))
    found = read_delimited(f"{text}{line}20 rows in set (0.00 sec)\n".encode(), "x.csv", Reading())
    assert (found.frame.columns, len(found.frame)) == (["day", "y"], 20)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_separator_at_the_end_of_every_row_but_the_header_is_no_column(end: str) -> None:
    text = end.join(["a,b", *(f'"{k},x",{k},' for k in range(20)), ""])
    assert table(text) == [("a", "b"), *((f"{k},x", str(k)) for k in range(20))]
