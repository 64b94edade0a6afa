import numpy as np
import polars as pl
import pytest

import gatework.data
from gatework.data import load
from gatework.data.own import chosen_columns
from gatework.data.tables import read_table
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions
from gatework.recipe import Recipe
from gatework.tasks import get

WIDE = pl.DataFrame({"name": ["x"] * 20, "t1": range(20), "t2": range(1, 21), "y": [i * 10.5 for i in range(20)]})
REVIEWS = pl.DataFrame({"text": [f"text {i}" for i in range(20)], "label": [i % 3 for i in range(20)]})


def unknown(source, config, task):
    return task.read(source, Recipe(data=config))


def known(source, config, task):
    return task.read_known(source, Recipe(data=config))


@pytest.fixture(scope="module")
def series_task():
    config = DataOptions(target="y")
    return config, get("regress").fit(load(WIDE, config), config)


@pytest.fixture(scope="module")
def text_task():
    config = DataOptions()
    return config, get("classify").fit(load(REVIEWS, config), config)


def test_each_row_of_a_wide_table_is_a_series_of_its_numbers_in_order():
    dataset = load(WIDE, DataOptions(target="y"), "target")
    assert dataset.kind == "series"
    assert dataset.columns == {"inputs": ("t1", "t2"), "target": "y"}
    assert dataset.provenance.notes == ("Columns that hold no numbers were left out: name.",)
    for part in (dataset.train, dataset.validation, dataset.test):
        assert part.inputs.shape == (len(part), 2, 1)
        assert np.array_equal(part.inputs[:, 1], part.inputs[:, 0] + 1)
        assert np.array_equal(part.targets, part.inputs[:, 0] * np.float32(10.5))


def test_series_can_have_classes():
    frame = WIDE.select("t1", "t2", label=pl.Series(["low", "high"] * 10))
    dataset = load(frame, DataOptions())
    assert dataset.kind == "series"
    assert dataset.classes == ("high", "low")


@pytest.mark.parametrize("day", ["2024-01-{:02}", "{:02}.01.2024 10:30", "Jan {:02}, 2024"])
def test_a_column_of_days_beside_numbers_is_no_text(day):
    frame = WIDE.select("t1", "t2", day=pl.Series([day.format(1 + i) for i in range(20)]), label=pl.col("t1") > 9)
    assert load(frame, DataOptions()).columns == {"inputs": ("t1", "t2"), "label": "label"}
    named = frame.select("t1", "label", words=pl.lit("we met on ") + pl.col("day"))
    assert load(named, DataOptions()).columns == {"text": "words", "label": "label"}


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (["red", "green"] * 80, "inputs"),
        (["red", None] * 80, "inputs"),
        ([f"good or bad {k % 16}" for k in range(160)], "text"),
        ([f"w{k}" for k in range(160)], "text"),
    ],
)
def test_a_column_of_a_few_single_words_beside_numbers_is_left_out_and_that_is_said(words, role):
    frame = pl.DataFrame({"words": words, "t": np.arange(160) / 4, "label": [0, 1] * 80})
    dataset = load(frame, DataOptions())
    assert (
        dataset.columns
        == {"inputs": {"inputs": ("t",), "label": "label"}, "text": {"text": "words", "label": "label"}}[role]
    )
    left_out = "Columns that hold no numbers were left out: words; --text NAME reads one of them"
    assert [note.startswith(left_out) for note in dataset.provenance.notes] == [True] * (role == "inputs")


def test_rows_that_belong_together_by_a_column_are_told_where_their_class_is_the_same():
    rows = [(f"s{k}", t, "ab"[k % 2]) for k in range(60) for t in range(20)]
    frame = pl.DataFrame(rows, schema=["id", "t", "label"], orient="row")
    note = 'All rows of one value of column "id" have the same class'
    notes = load(frame, DataOptions()).provenance.notes
    assert notes[1].startswith(note)
    assert notes[1].endswith("say so: --series id.")
    another = frame.with_columns(label=pl.Series(["b", *frame["label"][1:]]))
    assert len(load(another, DataOptions()).provenance.notes) == 1


def test_a_column_of_words_beside_the_number_of_each_row_is_the_text():
    frame = pl.DataFrame({"id": range(160), "mood": [f"m{k % 16}" for k in range(160)], "label": [1, 0] * 80})
    assert load(frame, DataOptions()).columns == {"text": "mood", "label": "label"}


def test_numbers_as_labels_stand_in_their_order():
    frame = pl.DataFrame({"text": [f"t{i}" for i in range(40)], "label": [10, 9, 2, 100] * 10})
    assert load(frame, DataOptions()).classes == ("2", "9", "10", "100")


def test_empty_and_missing_texts_are_kept_and_told():
    frame = pl.DataFrame({"text": ["", None, " ", *"abcdefghijklmnopq"], "label": ["x", "y"] * 10})
    dataset = load(frame, DataOptions())
    assert dataset.provenance.notes == ("3 of the 20 texts are empty.",)


def test_equal_texts_end_in_the_same_part():
    frame = pl.DataFrame({"text": [f"t{i % 15}" for i in range(60)], "label": [i % 15 % 2 for i in range(60)]})
    dataset = load(frame, DataOptions())
    parts = [set(part.inputs) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sum(map(len, parts)) == 15
    assert min(map(len, parts)) > 0


@pytest.mark.parametrize(
    ("frame", "config", "question"),
    [
        (
            REVIEWS.rename({"label": "mood"}),
            DataOptions(),
            "is to be predicted? Name it with --label, and that of the text with --text; a number with --target",
        ),
        (WIDE, DataOptions(), "is to be predicted? Name it with --label"),
        (
            pl.DataFrame({"a": ["x", "y"], "b": ["x", "y"], "label": ["x", "y"]}),
            DataOptions(),
            "holds the text? Name it with --text: there is a, b",
        ),
    ],
)
def test_a_column_that_cannot_be_guessed_is_asked_for(frame, config, question):
    with pytest.raises(UsageError) as caught:
        load(frame, config, "label")
    assert question in str(caught.value)


def test_columns_that_are_called_by_their_role_in_other_letters_are_taken():
    frame = REVIEWS.select(pl.lit("b").alias("Note"), pl.col("text").alias("TEXT"), pl.col("label").alias("Label "))
    assert load(frame, DataOptions(), "label").columns == {"text": "TEXT", "label": "Label "}
    twice = frame.with_columns(pl.lit("c").alias("LABEL"))
    with pytest.raises(UsageError, match="is to be predicted"):
        load(twice, DataOptions(), "label")


def test_new_examples_are_read_by_the_columns_of_the_training(series_task, text_task):
    config, task = series_task
    again = type(task).from_state(task.state())
    split = known(WIDE.select("y", "t2", "t1", extra=pl.lit(1.0)), config, again)
    assert np.array_equal(split.inputs[:, :, 0], WIDE.select("t1", "t2").to_numpy())
    config, task = text_task
    split = known(REVIEWS, config, task)
    assert split.targets.tolist() == [i % 3 for i in range(20)]


def test_a_new_label_names_its_row(text_task):
    config, task = text_task
    frame = pl.DataFrame({"text": ["a", "b"], "label": ["1", "7"]})
    with pytest.raises(DataError, match=r'row 1 \(counted from 0\): the label "7" is none of the classes: there is 0'):
        known(frame, config, task)


def test_texts_to_predict_come_in_many_forms(text_task, tmp_path):
    config, task = text_task
    lines, table = tmp_path / "lines.txt", tmp_path / "table.csv"
    texts = ["one\x0cand \u2028 two", "", "three 😀"]  # with marks that Unicode takes for an end of line
    lines.write_text("\n".join(texts), encoding="utf-8")
    table.write_text(f'text\n{texts[0]}\n""\nthree 😀\n', encoding="utf-8")
    frame = pl.DataFrame({"text": texts})
    for source in (texts, lines, str(lines), str(table), frame, frame.to_pandas()):
        split = unknown(source, config, task)
        assert list(split.inputs) == texts
        assert len(task.encode(split).batch(np.arange(3)).inputs) == 3
    assert list(unknown("A whole text. See reviews.csv", config, task).inputs) == ["A whole text. See reviews.csv"]
    assert list(unknown("", config, task).inputs) == [""]


def test_a_file_to_predict_that_is_missing_is_no_text(text_task, tmp_path):
    config, task = text_task
    for name in ("reviews.csv", "reviews.jsonl.gz", "lines.txt"):
        with pytest.raises(DataError, match="is not there"):
            unknown(str(tmp_path / name), config, task)


def test_series_to_predict_come_in_many_forms(series_task):
    config, task = series_task
    for source in ("1 2", "1, 2", ["1;2"], [1, 2], np.array([[1.0, 2.0]]), pl.DataFrame({"t2": [2], "t1": [1]})):
        split = unknown(source, config, task)
        assert split.inputs.tolist() == [[[1.0], [2.0]]]
        assert split.inputs.dtype == np.float64
        assert split.targets.shape == (1, 1)
    assert len(unknown([], config, task).inputs) == 0


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("1 two", 'series 1: "two" is no number'),
        (["1 2", "1"], "series 2 has 1 numbers, expected 2"),
        ("", "series 1 has 0 numbers, expected at least one"),
        (np.array([[1.0, np.nan]]), r"series 0, step 1 \(both counted from 0\) is not a finite number"),
        (np.array([1.0]), r"expected an array of shape \(examples, time\)"),
    ],
)
def test_a_series_that_is_none_is_told(series_task, source, sentence):
    config, task = series_task
    with pytest.raises(DataError, match=sentence):
        unknown(source, config, task)


def test_a_task_trained_on_a_registered_set_reads_the_table_as_it_looks():
    config = DataOptions(dataset="sentence-polarity")
    task = get("classify").fit(load("sentence-polarity", config), config)
    frame = pl.DataFrame({"sentence": ["good", "bad"], "label": ["positive", "negative"]})
    assert known(frame, config, task).targets.tolist() == [1, 0]
    assert list(unknown(frame.select("sentence"), config, task).inputs) == ["good", "bad"]
    assert len(known("sentence-polarity", config, task)) == 1066


def test_few_different_texts_are_told_apart_from_few_rows():
    frame = pl.DataFrame({"text": ["a b", "c d", "e f", "g h"] * 100, "label": ["x", "y"] * 200})
    with pytest.raises(DataError, match=r"400 examples, of which 4 differ, are too few"):
        load(frame, DataOptions())
    with pytest.raises(DataError, match='every text in the column "text" is empty'):
        load(frame.with_columns(text=pl.lit("")), DataOptions())


def test_a_label_means_the_same_in_a_file_and_in_a_frame(tmp_path):
    frame = pl.DataFrame({"text": [f"t {i}" for i in range(40)], "label": [i % 2 for i in range(40)]})
    frame.write_csv(tmp_path / "whole.csv")
    frame.with_columns(pl.col("label").cast(pl.Float64)).write_csv(tmp_path / "fractions.csv")
    task = get("classify").fit(load(tmp_path / "whole.csv", DataOptions()), DataOptions())
    for source in (tmp_path / "fractions.csv", frame, frame.to_pandas().astype({"label": float})):
        found = gatework.data.load_split(source, DataOptions(), task.columns, task.classes)
        assert found.targets.tolist() == frame["label"].to_list()


def test_a_frame_of_mixed_values_is_read_column_by_column():
    frame = REVIEWS.to_pandas().assign(order=[i if i % 2 else f"A{i}" for i in range(20)], notes=[None, 3.5] * 10)
    assert load(frame, DataOptions()).classes == ("0", "1", "2")


def test_a_file_to_test_on_leaves_all_of_the_data_for_training_and_validation(tmp_path):
    rows = [f"{word} {k},{word}" for k in range(10) for word in ("good", "bad")]
    (tmp_path / "train.csv").write_text("text,label\n" + "\n".join(rows))
    (tmp_path / "test.csv").write_text("label,text\ngood,good 3\nbad,new bad\n")
    config = DataOptions(test_file=str(tmp_path / "test.csv"))
    dataset = load(str(tmp_path / "train.csv"), config)
    assert (len(dataset.train), len(dataset.validation)) == (16, 4)
    assert list(dataset.test.inputs) == ["good 3", "new bad"]
    assert dataset.test.targets.tolist() == [1, 0]
    assert "1 of the 2 test examples also stand, word for word, in the training part." in dataset.provenance.notes
    (tmp_path / "test.csv").write_text("label,text\ngood,fine\nGood,new\n")
    with pytest.raises(DataError, match='the label "Good" is none of the classes: did you mean "good"'):
        load(str(tmp_path / "train.csv"), config)
    with pytest.raises(UsageError, match='"sentence-polarity" has a test part of its own; leave --test-file out'):
        load("sentence-polarity", config)


def test_codes_of_samples_beside_numbers_are_no_texts(tmp_path):
    rows = "".join(f"S{k:03d},{k % 7}.5,{k % 5}.25,{'ripe' if k % 2 else 'raw'}\n" for k in range(60))
    (tmp_path / "x.csv").write_text("sample,400,401,class\n" + rows)
    table = read_table(tmp_path / "x.csv")
    columns = chosen_columns(table, DataOptions(label="class"), "label")
    assert columns == {"inputs": ("400", "401"), "label": "class"}
