"""A decoder read out by native code, beside the decoder's own step in float64."""

import copy

import numpy as np
import pytest
import torch

from gatework import nn
from gatework.decoding.beam import beam_search
from gatework.decoding.searching import AttentionSearch, EnsembleSearch, Once, Output
from gatework.errors import UsageError

VOCABULARY, LENGTHS, BEAM = 37, (3, 1, 7), 2


def made(score: str | None, cell: str = "lstm", fed: bool = False, hidden: int = 19):
    torch.manual_seed(0)
    attention = nn.Attention(hidden, hidden, score) if score else None
    layers = nn.recurrent(cell, 5 + (6 if fed else 0), hidden, num_layers=2)
    decoder = nn.AttentionDecoder(layers, attention, 6, input_feeding=fed).eval()
    vectors, output = torch.randn(VOCABULARY, 5), Output(torch.randn(VOCABULARY, 6), torch.randn(VOCABULARY), 4)
    memories = [torch.randn(length, 1, hidden) for length in LENGTHS]
    first = [torch.zeros(2, 1, hidden) for _ in layers.spec.states]
    states = [first[0] if len(first) == 1 else tuple(first) for _ in LENGTHS]
    return decoder, vectors, output, memories, states


@pytest.mark.parametrize("score", ["general", "dot", "additive", None])
@pytest.mark.parametrize("cell", ["lstm", "gru", "minimal"])
@pytest.mark.parametrize("fed", [False, True])
def test_the_likeliest_tokens_are_those_of_the_decoder_in_float64(score, cell, fed):
    decoder, vectors, output, memories, states = made(score, cell, fed)
    with torch.no_grad():
        remembered = [decoder.remember(memory) for memory in memories]
        search = AttentionSearch(decoder, lambda t: vectors[t], output, remembered, states, BEAM)
        double = copy.deepcopy(decoder).double()
        tokens = np.array([[1, 2], [3, 5], [0, 36]])
        carried = [[None] * BEAM for _ in LENGTHS]
        for _ in range(3):
            logs, words = search.best(tokens, 6)
            for s, memory in enumerate(memories):
                for b in range(BEAM):
                    step = double.step(
                        vectors[int(tokens[s, b])][None].double(), double.remember(memory.double()), carried[s][b]
                    )
                    carried[s][b] = step.state
                    scores = step.output[0] @ output.weight.double().T + output.bias.double()
                    scores[output.banned] = -torch.inf
                    expected = scores.log_softmax(0).topk(6)
                    assert words[s, b].tolist() == expected.indices.tolist()
                    # A few sums of tens of terms near 1 in float32.
                    np.testing.assert_allclose(logs[s, b], expected.values, rtol=0, atol=3e-5)
            tokens = words[:, :, 0]
            search.keep(np.arange(3), np.array([[0, 1]] * 3))


def test_rows_have_the_same_bits_alone_and_among_others():
    decoder, vectors, output, memories, states = made("general", hidden=50)
    with torch.no_grad():
        remembered = [decoder.remember(memory) for memory in memories]
        together = AttentionSearch(decoder, lambda t: vectors[t], output, remembered, states, 5)
        tokens = np.arange(15).reshape(3, 5)
        found = together.best(tokens, 8)
        for s in range(3):
            alone = AttentionSearch(decoder, lambda t: vectors[t], output, remembered[s : s + 1], states[s : s + 1], 5)
            one = alone.best(tokens[s : s + 1], 8)
            assert np.array_equal(one[0][0], found[0][s])
            assert np.array_equal(one[1][0], found[1][s])


def test_a_shortlist_gives_what_the_whole_vocabulary_would_of_its_tokens_alone():
    decoder, vectors, output, memories, states = made("general", hidden=50)
    lists, tokens = [np.arange(5, 20), np.array([0, 7, 4]), np.arange(37)], np.arange(6).reshape(3, 2)
    with torch.no_grad():
        remembered = [decoder.remember(memory) for memory in memories]
        once = Once(range(1, 3), 3, [[1], [], [1, 2]])
        searches = [AttentionSearch(decoder, lambda t: vectors[t], output, remembered, states, 2, once, 0.0, short)
                    for short in (None, lists)]  # fmt: skip
        whole, short = (search.every(tokens) for search in searches)
        for s, chosen in enumerate(lists):
            kept = np.setdiff1d(np.union1d(chosen, [1, 2, 3]), [output.banned])
            assert np.isfinite(short[s]).all(0).nonzero()[0].tolist() == kept.tolist()
            scores = whole[s][:, kept].astype(np.float64)
            expected = scores - np.log(np.exp(scores).sum(1, keepdims=True))
            np.testing.assert_allclose(short[s][:, kept], expected, atol=1e-5)


def test_what_is_wanted_comes_once_and_before_the_end():
    decoder, vectors, output, memories, states = made("general", hidden=50)
    bias = torch.zeros(VOCABULARY)
    bias[9] = 50.0  # it would end at once
    once = Once(range(20, 24), 9, [[20, 23], [], [21]])
    with torch.no_grad():
        remembered = [decoder.remember(memory) for memory in memories]
        for members in (1, 2):
            begun = (decoder, lambda t: vectors[t], output._replace(bias=bias), remembered, states, 2, once)
            each = [AttentionSearch(*begun) for _ in range(members)]
            model = each[0] if members == 1 else EnsembleSearch(each)
            results = beam_search(model, [8] * 3, begin=1, end=9, beam=2)
            assert [sorted(best.tokens) for best, *_ in results] == [[20, 23], [], [21]]


def test_an_ensemble_answers_by_the_plain_mean_of_its_members_probabilities():
    decoder, vectors, output, memories, states = made("general")
    other, tokens = copy.deepcopy(decoder), np.array([[1, 2], [3, 5], [0, 36]])
    outputs = [output, output._replace(bias=output.bias.flip(0))]
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.7)
        searches = []
        for each, its in zip((decoder, other), outputs, strict=True):
            remembered = [each.remember(memory) for memory in memories]
            searches.append(AttentionSearch(each, lambda t: vectors[t], its, remembered, states, BEAM))
        together, carried = EnsembleSearch(searches), {}
        for _ in range(2):
            logs, words = together.best(tokens, 6)
            for s, b in np.ndindex(tokens.shape):
                chances = []
                for m, (each, its) in enumerate(zip((decoder, other), outputs, strict=True)):
                    double, vector = copy.deepcopy(each).double(), vectors[int(tokens[s, b])][None].double()
                    step = double.step(vector, double.remember(memories[s].double()), carried.get((m, s, b)))
                    carried[m, s, b] = step.state
                    scores = step.output[0] @ its.weight.double().T + its.bias.double()
                    scores[its.banned] = -torch.inf
                    chances.append(scores.softmax(0))
                expected = ((chances[0] + chances[1]) / 2).log().topk(6)
                assert words[s, b].tolist() == expected.indices.tolist()
                # As of one decoder: sums of tens of terms near 1 in float32.
                np.testing.assert_allclose(logs[s, b], expected.values, rtol=0, atol=3e-5)
            tokens = words[:, :, 0]
            together.keep(np.arange(3), np.array([[0, 1]] * 3))


def test_a_coverage_penalty_is_that_of_the_weights_added_up():
    decoder, vectors, output, memories, states = made("general")
    with torch.no_grad():
        remembered = [decoder.remember(memory) for memory in memories]
        search = AttentionSearch(decoder, lambda t: vectors[t], output, remembered, states, 1, coverage=0.3)
        seen, carried = [0.0] * 3, list(states)
        for token in (1, 5):
            search.best(np.full((3, 1), token), 2)
            for s, memory in enumerate(remembered):
                step = decoder.step(vectors[token][None], memory, carried[s])
                seen[s], carried[s] = seen[s] + step.weights[0].double().numpy(), step.state
    expected = [[-0.3 * np.log(np.minimum(weights, 1)).sum()] for weights in seen]
    np.testing.assert_allclose(search.penalties, expected, atol=1e-5)


def test_a_decoder_in_another_type_is_refused():
    decoder, vectors, output, _, states = made("dot")
    with pytest.raises(UsageError, match=r"float32 on the CPU; the decoder is torch\.float64"):
        AttentionSearch(decoder.double(), lambda t: vectors[t], output, [], states, 1)
