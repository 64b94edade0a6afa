"""Sequences under way between requests: each has a name and a carried state, and is forgotten when it idles."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from gatework.errors import DataError
from gatework.serve._limits import Limits
from gatework.serve._model import ServedModel
from gatework.serve._refusal import Refusal
from gatework.tasks._stream import Stream


@dataclass
class Session:
    """One sequence under way.

    Attributes:
        stream: What carries its state.
        used: When it was last gone on with, on the clock of `time.monotonic()`.
        rows: How many rows it has answered.
        under_way: How many requests for it are not answered yet.
        has_begun: Whether one of them has been answered.
        is_ending: Whether the last of them is under way: what comes after it belongs to the next one of its name.
    """

    stream: Stream
    used: float
    rows: int = 0
    under_way: int = 0
    has_begun: bool = False
    is_ending: bool = False


class Sessions:
    """Every sequence under way, the one that idles longest first.

    Args:
        limits: How many there may be, and how long one may idle.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_key: OrderedDict[Hashable, Session] = OrderedDict()

    def __len__(self) -> int:
        self._expire()
        return len(self._by_key)

    def start(self, model: ServedModel, key: Hashable) -> Session:
        """Begins a sequence, anew where there is one of that name.

        Raises:
            UsageError: The network needs the whole sequence.
            Refusal: There are too many.
        """
        self._by_key.pop(key, None)
        self.check_room()
        session = self._by_key[key] = Session(model.stream(), time.monotonic())
        return session

    def check_room(self) -> None:
        """Refuses one sequence more where there are too many.

        Raises:
            Refusal: There are.
        """
        if len(self) >= self._limits.sessions:
            raise Refusal(
                503,
                f"{self._limits.sessions:,} sessions are under way; end one, or wait until one has idled for "
                f"{self._limits.idle:g} s",
                {"Retry-After": "10"},
            )

    def go_on(self, key: Hashable, name: object) -> Session:
        """A sequence under way.

        Args:
            key: Its key.
            name: What the client calls it.

        Raises:
            DataError: There is none of that name.
        """
        self._expire()
        session = self._by_key.get(key)
        if session is None or session.is_ending:
            raise DataError(
                f'there is no session "{str(name)[:40]}", or it idled for more than {self._limits.idle:g} s; start it'
            )
        self._use(key, session)
        return session

    @contextlib.contextmanager
    def under_way(self, key: Hashable, session: Session, *, is_end: bool = False) -> Iterator[None]:
        """While a request for a sequence is under way: meanwhile it does not idle; it ends if it could not begin.

        Args:
            key: The key of the sequence.
            session: The sequence.
            is_end: Whether it ends with this request, unless that is refused.
        """
        session.under_way += 1
        session.is_ending |= is_end
        try:
            yield
            if is_end:
                self._end(key, session)
        finally:
            session.under_way -= 1
            session.is_ending &= not is_end
            self._use(key, session)
            if not session.has_begun and not session.under_way:
                self._end(key, session)

    def has(self, key: Hashable) -> bool:
        """Whether there is a sequence of that key."""
        self._expire()
        session = self._by_key.get(key)
        return session is not None and not session.is_ending

    def _end(self, key: Hashable, session: Session) -> None:
        """Forgets a sequence, unless another one of its name has begun since."""
        if self._by_key.get(key) is session:
            del self._by_key[key]

    def _use(self, key: Hashable, session: Session) -> None:
        session.used = time.monotonic()
        if self._by_key.get(key) is session:
            self._by_key.move_to_end(key)

    def _expire(self) -> None:
        oldest = time.monotonic() - self._limits.idle
        while self._by_key:
            key, session = next(iter(self._by_key.items()))
            if session.used >= oldest:
                return
            if session.under_way:
                self._use(key, session)
            else:
                del self._by_key[key]
