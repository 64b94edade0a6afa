"""Recordings put together anew: what is heard in them is what their text says, and a stopped training goes on alike."""

from __future__ import annotations

from itertools import groupby, pairwise

import numpy as np
import pytest
import torch

from gatework import training
from gatework.data.dataset import Examples
from gatework.tasks.transcribe import splicing
from gatework.tasks.transcribe.examples import SpokenExamples
from gatework.tasks.transcribe.letters import Alphabet
from gatework.tasks.transcribe.options import SpeechOptions
from gatework.tasks.transcribe.splicing import SplicedExamples, hearings_due, places_of
from gatework.training.loop import Trainer
from support import recordings
from support.stopping import StopAt

LETTER_FRAMES = 10


def heard(frames: np.ndarray) -> str:
    """The tones of frames by the loudest band, one letter for each tenth of a second."""
    alone = {letter: recordings.spoken([letter]).inputs.features[0] for letter in "abc"}
    tones = {one[14].argmax(): letter for letter, one in alone.items()}
    loud = (alone["a"][2].max() + alone["a"][14].max()) / 2
    each = [tones.get(one.argmax(), "") if one.max() > loud else "" for one in frames]
    return "".join(letter * round(len(list(run)) / LETTER_FRAMES) for letter, run in groupby(each))


def spliced(share: float) -> tuple[SplicedExamples, list[str]]:
    """Recordings of which a share is put together anew, cut where their words end, and their texts."""
    part = recordings.dataset(40).train
    texts = part.targets.tolist()
    alphabet = Alphabet.of(texts)
    examples = SpokenExamples(part, alphabet)
    cuts = []
    for text, frames in zip(texts, examples.lengths, strict=True):
        # A tenth of a second of silence stands before each word, and one at the end; cut in the middle of them.
        ends = np.cumsum([len(word) + 1 for word in text.split()])
        cuts += [0, *(int(end) * LETTER_FRAMES + LETTER_FRAMES // 2 for end in ends[:-1]), int(frames)]
    assert len(cuts) == places_of(texts, alphabet)[-1]
    return SplicedExamples(examples, np.array(cuts), alphabet, share, 1.0), texts


def learnt_from(examples: SplicedExamples) -> tuple[list[str], list[int]]:
    """The texts and the lengths of a batch of all, each of which says its text."""
    torch.manual_seed(0)
    batch = examples.batch(np.arange(40))
    texts = [examples.alphabet.text(one) for one in batch.targets.split(batch.letters.tolist())]
    for row, text in enumerate(texts):
        assert heard(batch.inputs[row, : int(batch.lengths[row])].numpy()) == "".join(text.split())
    return texts, batch.lengths.tolist()


def test_what_is_put_together_says_its_text():
    examples, known = spliced(1.0)
    texts, _ = learnt_from(examples)
    assert len(set(texts) - set(known)) > 20, "most are new"


def test_of_a_long_recording_a_stretch_is_learnt_from(monkeypatch):
    longest = 90
    monkeypatch.setattr(splicing, "_LONGEST", longest)
    examples, known = spliced(0.0)
    texts, lengths = learnt_from(examples)
    assert sum(frames > longest for frames in examples.lengths) > 10
    for whole, frames, text, learnt in zip(known, examples.lengths, texts, lengths, strict=True):
        assert f" {text} " in f" {whole} "
        assert learnt <= longest < frames or text == whole
    parts = [(whole, text) for whole, text in zip(known, texts, strict=True) if whole != text]
    assert {whole.startswith(text) for whole, text in parts} == {True, False}, "from any place"


def test_words_are_looked_for_from_a_quarter_on_and_again():
    due = [hearings_due(epoch / 40) for epoch in range(41)]
    grows = [epoch for epoch, (before, now) in enumerate(pairwise(due), start=1) if now > before]
    assert grows == [10, 14, 18, 22, 26, 30, 34, 38]
    assert due[-1] == len(grows), "once each time"


def test_minutes_count_as_epochs_do(tmp_path, monkeypatch):
    # As of a training whose minutes end long before its epochs do.
    monkeypatch.setattr(Trainer, "_share", lambda trainer, step: 0.3)
    run = training.train("transcribe", recordings.dataset(), out=tmp_path / "run", recipe=recordings.small(epochs=1))
    assert (run.network.cuts >= 0).any()


def test_a_training_that_is_stopped_goes_on_with_the_same_recordings(tmp_path):
    dataset, recipe = recordings.dataset(options=SpeechOptions()), recordings.small(epochs=5)
    whole = training.train("transcribe", dataset, out=tmp_path / "whole", recipe=recipe, threads=1)
    with pytest.raises(KeyboardInterrupt):
        # Within an epoch that learns from words that were looked for before it.
        training.train("transcribe", dataset, out=tmp_path / "run", recipe=recipe, threads=1, progress=StopAt(22))
    resumed = training.resume(tmp_path / "run", dataset)
    assert (whole.network.cuts >= 0).any()
    for name, weights in whole.network.state_dict().items():
        assert torch.equal(weights, resumed.network.state_dict()[name]), name


def test_whole_words_are_not_spliced(tmp_path):
    options = SpeechOptions(units="words")
    dataset = recordings.dataset(options=options)
    run = training.train("transcribe", dataset, out=tmp_path / "run", recipe=recordings.small(epochs=1), threads=1)
    assert len(run.network.cuts) == 0
    examples: Examples = run.task.encode(dataset.train)
    lessons = run.task.lessons(run.network, examples, run.recipe.training, 1, 0.5, is_fresh=True)
    assert isinstance(lessons, SpokenExamples)
