"""`gatework check` of a table that nobody has said anything of."""

import json
import shlex

import polars as pl
import pytest

from gatework.cli._overview import _command
from support.command_line import run_here

DAYS = pl.date_range(pl.date(2023, 1, 1), pl.date(2023, 12, 31), eager=True).cast(pl.String)
TABLES = {
    "tickets": (
        {"no": range(90), "what they say": [f"word {k} and {k * k}" for k in range(90)], "kind": ["a", "b", "c"] * 30},
        {"classify": ["--text", "what they say", "--label", "kind"], "generate": ["--text", "what they say"]},
    ),
    "sales": (
        {"day": DAYS.append(DAYS), "sold": [k % 7 + k % 5 for k in range(730)], "shop": ["n"] * 365 + ["s"] * 365},
        {task: ["--time", "day", "--target", "sold", "--series", "shop"] for task in ("forecast", "detect")},
    ),
    "pairs": (
        {"en": [f"I see {k} cats" for k in range(60)], "fr": [f"je vois {k} chats" for k in range(60)]},
        {"translate": ["--source", "en", "--target", "fr"], "generate": ["--text", "en"]},
    ),
    "numbers": (
        {"a": [k % 9 / 3 for k in range(90)], "-b": [k % 17 / 5 for k in range(90)], "y": [k % 23 for k in range(90)]},
        {"classify": None, "regress": ["--target", "y"]},
    ),
    "reviews": (
        {"review": [f"it was {k} times good" for k in range(90)], "stars": [k % 41 for k in range(90)]},
        {"regress": ["--text", "review", "--target", "stars"], "generate": ["--text", "review"]},
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_alone_is_answered_by_commands_that_can_be_given(name, tmp_path):
    columns, options = TABLES[name]
    file = f"{name} of mine.csv"
    pl.DataFrame(columns).write_csv(tmp_path / file)
    told = run_here("check", file, "--json", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    commands = json.loads(told.stdout)["commands"]
    suiting = {task: given for task, given in options.items() if given}
    assert {task: shlex.split(line)[4:-2] for task, line in commands.items()} == suiting
    for task, line in commands.items():
        words = shlex.split(line)
        assert (words[:4], words[-2:]) == (["gatework", "train", task, file], ["--out", "RUN"])
        done = run_here("check", *words[2:-2], cwd=tmp_path)
        assert done.returncode == 0, done.stderr + done.stdout
    shown = run_here("check", file, cwd=tmp_path)
    assert all(line in shown.stdout for line in commands.values())


def test_a_command_is_cut_between_words_where_a_terminal_is_narrow(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    words = ["gatework", "train", "forecast", "my sales of 2023.csv", "--time", "day of the month", "--target", "x"]
    said = _command(shlex.join(words))
    assert shlex.split(said.replace("\\\n", "")) == words
    assert max(map(len, said.splitlines())) <= 40 < len(shlex.join(words))


def test_a_role_that_is_given_is_no_table_alone(tmp_path):
    pl.DataFrame(TABLES["tickets"][0]).write_csv(tmp_path / "t.csv")
    done = run_here("check", "t.csv", "--text", "what they say", cwd=tmp_path)
    assert done.returncode == 2
    assert "gatework check t.csv shows what each of them suits" in done.stderr


def test_a_data_set_is_checked_for_its_own_task_and_a_task_alone_asks_for_its_file():
    assert "series of 99 steps" in run_here("check", "waves").stdout
    assert "gatework check regress FILE" in run_here("check", "regress").stderr


def test_a_table_alone_tells_what_was_left_out_of_it(tmp_path):
    rows = "".join(f"2024-01-{k:02d}T06:00:00Z,{k * k % 11}.5\n" for k in range(1, 29))
    (tmp_path / "x.csv").write_text(f"when,use\n,kWh\n{rows}\nSource: a meter\n")
    done = run_here("check", "x.csv", cwd=tmp_path)
    assert "- Row 2 describes the columns and was left out: kWh." in done.stdout
    assert "- The last row holds text and no values and was left out: Source: a meter." in done.stdout
    assert "gatework train forecast x.csv --time when --target use" in done.stdout
    assert len(json.loads(run_here("check", "x.csv", "--json", cwd=tmp_path).stdout)["remarks"]) == 2
