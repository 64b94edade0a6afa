"""A recurrent language model beside the search: what it overrules, what a run keeps of it, and what does not fit."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from gatework import training
from gatework.data.pieces import CharacterTokens, SubwordTokens
from gatework.decoding import CtcReader, LanguageWeights, SpokenLanguage
from gatework.errors import UsageError
from gatework.tasks.transcribe.data import asked_of
from gatework.tasks.transcribe.letters import Alphabet
from gatework.tasks.transcribe.options import SpeechOptions
from gatework.tasks.transcribe.recurrent import RecurrentLanguage
from gatework.tasks.transcribe.task import TranscribeTask
from gatework.tasks.transcribe.tuning import chosen_weights
from gatework.training.predictor import Predictor
from support import recordings
from support.bigrams import FOLLOWING, bigrams, written

LETTERS = Alphabet(tuple(" abc"))


def heard(*steps: tuple[str, float]) -> np.ndarray:
    """A network's output in which each step is these letters with these shares, and blanks stand between."""
    rows = []
    for letters, share in steps:
        row = np.full(5, 0.02)
        row[[LETTERS.units.index(letter) + 1 for letter in letters]] = (share, *[0.9 - share] * (len(letters) - 1))
        rows += [row, [0.92, 0.02, 0.02, 0.02, 0.02]]
    probabilities = np.array(rows)
    return np.log(probabilities / probabilities.sum(1, keepdims=True)).astype(np.float32)


def test_a_language_model_that_is_certain_overrules_what_is_heard_unclearly():
    log_probs, nothing = heard(("a", 0.9), ("cb", 0.5), (" ", 0.9), ("ac", 0.5)), SpokenLanguage.fit([], LETTERS.units)
    model = bigrams(FOLLOWING).beside(LETTERS)
    texts = []
    for weight in (0.0, 0.5):
        reader = CtcReader(LETTERS.units, nothing, LanguageWeights(recurrent=weight), recurrent=model)
        texts.append(reader.text(reader.read(log_probs)))
    assert texts == ["ac a", "ab c"]
    # On held-back recordings it counts where it is right, and not where it is wrong.
    for right, expected in (("ab c", True), ("ac a", False)):
        assert (chosen_weights(LETTERS.units, nothing, [log_probs], [right], model).recurrent > 0) == expected


def test_a_run_keeps_its_language_model(tmp_path):
    language = bigrams(FOLLOWING)
    folder = written(tmp_path / "lm", language)
    dataset = recordings.dataset(12, 4, SpeechOptions(units="letters", lm=folder))
    training.train("transcribe", dataset, out=tmp_path / "run", recipe=recordings.small(epochs=1), threads=1)
    shutil.rmtree(folder)
    run = training.Run.open(tmp_path / "run")
    kept = run.network.language.language()
    assert kept.size == language.size
    for name, weight in language.weights.items():
        torch.testing.assert_close(kept.weights[name], weight, rtol=0, atol=0)
    wav = recordings.write(tmp_path / "sound", ["ab"])[0]
    first, again = (run.predict(wav, lm_weight=0.5) for _ in range(2))
    assert first.equals(again)
    assert Predictor(run, "int8").answer(wav, lm_weight=0.5).height == 1
    with pytest.raises(UsageError, match=r"--lm .* is no finished run"):
        run.predict(wav, lm=folder)


def test_a_language_model_that_does_not_fit_is_one_sentence(tmp_path):
    plain = bigrams(FOLLOWING)
    wrong = {
        'does not know the letters "b", which this network writes': (bigrams({}, " ac\n"), None, LETTERS),
        "reads pieces of words, and a transcript": (plain, SubwordTokens.fit(["ab ab"], 300), LETTERS),
        "this network writes whole words; train it with --units letters": (plain, None, Alphabet(("ab", "ba"), True)),
        "its weights have other shapes than its recipe says": (plain, CharacterTokens(" abcd\n"), LETTERS),
    }
    for place, (problem, (language, tokens, alphabet)) in enumerate(wrong.items()):
        folder = written(tmp_path / str(place), language, tokens)
        with pytest.raises(UsageError, match=f"^--lm .*{problem}"):
            RecurrentLanguage.of_run(folder, alphabet)


def test_the_lines_of_a_text_are_counted_beside_the_training_texts(tmp_path):
    (tmp_path / "text.txt").write_text("Cab, ba!\nno 7 lines with digits\ncab ba\nxyz\n")
    options, recipe = SpeechOptions(units="letters", lm=str(tmp_path / "text.txt")), recordings.small()
    plain, counted = (
        TranscribeTask.fit(recordings.dataset(12, 4, one), recipe.data)
        for one in (SpeechOptions(units="letters"), options)
    )
    assert counted.further_texts == asked_of({"lm": options.lm}, "lower").lines == ("cab ba", "xyz")
    assert sum(counted.language.words.ngrams) > sum(plain.language.words.ngrams)
