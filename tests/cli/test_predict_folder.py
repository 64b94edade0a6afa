"""A folder of Parquet files is predicted part by part, with the answers of one table."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gatework
from support.command_line import run_here, run_process
from support.datasets import waves

STEPS = [f"s{k}" for k in range(6)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    table = pl.DataFrame({name: [0.01 * ((k + 7 * row) % 90) for row in range(90)] for k, name in enumerate(STEPS)})
    table = table.with_columns(label=pl.int_range(90) % 2)
    run = gatework.train("classify", table, out=folder / "run", label="label", epochs=1, hidden=3)
    (folder / "in").mkdir()
    table.write_parquet(folder / "whole.parquet")
    for k in range(3):
        table[30 * k : 30 * k + 30].write_parquet(folder / "in" / f"{k}.parquet")
    assert run.is_finished
    return folder


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("gatework.data.parts.ROWS", 11)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl", "answers"])
def test_parts_are_answered_as_the_whole_table_and_written(place, name):
    path = place / name
    table = place / f"answered{path.suffix or '.parquet'}"
    whole = run_here("predict", place / "run", place / "whole.parquet", "--out", table)
    done = run_here("predict", place / "run", place / "in", "--out", path)
    assert (whole.returncode, done.returncode) == (0, 0), done.stderr
    read = {".csv": pl.read_csv, ".jsonl": pl.read_ndjson}.get(path.suffix, pl.read_parquet)
    answers = read(path / "*.parquet" if path.is_dir() else path)
    assert_frame_equal(answers, read(table), rel_tol=1e-4, abs_tol=1e-5)


def test_without_a_file_they_are_printed_with_one_header(place):
    done = run_process("predict", place / "run", place / "in")
    lines = done.stdout.splitlines()
    assert len(lines) == 91
    assert lines[0].startswith("s0,")
    assert sum(line == lines[0] for line in lines) == 1


def test_what_does_not_go_together_is_one_sentence_and_changes_nothing(place):
    done = run_here("predict", place / "run", place / "in", "--json")
    assert done.returncode == 2
    assert "predicted part by part; leave --plot, --json and --format out" in done.stderr
    refused = run_here("predict", place / "run", place / "in", "--out", place / "in")
    assert "is there already" in refused.stderr
    assert len(list((place / "in").iterdir())) == 3


def test_a_task_that_reads_a_table_as_a_whole_says_so(place, monkeypatch):
    dataset, recipe = waves()
    run = gatework.train("regress", dataset, out=place / "waves", recipe=recipe.changed(epochs=1))
    monkeypatch.setattr(type(run.task), "reads_parts", False)
    with pytest.raises(gatework.errors.UsageError, match="reads a table as a whole"):
        run.predictor.answer_parts(place / "in")
