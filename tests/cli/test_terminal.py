import contextlib
import csv
import io
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import polars as pl
import pytest
from rich.console import Console

from gatework.cli import _predictions, _show, _terminal
from gatework.training.progress import Bars

ESCAPE = "\x1b[2J\x1b]0;title\x07"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def guarded(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    _terminal.guard()
    _terminal.guard()
    return terminal


def test_no_text_of_data_steers_a_terminal(monkeypatch: pytest.MonkeyPatch):
    screen = guarded(monkeypatch)
    _predictions.predictions_table(pl.DataFrame({"label": [ESCAPE], "probability": [0.5]}))
    _predictions.predictions_table(pl.DataFrame({"text": [ESCAPE, "b\rc"], ESCAPE: [1, 2]}))
    _show.say(ESCAPE)
    assert "\x1b" not in screen.getvalue()
    assert "\r" not in screen.getvalue()
    assert screen.getvalue().count(r"\x1b[2J\x1b]0;title\x07") == 4


def test_notes_and_names_beside_a_bar_do_not_steer_a_terminal_and_are_no_markup(monkeypatch: pytest.MonkeyPatch):
    screen = guarded(monkeypatch)
    bars = Bars()
    bars.noted([f"class {ESCAPE}"])
    bars.described([ESCAPE])
    bars.started("run[/x]", 1, 1, 0)
    Console(file=screen).print(bars.bars.get_renderable())
    assert ESCAPE not in screen.getvalue()
    assert "run[/x]" in screen.getvalue()


def test_what_rich_draws_reaches_a_guarded_terminal_as_it_is(monkeypatch: pytest.MonkeyPatch):
    screen = guarded(monkeypatch)
    Console(force_terminal=True, color_system="standard").print("[red]text[/red]")
    assert "\x1b[31mtext" in screen.getvalue()


@pytest.mark.parametrize("arguments", [("--help",), ("datasets",)])
def test_commands_write_to_a_real_terminal(arguments: tuple[str, ...]):
    screen, terminal = os.openpty()
    done = subprocess.run([sys.executable, "-m", "gatework", *arguments], stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # where nobody writes any more
        while piece := os.read(screen, 1 << 16):
            shown += piece
    os.close(screen)
    shown = shown.decode()
    assert done.returncode == 0, shown
    assert "gatework" in shown or "waves" in shown


def test_a_pipe_takes_every_character_as_it_is(monkeypatch: pytest.MonkeyPatch):
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stdout", pipe)
    _terminal.guard()
    print(ESCAPE)
    assert pipe.getvalue() == ESCAPE + "\n"


@pytest.mark.parametrize(("is_terminal", "written"), [(True, rb"K\xf6ln \u65e5"), (False, "Köln 日".encode())])
def test_what_an_encoding_has_no_letter_for_is_no_error(is_terminal, written, monkeypatch: pytest.MonkeyPatch):
    bytes_written = io.BytesIO()
    output = io.TextIOWrapper(bytes_written, encoding="ascii")
    monkeypatch.setattr(output, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.setattr(sys, "stdout", output)
    _terminal.guard()
    print("Köln 日", end="", flush=True)
    assert bytes_written.getvalue() == written


def test_no_cell_of_a_csv_file_is_a_formula_and_numbers_stay(tmp_path):
    texts = ["=cmd|'/C calc'!A0", "@SUM(1)", "+1+1", "-x", "\t=1", "-5", "+3.5e7", "-.5%", "", "plain", "a=b", None]
    rows = pl.DataFrame({"=1+1": texts, "-7": range(len(texts)), "value": -1.5})
    _predictions.write_predictions(rows, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    assert header == ["'=1+1", "-7", "value"]
    assert [line[0] for line in lines] == [*(f"'{text}" for text in texts[:5]), *(text or "" for text in texts[5:])]
    assert {line[2] for line in lines} == {"-1.5"}
    _predictions.write_predictions(rows, tmp_path / "rows.jsonl")
    assert pl.read_ndjson(tmp_path / "rows.jsonl")["=1+1"].to_list() == texts


def test_csv_has_few_digits_of_answers_and_all_of_what_was_given(tmp_path):
    answers = [0.123456789012345, 1.23456789e-9, -12.3456789012, 1e9 + 3.27182818, 12345.6789012, 0.99999951, None]
    frame = pl.DataFrame(
        {
            "score": answers,
            "latitude": [*answers[:-1], 52.52000659999],
            "probabilities": [{"a": value} for value in answers],
            "steps": [[value] for value in answers],
            "label": [repr(value) for value in answers],
        }
    )
    _predictions.write_predictions(frame, tmp_path / "rows.csv", ("latitude",))
    read = pl.read_csv(tmp_path / "rows.csv")
    few = [0.123457, 1.23457e-9, -12.3457, 1000000003.272, 12345.679, 1.0, None]
    for name in ("score", "probability of a", "steps 1"):
        assert read[name].to_list() == few
    assert read["latitude"].to_list() == frame["latitude"].to_list()
    assert read["label"].to_list() == frame["label"].to_list()
    _predictions.write_predictions(frame, tmp_path / "rows.parquet", ("latitude",))
    assert pl.read_parquet(tmp_path / "rows.parquet")["score"].to_list() == answers


def test_on_a_narrow_terminal_figures_stand_in_further_tables_and_none_is_cut(monkeypatch: pytest.MonkeyPatch):
    names = [f"coverage_{k}" for k in range(12)]
    parts = pl.DataFrame({"series": ["Berlin", "Hamburg"], **{name: [0.123, 0.456] for name in names}})

    class Parts:
        row_table = False

        def breakdown(self, answers: object, test: object) -> pl.DataFrame:
            return parts

    screen = guarded(monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    _show.breakdown_table(Parts(), SimpleNamespace(answers=parts, test=parts, examples=0))
    text = re.sub(r"\x1b\[\d+m", "", screen.getvalue())
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("0.123") == len(names)
    assert text.count("Hamburg") > 1


@pytest.mark.parametrize("columns", [60, 80, 110])
def test_the_table_of_a_comparison_is_cut_into_tables_and_no_figure_is(columns: int, monkeypatch: pytest.MonkeyPatch):
    spread = {"mean": 0.95912, "std": 0.00123, "values": [0.958, 0.960]}
    metrics = {f"test_{name}": spread for name in ("accuracy", "macro_f1", "roc_auc")}
    entry = {"kind": "network", "parameters": 1_234_567, "ms_per_step": 38.25, "metrics": metrics}
    names = ("lstm", "TF-IDF bigrams + logistic regression")
    content = {
        "metric": "test_accuracy",
        "task": "classify",
        "dataset": "tickets",
        "lower_is_better": False,
        "recipe": {"model": {}},
        "absent": [],
        "headline": "Level.",
        "verdict": "Level.",
        "entries": [{**entry, "name": name} for name in names],
    }
    screen = guarded(monkeypatch)
    monkeypatch.setenv("COLUMNS", str(columns))
    _show.comparison_table(content)
    lines = re.sub(r"\x1b\[\d+m", "", screen.getvalue()).splitlines()
    assert "…" not in screen.getvalue()
    assert max(map(len, lines)) <= columns
    assert sum(line.count("0.959") for line in lines) == len(names) * len(metrics)
    assert sum(line.count("1,234,567") for line in lines) == len(names)
    assert sum(line.startswith("tickets, test part") for line in lines) == (1 if columns == 110 else 2)


@pytest.mark.skipif(os.name != "posix", reason="Windows gives words in Unicode")
def test_a_locale_of_ascii_alone_changes_nothing(tmp_path):
    (tmp_path / "verkäufe.csv").write_text("Größe,label\n" + "1,日本\n2,b\n" * 20, encoding="utf-8")
    command = [sys.executable, "-m", "gatework", "check", "regress", "verkäufe.csv", "--target", "Größe x"]
    ascii_alone = {"LC_ALL": "C", "LANG": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    said = [
        subprocess.run(command, cwd=tmp_path, env=os.environ | more, capture_output=True, check=False)
        for more in ({"PYTHONUTF8": "1"}, ascii_alone)
    ]
    assert "Größe x" in said[0].stdout.decode()
    assert [(run.returncode, run.stdout, run.stderr) for run in said[1:]] == [(1, said[0].stdout, said[0].stderr)]


def test_figures_below_each_other_are_equally_exact():
    values = (0.0308, 0.06208, 493.4, 11.0, 2.5, 1234.5, 0.0)
    assert [_show.figure(value, 4) for value in values] == [
        "0.03080",
        "0.06208",
        "493.4",
        "11.00",
        "2.500",
        "1234",
        "0",
    ]
    assert [_show.number(value) for value in (11.0, 2.99, 4.2)] == ["11.0", "2.99", "4.20"]
