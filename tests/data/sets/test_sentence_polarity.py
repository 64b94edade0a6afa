import numpy as np

from gatework.data import load
from gatework.options import DataOptions


def test_the_built_in_sentences_are_balanced_and_complete():
    dataset = load("sentence-polarity", DataOptions())
    parts = (dataset.train, dataset.validation, dataset.test)
    assert sum(len(part) for part in parts) == 10_662
    assert sum(int(part.targets.sum()) for part in parts) == 5_331
    assert dataset.classes == ("negative", "positive")
    assert dataset.provenance.licence.startswith("CC BY 4.0")


def test_the_test_part_is_the_same_for_every_configuration():
    first = load("sentence-polarity", DataOptions())
    other = load("sentence-polarity", DataOptions(split_seed=7, validation=0.1, test=0.5))
    assert list(first.test.inputs) == list(other.test.inputs)
    assert len(first.test) == 1066
    assert len(other.validation) == 960
    assert np.bincount(first.test.targets).tolist() == [533, 533]


def test_no_sentence_stands_in_two_parts():
    dataset = load("sentence-polarity", DataOptions())
    parts = [set(part.inputs) for part in (dataset.train, dataset.validation, dataset.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))
