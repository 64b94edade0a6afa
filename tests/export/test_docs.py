"""The page on export: its snippets run as they stand, one after the other."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

# Looked for alone, as to import them takes a second.
if not all(map(find_spec, ("onnx", "onnxruntime", "onnxscript", "h5py"))):
    pytest.skip("the extra gatework[export] is not installed", allow_module_level=True)

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")


def test_the_snippets_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    known: dict = {"__name__": "page"}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        exec(block, known)
    assert {path.name for path in tmp_path.iterdir()} == {
        "layer.onnx", "tagger.onnx", "layer.js", "layer.c", "layer.pt2", "lstm.keras"
    }  # fmt: skip
    shapes = [parameter.shape for parameter in known["same"].parameters()]
    assert shapes == [parameter.shape for parameter in known["lstm"].parameters()]
