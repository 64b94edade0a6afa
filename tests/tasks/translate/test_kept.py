"""What a translation keeps: numbers, links, tags, names and terms of a glossary."""

import numpy as np
import polars as pl
import pytest

import gatework
from gatework.data.subwords import PLACEHOLDERS
from gatework.errors import DataError, UsageError
from gatework.tasks.translate.glossary import read_glossary
from gatework.tasks.translate.kept import Keeping, filled
from gatework.tasks.translate.rehearsal import Rehearsal
from support.command_line import run_here
from support.sentence_pairs import WORDS, small, toy_pairs

ONE, TWO, THREE = PLACEHOLDERS[:3]
LEARNING = {"hidden": 64, "embedding": 48, "batch_size": 32, "epochs": 10, "learning_rate": 1e-2, "vocabulary": 400}
LEARNING |= {"validation": 0.05, "test": 0.05, "label_smoothing": 0.0, "copying": 0.3}
KEEPING = Keeping(
    frozenset({"see", "the", "dog", "in", "paris", "or", "from"}), True, False, {"red cat": "chat écarlate"}
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network that has seen no number, no link and no tag."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "terms.csv").write_text("source,target\nsmall,minuscule\n", encoding="utf-8")
    recipe = small(**LEARNING, glossary=str(folder / "terms.csv"))
    return gatework.train("translate", toy_pairs(700, longest=4), out=folder / "run", recipe=recipe, threads=1)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("see https://a.b/c?d=1.", ["https://a.b/c?d=1"]),
        ("from a.b+c@d-e.org, at 12:30", ["a.b+c@d-e.org", "12:30"]),
        ("1,000.50 or 3-4 or 2nd or A4", ["1,000.50", "3-4", "2nd", "A4"]),
        ('<a href="x">the</a> &amp; dog <br/> 1 < 2 > 0', ['<a href="x">', "</a>", "&amp;", "<br/>", "1", "2", "0"]),
        ("see Zork in Paris. Maybe the Red cat", ["Zork", "chat écarlate"]),
        ("see the red cat, the red cats", ["chat écarlate"]),
        (f"see {TWO}", [TWO]),
    ],
)
def test_what_is_kept_stands_behind_a_placeholder(text, values):
    masked = KEEPING.masked(text)
    assert list(masked.values) == values
    assert [letter for letter in masked.text if letter in PLACEHOLDERS] == list(PLACEHOLDERS[: len(values)])
    if "cat" not in text:
        assert filled(masked.text, masked.values) == text


def test_names_are_kept_only_where_training_copies_them():
    sources = ["the dog sees Tom", "a man sees Ann"] * 20
    assert Keeping.learnt(sources, ["le chien voit Tom", "un homme voit Ann"] * 20, {}).copies_names
    assert not Keeping.learnt(sources, ["le chien voit", "un homme voit"] * 20, {}).copies_names


def test_a_translation_ends_with_a_mark_where_its_source_does_if_training_pairs_agree():
    keeping = Keeping.learnt(["a dog.", "a cat", "no!"] * 5, ["un chien.", "un chat", "non !"] * 5, {})
    pairs = [("the dog", "le chien."), ("the dog.", "le chien"), ("the dog?", "le chien."), ("犬。", "dog"), ("a.", "")]
    assert [keeping.ended(*pair) for pair in pairs] == ["le chien", "le chien.", "le chien.", "dog", ""]
    unlike = Keeping.learnt(["a dog.", "a cat"] * 5, ["un chien", "un chat"] * 5, {})
    assert unlike.ended("the dog", "le chien.") == "le chien."


def test_in_a_training_pair_only_what_both_sides_have_is_hidden():
    source, target = KEEPING.masked_pair("5 dogs, 7 cats, the red cat", "le chat écarlate, 7 chats")
    assert (source.text, target) == (f"5 dogs, {ONE} cats, the {TWO}", f"le {TWO}, {ONE} chats")
    assert source.values == ("7", "chat écarlate")


def test_what_a_translation_lacks_is_put_before_its_last_mark_and_tags_stay_nested():
    assert filled("le chien.", ["5"]) == "le chien 5."
    assert filled(f"{TWO}le{ONE} chien {THREE}", ["<b>", "</b>", "9"]) == "<b>le</b> chien 9"
    assert filled(f"{ONE} voit {THREE}", ["réseau"], is_capital=True) == "Réseau voit "


def test_hidden_words_are_each_others_translation():
    frame = toy_pairs(200)
    rehearsal = Rehearsal(frame["source"].to_list(), frame["target"].to_list())
    hidden = rehearsal.hidden(0.5, np.random.default_rng(0))
    assert len(hidden) == 100
    for at, (source, target) in hidden.items():
        gone = [word for word in frame["source"][at].split() if word not in source]
        assert [WORDS[word] in target.split() for word in gone] == [False] * len(gone)
        assert set(source) & set(PLACEHOLDERS) == set(target) & set(PLACEHOLDERS) != set()


def test_a_network_copies_what_it_has_never_seen(run):
    lines = [
        "the 1,234 dog sees",
        "a man eats https://x.y/z?q=7 now",
        "<b>the</b> red dog",
        "me@home.org sees the cat 7 8",
    ]
    said = run.predict(lines)["translation"].to_list()
    for line, translation in zip(lines, said, strict=True):
        values = Keeping().masked(line).values
        assert [translation.count(value) for value in values] == [line.count(value) for value in values]
    assert said[0] == "le 1,234 chien voit"
    assert said[2] == "<b>le</b> rouge chien"


def test_a_glossary_is_obeyed_that_of_training_and_that_of_the_question(run, tmp_path):
    assert run.predict(["the small dog"])["translation"].to_list() == ["le minuscule chien"]
    (tmp_path / "t.csv").write_text("source,target\ndog,molosse\nsmall,riquiqui\n", encoding="utf-8")
    done = run_here("predict", run.path, "the small dog", "--glossary", tmp_path / "t.csv")
    assert done.stdout == "le riquiqui molosse\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a,b\nc,d\n", 'has the columns a, b; a glossary needs a first line that names "source" and "target"'),
        ("source,target\ndog,\n", "row 2: the target is empty"),
        ("source,target\ndog,chien\ndog,chat\n", '"dog" is "chien" in a row before and "chat" here'),
        ("source,target\n", "is empty: a header and at least one row"),
        (f"source,target\nx{ONE},y\n", "private use"),
        (f"source,target\n{'x' * 300},y\n", "a term has 300 characters, at most 200"),
    ],
)
def test_a_malformed_glossary_is_refused_in_one_sentence(tmp_path, content, reason):
    (tmp_path / "t.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=reason):
        read_glossary(str(tmp_path / "t.csv"))
    with pytest.raises(UsageError, match="is no table"):
        read_glossary(str(tmp_path / "t.docx"))


def test_a_network_without_placeholders_refuses_a_glossary(tmp_path):
    (tmp_path / "t.csv").write_text("source,target\ndog,molosse\n", encoding="utf-8")
    frame: pl.DataFrame = toy_pairs(60)
    bare = gatework.train("translate", frame, out=tmp_path / "run", recipe=small(epochs=1, copying=0), threads=1)
    assert len(bare.predict(["the 5 dog"])) == 1
    with pytest.raises(UsageError, match="has learnt no placeholders"):
        bare.predict(["the dog"], glossary=str(tmp_path / "t.csv"))
    with pytest.raises(UsageError, match="leave out --copying 0"):
        gatework.train(
            "translate", frame, out=tmp_path / "b", recipe=small(copying=0, glossary=str(tmp_path / "t.csv"))
        )
