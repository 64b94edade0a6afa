"""States that clients hold: a sequence goes on from a signed text, in any process that has the key.

A token is base64url of one byte for its version, a message, and the HMAC-SHA256 of both. It is signed, not secret: in
it are the numbers that the network carries, what they belong to, and when they were given.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from gatework.errors import DataError, UsageError
from gatework.serve._keys import read_key_lines

_VERSION = b"\x01"
_SIGNATURE = 32
_MOST = 1 << 18
"""The most bytes of a token."""
_SHORTEST = 32
_EARLY = 60.0
"""Seconds by which the clock of another process may be ahead."""


class _Message(msgspec.Struct, array_like=True):
    """What a token says.

    Attributes:
        model: The name by which the model was asked.
        weights: The digest of its weights.
        owner: Whose sequence it is, -1 where nobody needs a key.
        given: When it was given, in seconds since 1970.
        rows: How many rows the sequence has so far.
        arrays: The shape and the float32 numbers of each array that is carried.
    """

    model: str
    weights: bytes
    owner: int
    given: float
    rows: int
    arrays: list[tuple[list[int], bytes]]


class Belonging(msgspec.Struct, frozen=True):
    """What a state belongs to; only where all of it is the same does a sequence go on.

    Attributes:
        model: The name of the model.
        weights: The digest of its weights.
        owner: Whose sequence it is, -1 where nobody needs a key.
    """

    model: str
    weights: bytes
    owner: int


class State(msgspec.Struct, frozen=True):
    """A sequence between two requests.

    Attributes:
        arrays: What is carried, float32.
        rows: How many rows it has so far.
    """

    arrays: Sequence[np.ndarray]
    rows: int


def read_signing_keys(file: Path) -> tuple[bytes, ...]:
    """The keys of a file, one a line: the first signs, each is believed; lines that begin with # are not read.

    Raises:
        UsageError: There is no such file, no key in it, or one that is short enough to be guessed.
    """
    way_out = "; python -c 'import secrets; print(secrets.token_hex(32))' makes one"
    return tuple(key.encode() for key in read_key_lines(file, _SHORTEST, way_out))


class StateTokens:
    """Makes tokens, and reads those that were made with the same key.

    Args:
        keys: The first signs, each is believed; one that nobody else has if there is none.
        age: Seconds after which a token is refused.
    """

    def __init__(self, keys: Sequence[bytes], age: float) -> None:
        self._keys, self._age = tuple(keys) or (secrets.token_bytes(_SIGNATURE),), age

    def seal(self, state: State, belonging: Belonging) -> str:
        """A state as a token.

        Raises:
            UsageError: It would be too long.
        """
        arrays = [(list(array.shape), array.tobytes()) for array in state.arrays]
        message = _Message(belonging.model, belonging.weights, belonging.owner, time.time(), state.rows, arrays)
        signed = _VERSION + msgspec.msgpack.encode(message)
        token = base64.urlsafe_b64encode(signed + _signature(self._keys[0], signed)).decode()
        if len(token) > _MOST:
            raise UsageError(
                f'the state of "{belonging.model}" has {len(token):,} characters as a token, expected at most '
                f"{_MOST:,}; go on by a session"
            )
        return token

    def open(self, token: object, belonging: Belonging) -> State:
        """The state of a token.

        Raises:
            DataError: It was not made with one of the keys, or belongs to something else, or is too old.
        """
        signed = self._believed(token)
        try:
            message = msgspec.msgpack.decode(signed[1:], type=_Message)
            arrays = [np.frombuffer(numbers, np.float32).reshape(shape).copy() for shape, numbers in message.arrays]
        except (msgspec.DecodeError, ValueError) as error:
            raise DataError(f'"state" is damaged ({error}); begin the sequence anew') from None
        if Belonging(message.model, message.weights, message.owner) != belonging:
            raise DataError(
                f'"state" belongs to another model, another training of it or another key than "{belonging.model}" as '
                "it is asked here; begin the sequence anew"
            )
        age = time.time() - message.given
        if age > self._age:
            raise DataError(f'"state" was given more than {self._age:g} s ago; begin the sequence anew')
        if age < -_EARLY:
            raise DataError(
                f'"state" was given {-age:.0f} s ahead of the clock here; set the clocks of all servers alike'
            )
        return State(arrays, message.rows)

    def _believed(self, token: object) -> bytes:
        """What is signed in a token, version first.

        Raises:
            DataError: It is none, or signed by nobody known.
        """
        if not isinstance(token, str) or not token.isascii() or len(token) > _MOST:
            raise DataError(f'"state" is the text that an answer gave, of at most {_MOST:,} characters')
        try:
            content = base64.b64decode(token, altchars=b"-_", validate=True)
        except binascii.Error:
            raise DataError('"state" is damaged; give it as an answer gave it') from None
        if not content.startswith(_VERSION) or len(content) <= _SIGNATURE:
            raise DataError('"state" is of another version of this server; begin the sequence anew')
        signed, signature = content[:-_SIGNATURE], content[-_SIGNATURE:]
        # Every key is tried, each in the same time.
        is_signed = [hmac.compare_digest(_signature(key, signed), signature) for key in self._keys]
        if not any(is_signed):
            raise DataError('"state" was not signed with a key of this server; begin the sequence anew')
        return signed


def _signature(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()
