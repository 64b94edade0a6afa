"""The native side of decoding; the modules of `gatework.decoding` are the only callers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gatework.scan.records import OptionRecord, WeightRecord

class NGrams:
    @staticmethod
    def count(tokens: NDArray[np.int32], starts: NDArray[np.int64], order: int, vocabulary: int, /) -> NGrams: ...
    @staticmethod
    def assembled(
        vocabulary: int,
        levels: NDArray[np.int64],
        tokens: NDArray[np.int32],
        children: NDArray[np.int64],
        log_probability: NDArray[np.float32],
        log_backoff: NDArray[np.float32],
        /,
    ) -> NGrams: ...
    @property
    def order(self) -> int: ...
    @property
    def vocabulary(self) -> int: ...
    @property
    def begin(self) -> int: ...
    def is_state(self, state: int, /) -> bool: ...
    def arrays(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]: ...
    def discounts(self) -> list[tuple[float, float, float]]: ...
    def advance(self, state: int, token: int, /) -> tuple[float, int]: ...
    def score(self, state: int, tokens: NDArray[np.int32], log_probabilities: NDArray[np.float32], /) -> int: ...
    def distribution(self, state: int, probabilities: NDArray[np.float64], /) -> None: ...

class Rules:
    def __init__(
        self,
        numbers: Sequence[float],
        counts: Sequence[int],
        breaks: NDArray[np.uint8],
        banned: NDArray[np.uint8],
        /,
    ) -> None: ...

class LanguageModel:
    def __init__(
        self,
        kernel: int,
        layers: Sequence[WeightRecord],
        options: Sequence[OptionRecord],
        sizes: Sequence[int],
        addresses: Sequence[int],
        /,
    ) -> None: ...
    def write(
        self,
        states: Sequence[NDArray[np.float32]],
        pending: NDArray[np.int32],
        text: NDArray[np.int32],
        seed: int,
        drawn: int,
        rules: Rules,
        tokens: NDArray[np.int32],
        threads: int,
        /,
    ) -> None: ...
    def read(
        self,
        states: Sequence[NDArray[np.float32]],
        pending: NDArray[np.int32],
        text: NDArray[np.int32],
        tokens: NDArray[np.int32],
        threads: int,
        /,
    ) -> None: ...
    def distribution(
        self,
        states: Sequence[NDArray[np.float32]],
        pending: NDArray[np.int32],
        text: NDArray[np.int32],
        rules: Rules,
        probabilities: NDArray[np.float64],
        threads: int,
        /,
    ) -> None: ...

class LayerSteps:
    def __init__(self, kernel: int, layers: Sequence[WeightRecord], /) -> None: ...
    def run(self, x: int, states: int, /) -> None: ...

class LetterModel:
    def __init__(
        self, model: LanguageModel, letters: Sequence[int], ends: Sequence[int], begin: Sequence[int], /
    ) -> None: ...

class Language:
    space: int
    is_closed: bool
    weight: float
    bonus: float
    boost: float
    def __init__(self) -> None: ...
    def set_words(self, words: NGrams, /) -> None: ...
    def set_letters(self, letters: NGrams, /) -> None: ...
    def set_recurrent(self, model: LetterModel, weight: float, /) -> None: ...
    def add_lexicon(self, letters: NDArray[np.int32], starts: NDArray[np.int64], /) -> None: ...
    def add_boosted(self, letters: NDArray[np.int32], starts: NDArray[np.int64], /) -> None: ...

class BeamSearch:
    def __init__(self, language: Language, letters: int, beam: int, /) -> None: ...
    def feed(self, log_probs: NDArray[np.float32], /) -> None: ...
    def settled(self) -> list[tuple[int, int, float]]: ...
    def best(self, is_end: bool, /) -> list[tuple[int, int, float]]: ...
    def score(self) -> float: ...
    def beginnings(self) -> int: ...

def letter_log_probabilities(
    hidden: NDArray[np.float32],
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    results: NDArray[np.float32],
    /,
) -> None: ...
def text_log_probabilities(
    log_probs: NDArray[np.float32],
    letters: NDArray[np.int32],
    starts: NDArray[np.int64],
    results: NDArray[np.float64],
    /,
) -> None: ...
def likeliest_path(log_probs: NDArray[np.float32], text: NDArray[np.int32], /) -> list[int]: ...
def read_out(
    sizes: Sequence[int],
    addresses: Sequence[int],
    keys: NDArray[np.float32],
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    shortlist: NDArray[np.int64],
    short_starts: NDArray[np.int64],
    hidden: NDArray[np.float32],
    memory: NDArray[np.int64],
    wanted: NDArray[np.uint64],
    seen: NDArray[np.float32],
    features: NDArray[np.float32],
    log_probability: NDArray[np.float32],
    tokens: NDArray[np.int64],
    threads: int,
    /,
) -> None: ...
