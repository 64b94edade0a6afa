import gzip
import io
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest

from gatework.data import load
from gatework.data.tables import read_table
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions

ROWS = [
    (f'text {i}, "quoted"\nsecond line é 😀 {"good" if i % 2 else "bad"}', "ja" if i % 2 else "nein") for i in range(30)
]
FRAME = pl.DataFrame(ROWS, schema=["review", "sentiment"], orient="row")
CONFIG = DataOptions(text="review", label="sentiment")


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


FILES = {
    "reviews.csv": FRAME.write_csv().encode(),
    "reviews.CSV": b"\xef\xbb\xbf" + FRAME.write_csv().replace("\n", "\r\n").replace("\r\nsecond", "\nsecond").encode(),
    "semicolons.csv": FRAME.write_csv(separator=";").encode(),
    "reviews.tsv": FRAME.write_csv(separator="\t").encode(),
    "reviews.jsonl": FRAME.write_ndjson().encode(),
    "reviews.ndjson": FRAME.write_ndjson().replace("\n", "\n\n").encode(),
    "reviews.parquet": parquet(FRAME),
}
FRAMES = {
    "polars": FRAME,
    "pandas": FRAME.to_pandas(),
    "pandas with categories": FRAME.to_pandas().astype({"sentiment": "category"}),
    "pyarrow": FRAME.to_arrow(),
}


@pytest.fixture
def write(tmp_path):
    def writes(name: str, content: bytes | str):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return writes


def content(dataset):
    return [
        (list(part.inputs), part.targets.tolist(), part.inputs.tokens.words(0))
        for part in (dataset.train, dataset.validation, dataset.test)
    ]


EXPECTED = content(load(FRAME, CONFIG, "label"))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_gives_the_same_dataset(name, compressed, write):
    path = write(name + ".gz", gzip.compress(FILES[name])) if compressed else write(name, FILES[name])
    dataset = load(str(path), CONFIG, "label")
    assert content(dataset) == EXPECTED
    assert dataset.classes == ("ja", "nein")
    assert dataset.name == name.split(".")[0]
    assert dict(dataset.columns) == {"text": "review", "label": "sentiment"}
    assert dataset.provenance.licence == "yours"


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_of_frame_gives_the_same_dataset(kind):
    assert content(load(FRAMES[kind], CONFIG, "label")) == EXPECTED


def test_one_changed_character_changes_the_fingerprint(write):
    found = [read_table(write(f"{i}.csv", f"a,b\n1,{i}\n")).fingerprint for i in range(2)]
    frames = [read_table(pl.DataFrame({"a": [i]})).fingerprint for i in range(2)]
    assert len({*found, *frames}) == 4


NUMBERS = "t1,t2,y\n1,2,3\n4,{},6\n7,8,9\n"


def bad(name, content, sentence, **columns):
    return pytest.param(name, content, sentence, columns or {"text": "review", "label": "sentiment"}, id=sentence[:50])


BAD = [
    bad("empty.csv", "", "empty.csv is empty: a header and at least one row were expected"),
    bad("blank.csv", " \n\n", "blank.csv is empty"),
    bad("header.csv", "review,sentiment\n", "header.csv is empty"),
    bad("r.csv", "reviews,sentiment\na,b\n", 'r.csv has no column "review": did you mean "reviews"?'),
    bad("r.csv", "review,Sentiment\na,b\n", 'r.csv has no column "sentiment": did you mean "Sentiment"?'),
    bad("r.csv", "review,label,label\na,b,c\n", 'r.csv has 2 columns named "label"; give each its own name'),
    bad(
        "r.csv",
        "review,sentiment\na,x\n\nb,\nc,y\nd, \n",
        'r.csv: 2 of 4 rows have no label in column "sentiment", the first of them row 4; fill them in or remove',
    ),
    bad(
        "r.jsonl",
        '{"review":"a","sentiment":"x"}\n\n{"review":"b"}\n',
        '1 of 2 rows has no label in column "sentiment", the first of them line 3',
    ),
    bad("r.csv", "review,sentiment\na,x\nb,x\n", 'every label in column "sentiment" is "x"; examples of two classes'),
    bad("r.csv", "review,sentiment\na,x\nb,y\nc,z\n", 'every row has another label in column "sentiment"'),
    bad(
        "r.csv",
        "review,sentiment\nnaïve,x\n".encode() + b"caf\xe9,y\n",
        "r.csv, row 3 (counted in lines of the file): byte 0xe9 is not valid",
    ),
    bad("r.csv", "review,sentiment\na,x\nb,y,z\n", "r.csv, row 3: 3 fields where the header has 2; put double quotes"),
    bad("r.csv", 'review,sentiment\na,x\n"b,y\n', "r.csv, row 3: the quotes do not fit"),
    bad(
        "q.csv",
        'review,sentiment\na,x\nb"c,y\nd\n',
        "q.csv has a quote that no other one closes, the last of all in line 3",
    ),
    bad("r.jsonl", '{"review": "a", "sentiment": "x"}\n{"review": \n', "r.jsonl, line 2: a JSON object was expected"),
    bad("r.jsonl", '\n["a"]\n', "r.jsonl, line 2: a JSON object was expected, found another value"),
    bad("r.jsonl", '[\n{"review": "a"},\n{"review": "b"}]', "r.jsonl is one JSON array; write each of its objects on"),
    bad("r.csv", "review,sentiment\na,x,\nb,y\n", 'r.csv, row 2 ends with "," and the header does not; take it away'),
    bad("r.csv", b"PK\x03\x04\0\0", "r.csv is a spreadsheet or another zip archive, whatever its ending; save the"),
    bad("r.csv", "\n<!DOCTYPE html>\n<html>", "r.csv is a web page; download the file itself"),
    bad("r.csv.gz", gzip.compress(b"review,sentiment\n" + b"a,x\n" * 99)[:-9], "r.csv.gz is truncated: its compressed"),
    bad("r.csv.gz", gzip.compress(b"abc" * 99)[:-8] + b"\xff" * 8, "r.csv.gz is damaged"),
    bad("r.parquet", parquet(FRAME)[:-20], "r.parquet cannot be read as Parquet ("),
    bad("r.csv", NUMBERS.format(""), 'r.csv, column "t2": row 3 is empty, expected a finite number', target="y"),
    bad("r.csv", NUMBERS.format("NaN"), 'r.csv, column "t2": row 3 is "NaN", expected a finite number', target="y"),
    bad("r.csv", NUMBERS.format("-inf"), 'r.csv, column "t2": row 3 is infinite ("-inf"), expected', target="y"),
    bad("r.csv", NUMBERS.format("1e39"), 'r.csv, column "t2": row 3 is "1e39", beyond the largest', target="y"),
    bad("r.csv", NUMBERS.format("four"), 'r.csv, column "t2": row 3 is "four", expected', target="y"),
    bad("r.csv", "t1,y\n1,a\n2,b\n", 'r.csv, column "y": row 2 is "a", expected a number (and 1 more)', target="y"),
    bad("r.csv", "words,y\na,1\nb,2\n", "r.csv has no column of numbers to predict from: there is words", target="y"),
    bad("r.csv", "t1,y\n1,1\n", "1 examples are too few to hold back 20% of them for testing", target="y"),
]


@pytest.mark.parametrize(("name", "content", "sentence", "columns"), BAD)
def test_bad_input_is_one_sentence_that_says_where(name, content, sentence, columns, write):
    path = write(name, content)
    with pytest.raises(DataError) as caught:
        load(str(path), DataOptions(**columns))
    said = str(caught.value)
    assert sentence in said
    assert "\n" not in said
    assert said.startswith(str(path)) or "too few" in said


def test_a_missing_file_suggests_its_nearest_neighbour(write):
    path = write("reviews.csv", "a,b\n")
    with pytest.raises(DataError, match=r'revews.csv is not there; did you mean "reviews.csv"\?'):
        load(str(path.with_name("revews.csv")), CONFIG)
    with pytest.raises(DataError, match=r"is not there: the folder .*/nowhere does not exist"):
        load(str(path.parent / "nowhere" / "x.csv"), CONFIG)


def test_a_name_that_is_neither_a_data_set_nor_a_file_suggests_a_data_set():
    with pytest.raises(UsageError, match=r'no data set and no file "wave": did you mean "waves"\?'):
        load("wave", CONFIG)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.xlsx", "save its sheet as CSV"),
        ("a.txt", "name it .csv"),
        ("a.bin", "give one of"),
        ("a.json", "jq -c"),
        ("a.db", "sqlite3 -csv"),
    ],
)
def test_another_kind_of_file_says_what_can_be_read(name, hint, write):
    with pytest.raises(UsageError, match=re.escape(hint)):
        load(str(write(name, "x")), CONFIG)


def test_something_else_than_data_says_what_can_be_given():
    for source in (3, {"a": [1]}, FRAME.lazy()):
        with pytest.raises(UsageError, match="is not data that can be read"):
            load(source, CONFIG)


def test_a_frame_names_its_rows_from_zero():
    frame = pd.DataFrame({"t1": [1.0, np.nan, 3.0], "y": [1, 2, 3]})
    with pytest.raises(DataError, match=r'the data frame, column "t1": row 1 \(counted from 0\) is empty'):
        load(frame, DataOptions(target="y"))


def test_a_frame_with_repeated_columns_is_refused_in_a_sentence():
    with pytest.raises(DataError, match=r"the data frame cannot be read: .* 'a' 2 times"):
        load(pd.DataFrame([[1, 2]], columns=["a", "a"]), CONFIG)


def test_the_levels_of_a_frames_index_are_columns():
    rows = pd.DataFrame({"shop": ["a", "b"], "day": pd.to_datetime(["2024-01-01"] * 2), "y": [1, 2]})
    table = read_table(rows.set_index(["shop", "day"]))
    assert table.frame.equals(read_table(rows).frame)


def test_whole_numbers_that_a_missing_value_made_fractional_are_the_same_labels():
    table = read_table(pd.DataFrame({"label": [1.0, 0.0]}))
    assert table.labels("label").to_list() == ["1", "0"]


def test_an_unreadable_file_is_told(write):
    path = write("r.csv", "a,b\n1,2\n")
    path.chmod(0)
    if not _is_denied(path):
        pytest.skip("this user may read every file")
    with pytest.raises(DataError, match="cannot be read: permission denied"):
        load(str(path), CONFIG)


def _is_denied(path) -> bool:
    try:
        path.read_bytes()
    except PermissionError:
        return True
    return False
