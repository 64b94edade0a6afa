"""What acts around the cells, from a recipe to runs, comparisons and what is shown of them."""

import json

import numpy as np
import pytest

import gatework
from gatework.errors import UsageError
from gatework.evaluation.comparison import ComparisonPlan
from gatework.nn import RecurrentLayer, ScanOptions
from gatework.nn.model import scan_options
from gatework.pages.step_options import step_options
from gatework.recipe import Recipe
from gatework.reports.run import write_run_report
from gatework.training.run import Run
from support.comparisons import compare
from support.datasets import waves

ALL = {"recurrent_dropout": 0.2, "zoneout": {"c": 0.3, "h": 0.1}, "weight_drop": 0.4, "cell_clip": 2.0}
ALL |= {"layer_norm": True}


def layers_of(run):
    return [module for module in run.network.modules() if isinstance(module, RecurrentLayer)]


def test_a_saved_run_holds_everything_that_acted_and_evaluates_to_what_it_reached(tmp_path):
    data, recipe = waves()
    run = gatework.train("regress", data, out=tmp_path / "run", recipe=recipe, epochs=1, **ALL)
    again = Run.open(run.path)
    assert again.recipe == run.recipe
    (layer,) = layers_of(again)
    assert layer.options == ScanOptions(0.2, {"c": 0.3, "h": 0.1}, 0.4, 2.0, True)
    assert again.evaluate(data.test).metrics == {k.removeprefix("test_"): v for k, v in run.summary["metrics"].items()}
    shown = write_run_report(run.path).read_text()
    assert "recurrent dropout 0.2, zoneout c 0.3 and h 0.1, weight drop 0.4, cell clip 2, layer norm" in shown


def test_masks_act_in_training_and_an_interrupted_seed_draws_the_same(tmp_path):
    data, recipe = waves()
    weights = []
    for k, share in enumerate((0.0, 0.5, 0.5)):
        run = gatework.train("regress", data, out=tmp_path / str(k), recipe=recipe, epochs=1, zoneout=share)
        weights.append((run.path / "model.safetensors").read_bytes())
    assert weights[0] != weights[1] == weights[2]


@pytest.mark.parametrize("task", ["forecast", "detect"])
def test_networks_of_tables_with_a_time_take_them_too(task, tmp_path):
    import polars as pl

    days = pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 12, 31), eager=True)
    frame = pl.DataFrame({"day": days, "value": np.sin(np.arange(len(days)) / 7)})
    changes = {"time": "day", "target": "value", "epochs": 1, "hidden": 4, "layers": 1, **ALL}
    run = gatework.train(task, frame, out=tmp_path / "run", **changes)
    found = [layer.options for layer in layers_of(Run.open(run.path))]
    assert found == [ScanOptions(0.2, {"c": 0.3, "h": 0.1}, 0.4, 2.0, True)] * len(found)
    assert found


@pytest.mark.parametrize("options", [{"zoneout": 0.1, "weight_drop": 0.2}, {"layer_norm": True}], ids=str)
def test_a_comparison_says_what_acted_around_its_cells_and_looks_inside(options, tmp_path):
    data, recipe = waves()
    report = compare(data, ComparisonPlan(recipe.changed(**options), ("rnn", "lstm"), seeds=1), tmp_path / "out")
    words = step_options(options)
    assert f"around every cell: {words}" in report.read_text()
    found = json.loads((tmp_path / "out" / "inside.json").read_text())
    assert all(own[at]["norm"][0] == 1 for own in found["gradients"] for at in ("start", "trained"))
    page = tmp_path / "out" / "inspect.html"
    assert found["page"] == "inspect.html"
    assert f'"around":"{words}"' in page.read_text().replace('": "', '":"')
    assert (report.parent / found["playground"]).is_file()
    assert f'href="{found["playground"]}"' in report.read_text()


@pytest.mark.parametrize(
    ("cell", "options", "sentence"),
    [
        ("gru", {"cell_clip": 1.0}, 'the cell "gru" has no cell state c for cell_clip to act on'),
        ("gru", {"zoneout": {"c": 0.1}}, 'the cell "gru" has no state "c" for zoneout to act on: there is h'),
        ("indrnn", {"weight_drop": 0.1}, 'the cell "indrnn" has no recurrent product for weight_drop to act on'),
        ("minimal", {"recurrent_dropout": 0.1}, "no recurrent product for recurrent_dropout to act on"),
    ],
)
def test_a_cell_that_cannot_take_an_option_is_one_sentence_before_anything_is_made(cell, options, sentence, tmp_path):
    recipe = Recipe().changed(cell=cell, **options)
    with pytest.raises(UsageError, match=sentence):
        scan_options(recipe.model)
    data, base = waves()
    with pytest.raises(UsageError, match=sentence):
        gatework.train("regress", data, out=tmp_path / "run", recipe=base, cell=cell, **options)
    with pytest.raises(UsageError, match=sentence):
        ComparisonPlan(base.changed(**options), ("lstm", cell))
    assert not list(tmp_path.iterdir())
