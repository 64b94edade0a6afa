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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "classify", "x.csv", "--horizon", 3), "--horizon is an option of train forecast"),
        (("train", "forecast", "x.csv", "--contextual"), "--contextual is an option of train classify"),
        (("train", "forecast", "x.csv", "--contextual=yes"), "--contextual is an option of train classify"),
        (("train", "classify", "x.csv", "--no-totals"), "--no-totals is an option of train forecast"),
        (("train", "classify", "x.csv", "--forecast.horizon", 3), "--forecast.horizon is an option of train forecast"),
        (("train", "generate", "x.txt", "--season", 3), "--season is an option of train forecast"),
        (("tune", "forecast", "x.csv", "--contextual"), "--contextual is an option of tune classify"),
        (("check", "forecast", "x.csv", "--contextual"), "--contextual is an option of check classify"),
        (("compare", "waves", "--contextual"), "--contextual is an option of train classify"),
        (("train", "regress", "x.csv", "--samples", 3), "--samples is an option of predict for a run of generate"),
        (("evaluate", "RUN", "--samples", 3), "--samples is an option of predict for a run of generate"),
        (("predict", "RUN", "--hidden", 3), "--hidden is an option of train; "),
    ],
)
def test_an_option_of_another_task_or_command_is_refused_with_the_name_of_its_own(arguments, said, tmp_path):
    done = run_here(*arguments, cwd=tmp_path)
    shown = " ".join(done.stderr.split())
    assert (done.returncode, said in shown, "did you mean" in shown) == (2, True, False), shown
    assert shown.startswith(f'gatework: there is no option "{said.split()[0]}" here; ')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("train", "forecast", "x.csv", "--contextul"), 'did you mean "--contextual", an option of train classify?'),
        (("train", "forecast", "x.csv", "--horizn", 3), 'did you mean "--horizon"?'),
        (("compare", "waves", "--cell", "gru"), 'here (did you mean "--cells"?); --cell is an option of train; see'),
    ],
)
def test_a_mistyped_option_is_hinted_with_the_command_that_takes_it(arguments, said, tmp_path):
    done = run_here(*arguments, cwd=tmp_path)
    shown = " ".join(done.stderr.split())
    assert (done.returncode, said in shown) == (2, True), shown


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
