import numpy as np
import pytest
import torch

from gatework.errors import DataError
from gatework.tasks.generate.dynamic import dynamic_nats
from gatework.tasks.generate.scoring import token_nats
from support.texts import run as trained
from support.texts import sentences


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("dynamic"), epochs=1)


def examples_of(run, folder, text):
    path = folder / "measured.txt"
    path.write_text(text)
    return path, run.task.encode(run.task.read_known(str(path), run.recipe))


def test_a_network_that_learns_nothing_gives_the_figures_of_the_network(run, tmp_path):
    _, examples = examples_of(run, tmp_path, "\n".join(sentences(30)))
    np.testing.assert_allclose(
        dynamic_nats(run.network, examples, rate=0.0), token_nats(run.network, examples), rtol=1e-5
    )


def test_what_is_scored_was_never_learnt_from_and_the_network_stays_as_it_was(run, tmp_path):
    before = {name: weight.clone() for name, weight in run.network.state_dict().items()}
    first = "\n".join(sentences(40, seed=7))
    _, short = examples_of(run, tmp_path, first)
    _, long = examples_of(run, tmp_path, first + "\n" + "zzzz " * 40)
    scored = dynamic_nats(run.network, short, rate=1e-2)
    count = len(scored) - 64  # the last windows of the two are cut elsewhere
    np.testing.assert_array_equal(dynamic_nats(run.network, long, rate=1e-2)[:count], scored[:count])
    assert np.nansum(scored) < np.nansum(token_nats(run.network, short)), "a network of one epoch has much to learn"
    assert all(torch.equal(weight, before[name]) for name, weight in run.network.state_dict().items())


def test_it_stands_beside_the_figures_and_never_in_their_place(run, tmp_path):
    path, _ = examples_of(run, tmp_path, "\n".join(sentences(30)))
    plain, dynamic = run.evaluate(str(path)), run.evaluate(str(path), dynamic=True)
    assert dynamic.metrics == plain.metrics
    assert not plain.baselines
    assert dynamic.baselines["dynamic evaluation"]["bits_per_character"] != plain.metrics["bits_per_character"]
    path.write_text("\n \n")
    with pytest.raises(DataError, match="holds no text to be measured on"):
        run.evaluate(str(path))
