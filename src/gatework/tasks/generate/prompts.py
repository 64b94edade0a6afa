"""What a text is to go on from, and how: prompts with the options of a prediction."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gatework.data.dataset import Split
from gatework.data.pieces import clean
from gatework.data.tables import is_path
from gatework.errors import DataError, UsageError, nearest
from gatework.options import as_list, options_of
from gatework.tasks._task import refuse_options
from gatework.tasks.generate.data import labelled, text_of_file
from gatework.tasks.generate.options import OPTIONS, GeneratePrediction
from gatework.tasks.generate.passages import Passages, passages_of
from gatework.tasks.generate.request import Request

_SHORT = 200


@dataclass(frozen=True)
class Prompts(Split):
    """Texts to go on from.

    Attributes:
        request: How they go on.
    """

    request: Request = field(default_factory=Request)

    def take(self, index: np.ndarray) -> Prompts:
        """The prompts at these positions, in this order."""
        return Prompts(self.inputs[index], self.targets[index], request=self.request)


def prompts(source: Any, does_end: bool, labels: Collection[str] = (), **options: Any) -> Prompts:
    """The prompts that a person gives.

    Args:
        source: A text, a list of texts, or None for a new text.
        does_end: Whether a text may end as a document does.
        labels: Those that documents of the training part begin with.
        options: Those of `GeneratePrediction`; None where one was not given.

    Raises:
        UsageError: An option is unknown or out of its range, or there are two prompts.
        DataError: The prompt is no text, or its file cannot be read.
    """
    refuse_options(OPTIONS.name, options, [o.name for o in options_of(GeneratePrediction)])
    given = {name: value for name, value in options.items() if value is not None}
    problems = [p for o in options_of(GeneratePrediction) if o.name in given and (p := o.problem(given[o.name]))]
    if problems:
        raise UsageError("; ".join(problems))
    if file := given.pop("prompt_file", None):
        if source is not None:
            raise UsageError("a prompt and --prompt-file were given; give one of them")
        source = text_of_file(Path(file))[0]
    if source is not None and not isinstance(source, (str, list, tuple, os.PathLike)):
        raise UsageError(f"a text to go on from was expected, not {type(source).__name__}")
    if isinstance(source, str) and is_path(source) and Path(source).is_file():
        raise UsageError(f"{source} is a file, and a prompt is a text; --prompt-file {source} goes on from its content")
    texts = list(source) if isinstance(source, (list, tuple)) else ["" if source is None else str(source)]
    label = given.pop("label", None)
    if label is not None:
        if not labels:
            raise UsageError("--label is for a network that was trained with --label COLUMN; leave it out")
        if label not in labels:
            raise UsageError(f'there was no label "{label}" in training: {nearest(label, labels)}')
        texts = [labelled(label, text) for text in texts]
    passages = Passages.whole([_plain(text) for text in texts])
    stop = tuple(filter(None, as_list(given.pop("stop", None))))
    return Prompts(passages, passages.documents, request=Request.of(given, stop, does_end))


def asked(split: Split) -> tuple[list[str], Request]:
    """The prompts of a split, and how their texts are to be written."""
    texts = list(passages_of(split).texts)
    return texts, split.request if isinstance(split, Prompts) else Request(length=_SHORT, seed=0)


def _plain(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        byte = ord(text[error.start]) & 0xFF
        raise DataError(f"the prompt has the byte 0x{byte:02x}, which is not valid UTF-8; convert it first") from None
    return clean(text)
