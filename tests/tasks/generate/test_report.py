import polars as pl
import pytest

from gatework import reports
from gatework.tasks.generate.report.crossing import first_below
from support.texts import run as trained


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("report"), epochs=3)


def test_a_run_keeps_what_its_report_shows(run):
    lines = pl.read_parquet(run.path / "lines.parquet")
    metrics = run.summary["metrics"]
    network, counts, both = lines["test"].to_list()
    assert network == pytest.approx(metrics["test_bits_per_character"])
    assert both == pytest.approx(metrics["test_mixed_bits_per_character"])
    assert lines["validation"][2] <= min(lines["validation"][:2])
    assert lines["weight"][0] + lines["weight"][1] == pytest.approx(1)
    assert "-grams" in lines["name"][1]
    assert counts > 0
    surprise = pl.read_parquet(run.path / "surprise.parquet")
    start = "".join(pl.read_parquet(run.path / "test.parquet")["text"])
    assert "".join(surprise["text"]) == start[: len(surprise)]


def test_the_page_shows_all_four_sections(run):
    page = reports.write_run_report(run.path).read_text(encoding="utf-8")
    for title in ("Against the n-grams", "What it writes", "Where it is surprised", "What is copied"):
        assert f">{title}</h2>" in page
    assert "network and" in page


def test_the_crossing_is_the_first_epoch_below_the_line():
    epochs = [{"seconds": 30.0, "validation_bits_per_character": bits} for bits in (3.0, 2.1, 1.9)]
    assert first_below(epochs, 2.0) == 1.5
    assert first_below(epochs, 1.0) is None
