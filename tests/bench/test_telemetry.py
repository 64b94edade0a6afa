"""Telemetry in telemanom's layout: read as it lies in its folder, and its benchmark from there to a table."""

import importlib.util
import sys

import numpy as np
import pytest

from gatework.bench.telemetry import channels
from gatework.errors import DataError
from support.source_tree import ROOT

SPIKE = 250


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for part, rows in (("train", 300), ("test", 320)):
        (tmp_path / part).mkdir()
        for name in ("A-1", "B-2"):
            values = np.zeros((rows, 3))
            values[:, 0] = np.sin(np.arange(rows) / 5) + 0.05 * random.normal(size=rows)
            values[SPIKE if part == "test" else 0, 0] += 8 * (part == "test")
            np.save(tmp_path / part / f"{name}.npy", values)
    lines = [
        "chan_id,spacecraft,anomaly_sequences,class,num_values",
        f'A-1,SMAP,"[[{SPIKE - 2}, {SPIKE + 2}]]",[point],400',
        f'B-2,MSL,"[[{SPIKE}, {SPIKE + 1}], [10, 12]]","[point, contextual]",400',
        'A-1,SMAP,"[[300, 305]]",[point],400',
    ]
    (tmp_path / "labeled_anomalies.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_channel_has_its_telemetry_and_the_spans_of_all_its_lines(folder):
    first, second = channels(folder)
    assert (first.name, first.spacecraft, second.name) == ("A-1", "SMAP", "B-2")
    assert (len(first.train), len(first.test)) == (300, 320)
    assert np.flatnonzero(first.labels).tolist() == [*range(SPIKE - 2, SPIKE + 3), *range(300, 306)]
    rows = first.rows()
    assert len(rows) == 620
    assert rows.labels[:300].sum() == 0
    assert rows.values[300 + SPIKE, 0] == first.test[SPIKE]


def test_what_is_missing_or_no_span_is_said_in_a_sentence(folder):
    table = folder / "labeled_anomalies.csv"
    text = table.read_text()
    table.write_text(text.replace("[[300, 305]]", "300 to 305"))
    with pytest.raises(DataError, match=r'channel A-1 has the anomaly_sequences "300 to 305"'):
        list(channels(folder))
    table.write_text(text.replace("A-1", "C-3"))
    with pytest.raises(DataError, match=r"C-3.npy is not there"):
        list(channels(folder))
    table.unlink()
    with pytest.raises(DataError, match=r"holds no labeled_anomalies.csv"):
        list(channels(folder))


def test_the_benchmark_goes_from_a_folder_to_a_table_and_goes_on_from_what_is_kept(folder, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("telemetry_benchmark", ROOT / "benchmarks" / "telemetry.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    options = ["--keep", str(folder / "kept"), "--seeds", "1", "--epochs", "1", "--hidden", "8"]
    monkeypatch.setattr(sys, "argv", ["telemetry.py", str(folder), *options])
    script.main()
    table = capsys.readouterr().out
    rows = [line for line in table.splitlines() if line.startswith("| network")]
    # All channels, and each spacecraft by itself.
    assert len(rows) == 3
    # Both spikes are found of the four labelled spans.
    assert float(rows[0].split("|")[4]) >= 0.5
    assert "| training range, combined |" in table
    monkeypatch.setattr(script, "train", None)
    script.main()
    assert capsys.readouterr().out == table
