"""What translates without a network: copying, the nearest known pair, and a dictionary word by word."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from gatework.data.dataset import Split
from gatework.decoding.lexicon import Lexicon
from gatework.tasks._task import Baseline, single_threaded
from gatework.tasks.translate.data import sides_of
from gatework.tasks.translate.memory import TranslationMemory
from gatework.tasks.translate.metrics import answers_of


def baselines(memory: TranslationMemory, split: Split) -> Sequence[Baseline]:
    """Copy, translation memory and IBM model 1.

    Args:
        memory: The pairs that were learnt from.
        split: Pairs with known translations.
    """
    sources, targets = sides_of(split)
    with single_threaded():
        return [_copy(sources, targets), _memory(memory, sources, targets), _dictionary(memory, sources, targets)]


def _copy(sources: list[str], targets: list[str]) -> Baseline:
    start = perf_counter()
    answers = answers_of(targets, sources, [1.0] * len(sources))
    return Baseline("copy", "Answers the sentence as it is.", answers, perf_counter() - start)


def _memory(memory: TranslationMemory, sources: list[str], targets: list[str]) -> Baseline:
    start = perf_counter()
    nearest = memory.nearest(sources)
    answers = answers_of(targets, [hit.target for hit in nearest], [hit.similarity for hit in nearest])
    about = "The translation of the training sentence with the most similar words (TF-IDF, cosine)."
    return Baseline("translation memory", about, answers, perf_counter() - start, memory.size)


def _dictionary(memory: TranslationMemory, sources: list[str], targets: list[str]) -> Baseline:
    start = perf_counter()
    lexicon = Lexicon.learnt(memory.sources, memory.targets)
    said = [lexicon.translated(source) for source in sources]
    answers = answers_of(targets, [text for text, _ in said], [chance for _, chance in said])
    about = "Each word by itself, in the order of the source, by IBM model 1; unknown words stay."
    return Baseline("dictionary", about, answers, perf_counter() - start, len(lexicon))
