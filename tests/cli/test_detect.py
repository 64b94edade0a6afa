"""Anomaly detection as a person runs it: train, evaluate, predict a file, answer a stream, and refuse what is wrong."""

import datetime
import json
import re

import polars as pl
import pytest

from gatework.cli.predict import predict
from gatework.data.sets import label_of
from gatework.errors import UsageError
from gatework.tasks.detect.spans import highlights
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
    (folder / "said.txt").write_text(done.stdout)
    return folder


def test_training_ends_with_what_stands_out_and_where(folder):
    said = (folder / "said.txt").read_text()
    rows = pl.read_parquet(folder / "run" / "detections.parquet")
    peaks = rows.filter(pl.col("span").is_not_null()).sort("score", descending=True).unique("span", keep="first")
    parts = dict(peaks["part"].value_counts().iter_rows())
    if not parts:
        assert "what stands out: nothing in 400 rows" in said
        return
    for part, word in (("train", "training"), ("validation", "validation"), ("test", "test")):
        assert f"{parts.get(part, 0)} in the {word} part" in said
    assert f"what stands out: {len(peaks)} span" in said
    assert f"({rows['is_anomaly'].sum()} of 400 rows)" in said
    assert "gatework evaluate run FILE.csv --label COLUMN" in said


def test_the_worst_spans_are_told_with_their_times():
    days = [datetime.datetime(2024, 1, day) for day in range(1, 9)]
    judged = pl.DataFrame(
        {
            "time": days,
            "value": [1.0, 1.0, 5.0, 5.5, 1.0, 1.0, 7.0, 1.0],
            "part": ["train"] * 4 + ["validation"] + ["test"] * 3,
            "score": [None, 0.1, 0.6, 0.9, 0.1, 0.2, 0.75, 0.1],
            "is_anomaly": [False, False, True, True, False, False, True, False],
            "span": [None, None, 1, 1, None, None, 2, None],
            "cause": [None, None, "value", "value", None, None, "value", None],
            "kind": [None, None, "spike", "level shift", None, None, "spike", None],
            "expected": [1.0] * 8,
            "low": [0.0] * 8,
            "high": [2.0] * 8,
        }
    )
    assert highlights(judged, "time", (), ("value",)) == [
        "what stands out: 2 spans (3 of 8 rows), 1 in the training part, 0 in the validation part and 1 in the test "
        "part",
        "the worst of the test part:",
        "  span 2: 2024-01-07 00:00:00 (1 row), spike, score 0.75: value is 7, expected 1 (0 to 2)",
    ]
    before = judged.with_columns(span=pl.when(pl.col("part") == "train").then("span"))
    assert highlights(before, "time", (), ("value",))[1:] == [
        "the worst:",
        "  span 1: 2024-01-03 00:00:00 to 2024-01-04 00:00:00 (2 rows), level shift, score 0.90: value is 5.5, "
        "expected 1 (0 to 2)",
    ]
    # A value that one row alone could have is not said to be out of its band.
    lasting = judged.with_columns(high=pl.lit(8.0), kind=pl.lit("stuck"))
    assert highlights(lasting, "time", (), ("value",))[2].endswith(
        "value is 7, expected 1 (a single row may be 0 to 8); what stands out is that it stays the same"
    )


def test_a_file_is_judged_row_by_row_and_its_spans_are_told(folder):
    done = run("predict", "run", "new.csv", "--out", "judged.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "value is" in done.stdout
    # Times as at the end of training.
    assert re.search(r"span 1: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", done.stdout)
    judged = pl.read_csv(folder / "judged.csv")
    assert len(judged) == 800
    assert judged["is_anomaly"][SPIKE]
    assert judged["score"].drop_nulls().is_between(0, 1).all()
    given = pl.read_csv(folder / "new.csv")["value"]
    assert given.round(4).ne(given).any()
    assert judged["value"].equals(given), "what was given keeps its digits"
    assert max(len(repr(score).strip("0.").partition("e")[0]) for score in judged["score"].drop_nulls()) <= 6


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
    assert "note: 1 labelled span in 800 rows, 4.76 weeks of them" in done.stderr
    assert "up to 24 rows beside" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    for name in ("span F1, tolerant", "missed spans", "alarms", "false alarms"):
        assert name in done.stdout
    wide = run("evaluate", "run", "new.csv", "--label", "anomaly", "--tolerance", 800, "--json", cwd=folder)
    wide = json.loads(wide.stdout)["metrics"]
    assert wide["tolerant_span_f1"] == 1.0
    assert wide["false_alarms"] == found["metrics"]["false_alarms"]


def test_of_its_own_table_a_run_says_how_much_each_part_has_of_alarms_and_the_worst(folder):
    done = run("evaluate", "run", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = pl.read_parquet(folder / "run" / "detections.parquet")
    above, table, _ = done.stdout.split("\n\n")
    assert "test MAE" in above
    lines = [line.split() for line in table.splitlines()[1:]]
    assert [line[:2] for line in lines] == [["training", "240"], ["validation", "80"], ["test", "80"]]
    for (_, count, alarms, by_week, *_), part in zip(lines, ("train", "validation", "test"), strict=True):
        assert len(rows.filter(pl.col("part") == part)) == int(count)
        assert float(by_week) == pytest.approx(int(alarms) / (int(count) / 168), rel=0.01)
    assert sum(int(line[2]) for line in lines) == rows["span"].drop_nulls().n_unique()
    told = (folder / "said.txt").read_text()
    worst = next(line for line in told.splitlines() if line.startswith("what stands out"))
    assert worst in done.stdout


def test_without_labels_it_is_said_how_much_is_flagged(folder):
    done = run("evaluate", "run", "new.csv", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("note: no column of labels is named")
    judged = json.loads(run("predict", "run", "new.csv", "--json", cwd=folder).stdout)
    counted = json.loads(done.stdout)["metrics"]
    weeks = 800 / (24 * 7)
    assert counted == pytest.approx(
        {
            "alarms": len({row["span"] for row in judged} - {None}),
            "alarms_per_week": len({row["span"] for row in judged} - {None}) / weeks,
            "flagged_share": sum(row["is_anomaly"] for row in judged) / 800,
            "highest_score": max(row["score"] for row in judged if row["score"] is not None),
        }
    )
    assert "robust z-score" in run("evaluate", "run", "new.csv", cwd=folder).stdout


def test_a_built_in_set_is_measured_by_its_own_labels():
    assert {name: label_of(name) for name in ("nyc-taxi", "airline", "no set")} == {
        "nyc-taxi": "anomaly",
        "airline": None,
        "no set": None,
    }


REFUSED = {
    "a row of the stream": (("predict", "run", "--stream"), "time,value\n2024-01-01 00:00:00,warm\n", 1, "line 2"),
    "a file with the stream": (("predict", "run", "new.csv", "--stream"), "", 2, "--stream"),
    "no file": (("predict", "run"), "", 2, "--stream"),
    "a table without the column": (("predict", "run", "other.csv"), "", 1, 'no column "value"'),
    "labels that are not there": (("evaluate", "run", "new.csv", "--label", "fault"), "", 1, 'no column "fault"'),
    "a tolerance below 0": (
        ("evaluate", "run", "new.csv", "--label", "anomaly", "--tolerance", "-1"),
        "",
        2,
        "--tolerance is -1",
    ),
    "a tolerance without labels": (("evaluate", "run", "new.csv", "--tolerance", 3), "", 2, "--label"),
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


def test_a_detector_asks_for_a_table_before_anybody_types_lines_for_it(folder, monkeypatch, capsys):
    class Terminal:
        def isatty(self):
            return True

        def read(self):
            raise AssertionError("nobody is waited for")

    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(UsageError, match="name a file, or give --stream"):
        predict(folder / "run", changes={})
    assert "reading lines" not in capsys.readouterr().err
