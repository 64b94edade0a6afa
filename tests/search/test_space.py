"""What a search varies: as the options declare it, and as a person says."""

import numpy as np
import pytest

from gatework import tasks
from gatework.data.dataset import Dataset
from gatework.errors import UsageError
from gatework.options import TASKS, Among, Between, dimension, space_of
from gatework.recipe import Recipe, read_recipe, recipe_of_task
from gatework.search.plan import search_space
from support.datasets import opinions, small, waves

OPTIONS = TASKS["classify"].options


def of(name, values):
    return dimension(OPTIONS, name, values, "a recipe").tried


@pytest.mark.parametrize("task", TASKS.built_in)
def test_every_task_declares_something_to_search_and_its_recipe_is_within_it(task):
    recipe = recipe_of_task(task)
    values = recipe.to_dict()
    space = [d.starting_at(values[d.option.section][d.option.name]) for d in space_of(TASKS[task].shown)]
    assert len(space) > 3
    for d in space:
        start, tried = values[d.option.section][d.option.name], d.tried
        if isinstance(tried, Among):
            assert start in tried.values
        else:
            assert tried.low <= start <= tried.high
        ends = tried.values if isinstance(tried, Among) else (tried.low, tried.high)
        assert [d.option.problem(end) for end in ends] == [None] * len(ends)


def test_values_are_said_as_ends_or_one_by_one():
    assert of("hidden", "16..256") == Between(16, 256, is_log=True)
    assert of("dropout", "0..0.5") == Between(0, 0.5)
    assert of("weight_decay", "1e-6..1e-2") == Between(1e-6, 1e-2, is_log=True)
    assert of("layers", "1..4 log") == Between(1, 4, is_log=True)
    assert of("cell", "lstm, gru") == Among(("lstm", "gru"))
    assert of("model.pooling", ["last", "max"]) == Among(("last", "max"))
    assert of("bidirectional", "true,false") == Among((True, False))
    assert of("batch_size", "16,32,64") == Among((16, 32, 64))


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("hiden", "1..2", 'no field "hiden": did you mean "hidden"'),
        ("hidden", "64..8", "give two ends, the lower first"),
        ("hidden", "64", "or values by commas"),
        ("hidden", "0..8", "model.hidden is 0, expected at least 1"),
        ("dropout", "0..0.5 log", "give two ends"),
        ("cell", "lstm", "give words by commas, as cell=lstm,gru"),
        ("pooling", "last,median", 'model.pooling is "median"'),
        ("weight_decay", None, "has no values of its own to try"),
        ("target", "a,b", "cannot be searched"),
    ],
)
def test_what_cannot_be_searched_is_one_sentence(name, values, message):
    with pytest.raises(UsageError) as caught:
        of(name, values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_says_what_is_searched_and_keeps_nothing_of_it_in_a_run(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('task = "classify"\n[search]\nhidden = "4..8"\n"model.cell" = ["lstm", "gru"]\n')
    recipe = read_recipe(file)
    assert "search" not in recipe.to_dict()
    dataset = opinions()
    space = search_space(recipe, tasks.get("classify").fit(dataset, recipe.data), {})
    assert {d.name: str(d.tried) for d in space} == {"model.hidden": "4 to 128 (log)", "model.cell": "lstm, gru"}
    file.write_text('task = "classify"\n[search]\nhidden = "8..4"\nlayer = "1..2"\n')
    with pytest.raises(UsageError, match=r"mine.toml: .*hidden.*; .*layer.*did you mean"):
        read_recipe(file)


def names(dataset: Dataset, recipe: Recipe) -> set[str]:
    fitted = tasks.get(recipe.task).fit(dataset, recipe.data)
    return {d.option.name for d in search_space(recipe, fitted, {})}


def test_options_of_texts_are_not_searched_where_there_are_none():
    assert "embedding" in names(opinions(), small())
    dataset, recipe = waves()
    assert "embedding" not in names(dataset, recipe)
    assert np.isfinite(dataset.train.targets).all()
