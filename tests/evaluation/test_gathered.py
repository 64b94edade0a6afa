import numpy as np
import pytest

from gatework import train
from gatework._files import read_json
from gatework.data.dataset import Dataset, Split
from gatework.errors import RunError, UsageError
from gatework.evaluation.gathered import gather
from gatework.reports import report
from gatework.training import Progress, Run
from support.command_line import run_here

SMALL = {"epochs": 2, "hidden": 3, "threads": 1, "progress": Progress()}


def dataset_of(seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    values = random.normal(size=(60, 4, 1)).astype(np.float32)
    part = Split(values, (values[:, -1, 0] > 0).astype(np.int64))
    return Dataset.of("made", part, part, part, ("low", "high"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        train("classify", dataset_of(), out=folder / f"small-seed{seed}", seed=seed, **SMALL)
    train("classify", dataset_of(), out=folder / "wide", **SMALL | {"hidden": 6, "cell": "gru"})
    return folder


def test_runs_of_ones_own_stand_in_one_report_by_recipe_and_seed(runs, tmp_path):
    names = ["small-seed0", "small-seed1", "wide"]
    done = run_here("report", *(runs / name for name in names), "--out", tmp_path / "both")
    page = tmp_path / "both" / "report.html"
    assert (done.returncode, done.stdout.strip()) == (0, str(page))
    content = read_json(tmp_path / "both" / "comparison.json")
    small, wide, *blends = content["entries"]
    assert (small["name"], small["hidden"], wide["name"], wide["cell"]) == ("small", 3, "wide", "gru")
    summaries = [Run.open(runs / name).summary for name in names[:2]]
    for entry, figures in ((small, "network"), (blends[0], "metrics")):
        assert entry["metrics"]["test_accuracy"]["values"] == [s[figures]["test_accuracy"] for s in summaries]
    assert blends[0]["name"] == "small, blended"
    assert "What differs: small has cell lstm, hidden 3; wide has cell gru, hidden 6." in content["verdict"]
    assert content["splits"] == {"train": 60, "validation": 60, "test": 60}
    assert "small and wide, side by side" in page.read_text(encoding="utf-8")
    assert report(gather([runs / name for name in names], tmp_path / "both")) == page, "again, of the same runs"


def test_what_does_not_compare_is_refused_in_a_sentence(runs, tmp_path):
    other = train("classify", dataset_of(1), out=tmp_path / "other", **SMALL)
    with pytest.raises(RunError, match="were tested on other examples"):
        gather([runs / "wide", other.path], tmp_path / "both")
    with pytest.raises(UsageError, match="give two runs or more, each once"):
        gather([runs / "wide", runs / "wide"], tmp_path / "both")
    first = gather([runs / "wide", runs / "small-seed0"], tmp_path / "first")
    with pytest.raises(RunError, match="of another plan"):
        gather([runs / "wide", runs / "small-seed1"], first)
    assert not (tmp_path / "both").exists()
    assert "name it with --out" in run_here("report", runs / "wide", other.path).stderr
