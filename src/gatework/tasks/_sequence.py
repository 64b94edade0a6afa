"""What tasks share whose examples are single sequences, texts or series: the encoder, the network, the reading."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from gatework import data
from gatework._pair_vectors import add_second_words
from gatework.data.dataset import Split
from gatework.data.inputs import RaggedSeries, SeriesInputs
from gatework.data.pieces import PieceVocabulary
from gatework.data.recordings import Recordings
from gatework.data.series import Scale, SeriesEncoder
from gatework.data.sounds import SoundEncoder
from gatework.data.store.inputs import PackedInputs, PackedSplit
from gatework.data.text import UNKNOWN, TextEncoder, Texts
from gatework.errors import DataError, UsageError
from gatework.formatting import counted
from gatework.inference.sequence import SequenceNetwork, Sizes
from gatework.tasks._blend import NETWORK
from gatework.tasks._dense import DenseTask
from gatework.tasks._section import without_text_options
from gatework.tasks._sequence_inference import Finish, SequenceInference
from gatework.tasks._sequence_stream import Alone, Followable, SequenceStream, check_streams
from gatework.tasks._tally import MeasuredParts, Tally
from gatework.tasks._task import refuse_options

if TYPE_CHECKING:
    import polars as pl
    from torch import nn

    from gatework.data.dataset import Columns, Dataset, SequenceExamples
    from gatework.data.inputs import Inputs
    from gatework.data.own import Answer
    from gatework.data.reading import Reading
    from gatework.data.word_pairs import WordPairs
    from gatework.options import DataOptions, ModelOptions
    from gatework.recipe import Recipe
    from gatework.tasks._inference import Inference
    from gatework.tasks._stream import Stream

Encoder = TextEncoder | SeriesEncoder | SoundEncoder


class SequenceTask(DenseTask):
    """A task that maps each text or series to one vector of outputs, by `gatework.nn.model.SequenceModel`.

    Attributes:
        answer: Whether it predicts a "label", a class, or a "target", values.
        encoder: How inputs become batches.
        classes: The names of the classes, in the order of their indices; none for values.
        columns: The columns of a person's own table that it was fitted to, by role; empty for a registered data set.
        reading: How the texts of that table became values.
    """

    answer: ClassVar[Answer]
    encoder: Encoder
    classes: tuple[str, ...]
    columns: Columns
    reading: Reading

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of outputs of the network."""

    @property
    def output_scale(self) -> Scale | None:
        """What brings outputs into the targets' own unit; None where they have no unit."""
        return None

    @abstractmethod
    def encoded_targets(self, targets: np.ndarray) -> np.ndarray:
        """Targets as the loss takes them."""

    @abstractmethod
    def no_targets(self, count: int) -> np.ndarray:
        """What stands in the place of targets that are not known."""

    @property
    def told_by_content(self) -> bool:
        """A text, a series or a recording is."""
        return True

    @property
    def example_input(self) -> str:
        """A text, numbers, a table of series in columns, or a recording."""
        if isinstance(self.encoder, SoundEncoder):
            return "FILE.wav"
        if isinstance(self.encoder, SeriesEncoder):
            return "FILE.csv" if self.columns or len(self.encoder.scale.mean) > 1 else '"0.1, 0.2, ..."'
        return '"..."'

    @property
    def reads_parts(self) -> bool:
        """Whether every row of a table is an example of its own."""
        return True

    @property
    def extras(self) -> tuple[str, ...]:
        """That of recordings, where it hears such."""
        return ("speech",) if isinstance(self.encoder, SoundEncoder) else ()

    @property
    def takes(self) -> tuple[str, ...]:
        """Texts or series as such, or in the columns of a table."""
        if isinstance(self.encoder, SoundEncoder):
            return ()
        return ("series" if isinstance(self.encoder, SeriesEncoder) else "texts", "rows")

    def blank(self, count: int) -> Split:
        """As many examples of which nothing is known."""
        return Split(SeriesInputs.of(np.zeros((count, 0, 0), np.float32)), self.no_targets(count))

    @classmethod
    def load(cls, source: Any, recipe: Recipe) -> Dataset:
        """Reads and splits the data to learn from; see `gatework.data.load`."""
        return data.load(source, recipe.data, cls.answer)

    def read(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads texts or series without answers; see `gatework.data.load_inputs`."""
        refuse_options(self.name, options)
        if isinstance(self.encoder, SoundEncoder):
            raise UsageError(f'the task "{self.name}" has no way to read recordings')
        inputs, beside = data.load_inputs(source, recipe.data, self.columns, self.encoder.kind, self.reading)
        self._check_width(inputs)
        return Split(inputs, self.no_targets(len(inputs)), beside)

    def _check_width(self, inputs: Inputs) -> None:
        """Refuses series of other variables than it was fitted to.

        Raises:
            DataError: They are.
        """
        if isinstance(self.encoder, SeriesEncoder) and isinstance(inputs, (SeriesInputs, RaggedSeries)):
            values = inputs.values if isinstance(inputs, RaggedSeries) else inputs
            width, expected = values.shape[-1], len(self.encoder.scale.mean)
            if width != expected:
                raise DataError(
                    f"each step of the series has {counted(width, 'value')}, expected one for each of {expected} "
                    "variables" + ("; give them as a table, in the columns of training" if self.columns else "")
                )

    def read_known(self, source: Any, recipe: Recipe, **options: Any) -> Split:
        """Reads examples with known answers; see `gatework.data.load_split`."""
        refuse_options(self.name, options)
        return data.load_split(source, recipe.data, self.columns, self.classes, self.reading)

    @abstractmethod
    def tally(self) -> Tally:
        """A count of answers that come part by part."""

    def answered(self, model: nn.Module, split: Split) -> dict[str, pl.DataFrame]:
        """What the network says of examples, by the name of what answers."""
        return {NETWORK: self.answers(self.outputs(model, self.encode(split))[0], split)}

    def tested(self, split: Split) -> pl.DataFrame:
        """Examples with what is known of them, one row each."""
        return split.table()

    def measure_parts(self, model: nn.Module, splits: Iterable[Split], where: str) -> MeasuredParts:
        """How good a trained network is on examples that come part by part."""
        return MeasuredParts(self, model, splits, where)

    def about(self, dataset: Dataset) -> list[str]:
        """What was read: examples, steps, and of texts the vocabulary and what it misses."""
        lines, train, held = super().about(dataset), dataset.train.inputs, dataset.validation.inputs
        if isinstance(self.encoder, TextEncoder) and isinstance(train, Texts) and isinstance(held, Texts):
            median = int(np.median(train.tokens.lengths))
            lines.append(f"texts of {median:,} words (median), {_vocabulary_in_words(self.encoder, held)}")
        elif isinstance(train, RaggedSeries):
            lengths = train.lengths
            shortest, longest = int(lengths.min()), int(lengths.max())
            span = f"{shortest:,} to {longest:,} steps (median {np.median(lengths):,.0f})"
            steps = counted(longest, "step") if shortest == longest else span
            lines.append(f"series of {steps} and {counted(train.values.shape[1], 'variable')}")
        elif isinstance(train, PackedInputs):
            lines.append(train.about())
        elif isinstance(train, Recordings):
            spec, lengths = train.spec, train.seconds
            lines.append(
                f"recordings of {lengths.min():.2f} to {lengths.max():.2f} s ({lengths.sum() / 60:.1f} minutes), "
                f"{spec.rate:,} samples per second, {spec.bands} bands"
            )
        elif isinstance(train, np.ndarray):
            lines.append(f"series of {counted(train.shape[1], 'step')} and {counted(train.shape[2], 'variable')}")
        return lines

    def encode(self, split: Split) -> SequenceExamples:
        """Examples ready to be batched."""
        if isinstance(split, PackedSplit):
            return split.encoded(self.encoder, self.encoded_targets)
        return self.encoder.encode(split, self.encoded_targets(split.targets))

    @property
    def pairs(self) -> WordPairs | None:
        """The pairs of words that its network has vectors of; None where there are none."""
        return self.encoder.pairs if isinstance(self.encoder, TextEncoder) else None

    @property
    def seconds(self) -> np.ndarray | None:
        """The index of each pair's second word."""
        return None if self.pairs is None else self.pairs.seconds

    @property
    def sizes(self) -> Sizes:
        """What its network is given and gives."""
        encoder = self.encoder
        if isinstance(encoder, TextEncoder):
            return Sizes(len(encoder.vocabulary), None, self.width)
        return Sizes(None, encoder.width, self.width)

    def predict(self, model: nn.Module, split: Split) -> pl.DataFrame:
        """What is said of each example, behind the other columns of the table that it was read from."""
        return self.table_of(self.outputs(model, self.encode(split))[0], split)

    def table_of(self, outputs: np.ndarray, split: Split) -> pl.DataFrame:
        """Outputs as a person sees them, behind the other columns of the table that the examples were read from."""
        rows, beside = self.rows(outputs, split), split.beside
        if beside is None:
            return rows
        return beside.drop([name for name in beside.columns if name in rows.columns]).hstack(rows)

    @classmethod
    def recipe_in_use(cls, recipe: Mapping[str, Any], state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A recipe for a reader; that of series without the options of texts."""
        is_text = (state.get("encoder") or {}).get("kind", "text") == "text"
        return recipe if is_text else without_text_options(recipe)

    @abstractmethod
    def said(self, output: np.ndarray) -> dict[str, Any]:
        """What a person wants to see of one example's output, shape (outputs,): a row of `rows()` as values of JSON."""

    def inference(self, config: ModelOptions, weights: Mapping[str, np.ndarray]) -> Inference | None:
        """What answers without torch; None where this network needs it."""
        return self.inference_of(config, weights, lambda outputs, split: outputs(split), lambda outputs: outputs)

    def inference_of(
        self, config: ModelOptions, weights: Mapping[str, np.ndarray], finish: Finish, alone: Alone
    ) -> Inference | None:
        """As `inference()`, with what becomes of the outputs for whole examples, and for those under way."""
        if not SequenceNetwork.fits(config, self.sizes, weights):
            return None
        if self.pairs is not None:
            vectors = weights["embedding.weight"].copy()
            add_second_words(vectors, self.pairs.words, self.pairs.seconds)
            weights = {**weights, "embedding.weight": vectors}
        return SequenceInference(self, SequenceNetwork(config, self.sizes, weights), finish, alone)

    def alone(self, model: nn.Module) -> Alone:
        """What becomes of a network's outputs where nothing else answers with it; they stay as they are by default."""
        return lambda outputs: outputs

    def stream(self, model: nn.Module, recipe: Recipe) -> Stream:
        """Answers after every step of one sequence: a row of values for a series, words for a text."""
        if not isinstance(model, Followable):
            raise UsageError(f"a {type(model).__name__} cannot answer row by row; give the network of the run")
        check_streams(self, is_bidirectional=model.recurrent.bidirectional)
        return SequenceStream(self, model.eval().follow_arrays, self.alone(model))


def _vocabulary_in_words(encoder: TextEncoder, held: Texts) -> str:
    if isinstance(encoder.vocabulary, PieceVocabulary):
        return f"read as {encoder.vocabulary.tokens.name}"
    words, tokens = encoder.vocabulary.indices(held.tokens.types), held.tokens.flat()
    unknown = (words[tokens] == UNKNOWN).mean() if len(tokens) else 0.0
    pairs = f" and {len(encoder.vocabulary.pairs):,} pairs of words" if encoder.vocabulary.pairs else ""
    missing = f"{100 * unknown:.1f} % of the validation part's words are unknown"
    return f"a vocabulary of {len(encoder.vocabulary.words):,} words{pairs}; {missing}"


_ENCODERS: Mapping[str, Any] = {encoder.kind: encoder for encoder in (SeriesEncoder, TextEncoder, SoundEncoder)}


def fit_encoder(train: Split, config: DataOptions, *more: Inputs) -> Encoder:
    """Learns the vocabulary or the scale of the training part's inputs, and the words of more texts."""
    inputs = train.inputs
    if isinstance(inputs, PackedInputs):
        encoder: Encoder = inputs.fitted(config)
        return encoder
    if isinstance(inputs, (SeriesInputs, RaggedSeries)):
        return SeriesEncoder.fit(inputs, config, weights=train.weights)
    return _ENCODERS[inputs.kind].fit(inputs, config, *more)


def encoder_state(encoder: Encoder) -> dict[str, Any]:
    """The encoder as values that JSON can hold."""
    return {"kind": encoder.kind, **encoder.state()}


def encoder_from_state(state: Mapping[str, Any]) -> Encoder:
    """The encoder whose `encoder_state()` this is."""
    return _ENCODERS[state["kind"]].from_state(state)
