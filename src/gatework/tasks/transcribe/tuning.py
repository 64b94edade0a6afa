"""How much the language model counts, chosen on recordings that the network has not learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gatework.decoding import CtcReader, LanguageWeights, SpokenLanguage
from gatework.tasks.transcribe.metrics import letter_errors, word_errors

_LANGUAGE = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_WORD = (-1.0, 1.0, 2.0, 3.0)
# A narrow beam ranks the weights as a wide one does, in a quarter of the time.
_BEAM = 16
_MOST = 100


def chosen_weights(
    alphabet: Sequence[str], model: SpokenLanguage, log_probs: Sequence[np.ndarray], references: Sequence[str]
) -> LanguageWeights:
    """The weights with the fewest wrong words, and of these the fewest wrong letters; 0 where the model does no good.

    Args:
        alphabet: The letters, or words.
        model: What is known of the language.
        log_probs: What the network says of each recording, shape (steps, letters + 1).
        references: What is said in each.
    """
    log_probs, references = log_probs[:_MOST], references[:_MOST]

    def errors(weights: LanguageWeights) -> tuple[int, int]:
        reader = CtcReader(alphabet, model, weights, beam=_BEAM)
        texts = [reader.text(reader.read(one)) for one in log_probs]
        return int(word_errors(references, texts).sum()), int(letter_errors(references, texts).sum())

    by_errors = {LanguageWeights(): errors(LanguageWeights())}
    by_errors |= {(weights := LanguageWeights(language)): errors(weights) for language in _LANGUAGE}
    best = min(by_errors, key=by_errors.__getitem__)
    by_errors |= {(weights := LanguageWeights(best.language, word)): errors(weights) for word in _WORD}
    return min(by_errors, key=by_errors.__getitem__)
