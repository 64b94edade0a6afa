"""The benchmark of the classification archive: from a folder of its files to a table, and on from what is kept."""

import importlib.util
import sys

import numpy as np
import pytest

from support.source_tree import ROOT


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("archive_benchmark", ROOT / "benchmarks" / "archive.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    (tmp_path / "Waves").mkdir()
    for part, count in (("TRAIN", 20), ("TEST", 12)):
        lines = ["@problemName Waves", "@classLabel true slow fast", "@data"]
        for number in range(count):
            steps = np.arange(random.integers(10, 14))
            phase = random.random() + (0.3, 1.5)[number % 2] * steps
            waves = (",".join(f"{value:.3f}" for value in wave) for wave in (np.sin(phase), np.cos(phase)))
            lines.append(":".join([*waves, ("slow", "fast")[number % 2]]))
        (tmp_path / "Waves" / f"Waves_{part}.ts").write_text("\n".join(lines) + "\n")
    (tmp_path / "Alone_TRAIN.ts").write_text("@data\n1,2:a\n")
    return tmp_path


def test_the_benchmark_goes_from_a_folder_to_a_table_and_goes_on_from_what_is_kept(script, folder, monkeypatch, capsys):
    options = ["--out", str(folder / "kept"), "--seeds", "1", "--threads", "1", "--set", "epochs=1", "hidden=4"]
    monkeypatch.setattr(sys, "argv", ["archive.py", str(folder), *options])
    script.main()
    head, _, row = capsys.readouterr().out.splitlines()[-3:]
    cells = dict(zip(*([cell.strip() for cell in line.split("|")[1:-1]] for line in (head, row)), strict=True))
    assert (cells["data set"], cells["series"]) == ("Waves", "20 + 12")
    # Half of the test series is of either class; the two methods tell the waves apart.
    assert float(cells["1-nearest neighbour by time warping"]) > 0.5
    assert float(cells["random kernels + ridge classifier"]) > 0.5
    assert cells["published: nearest"] == "-"
    monkeypatch.setattr(script, "baselines", None)
    script.main()
    assert capsys.readouterr().out.splitlines()[-1] == row
