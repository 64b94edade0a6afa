"""The live page of a language model: it writes in the page, and each choice, gate and surprise can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from gatework.data.pieces import BOUNDARY, CharacterTokens, Tokens
from gatework.decoding import Sampling
from gatework.tasks._live import Live, LivePart

if TYPE_CHECKING:
    import polars as pl

    from gatework.tasks.generate.model import LanguageModel

_SCRIPTS = ("tokens.js", "sampling.js", "writer.js", "text.js", "choices.js", "live.js")
_EXAMPLES, _SHORTEST, _LONGEST = 5, 20, 80
_RULES = ("temperature", "top_k", "top_p", "min_p")


def live(
    model: LanguageModel,
    tokens: Tokens,
    *,
    prompts: Sequence[str],
    sampling: Sampling,
    does_end: bool,
    test: pl.DataFrame | None,
) -> Live:
    """What the page holds of a language model.

    Args:
        model: The network.
        tokens: What texts are read as.
        prompts: The beginnings that a person gave; those of passages of the test part if there are none.
        sampling: How tokens are drawn at first.
        does_end: Whether a text may end as a document does.
        test: The test part.
    """
    held: dict[str, Sequence[str]] = {}
    if isinstance(tokens, CharacterTokens):
        about: dict[str, Any] = {"level": tokens.level, "characters": tokens.characters}
    else:
        about = {"level": tokens.level}
        held = {"pieces": tokens.letters, "merges": tokens.merges}
    rules = {attribute.name: getattr(sampling, attribute.name) for attribute in fields(sampling)}
    about |= {"banned": [] if does_end else [BOUNDARY], "rules": {name: rules[name] for name in _RULES}}
    examples = list(prompts) or _beginnings(test)
    part = LivePart.of(__package__, "Writing with", _SCRIPTS)
    return Live(part, {"recurrent": model.recurrent}, about, held, examples)


def _beginnings(test: pl.DataFrame | None) -> list[str]:
    """The first line of some passages of the test part, evenly spread, and nothing, from which a new text starts."""
    beginnings: list[str] = []
    texts = [] if test is None or "text" not in test.columns else test["text"].to_list()
    for k in range(_EXAMPLES):
        lines = texts[k * len(texts) // _EXAMPLES].split("\n") if texts else []
        line = next((line for line in lines if len(line) >= _SHORTEST), "")
        if line and (start := line if len(line) <= _LONGEST else line[:_LONGEST].rpartition(" ")[0]):
            beginnings.append(start)
    return [*dict.fromkeys(beginnings), ""]
