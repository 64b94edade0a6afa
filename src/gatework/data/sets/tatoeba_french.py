"""20,000 French sentences with their English counterparts, from Tatoeba; built in.

`tatoeba_french.tsv.gz` holds the pairs, `tatoeba_french.md` their source and licence. There is no official split: a
twentieth, fixed once and for all, is the test part, and no sentence of either language stands in two parts.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from gatework.data.dataset import Dataset, Provenance
from gatework.data.pair_rules import groups_of
from gatework.data.pairs import examples_of
from gatework.data.sets._spec import SetSpec
from gatework.data.split import split

if TYPE_CHECKING:
    from gatework.options import DataOptions

FILE = Path(__file__).with_name("tatoeba_french.tsv.gz")
URL = "https://www.manythings.org/anki/"
LICENCE = "CC BY 2.0 FR, tatoeba.org and www.manythings.org/anki"
_TEST_SHARE, _TEST_SEED = 0.05, 0


def load(config: DataOptions) -> Dataset:
    """The built-in pairs; `config` gives the validation part's share and seed."""
    table = pl.read_csv(FILE, separator="\t", quote_char=None, infer_schema=False, glob=False)
    examples, groups = examples_of(table["fra"], table["eng"]), groups_of(table["fra"], table["eng"])
    fixed = split(groups, None, validation=0, test=_TEST_SHARE, seed=_TEST_SEED)
    rest, test = examples.take(fixed.train), examples.take(fixed.test)
    # The first of each group as it stands among the rest.
    _, first, inverse = np.unique(groups[fixed.train], return_index=True, return_inverse=True)
    parts = split(first[inverse], None, validation=config.validation, test=0, seed=config.split_seed)
    provenance = Provenance(URL, LICENCE, hashlib.sha256(FILE.read_bytes()).hexdigest())
    train, validation = rest.take(parts.train), rest.take(parts.validation)
    columns = {"source": "fra", "target": "eng"}
    return Dataset(SPEC.name, "pairs", train, validation, test, provenance, columns=columns)


SPEC = SetSpec(
    name="tatoeba-french",
    title="20,000 French sentences with their English counterparts; built in",
    licence=LICENCE,
    load=load,
    recipe="tatoeba-french",
)
