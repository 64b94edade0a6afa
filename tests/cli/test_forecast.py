"""Forecasting as a person runs it: real files, and a real process where one is trained."""

import json
from pathlib import Path

import polars as pl
import pytest

import gatework
from gatework._files import read_json
from support.command_line import run_forked, run_here


def sales(path: Path, days: int = 120) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 1) + pl.duration(days=days - 1), eager=True),
            "sales": [float(k % 7 + k / 10) for k in range(days)],
            "promo": ["yes" if k % 7 == 5 else "no" for k in range(days)],
        }
    )
    frame.write_csv(path)
    return frame


def test_a_table_becomes_a_forecast_of_the_rows_that_follow(tmp_path):
    sales(tmp_path / "sales.csv")
    columns = ("--time", "day", "--target", "sales", "--known", "promo", "--horizon", 7)
    options = ("--epochs", 2, "--no-blend", "--out", "run", "--json")
    done = run_forked("train", "forecast", "sales.csv", *columns, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"]["test_mase"] < 2
    refused = run_here("predict", "run", cwd=tmp_path)
    assert refused.returncode == 1
    assert '2024-04-30 has no value in the column "promo"' in refused.stderr
    assert refused.stderr.count("\n") == 1
    future = sales(tmp_path / "all.csv", 127).tail(7).drop("sales")
    future.write_csv(tmp_path / "future.csv")
    done = run_here("predict", "run", "future.csv", "--horizon", 3, "--out", "forecast.parquet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = pl.read_parquet(tmp_path / "forecast.parquet")
    assert rows["day"].to_list() == ["2024-04-30", "2024-05-01", "2024-05-02"]
    done = run_here("predict", "run", "future.csv", "--horizon", 3, "--out", "forecast.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "forecast.json").read_text(encoding="utf-8"))[2]["forecast"] == rows["forecast"][2]
    (tmp_path / "bad.csv").write_text("day,promo\n2024-04-30,no\n2024-05-01,\n2024-05-02,no\n")
    refused = run_here("predict", "run", "bad.csv", "--horizon", 3, "--out", "bad.parquet", cwd=tmp_path)
    assert refused.returncode == 1
    assert 'bad.csv: row 3, 2024-05-01, has no value in the column "promo"' in refused.stderr
    assert not (tmp_path / "bad.parquet").exists()
    assert (rows["q0.025"] <= rows["forecast"]).all()
    assert (rows["forecast"] <= rows["q0.975"]).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("day,sales\n", "at least one row"),
        ("day,sales\n2024-01-01,3\n", "one time stamp"),
        ("day,sales\n2024-01-01,3\n2024-01-02,many\n2024-01-03,4\n", '"many"'),
        ("day,sales\n2024-01-01,3\nsomeday,4\n", '"someday"'),
    ],
)
def test_a_bad_table_is_one_sentence_and_leaves_nothing(tmp_path, text, expected):
    (tmp_path / "sales.csv").write_text(text)
    columns = ("--time", "day", "--target", "sales")
    done = run_here("train", "forecast", "sales.csv", *columns, "--out", "run", "-q", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sales.csv"]


def test_what_was_done_to_a_table_is_said(tmp_path):
    frame = sales(tmp_path / "all.csv")
    frame.filter(pl.int_range(pl.len()) % 50 != 20).write_csv(tmp_path / "sales.csv")
    columns = ("--time", "day", "--target", "sales", "--horizon", 7, "--refit", 4, "--no-blend")
    done = run_here("train", "forecast", "sales.csv", *columns, "--epochs", 1, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 steps without a row were filled by the previous value, for input only." in done.stderr
    assert "fitted 5 times: anew every 4 steps" in done.stderr
    done = run_here("predict", "run", "sales.csv", "--out", "forecast.csv", cwd=tmp_path)
    assert "2 steps without a row were filled" in done.stderr


def test_a_backtest_is_a_table_and_what_comes_next_a_picture(tmp_path):
    frame = sales(tmp_path / "sales.csv")
    columns = ("--time", "day", "--target", "sales", "--horizon", 7, "--no-blend")
    done = run_here(
        "train", "forecast", "sales.csv", *columns, "--epochs", 1, "--hidden", 4, "--out", "run", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    done = run_here("evaluate", "run", "--out", "backtest.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = pl.read_csv(tmp_path / "backtest.csv", try_parse_dates=True)
    assert rows["ahead"].unique().sort().to_list() == list(range(1, 8))
    assert (rows["time"] - rows["from"]).dt.total_days().to_list() == (rows["ahead"] - 1).to_list()
    known = dict(frame.select("day", "sales").iter_rows())
    assert rows["actual"].to_list() == pytest.approx([known[day] for day in rows["time"]])
    done = run_here("predict", "run", "--plot", "next.html", "--out", "next.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "next.html").read_text(encoding="utf-8")
    chart = json.loads(text.partition('id="data">')[2].partition("</script>")[0])["charts"][0]
    said = next(curve["values"] for curve in chart["curves"] if curve["kind"] == "said")
    assert said[-7:] == pytest.approx(pl.read_csv(tmp_path / "next.csv")["forecast"].to_list(), rel=1e-5)
    page = run_here("report", "run", cwd=tmp_path).stdout.strip()
    assert 'id="future-title"' in (tmp_path / page).read_text(encoding="utf-8")


def test_a_comparison_holds_baselines_and_a_report_with_bands(tmp_path):
    sales(tmp_path / "sales.csv", 90)
    compared = gatework.compare(
        tmp_path / "sales.csv",
        task="forecast",
        out=tmp_path / "out",
        cells=("gru", "lstm"),
        seeds=1,
        time="day",
        target="sales",
        horizon=7,
        epochs=1,
        hidden=4,
    )
    content = read_json(tmp_path / "out" / "comparison.json")
    names = {entry["name"] for entry in content["entries"]}
    assert {"gru", "lstm", "naive", "seasonal naive", "drift", "linear on lags", "AutoETS"} <= names
    assert all(0 <= entry["metrics"]["test_coverage_80"]["mean"] <= 1 for entry in content["entries"])
    page = compared.report.read_text(encoding="utf-8")
    assert 'id="forecast-chosen"' in page
    data = json.loads(page.partition('<script type="application/json" id="data">')[2].partition("</script>")[0])
    origin = data["sections"]["forecasts"]["origins"][0]
    assert len(origin["x"]) == len(origin["actual"]) == 7
    assert len(origin["said"]["lstm"]) == 7
