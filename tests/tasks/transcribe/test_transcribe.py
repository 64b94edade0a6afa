"""Transcription from recordings to texts: the loss, what is learnt, what is refused, and what parts never share."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from gatework import training
from gatework.data.features import FLOOR
from gatework.data.transcripts import Utterance
from gatework.errors import DataError
from gatework.options import DataOptions
from gatework.recipe import recipe_of_task
from gatework.tasks._augment import Augmentation, band_places
from gatework.tasks.transcribe.apart import parts_of, twins
from gatework.tasks.transcribe.data import load
from gatework.tasks.transcribe.letters import Alphabet, plain, steps_needed
from gatework.tasks.transcribe.metrics import answers_of, metrics
from gatework.tasks.transcribe.model import StepScores, loss_of
from gatework.tasks.transcribe.options import SpeechOptions
from gatework.tasks.transcribe.task import TranscribeTask, largest_stack
from support import recordings

UNCHANGED = SpeechOptions(speed=0, tempo=0, gain=0, noise=0, masking=0)


def fitted(dataset=None, **changes):
    recipe = recordings.small(**changes)
    task = TranscribeTask.fit(dataset or recordings.dataset(options=UNCHANGED), recipe.data)
    torch.manual_seed(0)
    return task, task.model(recipe.model)


def test_the_loss_and_its_gradient_are_those_of_double_precision():
    task, model = fitted()
    batch = task.encode(recordings.dataset().train).batch(np.arange(6))
    scores = model.scores(batch.inputs, batch.lengths)
    single = scores.log_probs.detach().requires_grad_()
    double = scores.log_probs.detach().double().requires_grad_()
    loss = loss_of(StepScores(single, scores.steps), batch)
    exact = loss_of(StepScores(double, scores.steps), batch)
    loss.backward()
    exact.backward()
    # A log-domain sum over T steps and 2 L + 1 states rounds once per state and step.
    steps, states = int(scores.steps.max()), 2 * int(batch.letters.max()) + 1
    allowed = torch.finfo(torch.float32).eps * steps * states
    assert float(loss.detach()) == pytest.approx(float(exact.detach()), rel=allowed)
    assert (single.grad.double() - double.grad).abs().max() <= allowed * double.grad.abs().max()


def test_the_last_weights_are_kept_at_a_rate_that_falls_to_zero():
    # The WER of a few dozen recordings would choose an epoch by chance.
    config = recipe_of_task("transcribe").training
    assert not config.best_weights
    assert config.schedule == "linear"


def test_what_follows_training_is_timed_without_a_trace():
    dataset = dataclasses.replace(recordings.dataset(), seconds=100.0)
    task, model = fitted(dataset)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert task.seconds_besides(model, dataset) > 100
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_text_with_too_few_steps_adds_nothing_and_spoils_nothing():
    task, model = fitted()
    held = recordings.dataset().validation
    long = dataclasses.replace(held, targets=np.array([*held.targets[:-1], "ab " * 200], dtype=object))
    both = [task.evaluate(model, task.encode(part)) for part in (held.take(np.arange(len(held) - 1)), long)]
    assert np.isfinite(both[1].loss)
    assert len(both[1].answers) == len(held)
    model.train()
    loss = task.loss(model, task.encode(long).batch(np.arange(len(held))))
    loss.total.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_it_learns_the_tones_and_the_language_model_mends_what_is_left(tmp_path):
    dataset = recordings.dataset(60, 12)
    recipe = recordings.small(epochs=14, hidden=24)
    run = training.train("transcribe", dataset, out=tmp_path / "run", recipe=recipe, threads=1)
    metrics = run.summary["metrics"]
    assert metrics["test_wer"] <= 0.1
    assert metrics["test_wer"] <= metrics.get("test_wer_greedy", 1.0)


def test_a_recording_of_nothing_has_no_words(tmp_path):
    run = training.train(
        "transcribe", recordings.dataset(40, 8), out=tmp_path / "run", recipe=recordings.small(epochs=8)
    )
    silence = np.zeros(recordings.RATE * 2, np.float32)
    hiss = 0.003 * np.random.default_rng(5).standard_normal(recordings.RATE * 2).astype(np.float32)
    quiet = dataclasses.replace(
        recordings.spoken(["", ""]),
        inputs=recordings.Recordings.of([silence, hiss], recordings.RATE, recordings.SPEC),
    )
    assert run.predictor.rows(quiet)["text"].to_list() == ["", ""]


def test_the_stack_is_the_largest_that_leaves_room_for_every_text():
    part = recordings.dataset().train
    alphabet = Alphabet.of(part.targets.tolist())
    assert largest_stack(part, alphabet, 0.1) == 4
    crowded = dataclasses.replace(part, targets=np.array(["ab" * 8] * len(part), dtype=object))
    frames = min(len(one) for one in part.inputs.features)
    stack = largest_stack(crowded, alphabet, 0.0)
    assert frames // stack >= 16 > frames // (stack + 1)


def test_steps_that_are_needed_count_equal_neighbours_twice():
    assert [steps_needed(np.array(text)) for text in ([], [1], [1, 1, 2], [3, 3, 3])] == [0, 1, 4, 5]


def test_texts_are_plain_letters():
    assert plain("  L\u2019APPEL  \u2018No.\u2019 twenty-one!") == "l'appel no twenty one"
    assert plain("Ab", "keep") == "Ab"


def test_few_words_in_many_texts_are_learnt_whole():
    assert Alphabet.of(["yes no"] * 20, "auto").units == ("no", "yes")
    assert not Alphabet.of(["yes no"] * 3, "auto").is_words
    words = Alphabet.of(["yes no"] * 20, "auto")
    assert words.text(words.indices("no yes perhaps no")) == "no yes no"


def test_error_rates_count_over_all_texts_together():
    answers = answers_of(["a b c d", "e"], ["a b x d", "e f"], ["a b c d", "e"])
    assert metrics(answers) == {"wer": 2 / 5, "cer": 3 / 8, "ser": 1.0, "wer_greedy": 0.0, "cer_greedy": 0.0}


def test_error_rates_agree_with_jiwer():
    jiwer = pytest.importorskip("jiwer")
    texts = [recordings.sentences(40, seed) for seed in (1, 2)]
    found = metrics(answers_of(texts[0], texts[1], texts[1]))
    assert found["wer"] == pytest.approx(jiwer.wer(texts[0], texts[1]))
    assert found["cer"] == pytest.approx(jiwer.cer(texts[0], texts[1]))


def utterances(texts, speakers=None, parts=None):
    count = len(texts)
    return [
        Utterance(recordings.Path(f"{k}.wav"), texts[k], (speakers or [""] * count)[k], (parts or [""] * count)[k])
        for k in range(count)
    ]


def test_near_twins_stay_together():
    texts = ["to reset the system press one", "to reset the system, press one", "goodbye", "to reset this press two"]
    groups = twins(texts)
    assert groups[0] == groups[1] != groups[2]
    random = np.random.default_rng(0)
    many = ["".join(random.choice(list("abcdefghijkl"), size=12)) for _ in range(40)]
    many += [f"{text}s" for text in many]
    parts, said = parts_of(utterances(many), many, "texts", DataOptions())
    assert "or a near-twin of one" in said
    of_parts = [set(twins(many)[part]) for part in parts]
    assert sum(map(len, of_parts)) == len(set(twins(many))), "no group of twins is in two parts"


def test_speakers_stay_together_where_five_are_named():
    speakers = [f"s{k % 6}" for k in range(60)]
    texts = [f"text {k}" for k in range(60)]
    parts, said = parts_of(utterances(texts, speakers), texts, "auto", DataOptions())
    by_part = [{speakers[k] for k in part} for part in parts]
    assert sum(map(len, by_part)) == 6, "no speaker is in two parts"
    assert "6 speakers" in said
    with pytest.raises(DataError, match="too few to keep apart"):
        parts_of(utterances(texts), texts, "speakers", DataOptions())


def test_parts_that_a_list_names_hold():
    texts = [f"text {k}" for k in range(30)]
    parts, _ = parts_of(utterances(texts, None, ["test"] * 10 + [""] * 20), texts, "auto", DataOptions(validation=0.2))
    assert parts.test.tolist() == list(range(10))
    assert len(parts.validation) == 4
    assert sorted([*parts.train, *parts.validation]) == list(range(10, 30))


def test_digits_are_refused_with_their_place_or_left_out(tmp_path):
    texts = [*recordings.sentences(20), "press 1"]
    folder = recordings.write_pairs(tmp_path / "a", texts)
    recipe = recordings.small()
    with pytest.raises(DataError, match=r'1 text of .* with digits, the first at .*20\.wav: "press 1"; spell'):
        load(folder, recipe)
    dataset = load(folder, recipe.changed(digits="leave-out", apart="recordings"))
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 20
    assert any("1 recording whose text has digits" in note for note in dataset.provenance.notes)


def test_bad_recordings_stop_or_are_left_out_and_counted(tmp_path):
    folder = recordings.write_pairs(tmp_path / "a", recordings.sentences(20))
    (folder / "3.wav").write_bytes(b"no sound at all")
    recipe = recordings.small(apart="recordings")
    with pytest.raises(DataError, match=r"3\.wav is no recording"):
        load(folder, recipe)
    dataset = load(folder, recipe.changed(skip_bad=True))
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 19
    assert any("1 recording left out as bad, the first because" in note for note in dataset.provenance.notes)


def test_a_recording_of_minutes_is_not_learnt_from(tmp_path):
    folder, recipe = recordings.write_pairs(tmp_path / "a", recordings.sentences(20)), recordings.small()
    recordings.soundfile.write(folder / "3.wav", np.zeros(recordings.RATE * 121), recordings.RATE)
    with pytest.raises(DataError, match=r"3\.wav is 121 s long, and at most 120 s .* or leave it out with --skip-bad"):
        load(folder, recipe)
    dataset = load(folder, recipe.changed(skip_bad=True, apart="recordings"))
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == 19


def batch_of(part):
    lengths = torch.tensor([len(one) for one in part.inputs.features])
    x = torch.zeros(len(part), int(lengths.max()), 12)
    for row, frames in enumerate(part.inputs.features):
        x[row, : len(frames)] = torch.from_numpy(frames)
    return x, lengths


def test_augmentation_repeats_from_the_seed_and_keeps_within_its_bounds():
    x, lengths = batch_of(recordings.dataset().train.take(np.arange(8)))
    change = Augmentation(speed=0.1, gain=6, noise=0.5, masking=0.2)
    places = band_places(12, 8000, change.speeds())
    results = []
    for _ in range(2):
        torch.manual_seed(3)
        sound, spoken = change.sound(x, lengths, places)
        results.append((sound, spoken, change.masked(sound - sound.mean(), spoken)))
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))
    sound, spoken, masked = results[0]
    assert ((spoken >= (lengths / 1.1).long() - 1) & (spoken <= (lengths / 0.9).long() + 1)).all()
    blank = (masked == 0).all(2)
    covered = torch.tensor([blank[k, : int(n)].float().mean() for k, n in enumerate(spoken)])
    assert (covered <= 0.2 + 4 / spoken).all(), "masks cover at most their share of a recording's own length"
    assert (sound >= FLOOR).all()


def test_a_tone_that_is_played_faster_is_higher_and_shorter():
    part = recordings.spoken(["aaaaaaaa"])
    faster = recordings.Recordings.of([recordings.sound("aaaaaaaa")], int(recordings.RATE * 1.1), recordings.SPEC)
    x, lengths = batch_of(part)
    change = Augmentation(speed=0.1)
    places = band_places(12, 8000, change.speeds())
    torch.manual_seed(0)
    tries = [change.sound(x, lengths, places) for _ in range(30)]
    sound, spoken = min(tries, key=lambda one: int(one[1]))
    assert abs(int(spoken) - len(faster[0])) <= 3
    middle = slice(20, 60)
    played, made = faster[0][middle].mean(0), sound[0, middle].mean(0).numpy()
    assert played.argmax() == made.argmax()


def test_a_tone_that_is_said_faster_is_shorter_and_no_higher():
    x, lengths = batch_of(recordings.spoken(["aaaaaaaa"] * 30))
    change = Augmentation(tempo=0.2)
    places = band_places(12, 8000, change.speeds())
    torch.manual_seed(0)
    sound, spoken = change.sound(x, lengths, places)
    assert (spoken <= lengths).all()
    assert (spoken >= (lengths / 1.2).long()).all()
    assert len(set(spoken.tolist())) > 5
    middle = slice(20, 60)
    assert (sound[:, middle].mean(1).argmax(1) == x[:, middle].mean(1).argmax(1)).all()


def test_recordings_are_said_faster_in_training_where_letters_are_written():
    letters = fitted(recordings.dataset(options=SpeechOptions()))[1]
    words = fitted(recordings.dataset(options=SpeechOptions(units="words")))[1]
    assert letters.augmentation.tempo == SpeechOptions().tempo > 0 == words.augmentation.tempo


def test_each_band_has_a_mean_and_a_deviation():
    task = TranscribeTask.fit(recordings.dataset(options=UNCHANGED), DataOptions())
    with pytest.raises(ValueError, match="12 means and 0 deviations of 12 bands"):
        dataclasses.replace(task, std=())
