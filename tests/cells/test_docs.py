"""The page on a cell of one's own: its snippets run, and its comparison too."""

import re
from pathlib import Path

import torch

from gatework._files import read_json
from support.command_line import run_forked

PAGE = (Path(__file__).parents[2] / "docs" / "own-cell.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_takes_a_reader_from_an_equation_to_a_comparison(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) == 3
    (tmp_path / "mgu.py").write_text(BLOCKS[0], encoding="utf-8")
    known: dict = {}
    exec(compile(BLOCKS[0], str(tmp_path / "mgu.py"), "exec"), known)
    exec(BLOCKS[1], known)
    exec(BLOCKS[2], known)
    assert known["output"].shape == (50, 8, 256)
    assert list(known["trace"]) == ["f", "g", "h"]
    assert "// g = tanh(x_g + f * u_g)" in capsys.readouterr().out
    first = known["trace"]["f"][0, 0, 0, 0]
    layer = known["layer"]
    sums = layer.weight_ih_l0[:128] @ known["x"][0, 0] + layer.bias_ih_l0[:128] + layer.bias_hh_l0[:128]
    torch.testing.assert_close(first, torch.sigmoid(sums))


def test_the_pages_comparison_runs(tmp_path):
    (tmp_path / "mgu.py").write_text(BLOCKS[0], encoding="utf-8")
    command = re.search(r"gatework (compare .*)", PAGE)
    assert command is not None
    arguments = command[1].replace("--seeds 3 --epochs 20", "--seeds 1 --epochs 1").replace("lstm,gru", "rnn").split()
    done = run_forked(*arguments, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    content = read_json(tmp_path / "mgu" / "comparison.json")
    networks = [entry for entry in content["entries"] if entry["kind"] == "network"]
    assert {entry["name"]: entry["about"] for entry in networks}["MGU"] == "The minimal gated unit (Zhou et al. 2016)"
    assert (tmp_path / "mgu" / "runs" / "MGU-seed0" / "model.safetensors").exists()
    # From another folder, as the run keeps the file's absolute path.
    again = run_forked("evaluate", tmp_path / "mgu" / "runs" / "MGU-seed0", cwd=Path("/"))
    assert again.returncode == 0, again.stderr
