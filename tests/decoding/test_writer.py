"""The loop that writes, against a plain loop over the layers in double precision."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import gatework.nn
from gatework.cells import BUILT_IN
from gatework.decoding import Sampling, Writer
from gatework.errors import UsageError
from gatework.nn import ScanOptions
from gatework.scan import counter_rng, kernels

FLOAT = torch.finfo(torch.float32).eps


class Network(nn.Module):
    """Embedding, two layers, perhaps a projection, and an output."""

    def __init__(self, cell="lstm", vocabulary=7, hidden=20, width=12, embedded=12, tied=True, **options):
        super().__init__()
        torch.manual_seed(hidden + vocabulary)
        self.embedding = nn.Embedding(vocabulary, embedded)
        self.recurrent = gatework.nn.Recurrent(cell, embedded, hidden, 2, **options)
        features = options.get("proj_size") or hidden
        self.projection = nn.Linear(features, width) if width else None
        self.output = None if tied else nn.Parameter(torch.randn(vocabulary, width or features))
        self.bias = nn.Parameter(torch.randn(vocabulary))

    def writer(self) -> Writer:
        around = {"projection": self.projection, "output": self.output, "output_bias": self.bias}
        return Writer(self.recurrent, self.embedding.weight, **around)

    def step(self, tokens, state):
        hidden, state = self.recurrent.step(self.embedding(tokens), state)
        features = hidden if self.projection is None else self.projection(hidden)
        output = self.embedding.weight if self.output is None else self.output
        return features @ output.T + self.bias, state


def replayed(network: Network, tokens: np.ndarray) -> np.ndarray:
    """The probabilities of each next token in double precision, shape (time, texts, vocabulary)."""
    exact, state, probabilities = copy.deepcopy(network).double().eval(), None, []
    with torch.no_grad():
        for column in torch.from_numpy(tokens.astype(np.int64)).T:
            logits, state = exact.step(column, state)
            probabilities.append(logits.softmax(-1).numpy())
    return np.stack(probabilities)


def uniform(seed: int, text: int, place: int) -> float:
    return (counter_rng.chained(seed, text, place) >> 11) * 2.0**-53


NETWORKS = {
    **{cell: {"cell": cell} for cell in BUILT_IN},
    "large vocabulary": {"vocabulary": 300},
    "no projection": {"width": None, "embedded": 20},
    "not tied": {"tied": False, "width": 5},
    "projected cell": {"proj_size": 6},
    "zoneout and clip": {"options": ScanOptions(zoneout=0.3, clip=0.2)},
    "layer norm": {"options": ScanOptions(layer_norm=True)},
    "without biases": {"bias": False},
}


@pytest.mark.parametrize("texts", [1, 3, 32])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_text_is_drawn_from_the_probabilities_of_a_plain_loop(name: str, texts: int):
    network = Network(**NETWORKS[name])
    writer = network.writer()
    start = writer.start([[2, 1, 4]], samples=texts, seed=5)
    tokens, end = writer.write(start, 12)
    read = np.concatenate([np.repeat([[2, 1, 4]], texts, 0), tokens], 1)
    exact = replayed(network, read)
    # Both differ by the rounding of some hundred terms, over as many steps.
    bound = 15 * 200 * FLOAT
    assert np.abs(writer.next_distribution(end) - exact[-1]).max() < bound
    for place, text in np.ndindex(12, texts):
        edges = exact[place + 2, text].cumsum()
        number, token = uniform(5, text, place), tokens[text, place]
        assert (edges[token - 1] if token else 0) - bound < number < edges[token] + bound


def test_every_instruction_set_writes():
    network = Network(hidden=33)
    for isa in kernels.supported_isas():
        with kernels.use_isa(isa):
            writer = network.writer()
            tokens, end = writer.write(writer.start([[0]], samples=2), 5)
        read = np.concatenate([[[0], [0]], tokens], 1)
        assert np.abs(writer.next_distribution(end) - replayed(network, read)[-1]).max() < 6 * 200 * FLOAT


@pytest.mark.parametrize(("hidden", "texts"), [(20, 1), (20, 32), (20, 40), (64, 50)])
def test_neither_chunks_nor_threads_change_a_text(hidden, texts):
    writer = Network(hidden=hidden).writer()
    start = writer.start([[0]], samples=texts, seed=9)
    whole, end = writer.write(start, 23)
    for threads, chunk in ((1, 23), (3, 23), (1, 5), (2, 1)):
        writer.threads = threads
        chunks = list(writer.chunks(start, 23, chunk=chunk))
        assert np.array_equal(np.concatenate([tokens for tokens, _ in chunks], 1), whole)
        last = chunks[-1][1]
        assert all(np.array_equal(a, b) for a, b in zip(last.states, end.states, strict=True))
        assert np.array_equal(last.text, end.text)
        assert (last.drawn, end.drawn) == (23, 23)


def test_another_seed_and_another_sample_write_another_text():
    writer = Network().writer()
    first, _ = writer.write(writer.start([[0]], samples=2, seed=1), 30)
    second, _ = writer.write(writer.start([[0]], samples=2, seed=2), 30)
    assert len({tuple(text) for text in (*first, *second)}) == 4


def test_what_was_written_can_be_gone_back_to_and_read_again():
    writer = Network().writer()
    start = writer.start([[0, 3]], seed=4)
    tokens, end = writer.write(start, 10)
    assert np.array_equal(writer.write(start, 10)[0], tokens)
    again = writer.read(start, tokens)
    assert np.array_equal(again.text, end.text)
    assert np.allclose(writer.next_distribution(again), writer.next_distribution(end), atol=1e-6)
    assert np.array_equal(end.text[0, -12:], [0, 3, *tokens[0]])


def test_prompts_of_different_lengths_go_on_side_by_side():
    writer = Network().writer()
    prompts = [[0, 1, 2, 3], [4]]
    both = writer.start(prompts, samples=2)
    for place, prompt in enumerate(prompts):
        alone = writer.next_distribution(writer.start([prompt]))[0]
        assert np.allclose(writer.next_distribution(both)[2 * place : 2 * place + 2], alone, atol=1e-6)


def test_a_temperature_of_zero_takes_the_likeliest():
    network = Network()
    writer = network.writer()
    tokens, _ = writer.write(writer.start([[0]], samples=2), 10, Sampling(temperature=0))
    exact = replayed(network, np.concatenate([[[0], [0]], tokens], 1))
    assert np.array_equal(tokens, exact[:-1].argmax(-1).T)


def test_the_weights_are_those_of_when_it_was_made():
    network = Network()
    writer = network.writer()
    before = writer.next_distribution(writer.start([[1]]))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    assert np.array_equal(writer.next_distribution(writer.start([[1]])), before)


def of_logits(logits: np.ndarray) -> Writer:
    """A model whose logits are always these."""
    network = Network(vocabulary=len(logits))
    with torch.no_grad():
        network.embedding.weight.zero_()
        network.bias.copy_(torch.from_numpy(logits))
    return network.writer()


def filtered(logits: np.ndarray, rules: Sampling, text: list[int]) -> np.ndarray:
    """The probabilities after all rules, in plain Python."""
    logits, vocabulary = logits.astype(np.float64).copy(), len(logits)
    if rules.dry_multiplier:
        seen = text[-rules.dry_window :] if rules.dry_window else []
        for token in set(range(vocabulary)) - set(rules.dry_breaks):
            runs = [0]
            for place in range(1, len(seen)):
                run = 0
                while run < place and seen[place - 1 - run] == seen[-1 - run] not in rules.dry_breaks:
                    run += 1
                runs.append(run if seen[place] == token else 0)
            if max(runs) >= rules.dry_allowed:
                logits[token] -= rules.dry_multiplier * rules.dry_base ** (max(runs) - rules.dry_allowed)
    for token in set(text[-rules.penalty_window :] if rules.penalty_window else []):
        by = rules.repetition_penalty
        logits[token] = logits[token] / by if logits[token] > 0 else logits[token] * by
    logits[list(rules.banned)] = -math.inf
    by_rank = np.argsort(-logits, kind="stable")
    if rules.temperature == 0:
        return np.eye(vocabulary)[by_rank[0]]
    if rules.top_k:
        logits[by_rank[rules.top_k :]] = -math.inf
    p = np.exp(logits - logits.max())
    if rules.top_p < 1:
        before = np.cumsum(p[by_rank]) - p[by_rank]
        logits[by_rank[before >= rules.top_p * p.sum()]] = -math.inf
    logits[p < rules.min_p] = -math.inf
    p = np.exp((logits - logits.max()) / rules.temperature)
    return p / p.sum()


RULES = [
    Sampling(),
    Sampling(temperature=0.5),
    Sampling(temperature=3.0, banned=(0, 4)),
    Sampling(temperature=0),
    Sampling(top_k=1),
    Sampling(top_k=5, temperature=1.5),
    Sampling(top_p=0.7),
    Sampling(top_p=0.97, temperature=0.8),
    Sampling(min_p=0.2),
    Sampling(top_k=60, top_p=0.9, min_p=0.05, temperature=1.2, banned=(1,)),
    Sampling(repetition_penalty=1.8, penalty_window=6),
    Sampling(repetition_penalty=0.5, penalty_window=0),
    Sampling(dry_multiplier=0.8),
    Sampling(dry_multiplier=0.5, dry_base=2, dry_allowed=1, dry_window=40, dry_breaks=(2,)),
    Sampling(dry_multiplier=2.0, dry_allowed=3, repetition_penalty=1.2, top_k=8, temperature=0.9),
]


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("vocabulary", [5, 200])
def test_the_rules_leave_the_probabilities_that_plain_python_leaves(rules: Sampling, vocabulary: int):
    rng = np.random.default_rng(vocabulary)
    logits = (2 * rng.standard_normal(vocabulary)).astype(np.float32)
    writer = of_logits(logits)
    for length in (1, 2, 30, 90):
        text = rng.integers(0, min(vocabulary, 4), length).tolist()
        text[length // 2 :] = text[: length - length // 2]  # a long repetition
        given = writer.next_distribution(writer.start([text]), rules)[0]
        assert given == pytest.approx(filtered(logits, rules, text), abs=64 * FLOAT)


@pytest.mark.parametrize("rules", RULES[:10])
def test_draws_are_distributed_as_their_probabilities(rules: Sampling):
    logits = np.linspace(2, -2, 8).astype(np.float32)
    writer = of_logits(logits)
    start = writer.start([[0]], samples=50, seed=11)
    tokens, _ = writer.write(start, 200, rules)
    wanted = writer.next_distribution(start, rules)[0] * tokens.size
    counted = np.bincount(tokens.ravel(), minlength=8)
    assert (counted[wanted == 0] == 0).all()
    kept = wanted > 0
    chi_square = ((counted - wanted)[kept] ** 2 / wanted[kept]).sum()
    # The 0.999 quantile for 7 degrees of freedom, and so above that for fewer.
    assert chi_square < 24.3


def test_logits_that_are_no_numbers_give_tokens_that_are_not_banned():
    writer = of_logits(np.full(4, np.nan, np.float32))
    for rules in (
        Sampling(banned=(0,)),
        Sampling(temperature=0, banned=(0,)),
        Sampling(top_k=2, top_p=0.5, banned=(0,)),
    ):
        tokens, _ = writer.write(writer.start([[0]]), 5, rules)
        assert ((tokens > 0) & (tokens < 4)).all()


def test_a_run_that_repeats_is_broken_by_dry():
    logits = np.array([1.0, 0.9, 0.8, 0.7], np.float32)
    writer = of_logits(logits)
    start = writer.start([[0, 1, 2, 3, 0, 1, 2]])
    plain = writer.next_distribution(start)[0]
    dry = writer.next_distribution(start, Sampling(dry_multiplier=5.0))[0]
    assert plain[3] > 0.2 > 0.01 > dry[3]
    assert np.argmax(dry) == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"temperature": -1}, "temperature is -1, expected 0 or more"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": -1}, "top_k is -1"),
        ({"top_p": 0}, "top_p is 0, expected above 0 and at most 1"),
        ({"min_p": 1.5}, "min_p is 1.5"),
        ({"repetition_penalty": 0}, "repetition_penalty is 0"),
        ({"dry_base": 0.5}, "dry_base is 0.5"),
        ({"dry_allowed": 0}, "dry_allowed is 0"),
    ],
)
def test_a_rule_out_of_its_range_is_a_sentence(change, sentence):
    with pytest.raises(UsageError, match=sentence):
        Sampling(**change)


def test_tokens_out_of_the_vocabulary_are_a_sentence():
    writer = of_logits(np.zeros(3, np.float32))
    start = writer.start([[0]])
    for rules, sentence in (
        (Sampling(banned=(3,)), "banned names the token 3, expected 0 to 2"),
        (Sampling(dry_breaks=(-1,)), "dry_breaks names the token -1"),
        (Sampling(banned=(0, 1, 2)), "all 3 tokens are banned"),
    ):
        with pytest.raises(UsageError, match=sentence):
            writer.write(start, 1, rules)
    for prompts, sentence in (
        ([], "at least one prompt"),
        ([[]], "a prompt is empty"),
        ([[3]], "a token is 3 or 3, expected 0 to 2"),
        ([[0.5]], "expected whole numbers"),
    ):
        with pytest.raises(UsageError, match=sentence):
            writer.start(prompts)
    with pytest.raises(UsageError, match="asked for -1 tokens"):
        writer.write(start, -1)
    with pytest.raises(UsageError, match="chunks of 0 tokens"):
        next(writer.chunks(start, 5, chunk=0))
    with pytest.raises(UsageError, match="tokens of 2 texts were given, expected those of 1"):
        writer.read(start, [[0], [0]])


def test_a_network_that_does_not_fit_is_a_sentence():
    network = Network()
    for around, sentence in (
        ({}, "output has shape .7, 12., expected .7, 20."),
        ({"projection": nn.Linear(3, 12)}, "projection has shape .12, 3., expected .12, 20."),
        ({"projection": network.projection, "output_bias": torch.zeros(8)}, "output_bias has shape .8,., expected .7"),
    ):
        with pytest.raises(UsageError, match=sentence):
            Writer(network.recurrent, network.embedding.weight, **around)
    with pytest.raises(UsageError, match="layers in one direction"):
        Writer(gatework.nn.LSTM(3, 4, bidirectional=True), torch.zeros(5, 3))
    both = gatework.nn.Recurrent("lstm", 3, 4, proj_size=2, options=ScanOptions(layer_norm=True))
    with pytest.raises(UsageError, match="not with both"):
        Writer(both, torch.zeros(5, 3))


def test_a_state_may_be_cut_and_joined():
    writer = Network().writer()
    both = writer.start([[1], [2, 3]])
    one = replace(
        both, states=tuple(state[:, 1:].copy() for state in both.states), pending=both.pending[1:], text=both.text[1:]
    )
    assert np.allclose(writer.next_distribution(one), writer.next_distribution(both)[1:], atol=1e-6)
