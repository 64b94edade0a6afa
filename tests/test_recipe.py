import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatework.errors import UsageError
from gatework.recipe import Recipe, find_recipe, read_recipe, recipe_files, recipe_from_dict, recipe_to_toml

BUILT_IN = list(recipe_files())


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_recipe_reads_and_survives_a_round_trip(name, tmp_path):
    recipe = find_recipe(name)
    (tmp_path / "recipe.toml").write_text(recipe_to_toml(recipe))
    assert read_recipe(tmp_path / "recipe.toml") == recipe


@given(st.integers(1, 500), st.floats(1e-6, 10), st.sampled_from(["constant", "cosine", "linear"]), st.booleans())
def test_any_valid_recipe_survives_a_round_trip(hidden, learning_rate, schedule, bidirectional):
    import tomllib

    recipe = Recipe().changed(
        hidden=hidden, learning_rate=learning_rate, schedule=schedule, bidirectional=bidirectional, text='a "b" \\ ä'
    )
    assert recipe_from_dict(tomllib.loads(recipe_to_toml(recipe)), "here") == recipe


@given(st.floats(0, 0.99), st.dictionaries(st.sampled_from(["c", "h"]), st.floats(0, 0.99)), st.booleans())
def test_what_acts_around_the_cell_survives_a_round_trip(share, by_state, layer_norm):
    import tomllib

    for zoneout in (share, by_state):
        recipe = Recipe().changed(zoneout=zoneout, weight_drop=share, cell_clip=share, layer_norm=layer_norm)
        assert recipe_from_dict(tomllib.loads(recipe_to_toml(recipe)), "here") == recipe


def test_the_serialised_recipe_holds_every_field_that_has_a_value():
    written = Recipe().to_dict()
    for section in ("data", "model", "training"):
        config = getattr(Recipe(), section)
        fields = {f.name for f in dataclasses.fields(config) if getattr(config, f.name) is not None}
        assert set(written[section]) == fields


def test_all_problems_are_reported_at_once_with_the_nearest_key():
    values = {
        "model": {"hiden": 3, "layers": "two", "dropout": 1.5, "pooling": "median"},
        "trainin": {},
        "training": {"epochs": True},
    }
    with pytest.raises(UsageError) as caught:
        recipe_from_dict(values, "my.toml")
    message = str(caught.value)
    assert message.startswith("my.toml: ")
    for part in (
        'unknown key "model.hiden" (did you mean "hidden"?)',
        "model.layers is 'two', expected a whole number",
        "model.dropout is 1.5, expected at least 0 and at most 0.99",
        'model.pooling is "median", expected one of last, mean, max, concat, attention',
        'unknown key "trainin" of the task "classify" (did you mean "training"?)',
        "training.epochs is True, expected a whole number",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hiddn": 3}, 'a recipe of the task "classify" has no field "hiddn": did you mean "hidden"'),
        ({"epochs": 0}, "training.epochs is 0, expected at least 1"),
        ({"learning_rate": float("nan")}, "training.learning_rate is nan, expected above 0"),
        ({"validation": 1.0}, "data.validation is 1.0"),
        ({"zoneout": 1.0}, "model.zoneout is 1.0, expected at least 0 and at most 0.99"),
        ({"zoneout": "much"}, "model.zoneout is 'much', expected a number"),
        ({"zoneout": {"c": 0.1, "h": 2}}, "model.zoneout.h is 2, expected at least 0 and at most 0.99"),
        ({"zoneout": {"c": "much"}}, "model.zoneout.c is 'much', expected a number"),
        ({"cell_clip": -1.0}, "model.cell_clip is -1.0, expected at least 0"),
        ({"layer_norm": 1}, "model.layer_norm is 1, expected true or false"),
    ],
)
def test_a_wrong_change_is_one_sentence(change, sentence):
    with pytest.raises(UsageError, match=re.escape(sentence)):
        Recipe().changed(**change)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "there is no such recipe file"), ("a = ", "is not a TOML file"), (b"\xff", "is not a TOML file")],
)
def test_an_unreadable_recipe_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "r.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=sentence):
        read_recipe(path)


def test_an_unknown_recipe_name_suggests_the_nearest():
    with pytest.raises(UsageError, match='did you mean "waves"'):
        find_recipe("wavs")
