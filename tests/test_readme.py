"""The snippets of the README run as they stand."""

import re
from pathlib import Path

import polars as pl
import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.S)


def test_training_from_python_works_as_the_readme_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [("dull", "bad"), ("a minute too long", "bad"), ("lovely", "good"), ("not a dull minute", "good")]
    rows = [(f"{text} {k}", label) for k in range(40) for text, label in words]
    frame = pl.DataFrame(rows, schema=["review", "sentiment"], orient="row")
    exec(SNIPPETS[0], {"frame": frame})
    accuracy, *answers = capsys.readouterr().out.splitlines()
    assert 0 <= float(accuracy) <= 1
    assert answers[0].startswith("shape: (2, ")
    assert "probability" in answers[2]


def test_the_layers_work_as_the_readme_says():
    seen: dict = {}
    exec(SNIPPETS[1], seen)
    assert seen["output"].shape == (50, 8, 128)
    assert {name: tuple(value.shape) for name, value in seen["trace"].items()} == dict.fromkeys(
        "ifgoch", (2, 1, 50, 8, 128)
    )


@pytest.mark.parametrize("command", re.findall(r"^    gatework (\w+)", README, re.M))
def test_every_command_in_the_readme_exists(command):
    from gatework.cli._application import COMMANDS

    assert command in COMMANDS


def test_every_file_and_every_heading_that_the_readme_names_exists():
    root = Path(__file__).parents[1]
    for link in re.findall(r"\]\(([^):]+)\)", README):
        path, _, anchor = link.partition("#")
        assert (root / path).exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.*)$", (root / path).read_text(encoding="utf-8"), re.M)
            assert anchor in {re.sub(r"[^\w]+", "-", title.lower()).strip("-") for title in titles}, link
