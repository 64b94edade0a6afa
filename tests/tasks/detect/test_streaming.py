import datetime
import functools
import json
import math
import re
from pathlib import Path

import pytest

import gatework
from gatework.errors import DataError
from gatework.training import Progress, Run, train
from support.sensors import sensor

SMALL = {"epochs": 1, "hidden": 4, "threads": 1, "context": 8, "progress": Progress()}
FIRST = datetime.datetime(2023, 1, 20)


def rows(count: int, first: int = 0) -> list[tuple[str, str]]:
    """A sensor read every six hours, by days that may be months, with a decimal comma."""
    times = [(FIRST + datetime.timedelta(hours=6 * k)).strftime("%d/%m/%Y %H:%M") for k in range(first, first + count)]
    return [(time, f"{20 + math.sin(first + k):.2f}".replace(".", ",")) for k, time in enumerate(times)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("streaming")
    file = folder / "sensor.csv"
    file.write_text("time;v;note\n" + "".join(f"{time};{value};\n" for time, value in rows(200)))
    return train("detect", file, out=folder / "run", time="time", target="v", **SMALL)


def streamed(run: Run, lines: list[str], **options: str) -> list[dict]:
    return [json.loads(line) for line in run.predictor.answer_lines(lines, **options)]


def test_a_stream_is_read_as_the_training_table_was(run: Run) -> None:
    # The first days of February may be months as well.
    later = rows(8, first=48)
    semicolons = streamed(run, ["time;v", *(f"{time};{value}" for time, value in later)])
    assert [answer["v"]["value"] for answer in semicolons[1:]] == [float(v.replace(",", ".")) for _, v in later[1:]]
    by_tab = streamed(run, ["sep=\t", "time\tv", *(f"{time}\t{value}" for time, value in later)])
    in_json = streamed(run, [json.dumps({"time": time, "v": float(v.replace(",", "."))}) for time, v in later])
    assert by_tab == semicolons == in_json


def test_a_stream_may_be_read_in_another_way(run: Run) -> None:
    lines = ["time,v", "02/28/2023 00:00,20.5", "02/28/2023 06:00,20.5"]
    with pytest.raises(DataError, match="line 2"):
        streamed(run, lines)
    assert streamed(run, lines, time_format="%m/%d/%Y %H:%M", decimal=".")[1]["v"]["value"] == 20.5


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"time": "01/02/2023 00:00", "v": ' + "9" * 400 + "}", "infinite"),
        ('{"time": "01/02/2023 00:00", "v": 1e39}', "beyond"),
        ('{"time": 1e300, "v": 1}', "line 1"),
        ('{"time": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"time": "01/02/2023 00:00", "v": "1_0"}', "no number"),
        ('{"time": null, "v": 1}', "has no time"),
        ('{"time": "é\udcff", "v": 1}', "byte 0xff is not valid UTF-8; name its encoding by --encoding"),
    ],
    ids=["400 digits", "beyond float32", "no time", "nested", "underscore", "null", "not UTF-8"],
)
def test_an_odd_value_is_one_sentence(run: Run, line: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        streamed(run, [line])


def test_a_sensor_that_is_silent_at_the_end_is_told_before_training(tmp_path: Path) -> None:
    file = tmp_path / "dead.csv"
    values = [(time, value if k < 150 else "") for k, (time, value) in enumerate(rows(200))]
    file.write_text("time;v\n" + "".join(f"{time};{value}\n" for time, value in values))
    with pytest.raises(DataError, match="no row of the test part has a value of v"):
        train("detect", file, out=tmp_path / "run", time="time", target="v", **SMALL)
    assert not (tmp_path / "run").exists()


def test_rows_and_a_stream_are_answered_from_python_as_the_page_shows(tmp_path, monkeypatch):
    page = (Path(__file__).parents[3] / "docs" / "detect.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gatework, "train", functools.partial(gatework.train, **SMALL))
    frame = sensor(200).rename({"time": "timestamp", "value": "temperature"})
    known: dict = {"frame": frame, "new_frame": frame.tail(3)}
    exec(block, known)
    assert len(known["rows"]) == 3
    assert known["answer"]["is_anomaly"] in (False, True)
