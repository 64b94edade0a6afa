"""Files of the time-series classification archive, read as long tables."""

from __future__ import annotations

import pytest

from gatework import tasks
from gatework.data.ts_files import read_ts
from gatework.errors import DataError
from gatework.recipe import Recipe

HEAD = "# a comment\n@problemName Made\n@timeStamps false\n@equalLength false\n@classLabel true 1 2\n@data\n"


def written(folder, body, head=HEAD):
    path = folder / "made_TRAIN.ts"
    path.write_text(head + body)
    return path


def test_a_line_is_one_series_of_its_variables_and_its_class(tmp_path):
    table = read_ts(written(tmp_path, "1,2,?:4,5,6:1\n7:8:2\n"))
    assert table.frame.rows() == [
        ("1", 0, "1", "1", "4"),
        ("1", 1, "1", "2", "5"),
        ("1", 2, "1", "?", "6"),
        ("2", 0, "2", "7", "8"),
    ]
    assert (table.name, table.row(3)) == ("made_TRAIN", "line 8")


def test_such_a_file_needs_no_options_and_is_tested_on_its_sister(tmp_path):
    path = written(tmp_path, "".join(f"{k},{k + 1},?:{k},0,{k}:{1 + k % 2}\n" for k in range(12)))
    dataset = tasks.load(str(path), Recipe(task="classify").changed(test_file=str(path)))
    assert (len(dataset.test), dataset.classes, dataset.columns["values"]) == (12, ("1", "2"), ("value1", "value2"))
    assert dataset.test.inputs[3].tolist() == [[3, 3], [4, 0], [4, 3]]


@pytest.mark.parametrize(
    ("body", "head", "message"),
    [
        ("1,2:1\n", "", 'no line "@data"'),
        ("", HEAD, "is empty"),
        ("1,2:\n", HEAD, "line 7 has no class"),
        ("1,2:1,2,3:1\n", HEAD, "line 7 has variables of 2 to 3 steps"),
        ("1:1:1\n1:2\n", HEAD, "line 8 has 1 variables, expected 2"),
        ("(0,1):1\n", HEAD.replace("@timeStamps false", "@timeStamps true"), "times of its own"),
    ],
)
def test_a_file_that_is_no_such_file_is_refused_in_a_sentence(tmp_path, body, head, message):
    with pytest.raises(DataError, match=message):
        read_ts(written(tmp_path, body, head))
