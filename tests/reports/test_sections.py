"""Sections come from the task, whoever wrote it: reports name none."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

import gatework
from gatework import tasks
from gatework.errors import RunError
from gatework.options import TASKS
from gatework.reports import report
from gatework.reports.details import details
from gatework.tasks import ReportSection
from gatework.tasks.regress.task import RegressTask
from support.report_folders import write_comparison, write_json

TEMPLATE = """{% from "_figures.html" import plot %}<p>{{ words|length }} words, {{ answers }} answers.</p>
{% for name in looks %}<p>{{ name }}</p>{% endfor %}{{ plot("spelling", "Words") }}"""
SCRIPT = "document.title = data.sections.spelling.join('-');"


class Spelling(RegressTask):
    """A task of a person's own that shows something of its own."""

    name = "spelling"

    @classmethod
    def sections(cls, answered):
        words = ["one", "<b>two</b>"]
        return [
            ReportSection(
                name="spelling",
                title="What was spelt",
                template=TEMPLATE,
                context={"words": words, "answers": len(answered.entries[0].typical_answers)},
                data=words,
                script=SCRIPT,
                headline="Spells 2 words.",
            )
        ]


@pytest.fixture
def folder(tmp_path):
    folder = write_comparison(tmp_path, epochs=3, examples=40)
    file = folder / "comparison.json"
    write_json(file, {**json.loads(file.read_text()), "task": "spelling"})
    run = folder / "runs" / "lstm-seed0"
    recipe = (run / "recipe.toml").read_text().replace('task = "regress"', 'task = "spelling"')
    (run / "recipe.toml").write_text(recipe)
    return folder


@pytest.fixture
def spelling(monkeypatch):
    monkeypatch.setattr(TASKS, "_values", dict(TASKS._values))
    tasks.register(Spelling)


@pytest.mark.parametrize("part", ["", "runs/lstm-seed0"])
def test_a_task_that_is_not_known_gives_the_shared_sections_and_one_sentence(folder, part):
    text = report(folder / part).read_text(encoding="utf-8")
    assert "no task &#34;spelling&#34; is registered here" in text
    assert 'id="learning-title"' in text
    assert json.loads(re.search(r'id="data">(.*?)</script>', text)[1])["sections"] == {}


@pytest.mark.parametrize("part", ["", "runs/lstm-seed0"])
def test_a_section_of_ones_own_stands_in_both_pages_and_its_data_cannot_break_out(folder, part, spelling):
    text = report(folder / part).read_text(encoding="utf-8")
    assert '<h2 id="spelling-title">What was spelt</h2>' in text
    assert "<p>2 words, 40 answers.</p>" in text
    assert json.loads(re.search(r'id="data">(.*?)</script>', text)[1])["sections"] == {
        "spelling": ["one", "<b>two</b>"]
    }
    assert "<b>two" not in text
    assert SCRIPT in text


def test_a_run_says_first_what_its_section_says(folder, spelling):
    text = report(folder / "runs/lstm-seed0").read_text(encoding="utf-8")
    assert '<p class="verdict">Spells 2 words.</p>' in text


def test_answers_without_the_columns_of_their_task_are_one_sentence(tmp_path):
    folder = write_comparison(tmp_path, epochs=3, examples=40)
    file = folder / "runs" / "gru-seed1" / "answers.parquet"
    pl.read_parquet(file).rename({"value": "worth"}).write_parquet(file)
    with pytest.raises(RunError, match='answers of "gru" lack the column "value", they hold target, worth') as caught:
        report(folder)
    assert "\n" not in str(caught.value)


def test_reports_evaluation_and_inside_name_no_task():
    home = Path(gatework.__file__).parent
    named = re.compile("|".join(rf"[\"'/.]{name}[\"'/.]" for name in tasks.REGISTRY))
    suffixes = {".py", ".html", ".js", ".css"}
    files = [
        f for part in ("reports", "evaluation", "inside") for f in (home / part).rglob("*") if f.suffix in suffixes
    ]
    assert len(files) > 40
    found = [
        f"{f}: {named.search(f.read_text())[0]}"
        for f in files
        if "vendor" not in f.parts and named.search(f.read_text())
    ]
    assert found == []


def test_a_setting_that_holds_nothing_is_no_row_of_the_recipe():
    recipe = {"data": {"published": "", "test": 0.2, "scale": False}, "loss": {"class_weights": []}}
    assert details({"recipe": recipe}) == [("Recipe", [("test", "0.2"), ("scale", "no")])]
