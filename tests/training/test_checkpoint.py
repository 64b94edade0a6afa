"""A checkpoint goes on from where it stood, and one that stands nowhere, or is another network's, is one sentence."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from gatework.errors import RunError
from gatework.training import checkpoint
from gatework.training.checkpoint import TrainingState
from gatework.training.optimizer import Adam

RECORD = dict.fromkeys(checkpoint._RECORDED, 1.0)
MORE = {"best": 1, "averaged": 2}
STATE = TrainingState(epoch=3, step=2, best=0.5, best_epoch=1, history=[RECORD, RECORD])


def network(width: int = 3) -> nn.Module:
    torch.manual_seed(width)
    return nn.Linear(width, 2)


def saved(path, state=STATE, **other: dict[str, Tensor]) -> nn.Module:
    """Writes a checkpoint; the weights of the best epoch are larger by 1 than the last, their averages by 2."""
    model = network()
    kept = {name: {key: tensor + more for key, tensor in model.state_dict().items()} for name, more in MORE.items()}
    checkpoint.save(path, state, model, Adam(model.parameters()), carried={1: [torch.ones(2)]}, **kept | other)
    return model


def test_what_was_saved_is_restored(tmp_path):
    model = saved(tmp_path / "state")
    drawn = torch.rand(3)
    other = nn.Linear(3, 2)
    restored = checkpoint.load(tmp_path / "state", other, Adam(other.parameters()))
    assert restored.state == STATE
    for name, tensor in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)
        assert torch.equal(restored.best[name], tensor + MORE["best"])
        assert torch.equal(restored.averaged[name], tensor + MORE["averaged"])
    assert {shard: len(part) for shard, part in restored.carried.items()} == {1: 1}
    assert torch.equal(torch.rand(3), drawn)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"step": -1}, "stands at epoch 3 and has 2 behind it"),
        ({"epoch": 2}, "stands at epoch 2 and has 2 behind it"),
        ({"best_epoch": 3}, "stands at epoch 3"),
        ({"best_epoch": 0}, "stands at epoch 3"),
        ({"step": 1.5}, "its progress is no number"),
        ({"best": None}, "its progress is no number"),
        ({"loss_sum": "a"}, "its progress is no number"),
        ({"history": [RECORD, RECORD | {checkpoint._RECORDED[0]: None}]}, "what it says of an epoch is no number"),
    ],
)
def test_progress_at_which_no_training_stands_is_refused(changed, reason, tmp_path):
    saved(tmp_path / "state", replace(STATE, **changed))
    model = network()
    with pytest.raises(RunError, match=reason):
        checkpoint.load(tmp_path / "state", model, Adam(model.parameters()))


@pytest.mark.parametrize("part", ["best", "averaged"])
def test_kept_weights_of_another_network_are_refused(part, tmp_path):
    saved(tmp_path / "state", **{part: network(5).state_dict()})
    model = network()
    with pytest.raises(RunError, match="the weights that it keeps are those of another network"):
        checkpoint.load(tmp_path / "state", model, Adam(model.parameters()))


def test_a_network_of_another_size_is_refused(tmp_path):
    saved(tmp_path / "state")
    model = network(5)
    with pytest.raises(RunError, match="does not belong to this run"):
        checkpoint.load(tmp_path / "state", model, Adam(model.parameters()))
