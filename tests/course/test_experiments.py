"""The published experiments: figures of the present format, printed as pages that hold nothing they may not."""

from __future__ import annotations

import html

import pytest

from gatework import course
from gatework.course.experiments.pages import EXPERIMENTS
from gatework.errors import UsageError
from gatework.recipe import recipe_from_dict

BY_NAME = pytest.mark.parametrize("each", EXPERIMENTS, ids=lambda each: each.name)


@BY_NAME
def test_its_page_is_printed_from_kept_figures_of_the_present_format(each, tmp_path):
    page = each.write(tmp_path / "pages" / f"{each.name}.html").read_text(encoding="utf-8")
    assert each.headline in html.unescape(page)
    assert "How they learn" in page
    assert "/work/" not in page
    assert ("may not be handed on" in page) == (each.name == "imdb")
    # Every option that it was run with is still one; a newer one has its default.
    read = recipe_from_dict(each.about["recipe"], each.name).to_dict()
    for section, kept in each.about["recipe"].items():
        assert kept == ({name: read[section][name] for name in kept} if isinstance(kept, dict) else read[section])
    # It is what the page says that it is: the recipe's networks, with all of its epochs.
    names = {entry["name"] for entry in each.about["entries"] if entry["kind"] == "network"}
    assert names == {"rnn", "lstm"}
    for entry in each.about["entries"]:
        for run in entry.get("runs", ()):
            lines = (each.home / run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
            assert len(lines) == each.about["epochs"]


@BY_NAME
def test_what_is_kept_is_small_and_holds_neither_weights_nor_texts(each):
    files = [file for file in each.home.rglob("*") if file.is_file()]
    answered = len(list(each.home.rglob("*.parquet")))
    assert sum(file.stat().st_size for file in files) < 60_000 * answered + 200_000
    assert {file.suffix for file in files} <= {".json", ".jsonl", ".toml", ".parquet"}
    assert not [file for file in files if file.name in ("test.parquet", "task.json") and file.stat().st_size > 5_000]
    tables = [file for file in files if file.suffix == ".parquet"]
    import polars as pl

    assert tables
    assert not [file for file in tables if pl.String in pl.read_parquet(file).dtypes]
    assert not [file for file in files if b"/work/" in file.read_bytes() or b"/home/" in file.read_bytes()]


def test_figures_are_a_table_and_others_are_named():
    table = course.figures("digits-of-people")
    assert table.columns == ["speaker", "is_known", "digits", "wrong"]
    assert table.filter("is_known")["speaker"].to_list() == table.filter(~table["is_known"])["speaker"].to_list()
    with pytest.raises(UsageError, match='did you mean "digits-of-people"'):
        course.figures("digits-of-peopl")
