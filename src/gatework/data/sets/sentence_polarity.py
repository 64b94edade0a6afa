"""10,662 sentences of film reviews, half of them positive (Pang & Lee 2005); built in.

`sentence_polarity.csv.gz` holds the sentences as published, `sentence_polarity.md` their source and licence. There is
no official split: a tenth, fixed once and for all, is the test part, and the configured share of the rest is for
validation.

Source: B. Pang and L. Lee, "Seeing stars: exploiting class relationships for sentiment categorization with respect to
rating scales", ACL 2005.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.dataset import Dataset, Provenance, Split
from gatework.data.sets._spec import SetSpec
from gatework.data.split import divided, first_of_equal, split
from gatework.data.text import Texts

if TYPE_CHECKING:
    from gatework.options import DataOptions

FILE = Path(__file__).with_name("sentence_polarity.csv.gz")
URL = "https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz"
LICENCE = "CC BY 4.0, Bo Pang and Lillian Lee"
CLASSES = ("negative", "positive")
_TEST_SHARE, _TEST_SEED = 0.1, 0


def load(config: DataOptions) -> Dataset:
    """The built-in sentences; `config` gives the validation part's share and seed."""
    import polars as pl

    table = pl.read_csv(FILE, infer_schema=False, glob=False)
    texts = Texts(table["text"])
    _ = texts.tokens  # made once, shared by the parts
    examples = Split(texts, (table["label"] == CLASSES[1]).to_numpy().astype(np.int64))
    provenance = Provenance(URL, LICENCE, hashlib.sha256(FILE.read_bytes()).hexdigest())
    groups = first_of_equal(texts)
    fixed = split(groups, examples.targets, validation=0, test=_TEST_SHARE, seed=_TEST_SEED)
    rest, test = examples.take(fixed.train), examples.take(fixed.test)
    return divided(rest, config, provenance, name=SPEC.name, test=test, classes=CLASSES)


SPEC = SetSpec(
    name="sentence-polarity",
    title="10,662 sentences of film reviews, positive or negative; built in",
    licence=LICENCE,
    load=load,
    recipe="sentence-polarity",
)
