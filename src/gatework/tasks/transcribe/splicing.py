"""Recordings cut between words and put together anew, so that a network learns sounds and not sentences by heart.

Where words end is heard by the network itself, once a quarter of its training is over, and again as it learns: by the
likeliest way in which it can write each text (T. Lam et al., "On-the-fly aligned data augmentation for
sequence-to-sequence ASR", 2021). Until then whole short recordings are put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

from gatework.decoding import heard_letters
from gatework.tasks.transcribe.examples import SpokenBatch, SpokenExamples, batch_of
from gatework.tasks.transcribe.letters import Alphabet, steps_needed
from gatework.tasks.transcribe.transcript import by_words

UNKNOWN = -1
"""What stands for a place that is not known yet."""
_FIRST, _EVERY = 0.25, 0.1
_LONGEST_WHOLE, _SHORTEST, _LONGEST = 250, 80, 500
"""Frames: of recordings that are pieces as a whole, and of what is put together or cut out of a longer one."""
_MOST_WORDS = 3


def hearings_due(share: float) -> int:
    """How often words are to have been looked for once so much of the training is over."""
    return 0 if share < _FIRST else 1 + int((share - _FIRST) / _EVERY + 1e-9)


def places_of(texts: Sequence[str], alphabet: Alphabet) -> np.ndarray:
    """Where the cuts of each text begin among those of all, and their number: one more than it has words."""
    words = [len(alphabet.text(alphabet.indices(text)).split()) for text in texts]
    return np.cumsum([0, *(count + 1 for count in words)], dtype=np.int64)


def cuts_of(log_probs: np.ndarray, frames: int, letters: np.ndarray, alphabet: Alphabet, stack: int) -> list[int]:
    """The frames between which the words of a recording lie, one more than there are words; none where it is too short.

    Args:
        log_probs: What the network says, shape (steps, letters + 1).
        frames: How many there are.
        letters: The text.
        alphabet: What its letters mean.
        stack: Frames of a step.
    """
    if steps_needed(letters) > len(log_probs):
        return []
    words = by_words(heard_letters(log_probs, letters), alphabet)
    inner = [(before[-1].last + after[0].first + 1) * stack // 2 for before, after in pairwise(words)]
    return [0, *inner, frames] if words else [0]


class SplicedExamples:
    """Recordings of which some are put together anew in every batch, by torch's generator.

    Args:
        whole: The recordings as they are.
        cuts: Of all of them, as `places_of()` says; `UNKNOWN` where words have not been looked for.
        alphabet: What letters mean.
        share: How many are put together anew.
        densest: The most steps that a text may need of a frame.
    """

    def __init__(
        self, whole: SpokenExamples, cuts: np.ndarray, alphabet: Alphabet, share: float, densest: float
    ) -> None:
        self.split, self.lengths, self.whole = whole.split, whole.lengths, whole
        self.alphabet, self.share, self.densest = alphabet, share, densest
        places = places_of(whole.split.targets.tolist(), alphabet)
        each = [cuts[start:end] for start, end in pairwise(places.tolist())]
        self.cut = {k: one for k, one in enumerate(each) if len(one) > 1 and one[-1] != UNKNOWN}
        if not self.cut:
            short = np.flatnonzero(self.lengths <= _LONGEST_WHOLE)
            self.cut = {int(k): np.array([0, self.lengths[k]]) for k in short}
        self.sources = list(self.cut)
        self._space = alphabet.indices(" ")

    def __len__(self) -> int:
        return len(self.whole)

    def batch(self, index: np.ndarray) -> SpokenBatch:
        """As many recordings as there are positions, some of them new."""
        chosen = torch.rand(len(index)) < self.share
        parts = [self._recording(int(k), is_new) for k, is_new in zip(index, chosen.tolist(), strict=True)]
        return batch_of([frames for frames, _ in parts], [letters for _, letters in parts])

    def _recording(self, place: int, is_new: bool) -> tuple[np.ndarray, np.ndarray]:
        """A recording and its letters, or a new one about as long; of a very long one a stretch."""
        frames, letters = self.whole.recordings.features[place], self.whole.letters[place]
        if is_new and self.sources:
            sound, text = self._joined(min(max(len(frames), _SHORTEST), _LONGEST))
        elif len(frames) > _LONGEST:
            sound, text = self._stretch(place)
        else:
            return frames, letters
        return (sound, text) if steps_needed(text) <= self.densest * len(sound) else (frames, letters)

    def _joined(self, enough: int) -> tuple[np.ndarray, np.ndarray]:
        """Pieces one after the other, until there are enough frames."""
        sounds: list[np.ndarray] = []
        texts: list[np.ndarray] = []
        length = 0
        while length < enough:
            sound, text = self._piece()
            sounds.append(sound)
            if len(text):
                texts += [self._space, text] if texts else [text]
            length += len(sound)
        return np.concatenate(sounds), np.concatenate([np.zeros(0, np.int64), *texts])

    def _stretch(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """Of a long recording as many words in a row as go into what is put together; all of it before words are known.

        A step takes as long as its longest recording, while few others keep it company.
        """
        frames, letters = self.whole.recordings.features[place], self.whole.letters[place]
        words, cuts = self.alphabet.text(letters).split(), self.cut.get(place, np.zeros(0, np.int64))
        if len(cuts) != len(words) + 1:
            return frames, letters
        first = _drawn(len(words))
        last = max(int(np.searchsorted(cuts, cuts[first] + _LONGEST, side="right")) - 1, first + 1)
        first = min(int(np.searchsorted(cuts, cuts[last] - _LONGEST)), first)
        return frames[cuts[first] : cuts[last]], self.alphabet.indices(" ".join(words[first:last]))

    def _piece(self) -> tuple[np.ndarray, np.ndarray]:
        """Up to three words that follow one another, from any recording; or a whole recording, before words are known.

        A piece that is a whole recording may be of no word at all.
        """
        place = self.sources[_drawn(len(self.sources))]
        cuts, frames, letters = self.cut[place], self.whole.recordings.features[place], self.whole.letters[place]
        words = self.alphabet.text(letters).split()
        if len(cuts) != len(words) + 1:
            return frames, letters
        first = _drawn(len(words))
        last = min(first + 1 + _drawn(_MOST_WORDS), len(words))
        sound = frames[cuts[first] : cuts[last]]
        return sound, self.alphabet.indices(" ".join(words[first:last]))


def _drawn(count: int) -> int:
    """A number below `count`, by torch's generator."""
    return int(torch.randint(count, (1,)))
