"""Transcription: the letters of what is said in each recording."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gatework._stored import Stored
from gatework.data.batches import evaluation_order
from gatework.data.features import HOP, FeatureSpec
from gatework.data.recordings import names_apart
from gatework.decoding import SpokenLanguage
from gatework.decoding.ctc import BEAM
from gatework.errors import DataError, UsageError
from gatework.formatting import counted
from gatework.options import options_of
from gatework.tasks._augment import Augmentation
from gatework.tasks._findings import Findings
from gatework.tasks._hearable import hearable
from gatework.tasks._recorded import RecordedDataset, recording_options
from gatework.tasks._task import Baseline, Evaluation, Loss, Task, Trained, refuse_options
from gatework.tasks._voice import loudness_of
from gatework.tasks.transcribe import data, report
from gatework.tasks.transcribe.align import aligned_words
from gatework.tasks.transcribe.baselines import absent, baselines
from gatework.tasks.transcribe.check import check
from gatework.tasks.transcribe.data import Spoken
from gatework.tasks.transcribe.examples import SpokenBatch, SpokenExamples, with_silence
from gatework.tasks.transcribe.exporting import exportable
from gatework.tasks.transcribe.greedy import greedy_letters
from gatework.tasks.transcribe.heard import heard_table
from gatework.tasks.transcribe.learning_curve import minutes_of, trainings
from gatework.tasks.transcribe.letters import Alphabet, steps_needed
from gatework.tasks.transcribe.live import live_speech
from gatework.tasks.transcribe.metrics import answers_of, metrics, sample
from gatework.tasks.transcribe.model import Hearing, SpeechModel, loss_of
from gatework.tasks.transcribe.options import OPTIONS, SpeechOptions, TranscriptOptions
from gatework.tasks.transcribe.recurrent import LanguageSize, RecurrentLanguage
from gatework.tasks.transcribe.splicing import UNKNOWN, SplicedExamples, cuts_of, hearings_due, places_of
from gatework.tasks.transcribe.streaming import SpeechStream, StepStream, can_stream
from gatework.tasks.transcribe.transcriber import AskedTranscript, Transcriber, read_lines, texts_of
from gatework.tasks.transcribe.transcript import FORMATS, row_of
from gatework.tasks.transcribe.tuning import Chosen, chosen

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Batch, Dataset, Examples, Split
    from gatework.options import DataOptions, ModelOptions, TrainingOptions
    from gatework.recipe import Recipe
    from gatework.tasks._after_training import Exportable
    from gatework.tasks._live import Live
    from gatework.tasks._sample import Sample
    from gatework.tasks._section import Answered, ReportSection

_EVALUATION_BATCH = 32
_MOST_STACKED = 4
_WIDE_BEAM = 256
_PREDICTION = tuple(one.name for one in options_of(TranscriptOptions))


def _row_schema() -> dict[str, Any]:
    """The columns of predictions and their types."""
    import polars as pl

    word = {"word": pl.String, "start": pl.Float64, "end": pl.Float64, "confidence": pl.Float64}
    return {"audio": pl.String, "text": pl.String, "confidence": pl.Float64, "words": pl.List(pl.Struct(word))}


@dataclass(frozen=True)
class TranscribeTask(Stored, Task):
    """What is said in each recording, letter by letter.

    Attributes:
        alphabet: The letters of the training texts.
        spec: How sound becomes features.
        mean: Of each band over the training part.
        std: Likewise.
        stack: Frames that are one step.
        speech: How recordings were read, and what is done to them in training.
        texts: The training texts, from which the language model is counted.
        minutes: The length of the training recordings.
        further_texts: Other texts, from which it is counted too.
        lm: The recurrent language model that is kept with the network.
    """

    options = OPTIONS
    name = OPTIONS.name
    metric = "wer"
    lower_is_better = True
    shown = ("wer", "cer")
    formats = tuple(FORMATS)
    is_quantizable = True

    alphabet: Alphabet
    spec: FeatureSpec
    mean: tuple[float, ...]
    std: tuple[float, ...]
    stack: int
    speech: SpeechOptions
    texts: tuple[str, ...]
    minutes: float
    further_texts: tuple[str, ...] = ()
    lm: LanguageSize | None = None

    def __post_init__(self) -> None:
        if not len(self.mean) == len(self.std) == self.spec.bands:
            raise ValueError(f"{len(self.mean)} means and {len(self.std)} deviations of {self.spec.bands} bands")

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits recordings with their texts; see `gatework.tasks.transcribe.data.load`."""
        return data.load(source, recipe)

    @classmethod
    def check(cls, source: Any, recipe: Recipe) -> Findings:
        """Looks at recordings and texts without learning anything; see `gatework.tasks.transcribe.check.check`."""
        return check(source, recipe)

    @classmethod
    def fit(cls, dataset: Dataset, config: DataOptions) -> TranscribeTask:
        """Learns letters, the bands' statistics and the stack from the training part alone."""
        train = _spoken(dataset.train)
        speech = recording_options(dataset, SpeechOptions)
        texts = tuple(train.targets.tolist())
        alphabet, spec = Alphabet.of(texts, speech.units), train.inputs.spec
        frames = np.concatenate(train.inputs.features).astype(np.float64)
        mean, std = (tuple(map(float, values)) for values in (frames.mean(0), np.maximum(frames.std(0), 1e-3)))
        stack = speech.stack or largest_stack(train, alphabet, speech.speed)
        lm: LanguageSize | None = None
        lines: tuple[str, ...] = ()
        if speech.lm and Path(speech.lm).is_file():
            lines = read_lines(speech.lm, speech.case)
        elif speech.lm:
            lm = RecurrentLanguage.of_run(speech.lm, alphabet).size
        return cls(alphabet, spec, mean, std, stack, speech, texts, minutes_of(train.inputs), lines, lm)

    def about(self, dataset: Dataset) -> list[str]:
        """What was read: minutes, words, letters, and the steps that the network goes in."""
        parts = [_spoken(part) for part in (dataset.train, dataset.validation, dataset.test)]
        minutes = [part.inputs.seconds.sum() / 60 for part in parts]
        words = [word for text in self.texts for word in text.split()]
        kind = "words" if self.alphabet.is_words else "letters"
        units = self.alphabet.between.join(unit for unit in self.alphabet.units if unit != " ")
        return [
            *super().about(dataset),
            f"{minutes[0]:.1f} minutes to learn from ({minutes[1]:.1f} and {minutes[2]:.1f} held back), "
            f"{counted(len(words), 'word')}, {len(set(words)):,} different; {kind}: {units}",
            f"{self.spec.rate:,} samples per second, {self.spec.bands} bands, "
            f"steps of {1000 * HOP * self.stack:.0f} ms ({counted(self.stack, 'frame')} stacked)",
            *self._too_short(parts[0]),
        ]

    def _too_short(self, train: Spoken) -> list[str]:
        """The recordings to learn from that have fewer steps than their text needs, in a line; none where none has."""
        frames = np.array([len(one) for one in train.inputs.features])
        needed = np.array([steps_needed(self.alphabet.indices(text)) for text in train.targets])
        short = np.flatnonzero(-(-frames // self.stack) < needed)
        if not len(short):
            return []
        names = ", ".join(train.inputs.name(int(k)) for k in short[:3])
        said = f"{counted(len(short), 'recording')} too short for the text add nothing, the first of them {names}"
        return [f"{said}; see gatework check, or a smaller --stack"]

    def encode(self, split: Split) -> Examples:
        """Recordings ready to be batched."""
        return self.examples(_spoken(split))

    def examples(self, split: Spoken) -> SpokenExamples:
        """Recordings ready to be batched."""
        return SpokenExamples(split, self.alphabet)

    def model(self, config: ModelOptions) -> SpeechModel:
        """A network with fresh weights."""
        way = self.speech.normalise
        is_own_mean = config.bidirectional if way == "auto" else way == "utterance"
        hearing = Hearing(self.mean, self.std, self.stack, is_own_mean, self.spec.rate, self.speech.lookahead)
        cuts = int(places_of(self.texts, self.alphabet)[-1]) if self._is_splicing else 0
        tempo = 0.0 if self.alphabet.is_words else self.speech.tempo
        change = Augmentation.of(self.speech, tempo=tempo)
        return SpeechModel(config, hearing, len(self.alphabet), change, cuts, self.lm)

    def further(self, dataset: Dataset, recipe: Recipe) -> Mapping[str, tuple[Dataset, Recipe]]:
        """Trainings on fewer minutes, where a curve of them is wanted."""
        return trainings(dataset, recipe) if recipe.section(SpeechOptions).learning_curve else {}

    def lessons(
        self, model: nn.Module, examples: Examples, config: TrainingOptions, epoch: int, share: float, *, is_fresh: bool
    ) -> Examples:
        """The recordings, of which some are put together anew; see `gatework.tasks.transcribe.splicing`."""
        network, whole = _speech_model(model), self.examples(_spoken(examples.split))
        if not self._is_splicing:
            return whole
        if is_fresh and hearings_due(share) > int(network.hearings):
            network.cuts.copy_(torch.from_numpy(self._cuts(network, whole)))
            network.hearings.fill_(hearings_due(share))
        densest = 1 / (self.stack * (1 + self.speech.speed))
        return SplicedExamples(whole, network.cuts.numpy(), self.alphabet, self.speech.splice, densest)

    @property
    def example_input(self) -> str:
        """A recording."""
        return "FILE.wav"

    @property
    def extras(self) -> tuple[str, ...]:
        """That of recordings."""
        return ("speech",)

    @property
    def told_by_content(self) -> bool:
        """A recording is."""
        return True

    @property
    def pipeline(self) -> str:
        """The hub's word for it."""
        return "automatic-speech-recognition"

    @property
    def _is_splicing(self) -> bool:
        return self.speech.splice > 0 and not self.alphabet.is_words

    def _cuts(self, network: SpeechModel, whole: SpokenExamples) -> np.ndarray:
        """Where words lie in each recording, as `places_of()` says."""
        places = places_of(self.texts, self.alphabet)
        cuts = np.full(int(places[-1]), UNKNOWN)
        for k, log_probs in enumerate(self.listen(network, whole).log_probs):
            each = cuts_of(log_probs, int(whole.lengths[k]), whole.letters[k], self.alphabet, self.stack)
            if each:
                cuts[places[k] : places[k + 1]] = each
        return cuts

    def loss(self, model: nn.Module, batch: Batch) -> Loss:
        """The negative log-likelihood of the texts, summed over their letters and ends."""
        batch = _spoken_batch(batch)
        if model.training and self.speech.noise:
            batch = with_silence(batch)
        scores = _speech_model(model).scores(batch.inputs, batch.lengths)
        return Loss(loss_of(scores, batch), float(batch.letters.sum() + len(batch.letters)))

    def listen(self, model: nn.Module, examples: SpokenExamples) -> Heard:
        """What a network says of recordings, at every step."""
        network, each = _speech_model(model), dict[int, np.ndarray]()
        total, weight = 0.0, 0.0
        network.eval()
        with torch.no_grad():
            for index in evaluation_order(examples.lengths, _EVALUATION_BATCH):
                batch = examples.batch(index)
                scores = network.scores(batch.inputs, batch.lengths)
                total += float(loss_of(scores, batch))
                weight += float(batch.letters.sum() + len(batch.letters))
                for row, place in enumerate(index.tolist()):
                    each[place] = scores.log_probs[: int(scores.steps[row]), row].numpy().copy()
        return Heard([each[place] for place in range(len(examples))], total / max(weight, 1.0))

    def evaluate(self, model: nn.Module, examples: Examples) -> Evaluation:
        """What a network says of recordings with known texts, and how good that is."""
        split = _spoken(examples.split)
        heard = self.listen(model, self.examples(split))
        greedy = [self.alphabet.text(greedy_letters(log_probs)) for log_probs in heard.log_probs]
        transcriber = self.transcriber(model, split.asked)
        texts = greedy
        if transcriber is not None:
            pairs = zip(heard.log_probs, split.inputs.features, strict=True)
            texts = texts_of([transcriber.words(one, frames) for one, frames in pairs])
        answers = answers_of(split.targets.tolist(), texts, greedy)
        return Evaluation(heard.loss, self.metrics(answers), answers)

    def transcriber(self, model: nn.Module, asked: AskedTranscript) -> Transcriber | None:
        """What reads a network with a language in mind; None before that has been weighed."""
        state = _speech_model(model).decoding.tolist()
        if not state[0]:
            return None
        has_more = asked.words or asked.lines
        known = self.spoken_language(asked.words, asked.lines) if has_more else self.language
        recurrent, kept = None, _speech_model(model).language
        if asked.lm is not None:
            recurrent = RecurrentLanguage.of_run(asked.lm, self.alphabet).beside(self.alphabet)
        elif kept is not None:
            recurrent = kept.beside(self.alphabet)
        elif asked.lm_weight is not None:
            raise UsageError("--lm-weight is of a language model, and this run keeps none; name one with --lm")
        beam = asked.beam or self._beam(model)
        return Transcriber(self.alphabet, known, Chosen.from_state(state), asked, self.stack, beam, recurrent)

    def _beam(self, model: nn.Module) -> int:
        """The prefixes that a search keeps: of files alone many, as a text is better for it and nobody waits."""
        return BEAM if self.alphabet.is_words or can_stream(_speech_model(model)) else _WIDE_BEAM

    @cached_property
    def language(self) -> SpokenLanguage:
        """What the training texts say of their language."""
        return self.spoken_language()

    def spoken_language(self, further: Sequence[str] = (), lines: Sequence[str] = ()) -> SpokenLanguage:
        """What the training texts say of their language, with further words.

        Args:
            further: Words that may be said as well; none where the network writes whole words.
            lines: Further texts.
        """
        alphabet, texts = self.alphabet, [*self.texts, *self.further_texts, *lines]
        if alphabet.is_words:
            return SpokenLanguage.of_units([alphabet.indices(text).tolist() for text in texts], len(alphabet.units))
        return SpokenLanguage.fit(texts, alphabet.units, further)

    def calibrate(self, model: nn.Module, dataset: Dataset, earlier: Sequence[Trained]) -> None:
        """Chooses on the validation part how much the language model counts, and how sure words are."""
        held = _spoken(dataset.validation)
        heard, network, recurrent = self.listen(model, self.examples(held)), _speech_model(model), None
        if network.language is not None and self.speech.lm:
            network.language.keep(RecurrentLanguage.of_run(self.speech.lm, self.alphabet))
            recurrent = network.language.beside(self.alphabet)
        said = held.targets.tolist()
        complete = self.spoken_language([word for text in said for word in text.split()])
        loudness = [loudness_of(frames, self.stack) for frames in held.inputs.features]
        best = chosen(
            self.alphabet,
            self.language,
            complete,
            self.texts,
            heard.log_probs,
            said,
            recurrent,
            loudness,
            beam=self._beam(network),
        )
        network.decoding.copy_(torch.tensor(best.state()))

    def seconds_besides(self, model: nn.Module, dataset: Dataset) -> float:
        """What reading took, and twice what choosing on the validation part takes now: the test part is as long."""
        began, seconds = time.perf_counter(), dataset.seconds if isinstance(dataset, RecordedDataset) else 0.0
        self.calibrate(model, dataset, ())
        _speech_model(model).decoding.zero_()
        return seconds + 2 * (time.perf_counter() - began)

    def tables(self, model: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Mapping[str, pl.DataFrame]:
        """The worst recordings of the test part, to be heard and seen in the report."""
        test = _spoken(dataset.test)
        heard = self.listen(model, self.examples(test))
        return {"heard": heard_table(test, heard.log_probs, evaluation.answers, self.alphabet, self.stack)}

    def metrics(self, answers: pl.DataFrame) -> dict[str, float]:
        """Word and letter error rates, with and without the language model; see `metrics.metrics`."""
        return metrics(answers)

    def sample(self, answers: pl.DataFrame) -> Sample:
        """The share of wrong words of each recording."""
        return sample(answers)

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Spoken:
        """Reads a recording, several, a folder or a list of them."""
        return self._read(source, recipe, options, has_texts=False)

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Spoken:
        """Reads recordings with their texts."""
        return self._read(source, recipe, options, has_texts=True)

    def _read(self, source: Any, recipe: Recipe, options: Mapping[str, Any], *, has_texts: bool) -> Spoken:
        refuse_options(self.name, options, _PREDICTION)
        is_skipping = bool(options.get("skip_bad"))
        split = data.read(source, recipe, self.spec, has_texts=has_texts, is_skipping=is_skipping)
        return dataclasses.replace(split, asked=data.asked_of(options, self.speech.case))

    def exportable(self, model: nn.Module) -> Exportable:
        """Features in, the log-probabilities of letters out."""
        return exportable(_speech_model(model))

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """The text of each recording, with the time of each word and how sure it is."""
        import polars as pl

        spoken, network = _spoken(split), _speech_model(model)
        transcriber = self.transcriber(network, spoken.asked)
        if transcriber is None:
            raise UsageError("this network's language model has not been weighed; finish its training first")
        if can_stream(network):  # a file and a stream of it have the same text to the last letter
            heard = [StepStream(network).accept(frames, is_end=True) for frames in spoken.inputs.features]
        else:
            heard = self.listen(network, self.examples(spoken)).log_probs
        names = names_apart(spoken.inputs)
        each = zip(names, heard, spoken.inputs.features, strict=True)
        rows = [row_of(name, transcriber.words(one, frames)) for name, one, frames in each]
        return pl.DataFrame(rows, schema=_row_schema())

    def align(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """When each word of each recording's known text was said; none of a text that has too few steps."""
        import polars as pl

        spoken = _spoken(split)
        heard = self.listen(model, self.examples(spoken)).log_probs
        texts, seconds = spoken.targets.tolist(), HOP * self.stack
        words = [aligned_words(one, text, self.alphabet, seconds) for one, text in zip(heard, texts, strict=True)]
        names = names_apart(spoken.inputs)
        return pl.DataFrame(
            [row_of(name, each or []) for name, each in zip(names, words, strict=True)], schema=_row_schema()
        )

    def lines(self, predictions: pl.DataFrame) -> list[str]:
        """The text of one recording, or every recording's name and text."""
        return self.written(predictions, "text").splitlines()

    def written(self, predictions: pl.DataFrame, form: str) -> str:
        """Predictions as text, subtitles (srt, vtt), Praat's TextGrid or JSON."""
        return FORMATS[form](predictions.to_dicts())

    @property
    def reads_bytes(self) -> bool:
        """Its streams are of sound."""
        return True

    def byte_stream(self, model: nn.Module, recipe: Recipe, **options: Any) -> SpeechStream:
        """Writes down raw sound as it comes, with carried state."""
        refuse_options(self.name, options, _PREDICTION)
        network = _speech_model(model)
        transcriber = self.transcriber(network, data.asked_of(options, self.speech.case))
        if transcriber is None:
            raise UsageError("this network's language model has not been weighed; finish its training first")
        return SpeechStream(network, transcriber, self.spec, options.get("input_rate") or self.spec.rate)

    def live(self, model: nn.Module, given: Split | None, test: pl.DataFrame | None) -> Live:
        """A page in which recordings are played, and the letters are seen as the network hears them."""
        part = _spoken(hearable(given))
        said = self.predict(model, part)["words"].to_list()
        return live_speech(_speech_model(model), self.alphabet, part.inputs, said)

    def baselines(self, dataset: Dataset) -> Sequence[Baseline]:
        """Simple methods; see `gatework.tasks.transcribe.baselines`."""
        return baselines(dataset)

    def absent(self, dataset: Dataset) -> list[str]:
        """That the nearest recording is not looked for among too many."""
        return absent(dataset)

    @classmethod
    def sections(cls, answered: Answered) -> list[ReportSection]:
        """What a report shows of answers."""
        return report.sections(answered)


@dataclass(frozen=True)
class Heard:
    """What a network says of recordings.

    Attributes:
        log_probs: Of each, shape (steps, letters + 1).
        loss: The mean negative log-likelihood of a letter.
    """

    log_probs: list[np.ndarray]
    loss: float


def largest_stack(train: Spoken, alphabet: Alphabet, speed: float) -> int:
    """The most frames, up to 4, that can be one step so that no text has fewer steps than it needs.

    Args:
        train: The recordings to learn from.
        alphabet: Their letters.
        speed: By how much a recording may be faster in training.
    """
    needed = np.array([steps_needed(alphabet.indices(text)) for text in train.targets])
    frames = np.array([len(one) for one in train.inputs.features]) / (1 + speed)
    fitting = [stack for stack in range(2, _MOST_STACKED + 1) if (np.floor(frames / stack) >= needed).all()]
    return max(fitting, default=1)


def _spoken(split: Split) -> Spoken:
    if not isinstance(split, Spoken):
        raise DataError(f'recordings were expected, and these are of the kind "{split.inputs.kind}"')
    return split


def _spoken_batch(batch: Batch) -> SpokenBatch:
    if not isinstance(batch, SpokenBatch):
        raise DataError("a batch of recordings with their letters was expected")
    return batch


def _speech_model(model: nn.Module) -> SpeechModel:
    if not isinstance(model, SpeechModel):
        raise UsageError("a network that transcribes was expected")
    return model
