"""The live page of translation: a sentence is translated in the page, and one sees where the network looks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.subwords import Subwords
from gatework.decoding.lexicon import NOTHING, Lexicon
from gatework.tasks._live import Live, LivePart
from gatework.tasks.translate.kept import Keeping
from gatework.tasks.translate.looked import LEFT_OUT, SAID_TWICE
from gatework.tasks.translate.options import TranslateOptions

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks.translate.memory import TranslationMemory
    from gatework.tasks.translate.model import TranslationModel

_SCRIPTS = ("pieces.js", "kept.js", "lexicon.js", "translator.js", "search.js", "words.js", "live.js")
_EXAMPLES, _SHORTEST, _LONGEST = 8, 4, 14
# Probabilities below these are left out of the page's dictionary: of a word's translations, and of words from nowhere.
_LEAST, _LEAST_OF_NOTHING = 0.01, 0.0005
_PARTS = 10_000


def live(
    model: TranslationModel,
    subwords: Subwords,
    settings: TranslateOptions,
    keeping: Keeping,
    *,
    longest: int,
    memory: TranslationMemory,
    sentences: Sequence[str],
    test: pl.DataFrame | None,
) -> Live:
    """What the page holds of a translator.

    Args:
        model: The network.
        subwords: Its pieces.
        settings: How it looks at the source, and how translations are searched.
        keeping: What translations keep as it is.
        longest: Pieces of the longest source of the training part.
        memory: The training pairs, which the dictionary learns from.
        sentences: What a person gave to translate; sentences of the test part if there are none.
        test: The test part.
    """
    pairs = [(sentence, "") for sentence in sentences] or _pairs(test)
    about = {
        "attention": settings.attention,
        "inputFeeding": settings.input_feeding,
        "scale": model.scale,
        "hidden": model.hidden,
        "longest": longest,
        "beam": settings.beam,
        "lengthPenalty": settings.length_penalty,
        "coveragePenalty": settings.coverage_penalty,
        "low": float(model.get_buffer("low")),
        "leftOut": LEFT_OUT,
        "saidTwice": SAID_TWICE,
        "isKeeping": bool(subwords.placeholders),
        "copiesNames": keeping.copies_names,
        "keepsMarks": keeping.keeps_marks,
        "references": [reference for _, reference in pairs],
    }
    held = {
        "pieces": subwords.pieces,
        "merges": [" ".join(merge) for merge in subwords.merges],
        "words": sorted(keeping.words),
        "glossary": [f"{term}\t{said}" for term, said in keeping.glossary.items()],
        "lexicon": _lexicon(tuple(memory.sources), tuple(memory.targets)),
    }
    layers = {"encoder": model.encoder, "decoder.recurrent": model.decoder.recurrent}
    return Live(
        LivePart.of(__package__, "Translating with", _SCRIPTS), layers, about, held, [text for text, _ in pairs]
    )


def _pairs(test: pl.DataFrame | None) -> list[tuple[str, str]]:
    """Sentences of the test part with their references, of medium length, evenly spread."""
    if test is None or not {"text", "target"} <= set(test.columns):
        return [("", "")]
    rows = [pair for pair in test.select("text", "target").iter_rows() if pair[0]]
    good = [pair for pair in rows if _SHORTEST <= len(pair[0].split()) <= _LONGEST] or rows
    return (
        [good[k] for k in dict.fromkeys(k * len(good) // _EXAMPLES for k in range(_EXAMPLES))] if good else [("", "")]
    )


@functools.lru_cache(1)
def _lexicon(sources: tuple[str, ...], targets: tuple[str, ...]) -> list[str]:
    """The dictionary, a word of the source a line: the word, then its translations with their chance in 10,000ths, the
    likeliest first. The first line is that of no word, and begins with a space."""
    lexicon = Lexicon.learnt(sources, targets)
    least = np.where(lexicon.pairs[:, 0] == NOTHING, _LEAST_OF_NOTHING, _LEAST)
    kept = np.flatnonzero(lexicon.probabilities >= least)
    kept = kept[np.lexsort((-lexicon.probabilities[kept], lexicon.pairs[kept, 0]))]
    lines = [[word] for word in lexicon.sources]
    for (source, target), chance in zip(
        lexicon.pairs[kept].tolist(), lexicon.probabilities[kept].tolist(), strict=True
    ):
        lines[source] += [lexicon.targets[target], str(round(_PARTS * chance))]
    return [" ".join(line) for line in lines]
