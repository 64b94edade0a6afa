"""Pairs of sentences from every kind of file, what is left out, and which belong together."""

import gzip

import polars as pl
import pytest

from gatework.data.pair_rules import groups_of, tidied
from gatework.data.pairs import Pairs, read_pairs, read_parts, read_sources
from gatework.errors import DataError, UsageError
from gatework.options import DataOptions

ROWS = [("one dog", "ein Hund"), ("two dogs", "zwei Hunde"), ('he said "no"', "er sagte „nein“")]
TMX = """<?xml version="1.0"?><!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx version="1.4"><body>
<tu><tuv xml:lang="en-GB"><seg>one <bpt i="1">&lt;b&gt;</bpt>dog<ept i="1">&lt;/b&gt;</ept></seg></tuv>
<tuv xml:lang="de"><seg>ein
Hund</seg></tuv></tu>
<tu><tuv xml:lang="en-US"><seg>two dogs</seg></tuv><tuv xml:lang="de"><seg>zwei Hunde</seg></tuv></tu>
<tu><tuv xml:lang="en-US"><seg>alone</seg></tuv></tu></body></tmx>"""


def read(path, source=None, target=None) -> Pairs:
    return read_pairs(path, DataOptions(), (source, target))


def rows(pairs: Pairs) -> list[tuple[str, str]]:
    return list(zip(pairs.source, pairs.target, strict=True))


@pytest.mark.parametrize("header", ["", "en\tde\n", "source\ttarget\n"])
@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.txt", "pairs.tsv.gz"])
def test_lines_with_tabs_are_read_with_and_without_a_header(tmp_path, header, name):
    text = (header + "".join(f"{a}\t{b}\n" for a, b in ROWS)).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert rows(read(tmp_path / name)) == ROWS
    assert rows(read(tmp_path / name, "2", "1")) == [(b, a) for a, b in ROWS]


def test_a_columns_name_finds_it_in_any_table(tmp_path):
    frame = pl.DataFrame([(k, a, b) for k, (a, b) in enumerate(ROWS)], schema=["id", "en", "de"], orient="row")
    frame.write_csv(tmp_path / "t.csv")
    frame.write_parquet(tmp_path / "t.parquet")
    frame.write_ndjson(tmp_path / "t.jsonl")
    frame.write_csv(tmp_path / "t.tsv", separator="\t")
    for source in (tmp_path / "t.csv", tmp_path / "t.parquet", tmp_path / "t.jsonl", tmp_path / "t.tsv", frame):
        assert rows(read(source, "en", "de")) == ROWS
        assert rows(read(source, "3", "en")) == [(b, a) for a, b in ROWS]
    with pytest.raises(UsageError, match=r"are the two sides\? Name them with .*: there is id, en, de"):
        read(tmp_path / "t.csv")
    with pytest.raises(DataError, match='no column "fr", which is one of both sides'):
        read(tmp_path / "t.csv", "en", "fr")


def test_lines_without_both_sides_are_counted_and_left_out(tmp_path):
    (tmp_path / "p.tsv").write_text("a b\tc d\nbroken\n\ne\tf\tmore\n")
    pairs = read(tmp_path / "p.tsv")
    assert rows(pairs) == [("a b", "c d"), ("e", "f")]
    assert pairs.notes == ("1 of 4 lines lack one of the two sides and were left out.",)


@pytest.mark.parametrize("zipped", [False, True])
def test_two_aligned_files_are_found_by_ending_or_path(tmp_path, zipped):
    for ending, at in (("en", 0), ("de", 1)):
        text = "".join(row[at] + "\n" for row in ROWS).encode()
        name = f"news.{ending}" + (".gz" if zipped else "")
        (tmp_path / name).write_bytes(gzip.compress(text) if zipped else text)
    first = tmp_path / f"news.en{'.gz' if zipped else ''}"
    assert rows(read(first, target="de")) == ROWS
    assert rows(read(first, target=str(tmp_path / f"news.de{'.gz' if zipped else ''}"))) == ROWS
    with pytest.raises(UsageError, match="holds one side; name the file of the other"):
        read(first)
    with pytest.raises(DataError, match=r"news\.fr is not there"):
        read(first, target="fr")


def test_aligned_files_of_different_length_are_refused(tmp_path):
    (tmp_path / "x.en").write_text("a\nb\n")
    (tmp_path / "x.de").write_text("a\n")
    with pytest.raises(DataError, match=r"x.en has 2 lines and .*x.de 1"):
        read(tmp_path / "x.en", target="de")


def test_a_folder_has_its_parts(tmp_path):
    for part in ("train", "val", "test_2016"):
        for ending in ("en", "de"):
            (tmp_path / f"{part}.{ending}").write_text(f"{part} {ending}\n")
    parts = read_parts(tmp_path, DataOptions(), ("en", "de"))
    assert {name: rows(pairs) for name, pairs in parts.items()} == {
        "train": [("train en", "train de")],
        "validation": [("val en", "val de")],
        "test": [("test_2016 en", "test_2016 de")],
    }
    with pytest.raises(UsageError, match="name the endings"):
        read_parts(tmp_path, DataOptions(), (None, "de"))
    with pytest.raises(DataError, match=r"has no train\.fr"):
        read_parts(tmp_path, DataOptions(), ("fr", "de"))


def test_a_translation_memory_is_read_by_language_without_its_mark_up(tmp_path):
    (tmp_path / "m.tmx").write_text(TMX)
    with pytest.raises(UsageError, match="holds 3 languages"):
        read(tmp_path / "m.tmx")
    pairs = read(tmp_path / "m.tmx", "en", "de")
    assert rows(pairs) == [("one dog", "ein Hund"), ("two dogs", "zwei Hunde")]
    assert pairs.notes == ("1 of 3 units lack one of the two languages and were left out.",)
    assert rows(read(tmp_path / "m.tmx", "de", "en-US")) == [("zwei Hunde", "two dogs")]
    with pytest.raises(DataError, match='no segments in "fr"'):
        read(tmp_path / "m.tmx", "en", "fr")
    (tmp_path / "cut.tmx").write_text(TMX[:200])
    with pytest.raises(DataError, match="not a TMX file or is damaged"):
        read(tmp_path / "cut.tmx", "en", "de")


def test_entities_that_swell_are_refused(tmp_path):
    inner = "".join(f'<!ENTITY e{k} "{f"&e{k - 1};" * 10 if k else "x" * 100}">' for k in range(9))
    body = '<tmx><body><tu><tuv xml:lang="en"><seg>&e8;</seg></tuv></tu></body></tmx>'
    (tmp_path / "bomb.tmx").write_text(f"<!DOCTYPE tmx [{inner}]>{body}")
    with pytest.raises(DataError, match="not a TMX file or is damaged"):
        read(tmp_path / "bomb.tmx", "en", "de")


def pairs_of(*given: tuple[str, str]) -> Pairs:
    return Pairs(*(pl.Series("text", side) for side in zip(*given, strict=True)), "here", "here", "0")


def test_each_rule_says_how_many_pairs_it_left_out():
    kept = tidied(
        pairs_of(
            ("one  dog ", "ein Hund"),
            ("one dog", "ein Hund"),
            ("", "nichts"),
            ("short", "sehr " * 40),
            ("word " * 101, "Wort " * 101),
            ("left as it is here", "left as it is here"),
            ("Tom", "Tom"),
            ("a line in English", "строка по-русски"),
            ("the language of this side", "die Sprache dieser Seite"),
        )
    )
    assert rows(kept) == [
        ("one dog", "ein Hund"),
        ("Tom", "Tom"),
        ("the language of this side", "die Sprache dieser Seite"),
    ]
    assert [note.split(" pairs ")[1].split(" and were")[0] for note in kept.notes] == [
        "have an empty side",
        "repeat an earlier one",
        "are longer than 100 words",
        "have one side more than 4 times as long as the other (and 20 characters)",
        "are the same on both sides",
        "are in another script than their side",
    ]
    assert all(note.startswith("1 of ") for note in kept.notes)


def test_pairs_with_an_equal_side_are_one_group_directly_or_by_others():
    source = pl.Series(["Go.", "go", "Run!", "Walk", "...", "?"])
    target = pl.Series(["Va !", "Marche", "marche.", "Cours", "...", "!"])
    assert groups_of(source, target).tolist() == [0, 0, 0, 3, 4, 5]


def test_sources_alone_keep_every_line(tmp_path):
    (tmp_path / "in.txt").write_text("one\n\n  two\tthree\n\n")
    assert read_sources(tmp_path / "in.txt", DataOptions(), "en")[0].to_list() == ["one", "", "  two\tthree", ""]
    pl.DataFrame({"id": [1, 2], "en": ["a", None]}).write_csv(tmp_path / "in.csv")
    sentences, beside = read_sources(tmp_path / "in.csv", DataOptions(), "en")
    assert sentences.to_list() == ["a", ""]
    assert beside["id"].to_list() == ["1", "2"]
    other = pl.DataFrame({"id": [1, 2], "text": ["a", "b"]})
    with pytest.raises(DataError, match='has no column "en", which is translated from: there is id, text; rename'):
        read_sources(other, DataOptions(), "en")
    # Of lines with tabs the sides have no names.
    assert read_sources(other, DataOptions(), "1")[0].to_list() == ["a", "b"]


def test_sources_stand_in_the_column_of_a_table_with_tabs_as_they_did_in_training(tmp_path):
    path = tmp_path / "in.tsv"
    path.write_text('id\ten\tde\n1\the said "no"\tx\n2\n')
    sentences, beside = read_sources(path, DataOptions(), "en")
    assert sentences.to_list() == ['he said "no"', ""]
    assert beside.columns == ["id", "en", "de"]
    # Without the name in its first line, each line is a sentence.
    assert len(read_sources(path, DataOptions(), "fr")[0]) == 3


@pytest.mark.parametrize("name", ["film.en.srt", "film.txt"])
def test_subtitles_are_no_pairs(tmp_path, name):
    (tmp_path / name).write_text("1\n00:00:01,000 --> 00:00:02,500\nHello.\n\n")
    with pytest.raises(DataError, match="holds subtitles, whose lines are numbers, times and parts of sentences"):
        read(tmp_path / name, target="srt")


@pytest.mark.parametrize(
    ("name", "content", "sides", "said"),
    [
        ("x.json", "[]", (None, None), r"x\.json is not a kind of file whose pairs can be read"),
        ("x.po", 'msgid "a"', (None, None), "is not a kind of file whose pairs can be read"),
        ("x.txt", "\n\n", (None, None), r"x\.txt is empty"),
        ("x.txt", "a ||| b\n" * 3, (None, "de"), r'has "\|\|\|" between the sides; put a tab'),
        ("x.txt", "a\nb\n", ("1", "2"), "x.txt has no tabs, and the column 2 of lines with tabs was expected"),
        ("x.csv", "a,b,c\n1,2,3\n", (None, None), "Name them with --source and --target: there is a, b, c"),
        ("x.csv", "a,b,c\n1,2,3\n", ("a", None), "is the other side? Name it with --target".replace("?", r"\?")),
        ("x.csv", "a,b,c\n1,2,3\n", ("a", "a"), 'both sides are the column "a"'),
        ("x.csv", "a,b\n1,2\n", ("x", "b"), 'has no column "x", which is one of both sides: there is a, b'),
    ],
)
def test_odd_files_are_refused_by_what_they_are(tmp_path, name, content, sides, said):
    (tmp_path / name).write_text(content)
    with pytest.raises((DataError, UsageError), match=said):
        read_pairs(tmp_path / name, DataOptions(), sides)


def test_texts_by_language_in_one_column_are_a_column_for_each(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"translation": {"en": "a house", "de": "ein Haus"}}\n')
    pairs = read_pairs(tmp_path / "x.jsonl", DataOptions(), ("de", None))
    assert (pairs.columns, pairs.source[0], pairs.target[0]) == (("de", "en"), "ein Haus", "a house")
