"""Options of the command line that are made from declared ones."""

import polars as pl
import pytest

from gatework.cli import _declared
from gatework.options import TASKS
from gatework.recipe import find_recipe
from gatework.training import Run
from support.command_line import run_here

SMALL = ("--epochs", 1, "--hidden", 4, "-q")


@pytest.fixture(scope="module")
def energy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("energy")
    days = pl.date_range(pl.date(2023, 1, 1), pl.date(2023, 6, 30), eager=True)
    values = [100 + 10 * ((k % 7) - 3) for k in range(len(days))]
    pl.DataFrame({"date": days, "Consumption, MWh": values, "price": values[::-1]}).write_csv(folder / "energy.csv")
    return folder


def test_a_column_whose_name_has_a_comma_is_found_and_several_are_given_by_repeating(energy):
    done = run_here(
        *("train", "forecast", "energy.csv", "--time", "date", "--target", "Consumption, MWh", "--target", "price"),
        *("--forecast.horizon", 3, "--no-calendar", "--model.layers", 1, "--out", "run", *SMALL),
        cwd=energy,
    )
    assert done.returncode == 0, done.stderr
    recipe = Run.open(energy / "run").recipe
    assert recipe.data.target == ("Consumption, MWh", "price")
    assert recipe.to_dict()["forecast"]["horizon"] == 3
    assert recipe.to_dict()["forecast"]["calendar"] is False
    shown = run_here("predict", "run", "--horizon", 2, "--json", cwd=energy)
    assert shown.stdout.count('"target": "Consumption, MWh"') == 2


def test_an_option_of_another_task_is_refused_with_the_name_of_its_own(energy):
    done = run_here("train", "classify", "energy.csv", "--horizon", 3, "--out", "x", cwd=energy)
    assert done.returncode == 2
    assert 'there is no option "--horizon"' in done.stderr
    assert "horizon is an option of forecast; see gatework train classify --help" in done.stderr


def test_a_mistyped_column_whose_name_has_a_comma_is_hinted_whole(energy):
    given = ("--target", "Consumtion, MWh", "--time", "date")
    done = run_here("train", "forecast", "energy.csv", *given, "--out", "x", cwd=energy)
    assert done.returncode == 1
    assert 'has no column "Consumtion, MWh": did you mean "Consumption, MWh"?' in done.stderr


def test_help_shows_the_defaults_of_the_recipe_that_would_be_used():
    epochs = find_recipe("waves").training.epochs
    assert f"Passes over the training examples. [default: {epochs}]" in run_here("compare", "waves", "--help").stdout
    shown = " ".join(run_here("train", "forecast", "--help").stdout.split())
    assert shown.count("[needed for a table of your own]") == len(TASKS["forecast"].needed) == 2
    forecast = find_recipe("forecast").training.batch_size
    assert f"[default: {forecast}]" in run_here("train", "forecast", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "tasks"),
    [
        (["forecast", "x.csv"], {"forecast"}),
        (["--out", "run", "detect", "x.csv"], {"detect"}),
        (["x.csv"], set(TASKS)),
    ],
)
def test_the_task_of_a_command_line_decides_its_options(arguments, tasks):
    declared = {o.qualified for o in _declared.of_training(arguments).options}
    assert declared == {o.qualified for name in tasks for o in TASKS[name].shown}


@pytest.mark.parametrize(
    ("arguments", "section"),
    [(["x.csv", "--task", "forecast"], "forecast"), (["x.csv", "--task=detect"], "detect"), (["airline"], "forecast")],
)
def test_a_comparison_has_the_options_of_the_task_that_is_named_or_is_the_data_sets(arguments, section):
    sections = {o.section for o in _declared.of_comparing(arguments).options}
    assert sections == {"data", "model", "training", *(kind.section for kind in TASKS[section].sections)}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "regress", "waves", "--threads", -1), "threads is -1, expected at least 1"),
        (("train", "regress", "waves", "--threads", 100_000), "threads is 100000, expected at least 1 and at most"),
        (("compare", "waves", "--jobs", 0), "jobs is 0, expected at least 1"),
        (("train", "regress", "waves", "--hidden", "many"), "Invalid value for '--hidden'"),
        (("train", "regress", "waves", "--data.scale", "--hidden", 0), "model.hidden is 0, expected at least 1"),
    ],
)
def test_a_wrong_value_is_one_sentence_before_anything_is_written(tmp_path, arguments, sentence):
    done = run_here(*arguments, "--out", "x", cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
