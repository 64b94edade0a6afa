"""What the tests of the layers share: every drop-in, and both ways of computing it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.drop_ins import DROP_INS, DropIn, take_the_reference


@pytest.fixture(params=DROP_INS, ids=str)
def drop_in(request: pytest.FixtureRequest) -> DropIn:
    return request.param


@pytest.fixture(params=["chosen", "reference"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test on the path that a user gets, and on the reference."""
    if request.param == "reference":
        take_the_reference(monkeypatch)
    return request.param


@pytest.fixture(params=["chosen", "reference"], scope="module")
def path_of_every_example(request: pytest.FixtureRequest) -> Iterator[None]:
    """As `path`, for tests whose examples a generator makes: it must not change between them."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        if request.param == "reference":
            take_the_reference(monkeypatch)
        yield
