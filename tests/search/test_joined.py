"""Several processes that search together, by the command line."""

import json
import subprocess

import pytest

from support.command_line import COMMAND, run_process

pytestmark = pytest.mark.slow
DATA = ("t.csv", "--text", "text", "--label", "label", "--epochs", "3", "--hidden", "4", "--embedding", "4")


def test_a_second_process_joins_and_both_end_with_the_same_result(tmp_path):
    rows = "".join(f"{word} film {k},{word}\n" for k in range(80) for word in ("good", "bad"))
    (tmp_path / "t.csv").write_text("text,label\n" + rows)
    words = ["tune", "classify", *DATA, "--seeds", "1", "--trials", "4", "--jobs", "1", "--out", "out", "-q"]
    with subprocess.Popen([*COMMAND, *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as first:
        second = run_process(*words, "--json", cwd=tmp_path)
        said = first.communicate(timeout=240)[0]
    assert second.returncode == first.returncode == 0, second.stderr
    content = json.loads(second.stdout)
    assert [trial["number"] for trial in content["trials"]] == list(range(4)), "four in all, not four each"
    assert content["headline"] in " ".join(said.split())
    assert "Recipe: out/best.toml" in said
    assert len((tmp_path / "out" / "trials" / "0000" / "metrics.jsonl").read_text().splitlines()) == 3
