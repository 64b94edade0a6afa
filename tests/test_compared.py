"""What `gatework.compare` gives a person: figures, the verdict, the page, and all of it in a notebook."""

import gatework
from support.datasets import opinions


def test_a_comparison_is_an_object_with_its_table_verdict_and_page(tmp_path):
    compared = gatework.compare(opinions(), out=tmp_path / "out", cells=("rnn", "lstm"), seeds=1, epochs=1, hidden=3)
    assert compared.report.is_file()
    assert compared.path == tmp_path / "out"
    table = compared.table
    assert {"rnn", "lstm", "majority class"} <= set(table["name"])
    assert table["test_accuracy"].is_sorted(descending=True)
    assert compared.verdict == compared.content["verdict"]
    shown = compared._repr_html_()
    assert "majority class" in shown
    assert "test_accuracy" in shown
