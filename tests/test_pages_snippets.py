"""The Python of the pages that no other test runs, as it stands but for the time that it takes; no page is left out."""

import datetime
import re
from pathlib import Path

import polars as pl
import pytest

import gatework
from support.datasets import opinions

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
# What a page takes as given: a tool of one's own data, or a machine that is not here.
NOT_RUN = {"course.md": "its parts are shown one by one", "scale.md": "it needs MPI"}
SHORTER = {
    "forecast.md": {"horizon=28": "horizon=28, epochs=1, hidden=3"},
    "inference.md": {},
    "recipes.md": {"horizon=14, out": "horizon=14, epochs=1, hidden=3, out"},
    "serve.md": {},
    "tune.md": {"trials=30, minutes=20": "trials=1, epochs=1", 'out="RUN"': 'out="TUNED", epochs=1'},
}


def blocks(page: str) -> list[str]:
    return BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))


def frame_of(page: str) -> pl.DataFrame:
    if page in ("forecast.md", "recipes.md"):
        days = pl.date_range(datetime.date(2024, 1, 1), datetime.date(2024, 12, 31), eager=True)
        names = ("date", "sales") if page == "forecast.md" else ("day", "units")
        return pl.DataFrame({names[0]: days, names[1]: [float(10 + k % 7) for k in range(len(days))]})
    words = [("dull", "bad"), ("lovely", "good")]
    return pl.DataFrame(
        [(f"{text} {k}", label) for k in range(40) for text, label in words], ["review", "sentiment"], orient="row"
    )


@pytest.mark.parametrize("page", SHORTER)
def test_the_python_of_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    known: dict = {"gatework": gatework, "frame": frame_of(page)}
    if page == "serve.md":
        gatework.train("classify", opinions(), out="RUN", epochs=1, hidden=3)
    text = "\n".join(blocks(page))
    assert all(long in text for long in SHORTER[page])
    for block in (block for block in blocks(page) if "MyTask" not in block):  # which tests/cli/test_plugins.py has
        for long, short in SHORTER[page].items():
            block = block.replace(long, short)
        exec(block, known)
    if page == "forecast.md":
        assert len(known["rows"]) == 7
    if page == "recipes.md":
        assert known["OPTIONS"].name == "spell"
    if page == "tune.md":
        assert known["run"].summary["metrics"]


def test_the_python_of_every_page_is_run_by_a_test():
    tests = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))
    for path in sorted((ROOT / "docs").glob("*.md")):
        if blocks(path.name) and path.name not in NOT_RUN:
            assert f'"{path.name}"' in tests, f"no test names {path.name}, which has Python"
