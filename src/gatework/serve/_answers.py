"""Responses: JSON that holds no number without end, and refusals with their status."""

from __future__ import annotations

import codecs
import json
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gatework._files import finite
from gatework.errors import DataError
from gatework.serve._refusal import as_json, refusal_of

_DEEPEST = "the body is nested too deeply; a flat JSON object was expected"


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer as JSON."""
    return Response(json_bytes(content), status, headers, media_type="application/json")


def json_bytes(content: Any) -> bytes:
    """Values as JSON; numbers that are none become null."""
    try:
        return msgspec.json.encode(content)
    except (TypeError, UnicodeEncodeError, ValueError):
        return json.dumps(finite(content), default=str).encode("ascii")


def decoded(body: bytes) -> Any:
    """JSON as values.

    Raises:
        DataError: It is none.
    """
    try:
        return msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
    except RecursionError:
        raise DataError(_DEEPEST) from None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"the body is no JSON ({error}); a JSON object was expected") from None


async def refuse(_: Request, error: Exception) -> Response:
    """The answer to an error: a sentence with its status."""
    refusal = refusal_of(error)
    if refusal is None:
        return json_response({"error": "this should not have happened; the server's log has the details"}, 500)
    return json_response(as_json(refusal), refusal.status, refusal.headers)
