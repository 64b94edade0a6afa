"""A task, a data set and a recipe of a person's own on the command line, in processes that know nothing of them."""

import json
from pathlib import Path

import pytest

from support.command_line import run_forked

PLUGIN = """
from dataclasses import dataclass, replace

import gatework
from gatework.data import Dataset, SetSpec, Split
from gatework.options import OptionSection, TaskOptions, option
from gatework.tasks.regress.task import RegressTask


@dataclass(frozen=True)
class LastOptions(OptionSection):
    section = "last"
    title = "The last steps"

    steps: int = option(5, low=1, high=50, help="The last so many steps are read.")


@gatework.tasks.register
@dataclass(frozen=True)
class LastTask(RegressTask):
    options = TaskOptions("last", "Predict from the last steps alone.", "gatework train last waves --out RUN",
                          sections=(LastOptions,))
    name = "last"

    @classmethod
    def load(cls, source, recipe):
        data = gatework.data.load(source, recipe.data).limited(100)
        steps = recipe.section(LastOptions).steps
        parts = (Split(part.inputs[:, -steps:], part.targets) for part in (data.train, data.validation, data.test))
        return Dataset("short waves", "series", *parts, data.provenance)


def load_few(options):
    return replace(gatework.data.load("waves", options), name="few-waves").limited(60)


gatework.data.register(SetSpec(name="few-waves", title="Sixty waves", licence="none", load=load_few, recipe="brief"))
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "last_steps.py").write_text(PLUGIN)
    (tmp_path / "brief.toml").write_text('# Brief.\ntask = "regress"\n[model]\nhidden = 4\n[training]\nepochs = 1\n')
    with (tmp_path / "last_steps.py").open("a") as file:
        file.write(f"gatework.recipe.register_recipe({str(tmp_path / 'brief.toml')!r})\n")
    return tmp_path


def test_a_task_of_a_persons_own_has_its_flags_and_is_trained_compared_and_opened(folder):
    shown = run_forked("--plugin", "last_steps.py", "train", "last", "--help", cwd=folder)
    assert "--steps INTEGER" in shown.stdout
    assert "[default: 5]" in shown.stdout
    small = ("--steps", 3, "--epochs", 1, "--hidden", 4, "--json", "-q")
    done = run_forked("--plugin=last_steps.py", "train", "last", "waves", "--out", "run", *small, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "steps = 3" in (folder / "run" / "recipe.toml").read_text()
    again = run_forked("--plugin", "last_steps.py", "evaluate", "run", "--json", cwd=folder)
    assert json.loads(again.stdout)["metrics"] == json.loads(done.stdout)["metrics"]
    compared = run_forked(
        *("compare", "waves", "--task", "last", "--cells", "rnn,gru", "--seeds", 1, "--jobs", 2, "--out", "out"),
        *(*small, "--plugin", "last_steps.py"),
        cwd=folder,
    )
    assert compared.returncode == 0, compared.stderr
    assert json.loads(compared.stdout)["task"] == "last"


def test_a_data_set_and_a_recipe_of_a_persons_own(folder):
    listed = run_forked("--plugin", "last_steps.py", "datasets", cwd=folder)
    assert "few-waves" in listed.stdout
    assert "brief" in run_forked("--plugin", "last_steps.py", "recipes", cwd=folder).stdout
    done = run_forked("--plugin", "last_steps.py", "train", "regress", "few-waves", "--out", "r", "-q", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "hidden = 4" in (folder / "r" / "recipe.toml").read_text()


def test_a_run_folder_loads_no_code_and_says_what_is_missing(folder):
    done = run_forked(
        *("--plugin", "last_steps.py", "train", "last", "waves", "--out", "run", "--epochs", 1, "--hidden", 4, "-q"),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    alone = run_forked("evaluate", "run", cwd=folder)
    assert alone.returncode == 1
    assert 'there is no task "last"' in alone.stderr
    assert "--plugin" in alone.stderr


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [("absent.py", "is not there"), ("brief.toml", "no Python file"), ("sub/json.py", "the name of another module")],
)
def test_a_plugin_that_cannot_be_read_is_one_sentence(folder, plugin, sentence):
    if plugin == "sub/json.py":
        (folder / "sub").mkdir()
        (folder / plugin).write_text("")
    done = run_forked("--plugin", plugin, "recipes", cwd=folder)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
