"""What the tests of the layers share: every drop-in, and both ways of computing it."""

from __future__ import annotations

import pytest

from drop_ins import DROP_INS, DropIn
from gatework.nn import _torch


@pytest.fixture(params=DROP_INS, ids=str)
def drop_in(request: pytest.FixtureRequest) -> DropIn:
    return request.param


@pytest.fixture(params=["chosen", "reference"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test on the path that a user gets, and on the reference."""
    if request.param == "reference":
        monkeypatch.setattr(_torch, "choose", lambda *_: "reference")
    return request.param
