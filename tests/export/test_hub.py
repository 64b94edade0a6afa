"""A run on the Hugging Face hub and in MLflow: what is written, and that it answers as the run does."""

import errno
import importlib
import json
import shutil
import tomllib

import numpy as np
import polars as pl
import pytest

import gatework
from gatework import export
from gatework.errors import DataError, RunError, UsageError
from gatework.export import _mlflow
from gatework.options import TASKS
from gatework.training import hub
from support.command_line import run_here
from support.datasets import opinions

TEXTS = ["a good film", "bad, bad"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("published") / "run"
    return gatework.train("classify", opinions(), out=out, epochs=1, hidden=5, embedding=4, threads=1)


def test_a_folder_for_the_hub_is_a_run_with_a_card_and_without_the_examples(run, tmp_path):
    done = run_here("export", run.path, "--to", "hub", "--out", tmp_path / "opinions")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "opinions"
    assert not list(folder.glob("*.parquet"))
    assert tomllib.loads((folder / "recipe.toml").read_text())["task"] == "classify"
    again = gatework.Run.open(folder)
    assert again.predict(TEXTS).equals(run.predict(TEXTS))
    _, front, text = (folder / "README.md").read_text().split("---\n", 2)
    fields = {line.partition(": ")[0]: json.loads(line.partition(": ")[2]) for line in front.splitlines()}
    assert fields["pipeline_tag"] == "text-classification"
    (result,) = fields["model-index"][0]["results"]
    accuracy = next(metric for metric in result["metrics"] if metric["type"] == "accuracy")
    assert accuracy["value"] == run.summary["metrics"]["test_accuracy"]
    assert "| this model |" in text
    for name in run.scores.baselines:
        assert f"| {name} |" in text
    assert run.environment["data"] in text
    with pytest.raises(RunError, match="holds something"):
        export.hub(run, folder)


def test_a_run_of_the_hub_is_fetched_and_published_by_its_name(run, tmp_path, monkeypatch):
    folder = tmp_path / "opinions"
    export.hub(run, folder)
    asked = []

    def snapshot_download(name, revision, allow_patterns):
        asked.append((name, revision))
        if name == "me/absent":
            raise OSError("404 Client Error.\nmore")
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    done = run_here("predict", "hf://me/opinions@v1.0", TEXTS[0])
    assert done.returncode == 0, done.stderr
    assert asked == [("me/opinions", "v1.0")]
    assert run_here("inspect", "hf://me/opinions", TEXTS[0], "--out", tmp_path / "page.html").returncode == 0
    done = run_here("export", "hf://me/opinions", "--to", "c")
    assert (done.returncode, "name the file by --out" in done.stderr) == (2, True)
    asked.clear()
    with pytest.raises(RunError, match=r"hf://me/absent cannot be fetched \(OSError: 404 Client Error\)"):
        gatework.Run.open("hf://me/absent")
    with pytest.raises(UsageError, match="expected hf://OWNER/NAME"):
        gatework.Run.open("hf://opinions")

    class Api:
        def create_repo(self, *given, **named):
            asked.append((given, named))

        def upload_folder(self, *, folder_path, repo_id):
            assert (folder_path / "README.md").exists()
            return f"https://hub/{repo_id}"

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    assert export.push(folder, "me/opinions") == "https://hub/me/opinions"
    assert asked[-1] == (("me/opinions",), {"private": True, "exist_ok": True})
    monkeypatch.setattr(hub, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r'pip install "gatework\[hub\]"'):
        gatework.Run.open("hf://me/opinions")


def test_a_link_out_of_a_sent_run_is_not_published(run, tmp_path):
    secret = tmp_path / "secret.json"
    secret.write_text('{"token": "mine"}')
    # As the hub's cache has it: links to blobs beside the snapshots.
    fetched = tmp_path / "models--me--run" / "snapshots" / "abc"
    shutil.copytree(run.path, fetched)
    blob = tmp_path / "models--me--run" / "blobs" / "1"
    blob.parent.mkdir()
    (fetched / "task.json").rename(blob)
    (fetched / "task.json").symlink_to("../../blobs/1")
    export.mlflow(gatework.Run.open(fetched), tmp_path / "model")
    (fetched / "environment.json").unlink()
    (fetched / "environment.json").symlink_to(secret)
    for write in (export.hub, export.mlflow):
        with pytest.raises(RunError, match="is a link to a file outside its run"):
            write(gatework.Run.open(fetched), tmp_path / "sent")
        assert not (tmp_path / "sent").exists()


def test_an_mlflow_model_is_loaded_by_its_module_and_answers_tables(run, tmp_path):
    done = run_here("export", run.path, "--to", "mlflow", "--out", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    flavour = json.loads((tmp_path / "model" / "MLmodel").read_text())["flavors"]["python_function"]
    # What mlflow.pyfunc.load_model does with these two.
    loader = importlib.import_module(flavour["loader_module"])
    model = loader._load_pyfunc(str(tmp_path / "model" / flavour["data"]))
    expected = run.predict(TEXTS)
    answers = model.predict(pl.DataFrame({"text": TEXTS}).to_pandas())
    assert answers["label"].tolist() == expected["label"].to_list()
    assert model.predict(TEXTS).equals(expected)
    # What MLflow's own server makes of "inputs": arrays, and its JSON takes no table but pandas'.
    for arrays in (np.array(TEXTS), np.array(TEXTS, dtype=object), {"text": np.array(TEXTS)}):
        rows = model.predict(arrays)
        assert [row["label"] for row in rows] == expected["label"].to_list()
        assert json.loads(json.dumps(rows)) == rows
    with pytest.raises(DataError, match="the columns are not equally long"):
        model.predict({"text": np.array(TEXTS), "other": np.array([1])})
    assert not [path for path in (tmp_path / "model").rglob("*") if path.suffix in (".pkl", ".pickle", ".pt")]


def test_a_folder_asks_for_what_an_answer_takes(run, tmp_path, monkeypatch):
    export.mlflow(run, tmp_path / "model")
    assert (tmp_path / "model" / "requirements.txt").read_text() == f"gatework=={gatework.__version__}\n"
    # As of a forecast that takes AutoETS.
    monkeypatch.setattr(type(run.task), "extras", ("forecast",))
    export.mlflow(run, tmp_path / "other")
    assert (tmp_path / "other" / "requirements.txt").read_text() == f"gatework[forecast]=={gatework.__version__}\n"
    export.hub(run, tmp_path / "opinions")
    assert 'pip install "gatework[hub,forecast]"' in (tmp_path / "opinions" / "README.md").read_text()


def test_whoever_asks_an_mlflow_model_names_no_file_and_no_run(run, tmp_path, monkeypatch):
    export.mlflow(run, tmp_path / "model")
    model = _mlflow._load_pyfunc(str(tmp_path / "model" / "run"))
    with pytest.raises(DataError, match="a table or a list was expected"):
        model.predict(str(tmp_path / "model"))
    with pytest.raises(UsageError, match='no parameter "ensemble"'):
        model.predict(TEXTS, {"ensemble": str(run.path)})
    assert {o.metavar for task in TASKS.values() for o in task.asked_by_strangers.values()}.isdisjoint({"FILE", "RUN"})
    # As of a task whose inputs are files.
    monkeypatch.setattr(type(run.task), "takes", ())
    for ask in (lambda: export.mlflow(run, tmp_path / "other"), lambda: _mlflow._load_pyfunc(str(run.path))):
        with pytest.raises(UsageError, match="it reads files of this machine"):
            ask()
    assert not (tmp_path / "other").exists()


def test_a_folder_is_written_whole_or_not_at_all_and_over_nothing(run, tmp_path, monkeypatch):
    mine = tmp_path / "project" / "requirements.txt"
    mine.parent.mkdir()
    mine.write_text("numpy")
    for to in ("hub", "mlflow"):
        done = run_here("export", run.path, "--to", to, "--out", mine.parent)
        assert (done.returncode, done.stderr) == (
            1,
            f"gatework: {mine.parent} holds something; name a new folder by --out\n",
        )
    assert [path.read_text() for path in mine.parent.iterdir()] == ["numpy"]
    copy, copied = shutil.copyfile, []

    def copied_to_a_full_disk(source, target):
        if copied:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        copied.append(copy(source, target))

    monkeypatch.setattr(shutil, "copyfile", copied_to_a_full_disk)
    for to in ("hub", "mlflow"):
        copied.clear()
        done = run_here("export", run.path, "--to", to, "--out", tmp_path / to)
        assert (done.returncode, len(copied)) == (1, 1)
        assert done.stderr.startswith(f"gatework: the disk is full: {tmp_path / to} could not be written; free some")
        assert {path.name for path in tmp_path.iterdir()} == {"project"}


def test_what_the_folders_need_is_one_sentence(run, tmp_path):
    done = run_here("export", run.path, "--to", "mlflow")
    assert (done.returncode, done.stderr) == (2, "gatework: --to mlflow writes a folder: name it by --out\n")
    done = run_here("export", run.path, "--to", "mlflow", "--out", tmp_path / "m", "--push", "me/m")
    assert (done.returncode, done.stderr) == (
        2,
        "gatework: --push publishes on the Hugging Face hub: give --to hub with it\n",
    )
