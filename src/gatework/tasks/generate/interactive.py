"""A text written by a person and a network in turns: choices of the next token, steps back, temperature on the fly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gatework.data.pieces import BOUNDARY
from gatework.tasks.generate.writing import prompt_tokens, seed_of

if TYPE_CHECKING:
    from gatework.data.pieces import Tokens
    from gatework.decoding import Writing
    from gatework.decoding.loop import WritingLoop
    from gatework.tasks.generate.request import Request

_CHOICES = 9
_AT_ONCE = 40
_HELP = (
    '1-9 takes a choice, Enter writes on, +100 writes 100 tokens, "text adds a text of yours, u goes back, '
    "t 0.7 sets the temperature, q ends"
)


class Turns:
    """A text under way.

    Args:
        writer: Writes.
        tokens: What texts are read as.
        prompt: The beginning of the text.
        request: How tokens are drawn.
    """

    def __init__(self, writer: WritingLoop, tokens: Tokens, prompt: str, request: Request) -> None:
        self._tokens, self._writer = tokens, writer
        banned = () if request.does_end else (BOUNDARY,)
        self._sampling = replace(request.sampling, banned=banned)
        start = self._writer.start([prompt_tokens(tokens, prompt)], seed=seed_of(request))
        self._past: list[tuple[Writing, bytes]] = [(start, prompt.encode())]

    @property
    def text(self) -> str:
        """The text so far."""
        return self._past[-1][1].decode(errors="replace")

    def choices(self) -> list[tuple[int, float]]:
        """The likeliest next tokens, each with its probability."""
        chances = self._writer.next_distribution(self._past[-1][0], replace(self._sampling, temperature=1.0))[0]
        best = np.argsort(-chances, kind="stable")[:_CHOICES]
        return [(int(token), float(chances[token])) for token in best if chances[token] > 0]

    def obey(self, line: str) -> str:
        """Does what a line asks for.

        Returns:
            What is to be said of it, where it could not be done; else nothing.
        """
        line = line.rstrip("\r\n")
        command = line.strip()
        if line.startswith('"'):
            self._add(self._tokens.encode([line[1:]])[0])
        elif command == "u":
            if len(self._past) == 1:
                return "there is nothing to go back to"
            self._past.pop()
        elif command.startswith("t "):
            return self._set_temperature(command[2:])
        elif not command or (command.startswith("+") and command[1:].isdecimal()):
            self._write(min(int(command[1:] or _AT_ONCE) if command else _AT_ONCE, 100_000))
        elif command.isdecimal() and 1 <= int(command) <= len(choices := self.choices()):
            self._add(np.array([choices[int(command) - 1][0]]))
        else:
            return _HELP
        return ""

    def screen(self) -> str:
        """The end of the text, and the choices."""
        chosen = (f"{k} {_visible(self._tokens.pieces[t])} {p:.0%}" for k, (t, p) in enumerate(self.choices(), start=1))
        return f"\n{self.text[-600:]}\n\n  {'   '.join(chosen)}\n> "

    def _set_temperature(self, text: str) -> str:
        try:
            temperature = float(text)
        except ValueError:
            temperature = -1.0
        if not 0 <= temperature <= 100:
            return f'the temperature is "{text}", expected a number from 0 to 100'
        self._sampling = replace(self._sampling, temperature=temperature)
        return ""

    def _add(self, tokens: np.ndarray) -> None:
        writing, text = self._past[-1]
        self._past.append((self._writer.read(writing, tokens[None]), text + self._bytes(tokens)))

    def _write(self, count: int) -> None:
        writing, text = self._past[-1]
        tokens, after = self._writer.write(writing, count, self._sampling)
        self._past.append((after, text + self._bytes(tokens[0])))

    def _bytes(self, tokens: np.ndarray) -> bytes:
        return b"".join(self._tokens.pieces[token] for token in tokens.tolist())


def played(session: Turns, lines: Iterable[str]) -> Iterator[str]:
    """What a terminal shows, as a person's lines come."""
    yield f"{_HELP}\n"
    yield session.screen()
    for line in lines:
        if line.strip() == "q":
            break
        said = session.obey(line)
        yield f"{said}\n> " if said else session.screen()
    yield f"\n{session.text}\n"


def _visible(piece: bytes) -> str:
    text = piece.decode(errors="replace")
    return {"": "(end)", "\n": "⏎", " ": "␣"}.get(text, text.replace("\n", "⏎").replace(" ", "␣"))
