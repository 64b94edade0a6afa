import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatework.data.dataset import Provenance, Split
from gatework.data.inputs import SeriesInputs
from gatework.data.split import divided, first_of_equal, split
from gatework.data.text import Texts
from gatework.errors import DataError
from gatework.options import DataOptions


@settings(max_examples=200)
@given(
    keys=st.lists(st.integers(0, 60), min_size=30, max_size=200),
    classes=st.integers(1, 4),
    test=st.sampled_from([0, 0.1, 0.3]),
    seed=st.integers(0, 5),
)
def test_every_example_is_in_exactly_one_part_and_equal_ones_in_the_same(keys, classes, test, seed):
    groups = first_of_equal(keys)
    strata = np.arange(len(keys)) % classes
    try:
        parts = split(groups, strata, validation=0.25, test=test, seed=seed)
    except DataError:
        return  # so many equal examples that none can be held back
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(keys)))
    seen = [{keys[position] for position in part} for part in parts]
    assert sum(map(len, seen)) == len(set(keys))


def test_shares_are_met_within_each_class():
    strata = np.repeat([0, 1, 2], [100, 300, 40])
    parts = split(np.arange(440), strata, validation=0.25, test=0.2, seed=1)
    assert np.bincount(strata[parts.test]).tolist() == [20, 60, 8]
    assert np.bincount(strata[parts.validation]).tolist() == [20, 60, 8]


def test_many_small_classes_still_give_a_test_part():
    strata = np.repeat(np.arange(50), 3)
    parts = split(np.arange(150), strata, validation=0.2, test=0.2, seed=0)
    assert len(parts.test) == 30
    assert set(strata[parts.train]) == set(range(50))


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (split(np.arange(90), None, validation=0.2, test=0.2, seed=seed) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.test, other.test)


def test_too_few_examples_are_an_error_that_counts_them():
    with pytest.raises(DataError, match="2 examples are too few to hold back 20% of them for testing"):
        split(np.arange(2), None, validation=0.2, test=0.2, seed=0)


def test_test_texts_that_are_also_training_texts_are_told():
    train = Split(Texts.of([f"text {i}" for i in range(20)]), np.arange(20) % 2)
    test = Split(Texts.of(["text 3", "new", " text 5\n"]), np.array([0, 1, 0]))
    dataset = divided(train, DataOptions(), Provenance("here", "yours", "0"), name="x", test=test, classes=("a", "b"))
    assert dataset.provenance.notes == ("2 of the 3 test examples also stand, word for word, in the training part.",)
    assert len(dataset.test) == 3


def test_series_are_divided_without_classes():
    values = np.random.default_rng(0).random((40, 5, 1), dtype=np.float32)
    dataset = divided(
        Split(SeriesInputs.of(values), values[:, -1]), DataOptions(), Provenance("here", "yours", "0"), name="x"
    )
    assert dataset.kind == "series"
    assert [len(part) for part in (dataset.train, dataset.validation, dataset.test)] == [26, 6, 8]
