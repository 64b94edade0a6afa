"""A trained network beside counts: on the test part, mixed with them, and in what it copies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gatework.tasks._task import Evaluation
from gatework.tasks.generate.counting import Counted, best_weight, mixed
from gatework.tasks.generate.drawing import draw_of
from gatework.tasks.generate.metrics import answers_of, bits, metrics
from gatework.tasks.generate.novelty import LENGTHS, Learnt, marked
from gatework.tasks.generate.request import Request
from gatework.tasks.generate.scoring import token_nats
from gatework.tasks.generate.writing import written

if TYPE_CHECKING:
    import polars as pl

    from gatework.data.pieces import Tokens
    from gatework.tasks.generate.model import LanguageModel
    from gatework.tasks.generate.streams import TokenExamples

# Characters of the page's coloured text, and of what is written to be searched for copies.
_SHOWN, _WRITTEN, _SAMPLES = 1500, 2500, 4


class Beside:
    """A network beside the n-grams of its training part.

    Args:
        model: The network.
        counted: The n-grams.
        validation: The part that chooses how much each counts in their mean.
        test: The test part.

    Attributes:
        weight: The network's share in the mean.
    """

    def __init__(self, model: LanguageModel, counted: Counted, validation: TokenExamples, test: TokenExamples) -> None:
        self._counted, self._test = counted, test
        self._held = (token_nats(model, validation), counted.nats(validation))
        self._nats = (token_nats(model, test), counted.nats(test))
        self._validation = validation
        self.weight = best_weight(*self._held)

    def evaluation(self) -> ComparedEvaluation:
        """What is said of the test part: the network's answers, with those of the mean beside them."""
        answers = answers_of(self._nats[0], self._test, mixed(*self._nats, self.weight))
        loss = float(answers["nats"].sum()) / max(int(answers["tokens"].sum()), 1)
        return ComparedEvaluation(loss, metrics(answers), answers, self)

    def lines(self) -> pl.DataFrame:
        """Bits per character of each on both parts: "name", "validation", "test", and its "weight" in the mean."""
        import polars as pl

        names = ("network", self._counted.name, f"network and {self._counted.name}")
        parts = [(*nats, mixed(*nats, self.weight)) for nats in (self._held, self._nats)]
        validation = [bits(answers_of(nats, self._validation)) for nats in parts[0]]
        test = [bits(answers_of(nats, self._test)) for nats in parts[1]]
        shares = [self.weight, 1 - self.weight, 1.0]
        return pl.DataFrame({"name": names, "validation": validation, "test": test, "weight": shares})

    def surprise(self, tokens: Tokens) -> pl.DataFrame:
        """The beginning of the test part, token by token: "text", and the bits of the "network" and the "counts"."""
        import polars as pl

        places = np.flatnonzero(np.isfinite(self._nats[0]) & np.isfinite(self._nats[1]))[:_SHOWN]
        pieces = [tokens.pieces[token].decode(errors="replace") for token in self._test.ring[places].tolist()]
        columns = {name: nats[places] / np.log(2) for name, nats in zip(("network", "counts"), self._nats, strict=True)}
        return pl.DataFrame({"text": pieces, **columns})


@dataclass(frozen=True)
class ComparedEvaluation(Evaluation):
    """What a network says of the test part.

    Attributes:
        beside: The network beside n-grams.
    """

    beside: Beside


def copies(model: LanguageModel, tokens: Tokens, train: str, held: str) -> dict[str, pl.DataFrame]:
    """What the network copies, beside what a text that it never saw has in common with the training part.

    Args:
        model: The network.
        tokens: What texts are read as.
        train: The training part.
        held: A text to compare with, such as the test part.

    Returns:
        "novelty": for each length of a run the "share" that is new in what it "wrote" and in what is "held" back, and
        the longest copy of each with the length 0; "written": what it wrote, in pieces that are copied or not.
    """
    import polars as pl

    request = Request(length=_WRITTEN, samples=_SAMPLES, seed=0, does_end=False)
    texts = list(written(draw_of(model), tokens, [""], request)["text"])
    learnt = Learnt(train)
    size = sum(map(len, texts))
    wrote, kept = learnt.novelty(texts), learnt.novelty([held[:size]])
    rows = [(length, a, b, "", "") for length, a, b in zip(LENGTHS, wrote.shares, kept.shares, strict=True)]
    rows.append((0, float(len(wrote.longest)), float(len(kept.longest)), wrote.longest, kept.longest))
    schema = {"length": pl.Int64, "wrote": pl.Float64, "held": pl.Float64, "text": pl.String, "held_text": pl.String}
    run = LENGTHS[1]
    pieces = marked(texts[0], learnt.is_known(texts[:1], run)[0], run)
    return {
        "novelty": pl.DataFrame(rows, schema, orient="row"),
        "written": pl.DataFrame(pieces, {"text": pl.String, "is_copied": pl.Boolean}, orient="row"),
    }
