"""A recurrent language model of a person's own beside what the recordings' texts say of their language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gatework import cells
from gatework._stored import Stored
from gatework.data.pieces import BOUNDARY, CharacterTokens
from gatework.decoding import LetterModel, Writer
from gatework.errors import UsageError
from gatework.nn.model import layers
from gatework.options import ModelOptions
from gatework.tasks._language_run import LanguageRun
from gatework.tasks.transcribe.letters import Alphabet

_LINE = "\n"
# Letters that a language model may be without, as a share of all: those that its texts have but once.
_MOST_UNKNOWN = 0.1


@dataclass(frozen=True)
class LanguageSize(Stored):
    """What a run keeps of a language model beside its weights.

    Attributes:
        network: The cell, its size and its options.
        characters: What it reads a text as; see `CharacterTokens`.
    """

    network: ModelOptions
    characters: str

    @property
    def tokens(self) -> CharacterTokens:
        """What it reads a text as."""
        return CharacterTokens(self.characters)

    def modules(self) -> nn.ModuleDict:
        """Its layers with fresh weights."""
        width = self.network.embedding
        embedding, projection = nn.Embedding(len(self.tokens), width), nn.Linear(self.network.hidden, width)
        recurrent = layers(self.network, width)
        return nn.ModuleDict({"embedding": embedding, "recurrent": recurrent, "projection": projection})

    def shapes(self) -> dict[str, torch.Size]:
        """The shapes of its weights by name."""
        shapes = {name: weight.shape for name, weight in self.modules().state_dict().items()}
        return shapes | {"bias": torch.Size([len(self.tokens)])}


class RecurrentLanguage:
    """A language model of letters with its weights.

    Args:
        size: What it is.
        weights: Its weights, by the names that its training gives them.
    """

    def __init__(self, size: LanguageSize, weights: Mapping[str, Tensor]) -> None:
        self.size, self.weights = size, dict(weights)

    @classmethod
    def of_run(cls, path: str, alphabet: Alphabet) -> RecurrentLanguage:
        """The one that a training left.

        Args:
            path: Its folder, as `--lm` names it.
            alphabet: What a transcript is written in.

        Raises:
            UsageError: It is no finished language model, or cannot read what a transcript is written in.
        """
        run = LanguageRun(path, "--lm")
        if not isinstance(run.tokens, CharacterTokens):
            raise UsageError(
                f"{run.named} reads pieces of words, and a transcript is written letter by letter; give a model that "
                "was trained with --level char"
            )
        if alphabet.is_words:
            raise UsageError(
                f"{run.named} reads letters, and this network writes whole words; train it with --units letters"
            )
        unknown = [unit for unit in alphabet.units if unit not in run.tokens.characters]
        if " " in unknown or len(unknown) > _MOST_UNKNOWN * len(alphabet.units):
            raise UsageError(
                f'{run.named} does not know the letters "{"".join(unknown)}", which this network writes; train it on '
                "texts that have each of them twice or more, in lower case unless --case keep"
            )
        if cells.kept(run.recipe.model.cell) is not None:
            raise UsageError(f"{run.named} has a cell of your own, and one of gatework's was expected")
        size = LanguageSize(run.recipe.model, run.tokens.characters)
        shapes = size.shapes()
        if shapes != {name: weight.shape for name, weight in run.weights.items()}:
            raise UsageError(f"{run.named}: its weights have other shapes than its recipe says; restore or train anew")
        return cls(size, run.weights)

    def beside(self, alphabet: Alphabet) -> LetterModel:
        """The model as a search over letters takes it; a text begins and ends where a document or a line does.

        Args:
            alphabet: The letters.
        """
        modules, tokens = self.size.modules(), self.size.tokens
        modules.load_state_dict({name: weight for name, weight in self.weights.items() if name != "bias"})
        recurrent: Any = modules["recurrent"]
        embedding: Any = modules["embedding"]
        projection: Any = modules["projection"]
        writer = Writer(recurrent, embedding.weight, projection=projection, output_bias=self.weights["bias"])
        # One that it does not know is read as the first byte of its UTF-8 form.
        letters = [int(one[0]) for one in tokens.encode(alphabet.units)]
        line = [int(tokens.encode([_LINE])[0][0])] if _LINE in tokens.characters else []
        return LetterModel(writer, letters, ends=[BOUNDARY, *line], begin=[BOUNDARY, *line])


class KeptLanguage(nn.Module):
    """The weights of a language model that a network keeps beside its own; nothing learns here.

    Args:
        size: What it is.
    """

    def __init__(self, size: LanguageSize) -> None:
        super().__init__()
        self.size, shapes = size, size.shapes()
        self.names = tuple(shapes)
        self._model: LetterModel | None = None
        for name, shape in shapes.items():
            self.register_buffer(_kept_as(name), torch.zeros(shape))

    def keep(self, language: RecurrentLanguage) -> None:
        """Takes the weights of a language model of this size."""
        self._model = None
        for name, weight in language.weights.items():
            self.get_buffer(_kept_as(name)).copy_(weight)

    def language(self) -> RecurrentLanguage:
        """The language model."""
        weights = {name: self.get_buffer(_kept_as(name)).cpu() for name in self.names}
        return RecurrentLanguage(self.size, weights)

    def beside(self, alphabet: Alphabet) -> LetterModel:
        """It as a search takes it, made once; the letters are those of the network that it is kept beside."""
        if self._model is None:
            self._model = self.language().beside(alphabet)
        return self._model


def _kept_as(name: str) -> str:
    # A buffer's name has no dots.
    return name.replace(".", "/")
