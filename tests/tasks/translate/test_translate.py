"""Translation from pairs to answers."""

import base64
import json

import numpy as np
import polars as pl
import pytest

import gatework
from gatework import tasks
from gatework.data.subwords import BEGIN, END, PADDING
from gatework.errors import DataError, RunError, UsageError
from gatework.tasks.translate import memory
from gatework.tasks.translate.data import sides_of
from gatework.tasks.translate.looked import LEFT_OUT, SAID_TWICE, coverage_table, looked
from gatework.tasks.translate.task import expectation
from gatework.tasks.translate.translator import Search
from gatework.training.fitting import prepare
from support.command_line import run_here
from support.sentence_pairs import small, toy_pairs

LEARNING = {"hidden": 64, "embedding": 48, "batch_size": 32, "epochs": 16, "learning_rate": 1e-2, "vocabulary": 400}
LEARNING |= {"validation": 0.08, "test": 0.08, "label_smoothing": 0.0, "beam": 3, "precision": "float32"}


def turned_round(count: int = 900) -> pl.DataFrame:
    frame = toy_pairs(count, longest=4)
    return frame.with_columns(target=pl.Series([" ".join(text.split()[::-1]) for text in frame["target"]]))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A network that has learnt to turn sentences round in another language."""
    folder = tmp_path_factory.mktemp("translate") / "run"
    return gatework.train("translate", turned_round(), out=folder, recipe=small(**LEARNING), threads=1)


@pytest.fixture(scope="module")
def dataset():
    return prepare(turned_round(), "translate", small(**LEARNING), {})[0]


def test_a_reversal_is_learnt_exactly_where_a_dictionary_fails(run, dataset):
    exact = {b.name: run.task.metrics(b.answers)["exact_match"] for b in run.task.baselines(dataset)}
    assert run.summary["metrics"]["test_exact_match"] == 1.0
    assert max(exact.values()) < 0.3


def test_a_copy_is_learnt_exactly(tmp_path):
    frame = toy_pairs(800, longest=4)
    frame = frame.with_columns(target=frame["source"].str.to_uppercase())  # the very same text is left out of learning
    recipe = small(**(LEARNING | {"copying": 0}))
    result = gatework.train("translate", frame, out=tmp_path / "run", recipe=recipe, threads=1)
    assert result.summary["metrics"]["test_exact_match"] == 1.0


def test_the_attention_of_a_reversal_runs_backwards(run):
    source, target, weights = looked(
        run.network, run.task.subwords, run.task.keeping, "the red dog eats", "mange chien rouge le"
    )
    assert (source, target) == (["the", "red", "dog", "eats"], ["mange", "chien", "rouge", "le"])
    assert weights.shape == (4, 5)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    table = pl.read_parquet(run.path / "attention.parquet")
    assert 0 < len(table) <= 8
    assert [len(row) for row in table["weights"][0]] == [len(table["source"][0]) + 1] * len(table["target"][0])


def test_words_are_covered_as_their_weights_add_up(run):
    sources = ["the red dog eats", "a cat", "the red dog eats now here"]
    said = ["mange chien rouge le", "chat un chat un chat", "mange"]
    table = coverage_table(run.network, run.task.subwords, run.task.keeping, sources, said)
    for row, source, target in zip(table.to_dicts(), sources, said, strict=True):
        words, _, weights = looked(run.network, run.task.subwords, run.task.keeping, source, target)
        sums = dict(zip(words, weights.sum(axis=0)[: len(words)], strict=True))
        assert row["words"] == len(words)
        assert row["left_out"] == [word for word in words if sums[word] < LEFT_OUT]
        assert row["said_twice"] == [word for word in words if sums[word] > SAID_TWICE]
    assert table["left_out"][0].to_list() == []
    assert len(table["left_out"][2]) > 0
    kept = pl.read_parquet(run.path / "coverage.parquet")
    assert kept["left_out"].list.len().sum() < 0.05 * kept["words"].sum()


def batch_of(run, dataset, count=5):
    return run.task.encode(dataset.test).batch(np.arange(count))


def test_the_decoder_reads_the_translation_one_step_late(run, dataset):
    batch = batch_of(run, dataset)
    for row, length in enumerate(batch.target_lengths.tolist()):
        said, read = batch.targets[row].tolist(), batch.previous[row].tolist()
        assert read[0] == BEGIN
        assert read[1:length] == said[: length - 1]
        assert said[length - 1] == END
        assert set(said[length:]) <= {PADDING}
        assert END not in read


def test_no_score_depends_on_the_piece_that_it_is_of(run, dataset):
    """Teacher forcing off by one would let each score see its own answer."""
    batch = batch_of(run, dataset, 1)
    tensors = batch.tensors()
    before = run.network(**tensors)
    for step in range(1, batch.previous.shape[1]):
        other = batch.previous.clone()
        other[0, step] = BEGIN
        after = run.network(**(tensors | {"previous": other}))
        changed = (before != after).any(dim=1)
        # Position `step` reads piece `step - 1`, which the scores before it are of or come after.
        assert not changed[:step].any()
        assert changed[step]


def test_the_loss_is_that_of_a_plain_sum_in_float64(run, dataset):
    task = tasks.get("translate").from_state(
        run.task.state() | {"settings": {**run.task.state()["settings"], "label_smoothing": 0.1}}
    )
    batch = batch_of(run, dataset)
    scores = run.network(**batch.tensors()).detach().double().numpy()
    answers = batch.targets[batch.targets != PADDING].numpy()
    logs = (
        scores
        - np.log(np.exp(scores - scores.max(1, keepdims=True)).sum(1, keepdims=True))
        - scores.max(1, keepdims=True)
    )
    expected = -(0.9 * logs[np.arange(len(answers)), answers] + 0.1 * logs.mean(axis=1)).sum()
    loss = task.loss(run.network, batch)
    assert loss.weight == len(answers)
    # A float32's rounding for each of the terms.
    assert float(loss.total.detach()) == pytest.approx(expected, rel=len(answers) * 1.2e-7)


def test_pairs_with_a_common_sentence_stay_in_one_part():
    frame = toy_pairs(60)
    frame = pl.concat([frame, frame.with_columns(target=frame["target"] + " encore")])
    dataset, _ = prepare(frame, "translate", small(), {})
    sources = [set(sides_of(part)[0]) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sum(map(len, sources)) == len(set.union(*sources))
    assert any("share a sentence with another" in note for note in dataset.provenance.notes)


HOSTILE = [
    "",
    "   ",
    "the dog",
    "<b>the</b> &amp; dog",
    "漢字 😀",
    "the " * 3000,
    "x" * 2000,
    "dog\tcat",
    "the dog. the cat! " * 30,
]


def test_every_line_gives_one_line_whatever_it_holds(run, tmp_path):
    rows = run.predict(HOSTILE, beam=1)
    assert rows["text"].to_list() == HOSTILE
    assert rows["translation"][0] == rows["translation"][1] == ""
    assert not any("\n" in text for text in rows["translation"])
    (tmp_path / "in.txt").write_text("\n".join(HOSTILE) + "\n", encoding="utf-8")
    assert run.predict(tmp_path / "in.txt", beam=1)["translation"].to_list() == rows["translation"].to_list()


def test_bytes_that_are_no_text_are_one_sentence(run):
    for source in ("the \udcff dog", ["the dog", "\udcfe"]):
        with pytest.raises(DataError, match="which is not valid UTF-8; convert it first"):
            run.predict(source)


def test_a_file_is_answered_line_by_line_on_the_terminal(run, tmp_path):
    (tmp_path / "in.txt").write_text("the red dog\n\nman sees cat\n")
    done = run_here("predict", run.path, tmp_path / "in.txt")
    assert done.stdout.splitlines() == ["chien rouge le", "", "chat voit homme"]
    assert run_here("predict", run.path, "the red dog").stdout == "chien rouge le\n"
    refused = run_here("predict", run.path, "the", "red", "dog")
    assert refused.stderr == 'gatework: "red dog" is too much: what has blanks needs quotes\n'
    assert run_here("predict", run.path, stdin="the red dog\n\n").stdout.splitlines() == ["chien rouge le", ""]
    said = json.loads(run_here("predict", run.path, "the red dog", "--json").stdout)
    assert said[0]["translation"] == "chien rouge le"
    assert 0.5 < said[0]["confidence"] <= 1


def test_an_unsure_translation_is_shown_beside_the_nearest_known_pair(run):
    done = run_here("predict", run.path, "the unheard zebra 漢字 dog")
    assert "unsure (confidence 0." in done.stderr
    assert "the nearest known sentence is" in done.stderr
    row = run.predict(["the unheard zebra 漢字 dog"]).row(0, named=True)
    known = turned_round()
    assert known.filter(known["source"] == row["nearest_source"])["target"].to_list() == [row["nearest_target"]]


def test_alternatives_come_best_first(run):
    rows = run.predict(["the red dog", ""], alternatives=3)
    assert rows["rank"].to_list()[:3] == [1, 2, 3]
    assert rows["translation"][0] == "chien rouge le"
    assert len(set(rows["translation"][:3])) == 3
    assert rows["confidence"].to_list()[:3] == sorted(rows["confidence"][:3], reverse=True)
    assert run_here("predict", run.path, "the red dog", "--alternatives", "2").stdout.startswith("1\t")


def test_a_table_is_answered_beside_its_other_columns(run, tmp_path):
    pl.DataFrame({"id": [7, 8], "source": ["the red dog", None]}).write_csv(tmp_path / "t.csv")
    rows = run.predict(tmp_path / "t.csv")
    assert rows.columns[:3] == ["id", "source", "translation"]
    assert rows["translation"].to_list() == ["chien rouge le", ""]
    scores = run.evaluate(toy_pairs(20, seed=3), beam=2)
    assert set(scores.metrics) == {"bleu", "chrf", "bleu_lower", "exact_match"}


@pytest.mark.parametrize("beam", [1, 4])
def test_sentences_together_are_translated_as_each_alone(run, beam):
    translator, search = run.task._translator([run.network], {}), Search(beam)
    lines = [*toy_pairs(40, seed=5, longest=6)["source"].to_list(), *HOSTILE[:5]]
    together = translator(lines, search)
    alone = [translator([line], search)[0] for line in lines]
    assert together == alone  # to the last bit


KINDS = [{"attention": "none"}, {"input_feeding": True}, {"attention": "additive", "layers": 2}, {"cell": "peephole"}]
KINDS += [{"hidden": 9, "zoneout": 0.1}, {"attention": "dot", "cell": "rnn"}]


@pytest.mark.parametrize("changes", KINDS)
def test_every_kind_of_network_learns_and_answers(tmp_path, changes):
    recipe = small(epochs=1, **changes)
    result = gatework.train("translate", toy_pairs(60), out=tmp_path / "run", recipe=recipe, threads=1)
    assert len(result.predict(["the dog", "a cat sees"])) == 2
    assert bool(len(pl.read_parquet(result.path / "attention.parquet"))) == (changes.get("attention") != "none")


def test_the_direction_of_a_built_in_set_can_be_turned():
    recipe = gatework.recipe.find_recipe("tatoeba-french")
    forth, back = (
        tasks.load("tatoeba-french", recipe.changed(**changes))
        for changes in ({}, {"source_column": "eng", "target": "fra"})
    )
    assert sides_of(back.test) == sides_of(forth.test)[::-1]
    with pytest.raises(UsageError, match="holds fra and eng; name these with --source and --target"):
        tasks.load("tatoeba-french", recipe.changed(target="deu"))
    with pytest.raises(UsageError, match="holds no pairs of sentences"):
        tasks.load("sentence-polarity", recipe)


def test_a_folder_from_a_stranger_is_one_sentence(run, tmp_path):
    import shutil

    for name, change in (("memory", "eJ"), ("subwords", {"pieces": ["a"], "merges": [["x", "y"]]})):
        folder = tmp_path / name
        shutil.copytree(run.path, folder)
        state = json.loads((folder / "task.json").read_text())
        (folder / "task.json").write_text(json.dumps(state | {name: change}))
        with pytest.raises(RunError, match=r"task\.json is corrupt"):
            _ = gatework.training.Run.open(folder).task


def test_few_pairs_are_told_what_to_expect():
    assert "translation memory and the dictionary often win; sentences made by few patterns" in expectation(2_000)
    assert "as good as each other" in expectation(60_000)
    assert "ahead of the dictionary" in expectation(400_000)
    with pytest.raises(DataError, match="1 pairs that can be learnt from"):
        prepare(toy_pairs(1), "translate", small(), {})


def test_an_ensemble_averages_probabilities_and_takes_runs_of_the_same_pieces(run, tmp_path):
    other = gatework.train(
        "translate",
        turned_round(),
        out=tmp_path / "other",
        recipe=small(**LEARNING | {"epochs": 2, "seed": 3}),
        threads=1,
    )
    lines = turned_round(40)["source"].to_list()
    alone = run.predict(lines)
    twice = run.predict(lines, ensemble=str(run.path))
    assert twice["translation"].to_list() == alone["translation"].to_list()
    # Means of equal numbers, taken by their exponentials.
    np.testing.assert_allclose(twice["confidence"], alone["confidence"], rtol=1e-5)
    both = run.predict(lines, ensemble=[str(other.path)])
    assert (both["confidence"] != alone["confidence"]).all()
    each = [run.predict([line], ensemble=[str(other.path)]) for line in lines[:5]]
    assert [row["confidence"][0] for row in each] == both["confidence"].to_list()[:5]
    scores = run.evaluate(turned_round(40), ensemble=f"{other.path}, {run.path}")
    assert scores.metrics["bleu"] > 50
    assert len(run.predict(["the 5 dog"], ensemble=str(other.path))["translation"][0].split("5")) == 2
    strange = gatework.train("translate", toy_pairs(60), out=tmp_path / "s", recipe=small(epochs=1), threads=1)
    with pytest.raises(UsageError, match="has other pieces of words than this run"):
        run.predict(lines, ensemble=str(strange.path))


@pytest.mark.parametrize("beam", [1, 3])
def test_a_shortlist_holds_what_a_translation_needs_and_changes_no_bit_between_one_and_many(run, beam):
    frame = turned_round(60)
    rows = run.predict(frame["source"].to_list(), shortlist=20, beam=beam)
    assert rows["translation"].to_list() == frame["target"].to_list()
    each = [run.predict([line], shortlist=20, beam=beam)["confidence"][0] for line in frame["source"][:5]]
    assert each == rows["confidence"].to_list()[:5]
    assert run.predict(["the 1,5 dog"], shortlist=1, beam=beam)["translation"][0].count("1,5") == 1


def test_a_large_memory_keeps_pairs_from_all_of_it_and_a_damaged_one_is_refused(monkeypatch):
    known = memory.TranslationMemory([f"sentence {k}" for k in range(10)], [f"Satz {k}" for k in range(10)])
    assert memory.TranslationMemory.unpacked(known.packed()).sources == known.sources
    monkeypatch.setattr(memory, "MOST_KEPT", 4)
    kept = memory.TranslationMemory.unpacked(known.packed())
    assert kept.sources == ["sentence 0", "sentence 2", "sentence 5", "sentence 7"]
    assert kept.targets == ["Satz 0", "Satz 2", "Satz 5", "Satz 7"]
    whole = base64.b64decode(known.packed())
    for damaged in (whole[:-6], b"nothing", whole[:10] + b"?" + whole[11:]):
        with pytest.raises(ValueError, match="the memory of pairs is damaged"):
            memory.TranslationMemory.unpacked(base64.b64encode(damaged).decode())
