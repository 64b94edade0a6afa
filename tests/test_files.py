import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch

from gatework import _files
from gatework._files import make_folder
from gatework.data.turns import in_turn
from gatework.errors import RunError
from gatework.evaluation.plans import claim


def test_a_number_that_is_none_is_null_in_json(tmp_path):
    _files.write_json(tmp_path / "value.json", {"mean": float("nan"), "ends": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "value.json").read_text()) == {"mean": None, "ends": [None, 1.5]}


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "value.json"
    _files.write_json(path, {"kept": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        _files.write_json(path, {"lost": {1, 2}})
    with pytest.raises(ZeroDivisionError), _files.atomic(path) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert json.loads(path.read_text()) == {"kept": 1}
    assert os.listdir(tmp_path) == ["value.json"]


def test_the_folders_of_a_file_are_made_and_gone_again_where_nothing_is_written(tmp_path):
    file = tmp_path / "mes modèles" / "2026" / "a.onnx"
    with pytest.raises(ZeroDivisionError), _files.folder_of(file):
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []
    with _files.folder_of(file):
        file.write_text("whole")
    with pytest.raises(ZeroDivisionError), _files.folder_of(file.with_name("b.onnx")):
        raise ZeroDivisionError
    assert file.read_text() == "whole"


def test_the_content_reaches_the_disk_before_the_name_does(tmp_path, monkeypatch):
    done, replace = [], os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: done.append(os.pread(handle, 9, 0)))
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append(paths[1].name), replace(*paths)))
    _files.write_json(tmp_path / "value.json", [1])
    assert (done[0].split(), done[1]) == ([b"[", b"1", b"]"], "value.json")


def test_tensors_and_metadata_come_back_bit_for_bit(tmp_path):
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5).to(torch.uint8)}
    _files.write_tensors(tmp_path / "t.safetensors", tensors, {"note": "ä"})
    back, metadata = _files.read_tensors(tmp_path / "t.safetensors")
    assert metadata == {"note": "ä"}
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("content", [b"", b"\x00" * 7, b"\xff" * 4096, b'{"a": 1}'])
def test_a_corrupt_tensor_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"model\.safetensors is corrupt"):
        _files.read_tensors(path)


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", "null"])
def test_a_corrupt_json_file_is_one_sentence(tmp_path, content):
    path = tmp_path / "summary.json"
    path.write_text(content)
    with pytest.raises(RunError, match=r"summary\.json is corrupt"):
        _files.read_json(path)


FULL = """
import resource, signal, sys
from pathlib import Path
import torch
from gatework import _files
from gatework._files import make_folder
from gatework.errors import RunError
from gatework.evaluation.plans import claim
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
folder = Path(sys.argv[1])
for write, value in ((_files.write_text, "x" * 10_000), (_files.write_tensors, {"w": torch.zeros(10_000)})):
    try:
        write(folder / "file", value)
    except RunError as error:
        print(error)
"""


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path):
    assert hasattr(resource, "RLIMIT_FSIZE")
    assert hasattr(signal, "SIGXFSZ")
    (tmp_path / "file").write_text("old")
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("the disk is full") == 2, done.stdout + done.stderr
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_killed_process_left_is_swept_by_the_next_write_of_the_file(tmp_path):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom gatework import _files\n"
        "with _files.atomic(Path(sys.argv[1])) as temporary, _files.whole_folder(Path(sys.argv[2])) as folder:\n"
        "    temporary.write_text('half'); (folder / 'half').touch(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    path, folder = tmp_path / "state", tmp_path / "folder"
    subprocess.run([sys.executable, "-c", code, path, folder], check=False)
    assert len(os.listdir(tmp_path)) == 2
    other = tmp_path / ".other.1.tmp"
    other.write_text("of another file")
    with _files.atomic(path) as temporary:
        temporary.write_text("whole")
    with _files.whole_folder(folder):
        pass
    assert sorted(os.listdir(tmp_path)) == [other.name, "folder", "state"]


def test_one_at_a_time_writes_a_folder_and_nothing_is_left_of_the_lock(tmp_path):
    inside, most, turns = 0, 0, []

    def write():
        nonlocal inside, most
        for _ in range(20):
            with in_turn(tmp_path / "out"):
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)  # lets another thread in, should none keep it out
                turns.append(1)
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, len(turns)) == (1, 60)
    assert not list(tmp_path.iterdir())


def test_links_folders_and_devices_are_not_replaced(tmp_path):
    (tmp_path / "target").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "folder", "pipe"):
        with pytest.raises(RunError, match="is a link, a folder or a device"):
            _files.write_text(tmp_path / name, "lost")
    assert (tmp_path / "target").read_text() == "mine"


def test_new_files_keep_from_others_what_the_umask_keeps(tmp_path):
    code = "import os, sys; os.umask(0o077)\nfrom pathlib import Path\nfrom gatework import _files\n"
    subprocess.run(
        [sys.executable, "-c", code + "_files.write_text(Path(sys.argv[1]), '')", tmp_path / "f"], check=True
    )
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_a_folder_with_the_name_of_a_file_or_pipe_is_refused_and_nothing_is_touched(tmp_path):
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_text("mine")
    os.mkfifo(pipe)
    make_folder(tmp_path / "new" / "deep")
    make_folder(tmp_path / "new")
    for path in (file, pipe, file / "below"):
        with pytest.raises(RunError, match="cannot be a folder"):
            make_folder(path)
    assert file.read_text() == "mine"
    assert pipe.is_fifo()


def test_a_comparison_is_not_written_over_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RunError, match="cannot be a folder"):
        claim(tmp_path / "pipe", {"cells": 1})


def test_a_place_that_cannot_be_written_is_refused_before_long_work(tmp_path, monkeypatch):
    _files.check_place(tmp_path / "new" / "site")
    monkeypatch.setattr(os, "access", lambda folder, _: folder != tmp_path)
    with pytest.raises(RunError, match="site could not be written: permission denied"):
        _files.check_place(tmp_path / "new" / "site")
