import polars as pl
import pytest

from gatework import training
from gatework.errors import UsageError
from support.texts import run as trained
from support.texts import sentences, small, text


def test_texts_are_written_under_the_label_that_is_asked_for(tmp_path):
    rows = sentences(60)
    frame = pl.DataFrame({"text": rows + [row.upper() for row in rows], "voice": ["low"] * 60 + ["high"] * 60})
    frame = frame.sample(fraction=1.0, shuffle=True, seed=0)
    recipe = small(epochs=25, hidden=32, embedding=16, learning_rate=2e-2, label="voice")
    run = training.train("generate", frame, out=tmp_path / "run", recipe=recipe, threads=1)
    assert run.task.labels == ("high", "low")
    for label, is_upper in (("high", True), ("low", False)):
        written = run.predict(label=label, length=60, seed=0)["text"][0]
        letters = [letter for letter in written if letter.isalpha()]
        assert (sum(map(str.isupper, letters)) > len(letters) / 2) == is_upper
    with pytest.raises(UsageError, match='no label "hihg" in training: did you mean "high"'):
        run.predict(label="hihg")


def test_a_label_without_a_table_or_without_training_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="is no table"):
        training.train("generate", text(tmp_path), out=tmp_path / "run", recipe=small(label="voice"), threads=1)
    with pytest.raises(UsageError, match="trained with --label"):
        trained(tmp_path / ".").predict(label="low")
