"""A folder of Parquet files, or a large file, is answered part by part, with the answers of one table."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gatework
from gatework.tasks.classify.metrics import answers_of, metrics
from gatework.tasks.classify.tally import ClassTally
from gatework.tasks.regress import metrics as regress_metrics
from gatework.tasks.regress.tally import ValueTally
from support.command_line import run_forked, run_here
from support.datasets import waves

STEPS = [f"s{k}" for k in range(6)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts [1]")
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
    monkeypatch.setattr("gatework.data.store.sources.ROWS", 11)


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.jsonl", "answers"])
def test_parts_are_answered_as_the_whole_table_and_written(place, name):
    path = place / name
    table = place / f"answered{path.suffix or '.parquet'}"
    whole = run_here("predict", place / "run", place / "whole.parquet", "--out", table)
    done = run_here("predict", place / "run", place / "in", "--out", path)
    assert (whole.returncode, done.returncode) == (0, 0), done.stderr
    read = {".csv": pl.read_csv, ".jsonl": pl.read_ndjson}.get(path.suffix, pl.read_parquet)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    answers = pl.concat(read(file.read_bytes()) for file in files)
    assert_frame_equal(answers, read(table.read_bytes()), rel_tol=1e-4, abs_tol=1e-5)


def asked(place, name, folder):
    """What is said of a file: its answers, its backtest, and its figures as they are printed."""
    (place / folder).mkdir()
    files = {"predict": place / folder / "answers.csv", "evaluate": place / folder / "backtest.parquet"}
    done = [run_here(command, place / "run", place / name, "--out", out) for command, out in files.items()]
    assert [each.returncode for each in done] == [0, 0], done
    return pl.read_csv(files["predict"], glob=False), pl.read_parquet(files["evaluate"], glob=False), done[1].stdout


@pytest.mark.parametrize("name", ["large.csv", "large.parquet"])
def test_a_large_file_is_answered_and_measured_as_one_that_is_read_at_once(place, name, monkeypatch):
    table = pl.read_parquet(place / "whole.parquet", glob=False)
    (table.write_csv if name.endswith("csv") else table.write_parquet)(place / name)
    answers, backtest, figures = asked(place, name, f"whole-{name}")
    monkeypatch.setattr("gatework.data.store.sources._MANY", 100)
    in_parts = asked(place, name, f"parts-{name}")
    assert_frame_equal(in_parts[0], answers, rel_tol=1e-4, abs_tol=1e-5)
    assert_frame_equal(in_parts[1], backtest, rel_tol=1e-4, abs_tol=1e-5)
    assert in_parts[2] == figures.replace("90 examples", "90 examples, read part by part")


def test_headers_that_come_again_in_a_large_file_are_told(place, monkeypatch):
    text = pl.read_parquet(place / "whole.parquet", glob=False).write_csv()
    (place / "again.csv").write_text(text + text)
    monkeypatch.setattr("gatework.data.store.sources._MANY", 100)
    done = run_here("predict", place / "run", place / "again.csv", "--out", place / "again-answers.csv")
    assert "repeats the header and was left out." in done.stderr


def test_answers_that_are_counted_are_as_good_as_those_that_are_kept():
    random = np.random.default_rng(0)
    for classes in (2, 3):
        scores = (3 * random.normal(size=(4000, classes))).astype(np.float32)
        answers = answers_of(scores, (scores + 2 * random.normal(size=scores.shape)).argmax(axis=1))
        tally = ClassTally([f"c{k}" for k in range(classes)])
        for first in range(0, 4000, 1000):
            tally.add(answers[first : first + 1000])
        counted, kept = tally.metrics(), metrics(answers)
        assert list(counted) == list(kept)
        # Pairs within one of the steps of the log-odds, which spread over about 10: 10^-4 of all at most, ties by half.
        assert all(abs(counted[name] - kept[name]) < 1e-4 for name in kept)
    values = regress_metrics.answers_of(random.normal(size=(500, 2)), random.normal(size=(500, 2)))
    sums = ValueTally()
    for part in (values[:200], values[200:]):
        sums.add(part)
    assert sums.metrics() == pytest.approx(regress_metrics.metrics(values), rel=1e-12)


def test_without_a_file_they_are_printed_with_one_header(place):
    done = run_forked("predict", place / "run", place / "in")
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


def test_a_task_that_reads_a_table_as_a_whole_reads_a_folder_so_and_has_no_parts(place, monkeypatch):
    dataset, recipe = waves()
    run = gatework.train("regress", dataset, out=place / "waves", recipe=recipe.changed(epochs=1))
    monkeypatch.setattr(type(run.task), "reads_parts", False)
    with pytest.raises(gatework.errors.UsageError, match="reads a table as a whole"):
        run.predictor.answer_parts(place / "in")
    done = [run_here("predict", run.path, place / name, "--json") for name in ("in", "whole.parquet")]
    assert done[0].returncode == 0, done[0].stderr
    assert len(json.loads(done[0].stdout)) == 90
    assert done[0].stdout == done[1].stdout
