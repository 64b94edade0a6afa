"""Sound that comes bit by bit to words, with carried state: the same words however it is cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gatework.data.features import FeatureSpec, FeatureStream
from gatework.data.samples import SampleReader
from gatework.decoding import WrittenLetter, letter_log_probabilities
from gatework.errors import UsageError
from gatework.nn.carried import CarriedLayers
from gatework.tasks._voice import KEPT, Loudness, loudness_of_step
from gatework.tasks.transcribe.model import SpeechModel
from gatework.tasks.transcribe.transcript import LONGEST, Word, text_of

if TYPE_CHECKING:
    from gatework.tasks.transcribe.transcriber import Transcriber


class StepStream:
    """A network under way: frames in, the log-probabilities of whole steps out.

    Args:
        model: The trained network.

    Attributes:
        loudness: Of the steps that were last given out; see `gatework.tasks._voice`.

    Raises:
        UsageError: The network needs the whole recording.
    """

    def __init__(self, model: SpeechModel) -> None:
        if not can_stream(model):
            raise UsageError(
                "a bidirectional network, or one that takes off a recording's own mean, needs the whole recording; "
                "train one with --no-bidirectional --normalise global"
            )
        self.model, self.layers = model.eval(), CarriedLayers(model.recurrent)
        self.waiting = np.zeros((0, len(model.hearing.mean)), np.float32)
        self.loudness: list[float] = []
        self._mean, self._std = model.mean.numpy(), model.std.numpy()
        self._given = self.layers.given.reshape(model.hearing.stack, -1)
        # What is heard but waits for what comes after it.
        self._hidden: list[np.ndarray] = []
        self._waits = 0 if model.lookahead is None else model.lookahead.steps
        self._outputs: list[np.ndarray] = []
        self._unsaid: list[float] = []
        self._output = model.output.weight.detach().numpy(), model.output.bias.detach().numpy()
        self._nothing = np.zeros((0, model.output.out_features), np.float32)
        # Of the step under way: the stages that are done, and the frames since it was complete.
        self._stages = [*self.layers.stages, self._hear]
        self._done, self._since = len(self._stages), 0

    def accept(self, frames: np.ndarray, *, is_end: bool = False) -> np.ndarray:
        """The steps that are complete with these frames, shape (steps, units + 1).

        Where less than a step comes at once, the layers and the output are computed one after the other while the
        frames of the next step come, so that no piece of sound has to pay for all of them.

        Args:
            frames: Shape (frames, bands).
            is_end: Whether the last step is to be filled up.
        """
        stack, given = self.model.hearing.stack, len(frames)
        frames = np.concatenate([self.waiting, frames]) if len(self.waiting) else frames
        steps = -(-len(frames) // stack) if is_end else len(frames) // stack
        self.waiting = frames[steps * stack :]
        for step in range(steps):
            self._go_on(len(self._stages))
            self._begin(frames[step * stack : (step + 1) * stack])
        self._since += given
        is_due = is_end or given >= stack
        # The first layer reads less than the others, so what is over after an even split is done early.
        self._go_on(-(-len(self._stages) * (stack if is_due else min(self._since, stack)) // stack))
        while self._hidden and is_end:
            self._outputs.append(self._said())
        outputs, self._outputs = self._outputs, []
        self.loudness, self._unsaid = self._unsaid[: len(outputs)], self._unsaid[len(outputs) :]
        return np.concatenate(outputs) if outputs else self._nothing

    def _begin(self, frames: np.ndarray) -> None:
        """Gives the layers the frames of a step, of which the last one may have too few."""
        self._unsaid.append(loudness_of_step(frames))
        count = len(frames)
        np.subtract(frames, self._mean, out=self._given[:count])
        self._given[:count] /= self._std
        self._given[count:] = 0
        self._done, self._since = 0, 0

    def _go_on(self, stages: int) -> None:
        """Does so many stages of the step under way, less those that are done."""
        while self._done < stages:
            self._stages[self._done]()
            self._done += 1

    def _hear(self) -> None:
        self._hidden.append(self.layers.hidden.copy())
        if len(self._hidden) > self._waits:
            self._outputs.append(self._said())

    def _said(self) -> np.ndarray:
        """What is known of the first step that waits, by the states after it that there are, shape (1, units + 1)."""
        ahead, hidden = self.model.lookahead, self._hidden[0]
        if ahead is not None:
            with torch.no_grad():
                hidden = ahead(torch.from_numpy(np.stack(self._hidden)))[0].numpy()
        del self._hidden[0]
        return letter_log_probabilities(hidden, *self._output)


def can_stream(model: SpeechModel) -> bool:
    """Whether a network can go step by step."""
    return not (model.recurrent.bidirectional or model.hearing.is_own_mean)


class SpeechStream:
    """Raw sound, 16 bits a sample, little-endian, one channel, to words.

    Args:
        model: The trained network.
        transcriber: What reads its output.
        spec: How sound becomes features.
        rate: Samples per second of what comes.

    Attributes:
        done: The steps that what was said knows of.

    Raises:
        UsageError: The network needs the whole recording, or one of a list of phrases is asked for.
    """

    def __init__(self, model: SpeechModel, transcriber: Transcriber, spec: FeatureSpec, rate: int) -> None:
        if transcriber.phrases:
            raise UsageError("a stream has no end to choose one of the phrases at; give --boost in place of --phrases")
        self.features, self.steps = FeatureStream(spec, rate), StepStream(model)
        self.transcriber, self.search = transcriber, transcriber.reader.search()
        self.samples, self.done, self.said = SampleReader(), 0, ""
        self.voice = Loudness(transcriber.chosen.least_movement, KEPT)
        self.letters: list[WrittenLetter] = []
        self.guess: list[WrittenLetter] = []

    def answer_bytes(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """What is known of the words once this piece has been heard: words that stand, and a guess at what follows."""
        yield from self._heard(self.steps.accept(self.features.accept(self.samples.accept(piece))))

    def finish(self) -> Iterator[dict[str, Any]]:
        """The last words."""
        yield from self._heard(self.steps.accept(self.features.finish(), is_end=True))
        self.letters += [*self.search.settled(), *self.search.finish()]
        if words := self.transcriber.words_of(self.letters, self.voice):
            yield _final(words)

    def _heard(self, log_probs: np.ndarray) -> Iterator[dict[str, Any]]:
        # After every step, whatever the pieces that sound comes in.
        for place in range(len(log_probs)):
            self.search.feed(log_probs[place : place + 1])
            self.voice.hear(self.steps.loudness[place : place + 1])
            self.done += 1
            yield from self._settled()
            yield from self._guessed()

    def _settled(self) -> Iterator[dict[str, Any]]:
        """The words that no later sound can change."""
        settled = self.search.settled()
        if not settled:
            return
        alphabet = self.transcriber.alphabet
        self.letters += settled
        ends = [place for place, one in enumerate(self.letters) if alphabet.units[one.letter - 1] == " "]
        whole = ends[-1] + 1 if ends else 0
        longest = 1 if alphabet.is_words else LONGEST
        whole += (len(self.letters) - whole) // longest * longest
        words, self.letters = self.transcriber.words_of(self.letters[:whole], self.voice), self.letters[whole:]
        if words:
            yield _final(words)

    def _guessed(self) -> Iterator[dict[str, Any]]:
        """What may follow, where that is another guess than before."""
        letters = [*self.letters, *self.search.open()]
        if letters == self.guess:  # as in most steps
            return
        self.guess = letters
        said = self.transcriber.text_of(letters, self.voice)
        if said != self.said:
            self.said = said
            if said:
                yield {"partial": said}


def _final(words: list[Word]) -> dict[str, Any]:
    return {
        "text": text_of(words),
        "start": words[0].start,
        "end": words[-1].end,
        "words": [asdict(word) for word in words],
    }
