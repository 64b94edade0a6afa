import json
import re

import pytest

from gatework import tasks, training
from gatework.recipe import recipe_of_task
from gatework.training.fitting import prepare
from support.texts import small, text


def sized(folder, characters, **changes):
    return prepare(text(folder, characters), "generate", None, changes)[1]


def test_more_text_and_more_minutes_make_a_larger_network(tmp_path):
    few, some, more = (sized(tmp_path, *given) for given in ((2000,), (200_000,), (200_000,)))
    assert few.model.hidden < some.model.hidden == more.model.hidden
    hour = sized(tmp_path, 200_000, minutes=60)
    assert hour.model.hidden * hour.model.layers >= some.model.hidden * some.model.layers
    assert sized(tmp_path, 200_000, minutes=0.03).model.hidden < some.model.hidden


def test_what_a_person_gives_stays(tmp_path):
    given = {"hidden": 16, "dropout": 0.33, "epochs": 3}
    recipe = sized(tmp_path, 2000, **given)
    assert (recipe.model.hidden, recipe.model.dropout, recipe.training.epochs) == (16, 0.33, 3)
    assert recipe.training.minutes == 0
    assert sized(tmp_path, 2000, epochs=3, minutes=2).training.minutes == 2


def test_a_recipe_of_a_persons_own_is_trained_as_it_stands(tmp_path):
    recipe = recipe_of_task("generate").changed(precision="float32")
    dataset, same = prepare(text(tmp_path, 2000), None, recipe.changed(hidden=7), {})
    assert same.model.hidden == 7
    assert same.training == recipe.training
    assert dataset.train


def test_it_is_said_before_training_what_to_expect(tmp_path):
    class Hears(training.Progress):
        def described(self, lines):
            self.lines = lines

    hears = Hears()
    training.train("generate", text(tmp_path), out=tmp_path / "run", recipe=small(), threads=1, progress=hears)
    told = "\n".join(hears.lines)
    assert "2,000 characters" in told
    assert "copies" in told
    assert "training takes about" in told


def test_the_time_that_is_said_is_that_of_all_steps_and_of_judging_each_epoch(tmp_path):
    dataset, recipe = prepare(text(tmp_path, 9000), "generate", small(epochs=40, minutes=0), {})
    task = tasks.get("generate").fit(dataset, recipe.data)
    (said,) = task.outlook(dataset, recipe, lambda: 60.0)
    minutes = 40 * len(task.order(task.encode(dataset.train), recipe.training, 1))
    told = int(re.search(r"about (\d+) h", said)[1])
    assert minutes / 60 < told < 1.1 * minutes / 60
    (said,) = task.outlook(dataset, recipe.changed(minutes=30), lambda: 60.0)
    assert "training is to end after 30 minutes, in which" in said


def test_training_ends_with_its_minutes_and_the_rate_with_it(tmp_path):
    run = training.train(
        "generate", text(tmp_path), out=tmp_path / "run", threads=1,
        recipe=small(epochs=100_000, minutes=0.02, warmup=0.1, schedule="cosine"),
    )  # fmt: skip
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert sum(line["seconds"] for line in lines) <= 1.2 + max(line["seconds"] for line in lines)
    assert lines[-1]["learning_rate"] == pytest.approx(0, abs=1e-4)
    assert len(lines) < 100_000


def test_the_epochs_end_a_training_that_has_minutes_left(tmp_path):
    recipe = small(epochs=2, minutes=60, schedule="linear")
    run = training.train("generate", text(tmp_path), out=tmp_path / "run", recipe=recipe, threads=1)
    lines = [json.loads(line) for line in (run.path / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 2
    assert lines[-1]["learning_rate"] < 0.1 * recipe.training.learning_rate
