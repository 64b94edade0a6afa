"""Every target in one call, and torch's exported programs."""

import io
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import nn

from gatework import export
from gatework.errors import KindError, UsageError
from gatework.nn import LSTM, Recurrent
from support.export_networks import TOKENS, Network

# Looked for alone, as to import them takes a second.
if not all(map(find_spec, ("onnx", "onnxruntime", "onnxscript", "h5py"))):
    pytest.skip("the extra gatework[export] is not installed", allow_module_level=True)

ABOUT = {"encoder": {"kind": "text", "words": ["a"], "max_tokens": 5, "padding": "mask"}, "classes": ["no", "yes"]}
SUFFIX = {"onnx": "onnx", "torch": "pt2", "keras": "keras", "js": "js", "c": "c"}


def test_every_target_takes_a_network_and_what_travels_beside_it(tmp_path: Path):
    network = Network("lstm", "last", tokens=TOKENS)
    for to in export.TARGETS:
        file = tmp_path / f"model.{SUFFIX[to]}"
        said = export.write(network, to, file, about=ABOUT)
        assert said.startswith(f"{file}: ")
        beside = tmp_path / f"{file.name}.json"
        is_beside = to in ("torch", "keras", "c")
        assert beside.exists() == is_beside == (beside.name in said)
        assert not is_beside or json.loads(beside.read_text()) == ABOUT
    with pytest.raises(UsageError, match='there is no target "onx": did you mean "onnx"'):
        export.write(network, "onx", tmp_path / "a")
    with pytest.raises(KindError, match="JSON"):
        export.write(network, "c", tmp_path / "none.c", about={"classes": {1}})
    assert not (tmp_path / "none.c").exists()


def test_a_program_opens_in_a_process_that_imports_what_the_sentence_says(tmp_path: Path):
    said = export.write(Network("gru", "last"), "torch", tmp_path / "a.pt2")
    (imported,) = re.findall(r"after (import [a-z.]+)", said)
    opened = f"import torch; {imported}; torch.export.load({str(tmp_path / 'a.pt2')!r}); print('opened')"
    assert (
        subprocess.run([sys.executable, "-c", opened], capture_output=True, text=True, check=True).stdout == "opened\n"
    )


def test_a_program_takes_any_batch_and_time_export_after_export(tmp_path: Path):
    for model in (Network("gru", "concat"), nn.LSTM(3, 4, batch_first=True), Recurrent("slstm", 3, 4)):
        is_network = isinstance(model, Network)
        file = export.torch(model, tmp_path / "a.pt2", ragged=is_network)
        x, lengths = torch.randn(4, 13, 3), torch.tensor([13, 2, 7, 1])
        arguments = (x, lengths) if is_network else (x,)
        found, wanted = torch.export.load(file).module()(*arguments), model(*arguments)
        torch.testing.assert_close(found, wanted if is_network else wanted[0])
    with pytest.raises(UsageError, match="give an example of its inputs"):
        export.torch(nn.Linear(2, 3), tmp_path / "b.pt2")
    export.torch(nn.Sequential(nn.Linear(3, 3), LSTM(3, 4)), tmp_path / "c.pt2", (torch.zeros(5, 2, 3),))


def test_a_program_is_packed_in_memory_as_torch_ends_the_process_where_its_own_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    places, save = [], torch.export.save
    monkeypatch.setattr(torch.export, "save", lambda program, to: (places.append(to), save(program, to)))
    export.torch(nn.LSTM(3, 4), tmp_path / "a.pt2")
    assert [type(place) for place in places] == [io.BytesIO]
    assert os.listdir(tmp_path) == ["a.pt2"]
