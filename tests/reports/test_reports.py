import json
import re
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gatework.errors import RunError, UsageError
from gatework.reports import report, write_report, write_run_report
from support.report_folders import HOSTILE, write_comparison, write_json


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    return write_comparison(tmp_path_factory.mktemp("waves"), epochs=5, examples=120)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    return write_comparison(tmp_path_factory.mktemp("texts"), task="classify", epochs=5, examples=120, hostile=True)


@pytest.fixture
def copy(waves, tmp_path):
    return Path(shutil.copytree(waves, tmp_path / "comparison", ignore=shutil.ignore_patterns("report.html")))


def without_scripts(page: Path) -> str:
    return re.sub(r"<script.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.S)


def page_data(page: Path):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found
    return json.loads(found[1])


def answers(run: Path, column: str) -> np.ndarray:
    return pl.read_parquet(run / "answers.parquet")[column].to_numpy()


def change(folder: Path, **values) -> None:
    file = folder / "comparison.json"
    write_json(file, {**json.loads(file.read_text()), **values})


def test_the_verdict_and_every_model_stand_in_the_page(waves):
    text = without_scripts(write_report(waves))
    assert '<p class="verdict">Use lstm: its error is the smallest on every seed.</p>' in text
    assert '<p class="rest-of-verdict">It is well ahead of the best baseline' in text
    for name in ("lstm", "gru", "rnn", "last value", "mean", "linear autoregression"):
        assert f'<span class="name">{name}</span>' in text


def test_rows_stand_best_first_and_the_best_is_marked(waves):
    text = without_scripts(write_report(waves))
    names = re.findall(r'<span class="name">(.*?)</span>', text)
    entries = json.loads((waves / "comparison.json").read_text())["entries"]
    assert names == [e["name"] for e in sorted(entries, key=lambda e: e["metrics"]["test_mse"]["mean"])]
    assert re.search(r'<tr role="row" class="\w+ best">\s*<th[^>]*><span class="name">' + names[0], text)
    assert text.count('class="badge"') == 1


def test_the_embedded_predictions_are_those_of_the_files(waves):
    series = page_data(write_report(waves))["sections"]["values"]["series"]
    outputs = answers(waves / "runs/gru-seed1", "value")[:, 0]
    model = series["models"].index("gru")
    for row in series["rows"]:
        assert row["predictions"][model][1][0] == pytest.approx(outputs[row["index"] - 1], rel=1e-4)


def test_at_most_a_hundred_series_are_embedded_and_the_worst_error_is_among_them(waves):
    series = page_data(write_report(waves))["sections"]["values"]["series"]
    assert len(series["rows"]) <= 100
    best = series["orders"]["error"].removeprefix("largest error of ").removesuffix(" first")
    values = json.loads((waves / "comparison.json").read_text())["entries"]
    seeds = next(e for e in values if e["name"] == best)["metrics"]["test_mse"]["values"]
    outputs = answers(waves / f"runs/{best}-seed{np.argsort(seeds)[1]}", "value")[:, 0]
    targets = np.array(pl.read_parquet(waves / "test.parquet")["target"].to_list())[:, 0]
    worst = series["rows"][series["ranks"]["error"][0]]["index"] - 1
    assert worst == np.abs(outputs - targets).argmax()


def test_every_seed_of_every_network_is_in_the_curves(waves):
    panels = page_data(write_report(waves))["learning"][0]["panels"]
    assert {panel["model"]: len(panel["seeds"]) for panel in panels} == {"lstm": 3, "gru": 3, "rnn": 3}
    lines = [json.loads(line) for line in (waves / "runs/rnn-seed2/metrics.jsonl").read_text().splitlines()]
    rnn = next(panel for panel in panels if panel["model"] == "rnn")
    assert rnn["seeds"][2]["validation"] == pytest.approx([line["validation_loss"] for line in lines], rel=1e-3)


def test_a_seed_that_stopped_early_shortens_the_mean_and_nothing_else(copy):
    file = copy / "runs/lstm-seed1/metrics.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:3]))
    panels = page_data(write_report(copy))["learning"][0]["panels"]
    lstm = next(panel for panel in panels if panel["model"] == "lstm")
    assert lstm["mean"]["epoch"] == [1, 2, 3]
    assert [len(seed["epoch"]) for seed in lstm["seeds"]] == [5, 3, 5]


def test_a_loss_that_is_not_a_number_becomes_a_gap(copy):
    file = copy / "runs/lstm-seed1/metrics.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[2]["validation_loss"] = float("nan")
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    lstm = next(p for p in page_data(write_report(copy))["learning"][0]["panels"] if p["model"] == "lstm")
    assert lstm["seeds"][1]["validation"][2] is None
    assert lstm["mean"]["validation"][2] is None
    assert None not in lstm["mean"]["train"]


def test_text_from_data_adds_no_element_to_the_page(texts):
    text = without_scripts(write_report(texts))
    assert "&lt;script&gt;window.hacked" in text
    assert "<script>window" not in text
    assert "<img" not in text
    assert "7 * 7" in text


def test_the_only_scripts_are_data_plotly_and_our_own(texts):
    text = write_report(texts).read_text(encoding="utf-8")
    # Plotly's own source never holds the tag's end, or it could not be embedded.
    assert len(re.findall("</script", text)) == 3


def test_control_characters_become_visible_and_long_texts_are_shortened(texts):
    text = without_scripts(write_report(texts))
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)
    assert "80,000 more characters not shown" in text
    assert any(len(t) > 50_000 for t in HOSTILE)
    assert len(text) < 400_000


def test_disagreements_are_the_texts_on_which_the_networks_answer_differently(texts):
    text = without_scripts(write_report(texts))
    stated = int(re.search(r"disagree on (\d+) of 120 test examples", text)[1])
    entries = [e for e in json.loads((texts / "comparison.json").read_text())["entries"] if e["kind"] == "network"]
    said = []
    for entry in entries:
        typical = np.argsort(entry["metrics"]["test_accuracy"]["values"], kind="stable")[1]
        said.append(answers(texts / entry["runs"][typical], "scores").argmax(axis=1))
    assert stated == int((np.array(said) != said[0]).any(axis=0).sum())


def test_several_classes_get_confusion_matrices_and_no_roc(tmp_path):
    names = ("world", "sports", "business", "science")
    folder = write_comparison(tmp_path, task="classify", classes=names, epochs=3, examples=80)
    page = write_report(folder)
    text = without_scripts(page)
    counts = re.findall(r'<td class="(?:on|off)[^>]*>(\d+) <small>', text)
    assert sum(map(int, counts)) == 80 * 5
    assert "thresholds" not in page_data(page)["sections"]
    assert 'id="roc"' not in text


def test_one_network_without_baselines_is_enough(copy):
    entries = json.loads((copy / "comparison.json").read_text())["entries"]
    change(copy, entries=[e for e in entries if e["name"] == "gru"])
    text = without_scripts(write_report(copy))
    assert "-overlay" not in text
    assert 'class="baseline' not in text


def test_a_run_of_a_comparison_shows_its_predictions(waves):
    page = write_run_report(waves / "runs/lstm-seed0")
    assert page_data(page)["sections"]["values"]["series"]["models"] == ["lstm"]
    assert "lstm on waves" in without_scripts(page)


def test_a_run_of_texts_shows_its_mistakes_and_its_confusion(texts):
    text = without_scripts(write_run_report(texts / "runs/gru-seed1"))
    outputs = answers(texts / "runs/gru-seed1", "scores")
    wrong = int((outputs.argmax(axis=1) != pl.read_parquet(texts / "test.parquet")["target"].to_numpy()).sum())
    assert f"Of 120 test examples, {wrong} are answered wrongly." in text
    assert "Confusion matrix of gru" in text


def test_series_with_classes_are_drawn_as_lines(tmp_path):
    folder = write_comparison(tmp_path, task="classify", epochs=3, examples=80)
    series = np.random.default_rng(0).normal(size=(80, 50)).tolist()
    frame = pl.read_parquet(folder / "test.parquet")
    frame.select(pl.Series("input", series), "target").write_parquet(folder / "test.parquet")
    text = without_scripts(write_report(folder))
    points = re.findall(r'<polyline points="([^"]+)"', text)
    assert points
    assert all(len(line.split()) == 50 for line in points)


def test_a_hopeless_baseline_does_not_press_the_others_into_one_spot(waves):
    text = without_scripts(write_report(waves))
    row = re.search(r'<span class="name">mean</span>.*?</svg>', text, re.S)[0]
    assert "off the scale" in row
    places = [float(x) for x in re.findall(r'<circle class="seed" cx="([\d.]+)%"', text)]
    assert max(places) - min(places) > 30


def test_a_run_alone_shows_its_training(copy, tmp_path):
    run = Path(shutil.move(copy / "runs/lstm-seed0", tmp_path / "alone"))
    data = page_data(write_run_report(run))
    assert data["sections"] == {}
    assert len(data["training"]) == 3


def test_an_unfinished_run_says_how_far_it_is(copy):
    run = copy / "runs/lstm-seed0"
    (run / "summary.json").unlink()
    (run / "answers.parquet").unlink()
    file = run / "metrics.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
    assert "Not finished: 2 of 5 epochs are done." in without_scripts(report(run))


def test_report_tells_a_run_from_a_comparison(waves):
    assert report(waves) == waves / "report.html"
    assert report(waves / "runs/gru-seed2") == waves / "runs/gru-seed2/report.html"


def test_a_report_goes_where_it_is_wanted_and_leaves_its_folder_alone(waves, tmp_path):
    for folder in (waves, waves / "runs/gru-seed2"):
        kept = folder / "report.html"
        before = kept.stat().st_mtime_ns if kept.exists() else None
        assert report(folder, tmp_path / "page.html") == tmp_path / "page.html"
        assert (kept.stat().st_mtime_ns if kept.exists() else None) == before
    with pytest.raises(UsageError, match=r"that ends with \.html, not elsewhere"):
        report(waves, "elsewhere")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda f: f / "nothing", "does not exist"),
        (lambda f: f / "comparison.json", "is a file"),
        (lambda f: f / "runs", "neither a run nor a comparison"),
    ],
)
def test_anything_else_is_one_sentence(copy, prepare, message):
    with pytest.raises(RunError, match=message) as caught:
        report(prepare(copy))
    assert "\n" not in str(caught.value)


FILES = (
    "comparison.json",
    "test.parquet",
    "baselines/mean.parquet",
    "runs/gru-seed1/metrics.jsonl",
    "runs/gru-seed1/summary.json",
    "runs/gru-seed1/recipe.toml",
    "runs/gru-seed1/answers.parquet",
)
# An empty recipe is a valid one, and a run before its first epoch has empty metrics.
MAY_BE_EMPTY = ("recipe.toml", "metrics.jsonl")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (name, content)
        for name in FILES
        for content in (b"\xff\x00 not what it was {", b"[1, 2", b"")
        if content or not name.endswith(MAY_BE_EMPTY)
    ],
)
def test_a_corrupt_file_is_named_in_one_sentence(copy, name, content):
    (copy / name).write_bytes(content)
    with pytest.raises(RunError, match=re.escape(name)) as caught:
        write_report(copy)
    assert "\n" not in str(caught.value)
    assert not (copy / "report.html").exists()


@pytest.mark.parametrize("name", ["test.parquet", "baselines/mean.parquet", "runs/gru-seed1/metrics.jsonl"])
def test_a_missing_file_is_named_in_one_sentence(copy, name):
    (copy / name).unlink()
    with pytest.raises(RunError, match=f"{re.escape(name)} is missing"):
        write_report(copy)


def test_predictions_for_other_examples_are_refused(copy):
    file = copy / "runs/gru-seed1/answers.parquet"
    pl.read_parquet(file).head(7).write_parquet(file)
    with pytest.raises(RunError, match="holds 7 answers for the 120 examples"):
        write_report(copy)


def test_a_path_that_leaves_the_folder_is_refused(copy):
    entries = json.loads((copy / "comparison.json").read_text())["entries"]
    entries[0]["runs"] = ["../../elsewhere"]
    change(copy, entries=entries)
    with pytest.raises(RunError, match="lies outside the comparison folder"):
        write_report(copy)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"metric": "test_speed"}, 'lacks the metric "test_speed"'),
        ({"entries": []}, '"entries" must be a list'),
        ({"entries": [{"name": "x", "kind": "network", "metrics": {"test_mse": 3}}]}, "must hold a mean"),
    ],
)
def test_a_comparison_that_does_not_hold_together_is_one_sentence(copy, values, message):
    change(copy, **values)
    with pytest.raises(RunError, match=message):
        write_report(copy)
