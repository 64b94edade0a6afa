"""Anomaly detection as a person runs it: train, evaluate, predict a file, answer a stream, and refuse what is wrong."""

import json

import polars as pl
import pytest

from support.command_line import run_here as run
from support.sensors import SPIKE, sensor, spiked

TRAIN = ("--time", "time", "--target", "value", "--hidden", 8, "--epochs", 2, "--context", 24, "--threads", 1, "-q")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detect")
    sensor(400).write_csv(folder / "sensor.csv")
    spiked().write_csv(folder / "new.csv")
    done = run("train", "detect", "sensor.csv", *TRAIN, "--out", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "test MAE" in done.stdout
    return folder


def test_a_file_is_judged_row_by_row_and_its_spans_are_told(folder):
    done = run("predict", "run", "new.csv", "--out", "judged.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "value is" in done.stdout
    judged = pl.read_csv(folder / "judged.csv")
    assert len(judged) == 800
    assert judged["is_anomaly"][SPIKE]
    assert judged["score"].drop_nulls().is_between(0, 1).all()


def test_spans_are_drawn_and_a_run_writes_its_rows(folder):
    done = run("predict", "run", "new.csv", "--plot", "drawn.html", "--out", "drawn.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    spans = pl.read_csv(folder / "drawn.csv")["span"].drop_nulls().n_unique()
    assert f"{spans} span{'' if spans == 1 else 's'} in 800 rows" in (folder / "drawn.html").read_text(encoding="utf-8")
    done = run("evaluate", "run", "--out", "rows.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert len(pl.read_csv(folder / "rows.csv")) == 400


def test_a_stream_is_answered_as_the_file_is(folder):
    lines = (folder / "new.csv").read_text().splitlines()[:201]
    done = run("predict", "run", "--stream", cwd=folder, stdin="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr
    streamed = [json.loads(line)["score"] for line in done.stdout.splitlines()]
    judged = json.loads(run("predict", "run", "new.csv", "--json", cwd=folder).stdout)
    assert len(streamed) == 200
    assert streamed == pytest.approx([row["score"] for row in judged[:200]], rel=1e-3, abs=1e-5)


def test_labels_give_a_table_with_the_simple_detectors(folder):
    done = run("evaluate", "run", "new.csv", "--label", "anomaly", cwd=folder)
    assert done.returncode == 0, done.stderr
    for name in ("network", "robust z-score", "seasonal difference", "isolation forest", "span recall", "delay"):
        assert name in done.stdout
    found = json.loads(run("evaluate", "run", "new.csv", "--label", "anomaly", "--json", cwd=folder).stdout)
    assert found["metrics"]["span_recall"] == 1.0


REFUSED = {
    "a row of the stream": (("predict", "run", "--stream"), "time,value\n2024-01-01 00:00:00,warm\n", 1, "line 2"),
    "a file with the stream": (("predict", "run", "new.csv", "--stream"), "", 2, "--stream"),
    "no file": (("predict", "run"), "", 2, "--stream"),
    "a table without the column": (("predict", "run", "other.csv"), "", 1, 'no column "value"'),
    "labels that are not there": (("evaluate", "run", "new.csv", "--label", "fault"), "", 1, 'no column "fault"'),
    "no time": (("train", "detect", "sensor.csv", "--target", "value", "--out", "x"), "", 2, "--time"),
    "an empty table": (("train", "detect", "empty.csv", *TRAIN, "--out", "x"), "", 1, "empty"),
    "an unknown threshold": (
        ("train", "detect", "sensor.csv", *TRAIN, "--threshold", "spot", "--out", "x"),
        "",
        2,
        "pot",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_in_one_sentence(name, folder):
    arguments, stdin, code, word = REFUSED[name]
    (folder / "other.csv").write_text("time,temperature\n2024-01-01,1\n2024-01-02,2\n")
    (folder / "empty.csv").write_text("time,value\n")
    done = run(*arguments, cwd=folder, stdin=stdin)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("gatework: ")
    assert done.stderr.count("\n") == 1
    assert word in done.stderr
    assert not (folder / "x").exists()
