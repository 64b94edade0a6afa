"""`gatework playground` as a person runs it."""

from support.command_line import gatework


def test_the_command_writes_a_page_and_says_where(tmp_path):
    code, out, err = gatework("playground", "--cells", "gru, slstm", "--out", tmp_path / "page.html")
    assert (code, err) == (0, "")
    assert out.strip() == str(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '"slstm": {' in text
    assert '"lstm": {' not in text


def test_an_unknown_cell_is_one_sentence(tmp_path):
    code, out, err = gatework("playground", "--cells", "gru,lst", "--out", tmp_path / "page.html")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert 'there is no cell "lst"' in err
    assert not (tmp_path / "page.html").exists()


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    code, _, err = gatework("playground", "--out", tmp_path / "missing" / "page.html")
    assert code == 1
    assert err.count("\n") == 1
