"""What a server says in place of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatework.errors import DataError, GateworkError, UsageError

_INPUT = "standard input"


class Refusal(Exception):  # noqa: N818
    """A request that is not answered, with its status and one sentence.

    Args:
        status: The HTTP status.
        sentence: What was wrong, what was expected, and the way out.
        headers: Further headers, such as Retry-After.
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, dict(headers or {})


def refusal_of(error: Exception) -> Refusal | None:
    """What to say of an error; None for one that nobody expected."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, (DataError, UsageError)):
        # Rows of a stream have been called those of standard input, where the command line reads them.
        return Refusal(400, str(error).replace(_INPUT, "the stream"))
    return Refusal(500, str(error)) if isinstance(error, GateworkError) else None


def sentence_of(error: Exception) -> str:
    """What to say where an answer has begun and there is no status any more; never what only the server may know."""
    refusal = refusal_of(error)
    return refusal.sentence if refusal else "this should not have happened; the server's log has the details"


def as_json(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the Open Inference Protocol writes it."""
    return {"error": refusal.sentence}
