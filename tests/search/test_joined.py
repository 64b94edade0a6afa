"""Several processes that search together, by the command line."""

import json

import pytest

from support.command_line import run_forked
from support.forked import Forked

pytestmark = pytest.mark.slow
DATA = ("t.csv", "--text", "text", "--label", "label", "--epochs", "3", "--hidden", "4", "--embedding", "4")


def test_a_second_process_joins_and_both_end_with_the_same_result(tmp_path):
    rows = "".join(f"{word} film {k},{word}\n" for k in range(80) for word in ("good", "bad"))
    (tmp_path / "t.csv").write_text("text,label\n" + rows)
    words = ["tune", "classify", *DATA, "--seeds", "1", "--trials", "4", "--jobs", "1", "--out", "out", "-q"]
    first = Forked(*words, cwd=tmp_path, COLUMNS="120")
    second = run_forked(*words, "--json", cwd=tmp_path)
    said = first.communicate()[0]
    assert second.returncode == first.returncode == 0, second.stderr
    content = json.loads(second.stdout)
    assert [trial["number"] for trial in content["trials"]] == list(range(4)), "four in all, not four each"
    assert content["headline"] in " ".join(said.split())
    assert "Recipe: out/best.toml" in said
    assert len((tmp_path / "out" / "trials" / "0000" / "metrics.jsonl").read_text().splitlines()) == 3
