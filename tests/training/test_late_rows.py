"""Rows of word vectors that catch up with Adam's steps when they are read: where torch's Adam has them all along."""

import numpy as np
import pytest
import torch
from torch import nn

from gatework.nn.pair_vectors import PairVectors
from gatework.training.optimizer import Adam

ROWS, STEPS = 50, 60
EPS = torch.finfo(torch.float32).eps


def table(dtype=torch.float32) -> nn.Embedding:
    values = torch.randn(ROWS, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return nn.Embedding.from_pretrained(values.to(dtype), freeze=False)


def lessons() -> list[tuple[torch.Tensor, torch.Tensor, float]]:
    """For each step the rows that are read, some often and some hardly ever, their gradients, and a learning rate."""
    random = torch.Generator().manual_seed(1)
    often = 1 / torch.arange(1.0, ROWS)  # the last row never
    words = [often.multinomial(8, replacement=True, generator=random).view(2, 4) for _ in range(STEPS)]
    return [
        (each, torch.randn(2, 4, 8, generator=random, dtype=torch.float64), 0.01 * (1 - step / STEPS))
        for step, each in enumerate(words)
    ]


def learn(words: nn.Embedding, optimizer: Adam, given: list[tuple[torch.Tensor, torch.Tensor, float]]) -> None:
    for rows, gradient, rate in given:
        optimizer.forget_gradients()
        words(rows).backward(gradient.to(words.weight.dtype))
        optimizer.step(rate)


def late(weight_decay: float) -> tuple[nn.Embedding, Adam]:
    words = table()
    words.sparse = True
    optimizer = Adam(words.parameters(), weight_decay, tables=[words])
    return words, optimizer


@pytest.fixture(autouse=True)
def a_small_table_is_a_parameter_of_its_own(monkeypatch):
    monkeypatch.setattr("gatework.training.optimizer._SMALL", 100)


def torchs(weight_decay: float, dtype: torch.dtype) -> torch.Tensor:
    words = table(dtype)
    optimizer = torch.optim.AdamW(words.parameters(), weight_decay=weight_decay)
    for rows, gradient, rate in lessons():
        optimizer.zero_grad(set_to_none=False)
        optimizer.param_groups[0]["lr"] = rate
        words(rows).backward(gradient.to(dtype))
        optimizer.step()
    return words.weight.detach()


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_rows_that_catch_up_are_where_adam_has_them(weight_decay):
    words, optimizer = late(weight_decay)
    learn(words, optimizer, lessons())
    before = words.weight.detach().clone()
    optimizer.release()
    exact = torchs(weight_decay, torch.float64)
    error = (words.weight.detach().double() - exact).abs().amax(1)
    least = 2 * (torchs(weight_decay, torch.float32).double() - exact).abs().max() + 4 * EPS * exact.abs().max()
    assert error.max() <= least
    seen = torch.cat([rows.flatten() for rows, _, _ in lessons()])
    is_late = (before.double() - exact).abs().amax(1) > 100 * least
    assert is_late[seen].any(), "rows that were left out for some steps owed them"
    assert not is_late[lessons()[-1][0].flatten()].any(), "those of the last batch owed nothing"


def test_what_rows_owe_is_kept_with_the_state():
    whole, optimizer = late(0.5)
    learn(whole, optimizer, lessons())
    parts, first = late(0.5)
    learn(parts, first, lessons()[:30])
    again, second = late(0.5)
    again.load_state_dict(parts.state_dict())
    second.load({name: tensor.clone() for name, tensor in first.state().items()})
    learn(again, second, lessons()[30:])
    assert torch.equal(again.weight, whole.weight)
    optimizer.catch_up(), second.catch_up()
    assert torch.equal(again.weight, whole.weight)


def test_what_is_read_without_learning_moves_nothing_so_that_processes_which_do_not_read_it_agree():
    words, optimizer = late(0.0)
    learn(words, optimizer, lessons())
    before = words.weight.detach().clone()
    with torch.no_grad():
        words(torch.arange(ROWS))
    assert torch.equal(words.weight, before)
    words(torch.arange(ROWS))
    assert not torch.equal(words.weight, before)
    with pytest.raises(IndexError):
        words(torch.tensor([ROWS + 1000]))


def test_of_a_pair_of_words_both_rows_that_it_is_read_from_have_caught_up():
    pairs, random = 10, torch.Generator().manual_seed(1)
    read = [torch.randint(ROWS + pairs, (2, 4), generator=random) for _ in range(STEPS)]

    def vectors(is_late: bool) -> torch.Tensor:
        torch.manual_seed(0)
        words = PairVectors(ROWS, 8, np.arange(pairs) * 5)
        words.sparse = is_late
        optimizer = Adam(words.parameters(), tables=[words] if is_late else ())
        seen = []
        for rows in read:
            optimizer.forget_gradients()
            seen.append(words(rows))
            seen[-1].square().sum().backward()
            optimizer.step(0.01)
        return torch.stack(seen).detach()

    # A hundredth of what one step of Adam moves at most, which is what a row that did not catch up lacks.
    torch.testing.assert_close(vectors(is_late=True), vectors(is_late=False), rtol=0, atol=0.01 * 0.01)
