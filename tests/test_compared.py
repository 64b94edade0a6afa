"""What `gatework.compare` gives a person: figures, the verdict, the page, and all of it in a notebook."""

import pytest

import gatework
from gatework.errors import KindError
from support.custom_cells import MyLSTM
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
    assert "<th>accuracy</th>" in shown


def test_a_cell_itself_stands_where_its_name_does(tmp_path):
    settings = {"seeds": 1, "epochs": 1, "hidden": 3}
    compared = gatework.compare(opinions(), out=tmp_path / "out", cells=(MyLSTM, "rnn"), **settings)
    assert {"MyLSTM", "rnn"} <= set(compared.table["name"])
    run = gatework.train("classify", opinions(), out=tmp_path / "run", cell=MyLSTM, epochs=1, hidden=3)
    assert run.recipe.model.cell == "MyLSTM"
    with pytest.raises(KindError, match="named by a text or given as what"):
        gatework.compare(opinions(), out=tmp_path / "none", cells=(int,), **settings)
