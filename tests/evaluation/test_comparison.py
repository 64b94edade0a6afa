import json
import shutil

import numpy as np
import pytest

from gatework import tasks
from gatework.errors import RunError, UsageError
from gatework.evaluation.comparison import ComparisonPlan
from gatework.evaluation.matching import matched_hidden, parameters
from gatework.inside.comparison import keep_gradients, look_inside
from gatework.inside.gradients import gradient_flow
from gatework.training.progress import Progress
from gatework.training.run import Run
from support.comparisons import compare
from support.datasets import opinions, small, waves
from support.stopping import StopAt

CELLS = ("rnn", "gru", "lstm")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("comparisons [1]") / "waves"
    data, recipe = waves()
    report = compare(data, ComparisonPlan(recipe, CELLS, seeds=2), out, workers=2)
    assert report == out / "report.html"
    return out


def test_the_folder_holds_what_the_contract_says(finished):
    content = json.loads((finished / "comparison.json").read_text())
    assert content["dataset"] == "waves"
    assert content["metric"] == "test_mse"
    assert content["lower_is_better"] is True
    networks = [e for e in content["entries"] if e["kind"] == "network"]
    assert [e["name"] for e in networks] == list(CELLS)
    for entry in networks:
        values = entry["metrics"]["test_mse"]["values"]
        assert entry["metrics"]["test_mse"]["mean"] == pytest.approx(np.mean(values))
        assert entry["metrics"]["test_mse"]["std"] == pytest.approx(np.std(values, ddof=1))
        assert entry["parameters"] > 0 < entry["seconds_per_epoch"]
        for run in entry["runs"]:
            assert (finished / run / "summary.json").exists()
    assert [e["name"] for e in content["entries"] if e["kind"] == "baseline"] == [
        "mean",
        "last value",
        "linear autoregression",
    ]
    assert content["verdict"]


def test_gradients_that_are_kept_while_others_train_are_those_that_are_found_afterwards(finished, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    shutil.rmtree(copy / "gradients", ignore_errors=True)
    keep_gradients(copy, "gru", seeds=3)
    assert not (copy / "gradients").exists()
    keep_gradients(copy, "gru", seeds=2)
    kept = json.loads((copy / "gradients" / "gru.json").read_text())
    assert kept == json.loads((finished / "inside.json").read_text())["gradients"][1]
    (copy / "gradients" / "gru.json").write_text(json.dumps(kept | {"pooling": "of the file"}))
    look_inside(copy)
    now = json.loads((copy / "inside.json").read_text())["gradients"]
    assert [each["pooling"] for each in now] == ["last", "of the file", "last"]


def test_the_report_says_for_every_seed_how_far_back_the_gradient_reaches(finished):
    found = json.loads((finished / "inside.json").read_text())
    assert [own["name"] for own in found["gradients"]] == list(CELLS)
    test = waves()[0].test.take(np.arange(24))
    report = (finished / "report.html").read_text()
    for own in found["gradients"]:
        flows = [gradient_flow(Run.open(finished / "runs" / f"{own['name']}-seed{seed}"), test) for seed in (0, 1)]
        assert own["trained"]["by_seed"] == [flow.finding().brief for flow in flows]
        assert own["trained"]["sentence"] == flows[0].finding().sentence(own["name"])
        np.testing.assert_allclose(own["trained"]["norm"], flows[0].curve(), rtol=1e-3)
        assert f"(by seed: {', '.join(own['trained']['by_seed'])})" in report


def test_every_cell_sees_the_same_data_in_the_same_order(finished):
    seeds = {
        run.name: json.loads((run / "environment.json").read_text())["data"] for run in (finished / "runs").iterdir()
    }
    assert len(set(seeds.values())) == 1
    assert len(seeds) == 6


def test_parallel_and_serial_comparisons_end_with_the_same_weights(finished, tmp_path):
    data, recipe = waves()
    compare(data, ComparisonPlan(recipe, ("lstm",), seeds=2), tmp_path / "one", workers=2)
    for seed in range(2):
        name = f"runs/lstm-seed{seed}/model.safetensors"
        assert (tmp_path / "one" / name).read_bytes() == (finished / name).read_bytes()


def test_an_interrupted_comparison_goes_on_where_it_stopped(finished, tmp_path):
    data, recipe = waves()
    out = tmp_path / "stopped"

    with pytest.raises(KeyboardInterrupt):
        compare(data, ComparisonPlan(recipe, CELLS, seeds=2), out, workers=1, progress=StopAt(1, run=3))
    assert not (out / "comparison.json").exists()
    told: list[str] = []

    class Note(Progress):
        def started(self, label, epochs, steps, done):
            told.append(label)

    compare(data, ComparisonPlan(recipe, CELLS, seeds=2), out, progress=Note())
    assert told == ["gru, seed 0", "gru, seed 1", "rnn, seed 0", "rnn, seed 1"]


def test_another_plan_or_a_folder_with_something_else_is_refused(finished, tmp_path):
    data, recipe = waves()
    with pytest.raises(RunError, match=r"another plan \(its seeds differ\)"):
        compare(data, ComparisonPlan(recipe, CELLS, seeds=3), finished)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="holds something else"):
        compare(data, ComparisonPlan(recipe, CELLS), tmp_path)


def test_a_corrupt_comparison_is_named(finished, tmp_path):
    data, recipe = waves()
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    (copy / "plan.json").write_text("{")
    with pytest.raises(RunError, match=r"plan\.json is corrupt"):
        compare(data, ComparisonPlan(recipe, CELLS, seeds=2), copy)


def test_the_original_waves_come_out_as_solved_by_copying(tmp_path):
    data, recipe = waves("waves-original")
    compare(data, ComparisonPlan(recipe, ("rnn",), seeds=1), tmp_path / "original")
    verdict = json.loads((tmp_path / "original" / "comparison.json").read_text())["verdict"]
    assert verdict.startswith('The baseline "last value" solves this task exactly')


def test_matching_widens_the_smaller_cells_to_equal_parameters():
    data, recipe = opinions(), small(hidden=32)
    task = tasks.get("classify").fit(data, recipe.data)
    sizes = matched_hidden(task, recipe.model, ("rnn", "gru", "lstm"))
    assert sizes["lstm"] == 32 < sizes["gru"] < sizes["rnn"]
    goal = parameters(task, recipe.changed(cell="lstm").model)
    for cell, hidden in sizes.items():
        counts = [parameters(task, recipe.changed(cell=cell, hidden=hidden + k).model) for k in (-1, 0, 1)]
        assert abs(counts[1] - goal) == min(abs(count - goal) for count in counts)


def test_a_plan_without_cells_or_with_an_unknown_one_is_refused():
    for cells in ((), ("lstm", "lstm"), ("lstm", "transformer")):
        with pytest.raises(UsageError, match="cell"):
            ComparisonPlan(small(), cells)
