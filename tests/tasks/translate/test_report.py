"""What a report shows of translations."""

import re

import pytest

import gatework
from gatework.reports import write_report
from gatework.tasks.translate.report.sentences import _faults
from support.sentence_pairs import small, toy_pairs


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "compared"
    frame = toy_pairs(120)
    hostile = frame.with_columns(target="<b>" + frame["target"] + "</b>")
    gatework.compare(hostile, task="translate", cells=("gru", "lstm"), seeds=1, recipe=small(epochs=1), out=folder)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_figures_of_networks_and_simple_methods_stand_in_one_table(page):
    for name in ("gru", "lstm", "copy", "translation memory", "dictionary"):
        assert name in page
    assert "tok:13a" in page
    assert re.search(r"\d ± \d", page)


def test_sentences_and_pictures_are_shown_and_no_tag_of_a_sentence_is_one_of_the_page(page):
    assert "The worst ones" in page
    assert "Where the network looks" in page
    assert "words hardly looked at" in page
    assert re.search(r"perhaps (left out|said twice)", page)
    assert page.count('class="looked"') == 8
    assert "&lt;b&gt;" in page
    assert not re.search(r"<bdi[^>]*>\s*<b>", page)


def test_the_page_in_which_the_networks_translate_stands_beside_the_report(page, folder):
    assert 'href="inspect.html"' in page
    assert "See the trained networks at work" in page
    assert "gradient" not in page.partition('id="inside-title"')[2].partition("</section>")[0]
    assert "Translating with gru and lstm" in (folder / "inspect.html").read_text(encoding="utf-8")


def test_what_is_said_thrice_or_not_at_all_is_counted():
    said = ["a dog a dog a dog", "a man and a man", "", "no no no"]
    references = ["a dog", "a man and a man", "something", "no no no"]
    length, repeated, empty = _faults(said, references)
    assert (repeated, empty) == (1, 1)
    assert length == pytest.approx(14 / 11)
