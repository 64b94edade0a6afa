"""Classes of sounds: how folders are read and divided, what is learnt, and keywords in a stream."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from scipy.special import log_softmax

import gatework as gw
from gatework.data.dataset import Batch
from gatework.data.inputs import RaggedSeries
from gatework.data.sound_classes import BACKGROUND
from gatework.errors import DataError, UsageError
from gatework.options import implied_task
from gatework.tasks._heard import heard
from gatework.tasks._warping import distances
from gatework.tasks.classify import linear, nearest, sounds, tract, wordless
from gatework.tasks.classify.augmented import AugmentedExamples, MixedBatch
from gatework.tasks.classify.cepstral import pooled_sound
from gatework.tasks.classify.losses import heard_loss
from gatework.tasks.classify.nearest import neighbours_of, scores_of_validation
from gatework.tasks.classify.neighbours import Neighbours
from gatework.tasks.classify.options import SoundOptions
from gatework.tasks.classify.report.speakers import interval
from gatework.tasks.classify.spotting import (
    THRESHOLDS,
    Peaks,
    Spotted,
    Truth,
    chosen_threshold,
    curve,
    judged,
    peaks,
    smoothed,
    true_labels,
)
from gatework.tasks.classify.strangers import is_for_strangers, left_out_in_turn
from gatework.tasks.classify.task import ClassifyTask
from gatework.tasks.classify.tract import moved, over_tracts
from support import recordings

UNCHANGED = SoundOptions(speed=0, gain=0, noise=0, masking=0, mixing=0, surround=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Words by class in Speech Commands' layout: speakers in the names, a list of the test part, and noise."""
    home = tmp_path_factory.mktemp("words")
    for word in recordings.WORDS:
        (home / word).mkdir()
        for k in range(10):
            soundfile.write(home / word / f"{k % 5:08x}_nohash_{k}.wav", recordings.sound(word, k), recordings.RATE)
    (home / "testing_list.txt").write_text("".join(f"{word}/00000004_nohash_4.wav\n" for word in recordings.WORDS))
    (home / "_background_noise_").mkdir()
    hiss = 0.01 * np.random.default_rng(0).standard_normal(recordings.RATE * 8)
    soundfile.write(home / "_background_noise_" / "hiss.wav", hiss, recordings.RATE)
    return home


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    recipe = recordings.small_classifier(epochs=14, hidden=16, bands=12, blend=False)
    return gw.train("classify", folder, out=tmp_path_factory.mktemp("run") / "run", recipe=recipe, threads=1)


def parts_of(source, **changes):
    dataset = sounds.load(source, recordings.small_classifier(bands=12, **changes))
    return dataset, [dataset.train, dataset.validation, dataset.test]


def test_a_folder_by_class_is_divided_as_its_list_says_and_noise_by_its_time(folder):
    dataset, parts = parts_of(folder)
    assert dataset.classes == tuple(sorted((*recordings.WORDS, BACKGROUND)))
    at = dataset.classes.index(BACKGROUND)
    assert all((part.targets == at).any() for part in parts), "each part has noise"
    words = [part.take(np.flatnonzero(part.targets != at)) for part in parts]
    assert {file.name for file in words[2].inputs.files} == {"00000004_nohash_4.wav"}
    assert len(words[2]) == len(recordings.WORDS)
    # The pieces of a recording of noise are stretches that do not overlap, so that none is in two parts.
    pieces = [row for part in parts for k, row in enumerate(part.inputs.identities()) if part.targets[k] == at]
    assert len(pieces) == len(set(pieces)) > 5
    assert implied_task((), folder) == "classify"


def test_a_speaker_can_be_left_out_and_five_are_kept_apart(folder):
    _, parts = parts_of(folder, leave_out_speaker="00000002")
    assert set(parts[2].speakers) == {"00000002", ""}
    assert "00000002" not in {*parts[0].speakers, *parts[1].speakers}
    with pytest.raises(UsageError, match='no recording has the speaker "kim"'):
        parts_of(folder, leave_out_speaker="kim")
    rows = [f"{word}/{k % 5:08x}_nohash_{k}.wav,{word},{k % 5}" for word in recordings.WORDS for k in range(10)]
    manifest = folder / "mine.csv"
    manifest.write_text("\n".join(["audio,label,speaker", *rows]))
    _, parts = parts_of(manifest)
    who = [set(part.speakers) for part in parts]
    assert all(who)
    assert sum(map(len, who)) == len(set.union(*who)) == 5
    assert implied_task((), manifest) == "classify"


def test_recordings_without_changes_are_those_that_are_answered():
    dataset = recordings.sound_dataset(UNCHANGED)
    task = ClassifyTask.fit(dataset, recordings.small_classifier().data)
    plain, index = task.encode(dataset.train), np.array([3, 0, 7])
    lessons = AugmentedExamples(dataset.train, task.encoder, UNCHANGED, -1).batch(index)
    assert torch.equal(lessons.inputs, plain.batch(index).inputs)
    assert torch.equal(lessons.lengths, plain.batch(index).lengths)


def test_changes_come_of_the_seed_alone_and_some_recordings_more_are_of_no_class():
    dataset = recordings.sound_dataset()
    task = ClassifyTask.fit(dataset, recordings.small_classifier().data)
    examples = AugmentedExamples(dataset.train, task.encoder, SoundOptions(warp=0.2, mixing=0), -1)
    made = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        made.append(examples.batch(np.arange(6)))
    assert torch.equal(made[0].inputs, made[1].inputs)
    assert made[0].inputs.shape != made[2].inputs.shape or not torch.equal(made[0].inputs, made[2].inputs)
    assert made[0].targets.tolist() == [*dataset.train.targets[:6], -1, -1, -1]
    outputs = torch.zeros(9, 4, requires_grad=True)
    # Equal scores are what is best for a recording of no word: its gradient is 0 there.
    task.loss_of(outputs, made[0]).total.backward()
    assert outputs.grad[6:].abs().max() == 0 < outputs.grad[:6].abs().min()


def test_mixed_recordings_are_learnt_as_both_of_their_classes_and_words_are_told_from_none():
    outputs, presence = torch.randn(5, 4), torch.randn(5)
    network = SimpleNamespace(heard=lambda **batch: (outputs, presence))
    targets, others, is_word = torch.tensor([0, 1, 2, 3, 1]), [1, 1, 3, 0, 2], torch.tensor([True, True, True, False])
    inputs, logs = (torch.zeros(5, 1, 1), torch.ones(5, dtype=torch.int64)), outputs.log_softmax(1)
    mixed = heard_loss(network, MixedBatch(*inputs, targets, torch.tensor(others), torch.tensor(0.3)), is_word)
    expected = -sum(0.3 * logs[k, targets[k]] + 0.7 * logs[k, others[k]] for k in range(5))
    assert float(mixed.total) == pytest.approx(float(expected), rel=1e-5)
    targets[4] = -1
    plain, words = heard_loss(network, Batch(*inputs, targets), is_word), torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0])
    classes = -sum(logs[k, targets[k]] for k in range(4)) - logs[4].mean()
    heard = -(words * presence.sigmoid().log() + (1 - words) * (-presence).sigmoid().log()).sum()
    assert float(plain.total) == pytest.approx(float(classes + heard), rel=1e-5)
    assert plain.weight == 4


def test_what_is_far_below_the_loudest_is_quiet_however_quiet_it_is():
    dataset = recordings.sound_dataset()
    encoder = ClassifyTask.fit(dataset, recordings.small_classifier().data).encoder
    frames = dataset.train.inputs.features[0]
    quiet = frames < frames.max() - 26 * np.log(10) / 10
    assert 0 < quiet.sum() < quiet.size
    louder = np.where(quiet, frames + 0.9 * (frames.max() - 26 * np.log(10) / 10 - frames), frames).astype(np.float32)
    assert np.array_equal(encoder.steps(louder), encoder.steps(frames))
    assert not np.array_equal(dataclasses.replace(encoder, dynamic_range=0.0).steps(louder), encoder.steps(frames))


def test_simple_methods_hear_the_same_however_loud_a_word_is_and_however_long_it_is_quiet_around_it():
    frames = np.random.default_rng(0).uniform(12, 18, size=(20, 12)).astype(np.float32)
    quiet = np.full((7, 12), frames.max() - 31 * np.log(10) / 10, np.float32)
    other = np.concatenate([quiet, frames, quiet, quiet]) + np.float32(3)
    plain, padded = pooled_sound([frames, other])
    np.testing.assert_allclose(padded, plain, atol=1e-4)  # sums of 12 values near 20, in float32
    assert plain[-1] == 20


def spoken_by(part, *people):
    return dataclasses.replace(part, speakers=np.resize(np.array(people, dtype=object), len(part)))


def for_a_stranger(dataset):
    """Three people and recordings of nobody in training and validation, and somebody else to be understood."""
    known = [spoken_by(part, "ann", "bo", "cy", "") for part in (dataset.train, dataset.validation)]
    parts = dict(zip(("train", "validation"), known, strict=True), test=spoken_by(dataset.test, "di", ""))
    return dataclasses.replace(dataset, **parts)


def test_what_answers_strangers_best_is_chosen_on_people_who_are_left_out_in_turn(monkeypatch):
    dataset = recordings.sound_dataset()
    assert not is_for_strangers(dataset)
    assert not [*left_out_in_turn(dataset)]
    dataset = for_a_stranger(dataset)
    assert is_for_strangers(dataset)
    assert [is_out.sum() for is_out in left_out_in_turn(dataset)] == [6, 6, 6]
    learnt_from = []

    def fits(part, features, strengths):
        learnt_from.append(set(part.train.speakers) - {""})
        assert len(features) == len(part.train) == 18
        return (linear.Weights(np.eye(4) * (strength == 0.3), np.zeros(4)) for strength in strengths)

    monkeypatch.setattr(linear, "_multinomial", fits)
    assert linear._best_for_strangers(dataset, np.eye(4)[dataset.train.targets], (3.0, 0.3, 0.03)) == [0.3]
    assert learnt_from == [{"bo", "cy"}, {"ann", "cy"}, {"ann", "bo"}]
    others = dataclasses.replace(dataset, validation=spoken_by(dataset.validation, "ed"))
    assert not is_for_strangers(others), "whose validation part tells how strangers are answered"


def test_the_nearest_recordings_are_kept_in_full_and_other_frequencies_are_near_too():
    dataset = recordings.sound_dataset()
    known = neighbours_of(dataset)
    assert len(known.known) == 3 * len(dataset.train)
    kept = known.to_arrays()
    again = Neighbours.from_arrays(kept, len(dataset.classes))
    assert np.array_equal(again.scores(dataset.test.inputs), known.scores(dataset.test.inputs))
    assert (known.scores(dataset.test.inputs).argmax(axis=1) == dataset.test.targets).mean() >= 0.75
    frames = dataset.train.inputs.features[0]
    louder = dataclasses.replace(dataset.train.inputs[[0]], features=(frames + np.float32(3),))
    # A step's distance is a difference of sums of 13 squares of about 1, in float32.
    apart = distances(RaggedSeries.of([heard(louder[0])]), known.known)[0] / (2 * len(frames))
    assert apart[1] < 13 * 2**-18 < apart[[0, 2]].min()
    for name, wrong in (("targets", kept["targets"] + 9), ("ends", kept["ends"][1:]), ("values", kept["values"][1:])):
        with pytest.raises(ValueError, match="nearest recordings"):
            Neighbours.from_arrays(kept | {name: wrong}, len(dataset.classes))


def test_of_too_many_recordings_some_of_every_class_are_compared_with(monkeypatch):
    dataset = recordings.sound_dataset()
    monkeypatch.setattr(nearest, "_MOST_FRAMES", 3 * sum(map(len, dataset.train.inputs.features)) // 2)
    known = neighbours_of(dataset)
    assert "12 training recordings, one in 2 of each class" in known.about
    counts = np.bincount(known.targets)
    assert counts.tolist() == (3 * np.bincount(dataset.train.targets) // 2).tolist()


def test_where_strangers_are_answered_nobody_is_compared_with_the_own_recordings():
    dataset = for_a_stranger(recordings.sound_dataset())
    dataset = dataclasses.replace(dataset, validation=dataset.train)
    known = neighbours_of(dataset)
    said = scores_of_validation(known, dataset)
    is_own = np.asarray(dataset.train.speakers) == "bo"
    others = neighbours_of(dataset, dataset.train.take(np.flatnonzero(~is_own)))
    assert np.array_equal(said[is_own], others.scores(dataset.train.inputs[np.flatnonzero(is_own)]))
    assert said.max(axis=1).mean() < known.scores(dataset.train.inputs).max(axis=1).mean()


def test_a_run_answers_with_three_voices_and_is_the_same_once_it_is_read_again(tmp_path, monkeypatch):
    dataset = for_a_stranger(recordings.sound_dataset())
    recipe = recordings.small_classifier(epochs=1)
    run = gw.train("classify", dataset, out=tmp_path / "run", recipe=recipe, threads=1)
    weights = run.summary["answer"]["weights"]
    assert weights == pytest.approx({"network": 1 / 3, "pooled MFCC": 1 / 3, "nearest recordings": 1 / 3})
    assert set(run.summary["simple"]) == {"pooled MFCC", "nearest recordings"}
    assert set(run.scores.baselines) == {"network alone", "pooled MFCC", "nearest recordings"}
    again = gw.Run.open(run.path)
    measured = again.evaluate(dataset.test)
    assert measured.metrics["accuracy"] == run.summary["metrics"]["test_accuracy"]
    monkeypatch.setattr(tract, "FREQUENCIES", (1.0,))
    answered = again.task.answered(again.network, dataset.test)
    said = {name: answers["scores"].to_numpy() for name, answers in answered.items()}
    joining = again.network.joining
    voices = (float(joining.temperature) * said["network alone"], said["pooled MFCC"], said["nearest recordings"])
    assert not joining.heat, "scores are added"
    joined = sum(factor * scores for factor, scores in zip(joining.factors.tolist(), voices, strict=True))
    np.testing.assert_allclose(said["network"], log_softmax(joined, axis=1), rtol=1e-4, atol=1e-4)
    assert "nearest recordings" in gw.report(run.path).read_text(encoding="utf-8")


def test_strangers_are_answered_over_vocal_tracts_by_how_sure_all_answers_to_them_are():
    speakers = np.array(["di", "di", "di", ""], dtype=object)
    split = dataclasses.replace(recordings.sounds(4), speakers=speakers)
    higher = [moved(frames, recordings.RATE, [1.1])[0] for frames in split.inputs.features]

    def scores(part):
        """Sure of a class if the first two are higher, little of another one as they are."""
        is_higher = [np.array_equal(*pair) for pair in zip(part.inputs.features, higher, strict=True)]
        sure = [
            [3.0, 0.0, 0.0] if is_moved and place < 2 else [0.0, 0.0, 0.3] for place, is_moved in enumerate(is_higher)
        ]
        return np.array(sure)

    said = over_tracts(scores, split)
    # By hand: two of the three tracts say the same, the third is surer of the first two by this much each.
    high, low = (np.exp(x) / np.exp(x).sum() for x in (np.array([3.0, 0, 0]), np.array([0, 0, 0.3])))
    gain = (high * np.log(high)).sum() - (low * np.log(low)).sum()
    weight = np.exp([(3 + 2) * gain, (3 + 2) * gain])
    expected = [(w * high + 2 * low) / (w + 2) for w in weight]
    # The third says the same at every factor, however sure of one the answers to the others are; so does nobody's.
    np.testing.assert_allclose(np.exp(said), [*expected, low, low], atol=1e-9)
    alone = over_tracts(scores, dataclasses.replace(split, speakers=None))
    w = np.exp((3 + 1) * gain)
    np.testing.assert_allclose(np.exp(alone[0]), (w * high + 2 * low) / (w + 2), atol=1e-9)


def test_a_stranger_is_answered_alike_with_and_without_torch(tmp_path, monkeypatch):
    dataset = for_a_stranger(recordings.sound_dataset())
    recipe = recordings.small_classifier(epochs=1)
    run = gw.Run.open(gw.train("classify", dataset, out=tmp_path / "run", recipe=recipe, threads=1).path)
    said = run.task.predict(run.network, dataset.test)
    weights = {name: tensor.numpy() for name, tensor in run.network.state_dict().items()}
    alone = run.task.inference(run.recipe.model, weights).predict(dataset.test)
    assert alone["label"].to_list() == said["label"].to_list()
    np.testing.assert_allclose(alone["probability"], said["probability"], atol=1e-5)
    monkeypatch.setattr(tract, "FREQUENCIES", (1.0,))
    assert abs(run.task.predict(run.network, dataset.test)["probability"] - said["probability"]).max() > 1e-3


def test_words_are_told_apart_and_a_file_is_answered_with_its_name(run, folder):
    assert run.summary["metrics"]["test_accuracy"] >= 0.8
    assert {"test_false_accepts", "test_missed_keywords", "test_mistaken_keywords"} <= run.summary["metrics"].keys()
    rows = run.predictor.answer([str(folder / "cab" / "00000004_nohash_4.wav")])
    assert rows.row(0)[:2] == ("00000004_nohash_4.wav", "cab")
    scores = run.predictor.evaluate(folder)
    assert scores.metrics["accuracy"] >= 0.8
    assert scores.test["audio"].to_list().count("hiss.wav") > 1
    assert BACKGROUND in gw.report(run.path).read_text(encoding="utf-8")


def test_a_report_has_the_accuracy_of_each_speaker_with_what_chance_leaves(tmp_path):
    dataset, recipe = recordings.sound_dataset(), recordings.small_classifier(epochs=1, blend=False)
    run = gw.train("classify", dataset, out=tmp_path / "run", recipe=recipe, threads=1)
    page = gw.report(run.path).read_text(encoding="utf-8")
    assert "By speaker" in page
    assert "ann</bdi>" in page
    # Wilson's interval of 8 of 10, by his formula.
    assert interval(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)


def test_a_keyword_in_a_stream_is_heard_in_its_place_however_it_is_cut(run):
    hiss = 0.003 * np.random.default_rng(7).standard_normal(recordings.RATE * 2)
    samples = np.concatenate([hiss, recordings.sound("cab", 50), hiss, recordings.sound("ba", 51), hiss])
    content = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    said = []
    for size in (7, 4000, len(content)):
        stream = run.task.byte_stream(run.network, run.recipe)
        pieces = [content[start : start + size] for start in range(0, len(content), size)]
        said.append([one for piece in pieces for one in stream.answer_bytes(piece)] + list(stream.finish()))
        assert len(stream.waiting) < stream.encoder.window, "what is carried does not grow"
    assert said[0] == said[1] == said[2]
    assert [one["label"] for one in said[0]] == ["cab", "ba"]
    assert 2.0 < said[0][0]["end"] < 3.2
    only = run.task.byte_stream(run.network, run.recipe, keywords="ba", false_accepts=10.0)
    assert {one["label"] for one in [*only.answer_bytes(content), *only.finish()]} == {"ba"}
    quiet = run.task.byte_stream(run.network, run.recipe)
    assert not [*quiet.answer_bytes((32767 * hiss).astype("<i2").tobytes()), *quiet.finish()]
    assert "0.001" in run.task.byte_stream(run.network, run.recipe, false_accepts=0.001).notes[0], "too rare to tell"
    assert not run.task.byte_stream(run.network, run.recipe, false_accepts=100_000.0).notes
    with pytest.raises(UsageError, match='no class "bo"'):
        run.task.byte_stream(run.network, run.recipe, keywords="bo")


def test_only_strange_tones_glide():
    """A note that a network learns from is the same spectrum, louder or softer, from its first frame to its last."""
    share = torch.arange(40) / 40

    def moves(is_strange: bool) -> float:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            notes = torch.stack([wordless._note(40, share, is_strange) for _ in range(20)])
        assert notes.isfinite().all()
        peaks = notes.argmax(2)
        return float((peaks != peaks[:, :1]).any(1).double().mean())

    assert moves(False) == 0
    assert 0.2 < moves(True) < 0.8


def test_false_accepts_and_misses_are_counted_by_recording():
    truths = [Truth(100, 150, 0), Truth(300, 350, 1), Truth(500, 550, 2)]
    right, twice, wrong, late = Spotted(13, 0, 0.9), Spotted(14, 0, 0.9), Spotted(33, 0, 0.9), Spotted(90, 1, 0.9)
    assert judged([right], truths, (0, 1)) == (0, 1, 0)
    assert judged([right, twice, wrong, late], truths, (0, 1)) == (2, 1, 1)
    close = [Truth(100, 150, 0), Truth(165, 200, 0)]
    assert judged([Spotted(16, 0, 0.9), Spotted(20, 0, 0.9)], close, (0,)) == (0, 0, 0), "each in its turn"
    (row,) = [row for row in curve([right, late], truths, (0, 1), 2.0) if row[0] == THRESHOLDS[0]]
    assert row[1:].tolist() == [0.5, 0.5, 0.0], "one in two hours, and one of two"
    assert curve([right, late], truths, (0, 1), 2.0)[-1, 1:].tolist() == [0.0, 1.0, 0.0]


def test_a_threshold_allows_what_is_to_be_expected_of_another_stream():
    rows = np.array([[0.5, 2.0, 0.1], [0.6, 0.5, 0.2], [0.7, 0.75, 0.3], [0.8, 0.25, 0.4], [0.9, 0.0, 0.5]])
    # In four hours 8, 2, 3, 1 and none; one more is to be expected as often as it was heard, so 1.5 allow 5 at most.
    assert [chosen_threshold(rows, 4, most)[0] for most in (2.25, 1.5, 0.75, 0.5, 0.25)] == [0.5, 0.6, 0.8, 0.8, 0.9]
    assert chosen_threshold(rows, 4, 0.1)[0] == 0.9, "nothing rarer is told by four hours"
    assert chosen_threshold(rows[:4], 4, 0.1)[0] == 0.8, "the strictest where none is strict enough"
    rows[:, 0] -= 0.4
    rows[:, 1] = 0
    assert [chosen_threshold(rows, 4, most)[0] for most in (0.25, 0.1)] == [rows[0, 0], rows[4, 0]], "likelier than not"
    strict = np.array([[0.5, 0.0, 0.0], [0.7, 0.0, 0.02], [0.9, 0.0, 0.05], [0.96, 0.0, 0.06]])
    assert chosen_threshold(strict, 4, 1.0)[0] == 0.7, "stricter than it must be while hardly anything is missed"
    strict[:, 2] = 0
    assert chosen_threshold(strict, 4, 1.0)[0] == 0.9, "no stricter than 0.95"


def test_a_keyword_is_found_once_where_it_is_likeliest():
    chances = [0.1, 0.7, 0.9, 1.0, 0.8, 0.7, 0.2, 0.1, 0.1, 0.9, 0.9, 0.1]
    each = np.array([[p, 1 - p if p < 0.5 else 0.0] for p in chances])
    quiet = np.zeros((30, 2))
    stream = np.concatenate([quiet, each, quiet, each[4:], quiet])
    windows = np.arange(len(stream))[:, None, None] * np.ones((1, 40, 3))
    found = Peaks([0], window=40)
    heard = [one for one in map(found.hear, stream, windows) if one]
    # The mean over four windows is highest in the fifth, and again in the eleventh, of the first half.
    assert [one.window for one in heard[:2]] == [34, 40]
    assert [round(float(one.row[0]), 6) for one in heard[:2]] == [0.85, 0.5]
    assert all((one.frames == one.window).all() for one in heard), "what was heard there"
    whole = peaks(smoothed(stream), windows, [0], 40)
    assert [one.window for one in whole] == [one.window for one in heard]
    truths = [Truth(330, 380, 0), Truth(330, 420, 1)]
    assert true_labels(whole, truths).tolist()[:2] == [1, 1]
    assert true_labels(whole, truths[1:]).tolist()[:2] == [-1, -1]
    assert not true_labels(whole, []).any()


def test_what_cannot_be_read_is_one_sentence_or_is_skipped(folder, tmp_path):
    (tmp_path / "empty" / "yes").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no recordings by class"):
        sounds.load(tmp_path / "empty", recordings.small_classifier())
    for word in recordings.WORDS:
        (tmp_path / "bad" / word).mkdir(parents=True)
        for k in range(4):
            soundfile.write(tmp_path / "bad" / word / f"{k}.wav", recordings.sound(word, k), recordings.RATE)
    (tmp_path / "bad" / "ab" / "text.wav").write_text("no sound")
    with pytest.raises(DataError, match=r"text\.wav is no recording"):
        parts_of(tmp_path / "bad")
    dataset, parts = parts_of(tmp_path / "bad", skip_bad=True)
    assert sum(map(len, parts)) == 16
    assert dataset.provenance.notes[0].startswith("1 recording left out as bad")
    assert dataclasses.asdict(dataset.options)["skip_bad"]
