from itertools import pairwise

import numpy as np
import pytest
import torch

from gatework import tasks, training
from gatework.data.pieces import BOUNDARY
from gatework.tasks.generate.scoring import token_nats
from gatework.tasks.generate.streams import IGNORED, Plan
from support.texts import dataset, run, small, text


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    made = dataset(tmp_path_factory.mktemp("streams"))
    task = tasks.get("generate").fit(made, small().data)
    return task, task.encode(made.train)


def test_a_pass_predicts_every_token_once_but_for_what_streams_of_one_length_leave(encoded):
    _, examples = encoded
    config = small(batch_size=3).training
    plan = Plan.of(examples.cycle, 3, 16)
    order = examples.order(config, 1)
    assert len(order) == plan.steps * plan.passes
    places = [(row[0] + np.arange(row[1])) % examples.cycle for window in order[: plan.steps] for row in window]
    seen = np.bincount(np.concatenate(places), minlength=examples.cycle)
    assert seen.max() == 1
    assert (seen == 0).sum() == examples.cycle % 3


def test_each_window_goes_on_where_the_one_before_it_ended(encoded):
    _, examples = encoded
    order = examples.order(small(batch_size=3).training, 1)
    for before, after in pairwise(order):
        goes_on = after[:, 2] == 0
        assert ((before[:, 0] + before[:, 1]) % examples.cycle == after[:, 0])[goes_on].all()
        first, second = examples.batch(before), examples.batch(after)
        assert torch.equal(first.targets[goes_on, -1], second.inputs[goes_on, 0])
    assert (order[0][:, 2] == 1).all()


def test_windows_have_uneven_lengths_and_each_epoch_begins_elsewhere(encoded):
    _, examples = encoded
    config = small(batch_size=2).training
    first, second = examples.order(config, 1), examples.order(config, 2)
    assert len(first) == len(second)
    assert len({int(window[0, 1]) for window in first}) > 3
    assert first[0][0, 0] != second[0][0, 0]


def test_a_long_text_is_read_in_several_epochs_that_together_are_one_pass(encoded, monkeypatch):
    _, examples = encoded
    monkeypatch.setattr("gatework.tasks.generate.streams._MOST_TOKENS", examples.cycle / 4)
    config = small(batch_size=3).training
    assert Plan.of(examples.cycle, 3, 16).parts == 4
    epochs = [examples.order(config, epoch) for epoch in range(1, 5)]
    assert len({len(epoch) for epoch in epochs}) == 1
    places = [(row[0] + np.arange(row[1])) % examples.cycle for epoch in epochs for w in epoch for row in w]
    assert np.bincount(np.concatenate(places)).max() == 1


def test_documents_begin_with_a_state_of_zeros(encoded):
    _, examples = encoded
    for window in examples.order(small().training, 1):
        batch = examples.batch(window)
        wanted = batch.inputs == BOUNDARY
        wanted[:, 0] |= torch.from_numpy(window[:, 2] == 1)
        assert torch.equal(wanted, torch.zeros_like(wanted) if batch.reset is None else batch.reset)


def test_carried_windows_give_the_loss_of_the_whole_stream(encoded):
    task, examples = encoded
    torch.manual_seed(0)
    model = task.model(small().model).eval()
    order = examples.order(small(batch_size=3).training, 1)[:3]
    carried, total = (), 0.0
    with torch.no_grad():
        for window in order:
            batch = examples.batch(window)
            loss = task.loss(model, batch.following(carried) if carried else batch)
            total, carried = total + float(loss.total), loss.carried
        whole = order[0].copy()
        whole[:, 1] = sum(window[:, 1] for window in order)
        together = task.loss(model, examples.batch(whole))
    assert total == pytest.approx(float(together.total), rel=1e-5)


def test_scores_of_pieces_read_at_once_are_those_of_one_reading(encoded, monkeypatch):
    task, examples = encoded
    torch.manual_seed(0)
    model = task.model(small().model)
    whole = token_nats(model, examples)
    assert np.isnan(whole[0])
    assert np.isfinite(whole[1:]).all()
    monkeypatch.setattr("gatework.tasks.generate.scoring._PIECE", 400)
    # A fresh network forgets within far fewer steps than the warm-up has.
    np.testing.assert_allclose(token_nats(model, examples)[1:], whole[1:], atol=1e-4)


def test_what_stands_behind_a_passage_is_not_scored(encoded):
    _, examples = encoded
    batch = examples.batch(np.arange(min(len(examples), 3)))
    assert ((batch.targets == IGNORED).sum(1) == batch.lengths.max() - batch.lengths).all()


class _CutOff(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def test_a_run_that_is_killed_within_an_epoch_goes_on_with_the_states_it_carried(tmp_path):
    class CutsOff(training.Progress):
        def stepped(self, label, done, loss):
            if done == 30:
                raise _CutOff

    whole = run(tmp_path)
    recipe = small(checkpoint_seconds=0)
    source = text(tmp_path)
    with pytest.raises(_CutOff):
        training.train("generate", source, out=tmp_path / "cut", recipe=recipe, threads=1, progress=CutsOff())
    again = training.resume(tmp_path / "cut")
    assert (again.path / "model.safetensors").read_bytes() == (whole.path / "model.safetensors").read_bytes()
    assert (again.path / "answers.parquet").read_bytes() == (whole.path / "answers.parquet").read_bytes()


def test_without_the_carried_states_the_resumed_run_is_another(tmp_path, monkeypatch):
    class CutsOff(training.Progress):
        def stepped(self, label, done, loss):
            if done == 30:
                raise _CutOff

    whole = run(tmp_path)
    with pytest.raises(_CutOff):
        training.train(
            "generate", text(tmp_path), out=tmp_path / "cut", recipe=small(checkpoint_seconds=0), threads=1,
            progress=CutsOff(),
        )  # fmt: skip
    load = training.loop.checkpoint.load
    monkeypatch.setattr(training.loop.checkpoint, "load", lambda *given: load(*given)._replace(carried={}))
    again = training.resume(tmp_path / "cut")
    assert (again.path / "model.safetensors").read_bytes() != (whole.path / "model.safetensors").read_bytes()
