"""Cells that a test defines are gone when it ends."""

from collections.abc import Iterator

import pytest

from gatework import cells


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    before = dict(cells.REGISTRY)
    yield
    cells.REGISTRY.clear()
    cells.REGISTRY.update(before)
