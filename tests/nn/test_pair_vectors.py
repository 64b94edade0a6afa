import numpy as np
import torch

from gatework.nn.pair_vectors import PairVectors, plain

WORDS, SECONDS = 6, np.array([3, 3, 5])
INDICES = torch.tensor([[0, 6, 3, 8], [7, 7, 5, 1], [8, 2, 3, 6]])


def vectors() -> PairVectors:
    torch.manual_seed(0)
    return PairVectors(WORDS, 4, SECONDS).double()


def test_a_pair_begins_as_its_second_word():
    table = vectors()
    table.start(0.05)
    assert torch.equal(table(torch.tensor([6, 7, 8])), table(torch.from_numpy(SECONDS)))
    assert 0 < table.weight[:WORDS].abs().max() <= 0.05


def test_a_pair_is_read_as_its_own_vector_and_that_of_its_second_word():
    table = vectors()
    steps = [index if index < WORDS else [index, int(SECONDS[index - WORDS])] for index in INDICES.flatten().tolist()]
    wanted = torch.stack([table.weight[step].reshape(-1, 4).sum(0) for step in steps]).view(3, 4, 4)
    assert torch.equal(table(INDICES), wanted)
    assert torch.equal(plain(table)(INDICES), wanted), "one table says the same"
    other = torch.nn.Embedding(3, 2)
    assert plain(other) is other
    assert plain(None) is None


def test_gradients_reach_both_and_come_by_rows_where_they_are_wanted():
    found = []
    for is_sparse in (False, True):
        table = vectors()
        table.sparse = is_sparse
        torch.sin(table(INDICES)).sum().backward()
        assert table.weight.grad.is_sparse == is_sparse
        found.append(table.weight.grad.to_dense())
    rows = vectors().weight.detach().requires_grad_()
    ends = torch.cat([torch.arange(WORDS), torch.from_numpy(SECONDS)])
    own = torch.where(INDICES[..., None] < WORDS, 0.0, rows[INDICES])
    torch.sin(rows[ends[INDICES]] + own).sum().backward()
    torch.testing.assert_close(found[0], rows.grad, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-12)


def test_a_network_without_pairs_draws_the_same_words():
    torch.manual_seed(1)
    from_words = torch.empty(WORDS, 4).uniform_(-0.05, 0.05)
    torch.manual_seed(1)
    table = PairVectors(WORDS, 4, SECONDS)
    torch.manual_seed(1)
    table.start(0.05)
    assert torch.equal(table.weight[:WORDS], from_words)
