"""The sections of a recipe that tasks share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gatework.options._names import Names
from gatework.options._option import Among, Between, Near, OptionSection, option, options_of

Padding = Literal["mask", "pre"]
Init = Literal["torch", "keras"]
Pooling = Literal["last", "mean", "max", "concat", "attention"]
Schedule = Literal["constant", "cosine", "linear"]
Precision = Literal["auto", "float32", "bfloat16"]
Device = Literal["cpu", "cuda"]
Missing = Literal["previous", "zero", "error"]
Duplicates = Literal["error", "mean", "sum", "first", "last"]

_LARGEST_SEED = 2**63 - 1
_MOST = 1_000_000


@dataclass(frozen=True)
class DataOptions(OptionSection):
    """What is learnt from."""

    section = "data"
    title = "Data"

    dataset: str = option("", help="A registered data set, or the path of a table or folder.")
    text: str | None = option(None, help="The column that holds the text.", metavar="COLUMN")
    label: str | None = option(
        None, help="The column that holds the class; for a detector, the one that marks anomalies.", metavar="COLUMN"
    )
    target: Names = option(
        None, help="The column that holds the value to predict; several where a task takes several.", metavar="COLUMN"
    )
    separator: str | None = option(
        None,
        help='What stands between the fields of a delimited file, such as ";"; inferred if absent.',
        metavar="MARK",
    )
    decimal: str | None = option(
        None, help='What stands before the decimals of a number, "." or ","; inferred if absent.', metavar="MARK"
    )
    encoding: str | None = option(
        None, help="The encoding of a text file, such as cp1252; UTF-8, or inferred, if absent.", metavar="NAME"
    )
    validation: float = option(
        0.2, low=0, high=0.9, is_low_open=True, help="Share of the training examples held back for validation."
    )
    test: float = option(
        0.2, low=0, high=0.9, is_low_open=True, help="Share held back for testing where there is no test part."
    )
    test_file: str | None = option(
        None,
        help="A table or folder with the examples to test on: all of the data are then trained and validated on.",
        metavar="FILE",
        is_path=True,
    )
    store: str | None = option(
        None,
        help="The folder of a store, which is made if it is not there: the training part is packed into it once and "
        "read from there batch by batch, however large it is. Tables of more than 1 GB have one by themselves.",
        metavar="DIR",
        is_path=True,
    )
    vocabulary: int = option(
        10_000, low=1, high=10_000_000, help='The most frequent words that are kept; every other is "unknown".'
    )
    pairs: int = option(
        0,
        low=0,
        high=10_000_000,
        help='Pairs of neighbouring words, such as "not good", that are read with a vector of their own beside that of '
        "their second word: so many of those that most texts have; 0: none.",
    )
    max_tokens: int = option(200, low=0, high=_MOST, help="Only the last so many tokens of a text are read; 0: all.")
    padding: Padding = option(
        "mask",
        help="mask runs each sequence for its own length; pre puts padding tokens in front and runs over them.",
    )
    scale: bool = option(False, help="Standardise series with the training part's mean and standard deviation.")
    split_seed: int = option(0, low=0, high=_LARGEST_SEED, help="The seed of the split.")
    published: str = option(
        "", help="What was published of the same experiment, said beside a comparison's results.", metavar="TEXT"
    )


@dataclass(frozen=True)
class TimeOptions(OptionSection):
    """What the columns of a table with a time column are; those to predict or watch are the target of the data."""

    section = "time"
    title = "Columns of a table with a time column"

    time: str | None = option(None, help="The column that holds the time.", metavar="COLUMN")
    series: Names = option(
        None, help="The columns that tell series apart; without any, the table is one series.", metavar="COLUMN"
    )
    known: Names = option(
        None, help="Columns that are known ahead, such as a promotion or a holiday.", metavar="COLUMN"
    )
    past: Names = option(None, help="Columns that are known only up to now, such as a temperature.", metavar="COLUMN")
    static: Names = option(None, help="Columns that never change within a series, such as a region.", metavar="COLUMN")
    frequency: str | None = option(None, help="The step, such as D, 15min or M; inferred if absent.")
    missing: Missing = option(
        "previous",
        help="What stands for a missing step or value. Steps filled with the previous value are inputs only, never "
        "learnt as a target and never scored; zero is a true value, as where no row means no sale.",
    )
    duplicates: Duplicates = option("error", help="What stands for rows of one series at the same time that differ.")
    time_format: str | None = option(
        None, help='The format of the time column, such as "%d/%m/%Y"; inferred if absent.', metavar="FORMAT"
    )
    time_zone: str | None = option(
        None, help="The zone of times that name none, such as Europe/Berlin.", metavar="ZONE"
    )


@dataclass(frozen=True)
class RecordingOptions(OptionSection):
    """How recordings are read, and what is done to them while a network learns."""

    audio: str | None = option(
        None, help="The column that holds the recordings' paths; audio, path or the like if absent.", metavar="COLUMN"
    )
    speaker: str | None = option(
        None, help="The column that says who speaks; speaker or the like if absent.", metavar="COLUMN"
    )
    sample_rate: int = option(
        0, low=0, high=768_000, help="Samples per second that sound is brought to. 0: the lowest, and at most 16000."
    )
    bands: int = option(0, low=0, high=256, help="Mel bands. 0: 40 for narrow sound, as a telephone's, 80 for wide.")
    speed: float = option(
        0.1, low=0, high=0.5, help="In training a recording is faster or slower by up to this share, pitch included."
    )
    gain: float = option(6.0, low=0, high=60, help="In training a recording is louder or softer by up to so many dB.")
    noise: float = option(
        0.3,
        low=0,
        high=1,
        help="Share of recordings that a hiss of 5 to 35 dB below them is added to in training; above 0 one recording "
        "of silence, hiss, hum or notes joins each batch, so that nothing is learnt to be heard in it.",
    )
    masking: float = option(
        0.15, low=0, high=0.9, help="Share of bands, and of steps, that are blanked out in training (SpecAugment)."
    )
    skip_bad: bool = option(False, help="Leave out recordings that cannot be read, and say how many.")


@dataclass(frozen=True)
class RecordingAnswerOptions(OptionSection):
    """What is asked of any network that hears recordings."""

    skip_bad: bool | None = option(None, help="Leave out recordings that cannot be read, and say how many.")
    input_rate: int | None = option(
        None,
        low=2_000,
        high=768_000,
        help="Samples per second of a --stream; the run's own if absent.",
        commands=("predict",),
    )


@dataclass(frozen=True)
class AnswerOptions(OptionSection):
    """What a run answers once its network is trained, of tasks whose simple methods can answer beside it."""

    section = "answer"
    title = "Answer"

    blend: bool = option(
        True,
        help="A run answers what does best on the validation part: the network, a simple method, or their weighted "
        "mean; the network's own figures stand beside it. Else it answers with the network alone.",
    )


READING = tuple(
    o
    for o in (*options_of(DataOptions), *options_of(TimeOptions))
    if o.name in ("separator", "decimal", "encoding", "time_format", "time_zone")
)
"""The options of how a table is read, which a prediction and an evaluation take as well."""

_AROUND = "Around the cell, at every step"


@dataclass(frozen=True)
class ModelOptions(OptionSection):
    """The network."""

    section = "model"
    title = "Model"

    cell: str = option("lstm", help="A registered cell, or one of your own as FILE.py:NAME.")
    hidden: int = option(128, low=1, high=65_536, help="Units per layer and direction.", tried=Near(4))
    layers: int = option(1, low=1, high=64, help="Stacked layers.", tried=Between(1, 2))
    bidirectional: bool = option(False, help="Every layer also reads the sequence backwards.")
    embedding: int = option(128, low=1, high=65_536, help="Size of a word's vector.", tried=Near(4))
    dropout: float = option(
        0.0,
        low=0,
        high=0.99,
        help="Share of units dropped between layers and before the output.",
        tried=Between(0.0, 0.6),
    )
    embedding_dropout: float = option(
        0.0, low=0, high=0.99, help="Share of words whose vectors are dropped.", tried=Between(0.0, 0.5)
    )
    pooling: Pooling = option(
        "last",
        help="What the output sees of the states: the last one, their mean or max over time, concat of all three, or a "
        "learnt attention average.",
        tried=Among(get_args(Pooling)),
    )
    forget_bias: float = option(
        1.0, help="The forget gate's bias at the start; a negative one forgets. Cells without one ignore it."
    )
    orthogonal: bool = option(True, help="Each gate's recurrent matrix starts orthogonal.")
    init: Init = option(
        "torch",
        help="How weights start otherwise: uniform, as torch's, or as in Keras: Glorot's uniform input kernels, a "
        "recurrent kernel orthogonal over all gates together, biases of 0 but the forget gate's.",
    )
    recurrent_dropout: float = option(
        0.0,
        low=0,
        high=0.99,
        group=_AROUND,
        help="Share of units of h that the recurrent product does not see, the same at all steps.",
    )
    zoneout: float | dict[str, float] = option(
        0.0,
        low=0,
        high=0.99,
        group=_AROUND,
        metavar="SHARE",
        help="Share of units that keep their previous state at a step, as 0.1, or by state, as c=0.5,h=0.05 (in a "
        "recipe {c = 0.5, h = 0.05}).",
    )
    weight_drop: float = option(
        0.0,
        low=0,
        high=0.99,
        group=_AROUND,
        help="Share of the recurrent matrix that is zero throughout a training step.",
    )
    cell_clip: float = option(
        0.0, low=0, high=_MOST, group=_AROUND, help="Keep the cell state c within this distance of 0; 0 does not clip."
    )
    layer_norm: bool = option(
        False, group=_AROUND, help="Normalise W x, U h and the cell state inside the output's tanh."
    )

    @property
    def cell_name(self) -> str:
        """What the cell is called: of `FILE.py:NAME` the name."""
        return self.cell.rpartition(":")[2]


AROUND = tuple(o.name for o in options_of(ModelOptions) if o.title == _AROUND)
"""The fields of ModelOptions that act around the cell, as `gatework.nn.ScanOptions` explains them."""


@dataclass(frozen=True)
class TrainingOptions(OptionSection):
    """How a network is trained."""

    section = "training"
    title = "Training"

    epochs: int = option(10, low=1, high=_MOST, help="Passes over the training examples.")
    minutes: float = option(
        0.0,
        low=0,
        high=100_000,
        help="Training ends after so many minutes, and its schedule with it; 0: after its epochs.",
    )
    batch_size: int = option(32, low=1, high=_MOST, help="Examples per step.", tried=Near(4))
    learning_rate: float = option(
        1e-3,
        low=0,
        high=1000,
        is_low_open=True,
        help="Adam's learning rate, at its highest.",
        tried=Near(10),
    )
    epsilon: float = option(1e-8, low=0, high=1, is_low_open=True, help="What Adam adds to the root it divides by.")
    weight_decay: float = option(0.0, low=0, high=1000, help="Decoupled weight decay (AdamW) where above 0.")
    schedule: Schedule = option("constant", help="The learning rate stays, or falls to zero over all steps.")
    warmup: float = option(0.0, low=0, high=1, help="Share of the steps over which the learning rate rises from zero.")
    clip: float = option(1.0, low=0, help="Clip the gradient's norm to this; 0 does not clip.")
    patience: int = option(
        0, low=0, high=_MOST, help="Stop after so many epochs without a better validation metric; 0 never stops early."
    )
    best_weights: bool = option(True, help="Keep the weights of the best validation epoch, not the last ones.")
    averaging: float = option(
        0.0,
        low=0,
        high=1,
        help="The weights that answer are averaged over the steps, of whose average each step keeps this share, such "
        "as 0.999; 0: the last ones answer.",
    )
    bucket: bool = option(True, help="Batches hold sequences of similar length.")
    precision: Precision = option(
        "float32",
        help="Of the recurrent layers' products in training; auto is bfloat16 where the processor is faster in it.",
    )
    shards: int = option(
        0,
        low=0,
        high=1024,
        help="Parts of a batch, a power of two, whose gradients are added up in one fixed order, so that 1, 2, 4 ... "
        "processes give the same weights. 0: a batch is one, or under torchrun 4 or as many as there are processes.",
    )
    average_every: int = option(
        0,
        low=0,
        high=_MOST,
        help="Under torchrun each process takes steps by its own shards, and all average their weights after so many, "
        "as a slow link between machines needs; the result then depends on how many there are. 0: gradients are added "
        "up at each step.",
        metavar="STEPS",
    )
    device: Device = option(
        "cpu",
        help="Where training steps are computed: on the processor, or by cuda on a GPU. What is judged after an epoch "
        "and all that is predicted is computed on the processor.",
    )
    seed: int = option(0, low=0, high=_LARGEST_SEED, help="Seeds weights, data order and dropout.")
    checkpoint_seconds: float = option(
        60.0, low=0, help="The longest time between two checkpoints within an epoch.", metavar="SECONDS"
    )
