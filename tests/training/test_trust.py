"""A run folder from a stranger is data: nothing that it names is executed or read."""

import json
import random
import shutil

import pytest
from safetensors.numpy import load_file, save_file

import gatework
from gatework import cells, export
from gatework.cells import stored
from gatework.errors import GateworkError, RunError
from gatework.training import Progress, Run
from gatework.training.completing import complete
from support import custom_cells
from support.command_line import run_forked
from support.datasets import opinions

EVIL = """
from pathlib import Path
from gatework.cells.lstm import SPEC as MyLSTM
Path(__file__).with_name("executed").write_text("")
"""
SMALL = {"epochs": 1, "hidden": 3, "embedding": 3, "threads": 1}


@pytest.fixture(scope="module")
def own_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("own") / "run"
    return gatework.train("classify", opinions(), out=out, cell=f"{custom_cells.__file__}:MyLSTM", **SMALL)


@pytest.fixture(scope="module")
def plain_run(tmp_path_factory):
    return gatework.train("classify", opinions(), out=tmp_path_factory.mktemp("plain") / "run", **SMALL)


def test_a_run_predicts_without_the_file_of_its_cell(own_run, tmp_path):
    folder = tmp_path / "sent"
    shutil.copytree(own_run.path, folder)
    recipe = folder / "recipe.toml"
    recipe.write_text(recipe.read_text().replace(custom_cells.__file__, "/nowhere/custom_cells.py"))
    done = run_forked("predict", folder, "a good film", "--json")
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)
    (here,) = own_run.predict(["a good film"]).to_dicts()
    assert answer["label"] == here["label"]
    # The same kernel, compiled of the same equations.
    assert answer["probability"] == here["probability"]


@pytest.mark.parametrize("words", [("predict", "run", "a film"), ("inspect", "run"), ("train", "--resume", "run")])
def test_a_file_that_a_run_names_is_not_executed(plain_run, tmp_path, words):
    shutil.copytree(plain_run.path, tmp_path / "run")
    (tmp_path / "evil.py").write_text(EVIL)
    recipe = tmp_path / "run" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace('cell = "lstm"', f'cell = "{tmp_path / "evil.py"}:MyLSTM"'))
    if "--resume" in words:
        (tmp_path / "run" / "summary.json").unlink()
    done = run_forked(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert "code that a run names is never executed" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("cell", [custom_cells.MyLSTM, custom_cells.Mixed, custom_cells.Names], ids=lambda c: c.name)
def test_a_stored_cell_has_the_equations_of_the_one_it_was_made_of(cell):
    again = stored.rebuilt(json.loads(json.dumps(stored.to_data(cell))))
    assert (again.names, again.gates, again.sources) == (cell.names, cell.gates, cell.sources)
    assert stored.to_data(again) == stored.to_data(cell)
    assert cells.adopt(stored.to_data(cell)) == cell.name


def test_another_cell_of_the_same_name_is_kept_apart():
    data = stored.to_data(custom_cells.MyLSTM) | {"forget_gate": None}
    name = cells.adopt(data)
    assert name.startswith("MyLSTM_")
    assert cells.adopt(data) == name
    assert stored.digest(stored.to_data(cells.get("MyLSTM"))) == stored.digest(stored.to_data(custom_cells.MyLSTM))


def test_a_damaged_cell_is_one_sentence(own_run, tmp_path):
    draw = random.Random(0)
    content = json.loads((own_run.path / "cell.json").read_text())
    bad = [None, -1, 10**9, "import os", [], {}, 10**400, float("1e400"), "tanh", True]
    for number in range(200):
        cell = json.loads(json.dumps(content["cell"]))
        key = draw.choice(list(cell))
        if key == "nodes":
            node = draw.choice(cell["nodes"])
            node[draw.randrange(len(node))] = draw.choice(bad)
        else:
            cell[key] = draw.choice(bad)
        try:
            stored.rebuilt(cell)
        except RunError as error:
            assert "a stored cell is corrupt" in str(error), number  # noqa: PT017
    folder = tmp_path / "run"
    shutil.copytree(own_run.path, folder)
    for text in ("", "[]", '{"cell": 3}', '{"cell": {}}', "[" * 100_000):
        (folder / "cell.json").write_text(text)
        with pytest.raises(GateworkError, match="corrupt"):
            Run.open(folder)


def test_the_title_of_a_sent_cell_is_no_code_in_what_is_written(own_run, tmp_path):
    content = json.loads((own_run.path / "cell.json").read_text())
    folder = tmp_path / "run"
    shutil.copytree(own_run.path, folder)
    for title in ("a\nint x;", "a\u2028alert(1)", "a\r", "\x1b[2J", "a" * 1000):
        (folder / "cell.json").write_text(json.dumps(content | {"cell": content["cell"] | {"title": title}}))
        with pytest.raises(RunError, match="its title is no line of text"):
            Run.open(folder)
    title = "a */ int x; /* {} \\"
    sent = content["cell"] | {"title": title, "name": "Sent", "forget_gate": None}
    (folder / "cell.json").write_text(json.dumps(content | {"cell": sent}))
    network = Run.open(folder).network
    text = export.c(network, tmp_path / "model.c").read_text()
    assert text.index("int x;") < text.index("*/")
    text = export.js(network, tmp_path / "model.js").read_text()
    assert next(line for line in text.splitlines() if "int x;" in line).startswith("//")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_weights_that_are_no_numbers_are_refused_by_what_answers_with_and_without_torch(
    own_run, plain_run, value, tmp_path
):
    for place, made in enumerate((own_run, plain_run)):
        folder = tmp_path / str(place)
        shutil.copytree(made.path, folder)
        weights = {name: values.copy() for name, values in load_file(folder / "model.safetensors").items()}
        weights["output.bias"][0] = value
        save_file(weights, folder / "model.safetensors")
        run = Run.open(folder)
        for ask in (lambda run=run: run.network, lambda run=run: run.predict(["a good film"])):
            with pytest.raises(RunError, match=r'a weight of "output\.bias" is no usable number'):
                ask()
    with pytest.raises(RunError, match=r'a weight of "output\.bias" is no usable number'):
        _ = run.inference


@pytest.mark.parametrize("threads", [-1, 0, 10**9, 2.5, True, None, "x", [1]])
def test_no_run_says_how_many_threads_break_a_machine(own_run, threads, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(own_run.path, folder)
    (folder / "summary.json").unlink()
    content = json.loads((folder / "environment.json").read_text())
    (folder / "environment.json").write_text(json.dumps(content | {"threads": threads}))
    with pytest.raises(RunError, match=r"environment\.json is corrupt \(threads is "):
        complete(Run.open(folder), opinions(), Progress())


def test_a_path_in_a_sent_recipe_is_not_read_into_a_page(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("text,label\n" + "".join(f"secret words number {k} of mine,{k % 2}\n" for k in range(60)))
    made = gatework.train("classify", secret, out=tmp_path / "run", **SMALL)
    (tmp_path / "run" / "test.parquet").unlink()
    done = run_forked("inspect", made.path)
    assert done.returncode == 0, done.stderr
    assert "words number" not in (made.path / "inspect.html").read_text()
