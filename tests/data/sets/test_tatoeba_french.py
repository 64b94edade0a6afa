import numpy as np

from gatework.data import load
from gatework.data.pair_rules import groups_of
from gatework.options import DataOptions


def test_the_built_in_pairs_are_complete_and_credit_their_source():
    dataset = load("tatoeba-french", DataOptions())
    parts = (dataset.train, dataset.validation, dataset.test)
    assert sum(len(part) for part in parts) == 20_000
    assert "tatoeba.org" in dataset.provenance.licence
    assert "manythings.org" in dataset.provenance.licence
    assert dataset.columns == {"source": "fra", "target": "eng"}


def test_the_test_part_is_the_same_for_every_configuration():
    first = load("tatoeba-french", DataOptions())
    other = load("tatoeba-french", DataOptions(split_seed=7, validation=0.1, test=0.5))
    assert first.test.table().equals(other.test.table())
    assert len(first.test) == 1000
    assert len(other.validation) == 1900


def test_no_sentence_of_either_language_stands_in_two_parts():
    dataset = load("tatoeba-french", DataOptions())
    parts = (dataset.train, dataset.validation, dataset.test)
    tables = [part.table() for part in parts]
    import polars as pl

    whole = pl.concat([table.with_columns(part=pl.lit(k)) for k, table in enumerate(tables)])
    groups = groups_of(whole["text"], whole["target"])
    of_part = whole["part"].to_numpy()
    assert len(np.unique(groups)) == sum(len(np.unique(groups[of_part == k])) for k in range(3))
