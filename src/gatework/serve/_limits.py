"""How much a server takes on before it says no."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one server accepts; beyond it a request is refused in a sentence.

    Attributes:
        body: Bytes of a request's body, and of one message or line of a stream.
        examples: Examples of one request.
        length: Characters of a text, steps of a series, rows of a table.
        batch: Examples of waiting requests that are computed at once.
        queue: Requests that wait to be computed.
        sessions: Sequences under way.
        idle: Seconds after which a session that nobody goes on with is forgotten.
        timeout: Seconds within which a request is answered or given up.
        state_age: Seconds after which a state that a client holds is refused.
    """

    body: int = 8 * 2**20
    examples: int = 1024
    length: int = 100_000
    batch: int = 32
    queue: int = 1024
    sessions: int = 10_000
    idle: float = 600.0
    timeout: float = 30.0
    state_age: float = 86_400.0
