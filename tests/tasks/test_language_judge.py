"""A language model that judges texts: the same figures as token by token, and in a transcript."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gatework import training
from gatework.data.pieces import BOUNDARY
from gatework.errors import UsageError
from gatework.tasks._language_judge import LanguageJudge
from gatework.tasks._language_run import LanguageRun
from support import recordings, texts


def test_texts_are_as_likely_as_token_by_token(tmp_path):
    run = texts.run(tmp_path)
    judge, said = LanguageJudge(LanguageRun(str(run.path), "--lm")), ["The king is dead.", "", "he went"]
    expected = []
    for ids in run.task.tokens.encode(said):
        states, last, total = (), BOUNDARY, 0.0
        for token in [*ids.tolist(), BOUNDARY]:
            with torch.no_grad():
                logits, states = run.network.eval().step(torch.tensor([last]), states)
            total, last = total + float(logits.log_softmax(1)[0, token]), token
        expected.append(total)
    # The three go on together, each by its next word; one that has none ends already, its number staying the same.
    states, totals = [0, 0, 0], np.zeros(3)
    for place in range(4):
        words = [text.split()[place] if place < len(text.split()) else "" for text in said]
        gains, states = judge.advance(states, words, False)
        totals += gains
    ends, after = judge.advance(states, ["", "", ""], True)
    assert after == states
    np.testing.assert_allclose(totals + ends, expected, rtol=1e-5)
    assert judge.advance([0], ["The"], False)[1] == [1], "what was read once is known"
    judge.forget()
    assert judge.advance([0], ["he"], False)[1] == [1]


def test_a_transcript_is_the_text_that_a_language_model_finds_likeliest(tmp_path):
    dataset, recipe = recordings.dataset(12, 4), recordings.small(epochs=1)
    spoken = training.train("transcribe", dataset, out=tmp_path / "s", recipe=recipe, threads=1)
    model = texts.run(tmp_path, first="ab ab\n" * 40)
    wav = recordings.write(tmp_path / "sound", ["ab cab"])[0]
    plain = spoken.predict(wav)["text"].item()
    weak, strong = (spoken.predict(wav, lm=str(model.path), lm_weight=w)["text"].item() for w in (0.0, 50.0))
    assert weak == plain, "a weight of 0 changes nothing"
    judge = LanguageJudge(LanguageRun(str(model.path), "--lm"))
    likely = []
    for text in (strong, plain):
        state, total = [0], 0.0
        for word in [*text.split(), ""]:
            gain, state = judge.advance(state, [word], not word)
            total += gain[0]
        likely.append(total)
    assert likely[0] >= likely[1]
    with pytest.raises(UsageError, match=r"--lm .* is a run of the task"):
        spoken.predict(wav, lm=str(spoken.path))
