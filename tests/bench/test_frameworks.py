"""Other libraries beside torch in the benchmark of the layers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from gatework.bench import frameworks, shapes, timing
from gatework.errors import UsageError

SHAPE = shapes.Shape("small", batch=3, steps=5, input=2, hidden=4, layers=2)
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def given(name: str) -> str:
    if name not in frameworks.installed():
        pytest.skip(f"{name} and what it runs on are not installed")
    return name


def weights_of(peer: str, cell: str) -> int:
    """How many numbers the two layers learn: one bias for each gate, and a second one in Keras's GRU."""
    biases = 2 if (peer, cell) == ("keras", "gru") else 1
    return GATES[cell] * 4 * ((2 + 4 + biases) + (4 + 4 + biases))


def test_a_peer_that_nobody_knows_is_one_sentence():
    with pytest.raises(UsageError, match=r'^there is no peer "kears": did you mean "keras"\?'):
        frameworks.choose(["kears"])


@pytest.mark.skipif("keras" in frameworks.installed(), reason="Keras is installed")
def test_a_peer_that_is_not_installed_says_how_to_install_it():
    with pytest.raises(UsageError, match=r'not installed here; try: pip install "gatework\[peers\]"$'):
        frameworks.choose(["keras"])


def test_no_peer_can_be_asked_for():
    with frameworks.started("", threads=1) as others:
        assert others == []


@pytest.mark.parametrize("cell", shapes.CELLS)
@pytest.mark.parametrize("name", ["keras", "flax"])
def test_a_step_of_a_peer_gives_the_gradient_of_every_weight(name, cell):
    build = {"keras": frameworks.keras_step, "flax": frameworks.flax_step}[given(name)]
    sizes = []
    for shape in (SHAPE, replace(SHAPE, has_input_gradient=True), replace(SHAPE, shortest=2)):
        step, path = build(shape, cell)
        gradients = [np.asarray(gradient) for gradient in step()]
        assert path.split(", ")[1].split()[0] in ("TensorFlow", "JAX")
        assert all(np.isfinite(gradient).all() and gradient.any() for gradient in gradients)
        sizes.append(sum(gradient.size for gradient in gradients))
    assert sizes == [weights_of(name, cell), weights_of(name, cell) + 3 * 5 * 2, weights_of(name, cell)]


@pytest.mark.parametrize("name", ["keras", "flax"])
def test_a_peer_runs_in_a_process_of_its_own_in_turns_with_ours(name):
    with frameworks.started(given(name), threads=1) as (peer,):
        found = timing.compare_with(peer, SHAPE, "lstm", pairs=2)
    assert (found.peer, found.shape, found.cell, found.pairs) == (name, "small", "lstm", 2)
    assert all(math.isfinite(value) and value > 0 for value in (found.ours, found.theirs, found.low, found.high))
    assert name in found.line()


def test_the_quartiles_of_two_pairs_lie_between_their_ratios():
    found = timing.summary_of(SHAPE, "lstm", "torch", [(2.0, 2.0), (1.0, 3.0)], "")
    assert (found.low, found.ratio, found.high) == (1.5, 2.0, 2.5)
    assert (found.ours, found.theirs, found.pairs) == (1.5, 2.5, 2)
