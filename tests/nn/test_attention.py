"""Attention and the decoder that stands on it, against plain loops in float64."""

import copy
import math

import numpy as np
import pytest
import torch

from gatework import nn
from gatework.errors import UsageError
from gatework.nn import Attention, AttentionDecoder
from gatework.nn._target_rows import TargetRows

SOURCE, TARGET, BATCH = 5, 3, 4
LENGTHS = torch.tensor([5, 1, 3, 4])


def made(score: str, dtype: torch.dtype = torch.float64) -> tuple[Attention, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    attention = Attention(6, 6, score, dtype=dtype)
    return attention, torch.randn(TARGET, BATCH, 6, dtype=dtype), torch.randn(SOURCE, BATCH, 6, dtype=dtype)


def plain_score(attention: Attention, query: np.ndarray, place: np.ndarray) -> float:
    weights = {name: value.detach().double().numpy() for name, value in attention.named_parameters()}
    if attention.score == "dot":
        return float(query @ place)
    if attention.score == "general":
        return float(query @ (weights["key.weight"] @ place))
    joined = weights["query.weight"] @ query + weights["query.bias"] + weights["key.weight"] @ place
    return float(weights["weigh.weight"][0] @ np.tanh(joined))


def plain(attention: Attention, queries: torch.Tensor, memory: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Contexts and weights, query by query and place by place."""
    q, m = queries.double().numpy(), memory.double().numpy()
    contexts, weights = np.zeros((TARGET, BATCH, m.shape[2])), np.zeros((TARGET, BATCH, SOURCE))
    for t in range(TARGET):
        for b in range(BATCH):
            scores = [plain_score(attention, q[t, b], m[s, b]) for s in range(int(LENGTHS[b]))]
            powers = [math.exp(score) for score in scores]
            for s, power in enumerate(powers):
                weights[t, b, s] = power / sum(powers)
                contexts[t, b] += weights[t, b, s] * m[s, b]
    return contexts, weights


@pytest.mark.parametrize("score", ["general", "dot", "additive"])
def test_attention_is_the_weighted_mean_of_the_places_that_there_are(score):
    attention, queries, memory = made(score)
    context, weights = attention(queries, attention.remember(memory, LENGTHS))
    expected = plain(attention, queries, memory)
    # Sums of at most 6 and 36 terms near 1 in float64.
    np.testing.assert_allclose(context.detach().numpy(), expected[0], rtol=0, atol=1e-13)
    np.testing.assert_allclose(weights.detach().numpy(), expected[1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("score", ["general", "dot", "additive"])
def test_attention_has_the_gradient_of_its_equations(score):
    attention, queries, memory = made(score)
    queries.requires_grad_(), memory.requires_grad_()
    assert torch.autograd.gradcheck(lambda q, m: attention(q, attention.remember(m, LENGTHS)), (queries, memory))


def test_nothing_beyond_a_memorys_end_is_seen():
    attention, queries, memory = made("general")
    other = memory.clone()
    for b, length in enumerate(LENGTHS):
        other[length:, b] = 1e3
    first, second = (attention(queries, attention.remember(m, LENGTHS)) for m in (memory, other))
    assert torch.equal(first[0], second[0])
    assert not second[1][:, 1, 1:].any()


def test_a_score_that_does_not_fit_is_one_sentence():
    with pytest.raises(
        UsageError, match='dot needs queries and a memory of one size, got 6 and 8; use score="general"'
    ):
        Attention(6, 8, "dot")
    with pytest.raises(UsageError, match="expected general, dot or additive"):
        Attention(6, 6, "luong")
    with pytest.raises(UsageError, match="queries of 6 features, the layers give 7"):
        AttentionDecoder(nn.GRU(3, 7), Attention(6, 6))
    with pytest.raises(UsageError, match="one direction"):
        AttentionDecoder(nn.GRU(3, 3, bidirectional=True), None)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "minimal"])
@pytest.mark.parametrize("fed", [False, True])
def test_a_decoder_step_by_step_gives_what_the_whole_gives(cell, fed):
    torch.manual_seed(1)
    layers = nn.recurrent(cell, 4 + (5 if fed else 0), 6, num_layers=2, dtype=torch.float64)
    attention = Attention(6, 8, dtype=torch.float64)
    decoder = AttentionDecoder(layers, attention, 5, input_feeding=fed).eval()
    memory = decoder.remember(torch.randn(SOURCE, BATCH, 8, dtype=torch.float64), LENGTHS)
    inputs = torch.randn(TARGET, BATCH, 4, dtype=torch.float64)
    with torch.no_grad():
        whole = decoder(inputs, memory)
        state, outputs, weights = None, [], []
        for step in inputs:
            output, state, looked = decoder.step(step, memory, state)
            outputs.append(output)
            weights.append(looked)
    torch.testing.assert_close(torch.stack(outputs), whole.output, rtol=0, atol=1e-13)
    torch.testing.assert_close(torch.stack(weights), whole.weights, rtol=0, atol=1e-13)


def test_a_decoder_traces_its_gates_and_where_it_looked():
    torch.manual_seed(2)
    decoder = AttentionDecoder(nn.LSTM(4, 6), Attention(6, 8))
    memory = decoder.remember(torch.randn(SOURCE, BATCH, 8), LENGTHS)
    inputs = torch.randn(TARGET, BATCH, 4)
    traced = decoder.trace(inputs, memory)
    assert traced["i"].shape == (1, 1, TARGET, BATCH, 6)
    torch.testing.assert_close(traced["attention"], decoder(inputs, memory).weights)


def test_a_decoder_without_attention_sees_its_state_alone():
    decoder = AttentionDecoder(nn.GRU(4, 6), None)
    inputs, memory = torch.randn(TARGET, BATCH, 4), torch.randn(SOURCE, BATCH, 8)
    decoded = decoder(inputs, decoder.remember(memory), torch.zeros(1, BATCH, 6))
    assert decoded.weights is None
    assert torch.equal(decoded.output, decoder(inputs, decoder.remember(memory * 2), torch.zeros(1, BATCH, 6)).output)


TARGET_LENGTHS = torch.tensor([2, 3, 1, 3])


@pytest.mark.parametrize("width", [6, 70])
@pytest.mark.parametrize("score", ["general", "dot"])
def test_attention_of_pieces_in_float32_is_that_of_a_padded_batch_in_float64(score, width):
    torch.manual_seed(0)
    attention, pieces = Attention(width, width, score), TargetRows.of(TARGET_LENGTHS)
    padded, memory = torch.randn(BATCH, TARGET, width), torch.randn(SOURCE, BATCH, width)
    slope = torch.randn(len(pieces.rows), width)
    results = []
    for dtype in (torch.float32, torch.float64):
        looking = copy.deepcopy(attention).to(dtype)
        given = [t.to(dtype, copy=True).requires_grad_() for t in (padded, memory)]
        contexts = looking.rows(pieces.of_targets(given[0]), looking.remember(given[1], LENGTHS), pieces)
        gradients = torch.autograd.grad((contexts * slope).sum(), [*given, *looking.parameters()])
        results.append([contexts.detach(), *gradients])
    keys = looking.remember(memory.double()).keys.detach()
    reach = float(torch.bmm(padded.double().abs(), keys.abs().transpose(1, 2)).max())
    # A score is off by the roundings of two sums of `width` products at most, a weight relatively by twice as much, and
    # the gradient by the scores has two factors that are.
    bound = 8 * width * 2**-24 * reach
    for single, double in zip(*results, strict=True):
        assert float((single - double).abs().max()) <= bound * float(double.abs().max())


@pytest.mark.parametrize("score", ["general", "additive", "none"])
def test_a_decoder_gives_for_pieces_what_it_gives_for_the_whole(score):
    torch.manual_seed(0)
    attention = None if score == "none" else Attention(6, 6, score)
    decoder = AttentionDecoder(nn.LSTM(4, 6), attention, 5).double()
    inputs, pieces = torch.randn(TARGET, BATCH, 4, dtype=torch.float64), TargetRows.of(TARGET_LENGTHS)
    state = tuple(torch.randn(1, BATCH, 6, dtype=torch.float64) for _ in range(2))
    memory = decoder.remember(torch.randn(SOURCE, BATCH, 6, dtype=torch.float64), LENGTHS)
    rows = decoder.rows(pieces.of_targets(inputs.transpose(0, 1)), pieces, memory, state)
    whole = decoder(inputs, memory, state, lengths=TARGET_LENGTHS).output.transpose(0, 1)
    torch.testing.assert_close(rows, pieces.of_targets(whole), rtol=0, atol=1e-14)
    by_target = torch.cat([whole[k, :length] for k, length in enumerate(TARGET_LENGTHS)])
    torch.testing.assert_close(rows[pieces.rows], by_target, rtol=0, atol=1e-14)


def test_a_decoder_that_feeds_back_decodes_no_rows():
    decoder = AttentionDecoder(nn.LSTM(4 + 6, 6), None, input_feeding=True)
    pieces = TargetRows.of(TARGET_LENGTHS)
    memory = decoder.remember(torch.zeros(SOURCE, BATCH, 6))
    with pytest.raises(UsageError, match=r"step by step; use forward\(\)"):
        decoder.rows(torch.zeros(len(pieces.rows), 4), pieces, memory)
