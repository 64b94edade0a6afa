"""Runs that are served, and clients of them in this process."""

import numpy as np
import polars as pl
import pytest

pytest.importorskip("starlette", reason='starlette is not installed: pip install "gatework[serve]"')
pytest.importorskip("msgspec", reason='msgspec is not installed: pip install "gatework[serve]"')

from starlette.testclient import TestClient

import gatework
from gatework.serve import Limits
from gatework.serve._application import application_of, service_of
from support.networks import run as network_run


def hours(count: int) -> list[str]:
    start = np.datetime64("2024-03-01T00:00")
    return [str(start + np.timedelta64(k, "h")) + ":00" for k in range(count)]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A run of every kind of input: texts, series, a table that is forecast, and rows that are watched."""
    folder = tmp_path_factory.mktemp("served")
    table = pl.DataFrame({"time": hours(300), "units": np.sin(np.arange(300) / 24 * 2 * np.pi)})
    book = folder / "book.txt"
    book.write_text("The gate opens and the cell keeps what it has seen. " * 200)
    named = {"time": "time", "target": "units", "epochs": 1, "hidden": 4, "threads": 1}
    return {
        "texts": network_run(folder / "texts", bidirectional=False, padding="mask"),
        "both": network_run(folder / "both", bidirectional=True, pooling="concat", layers=2, padding="mask"),
        "series": network_run(folder / "series", kind="series", variables=2),
        "sales": gatework.train("forecast", table, out=folder / "sales", horizon=3, **named),
        "writer": gatework.train("generate", book, out=folder / "writer", epochs=1, hidden=8, embedding=4, threads=1),
        "sensor": gatework.train("detect", table, out=folder / "sensor", **named),
    }


@pytest.fixture(scope="session")
def service(runs):
    return service_of(runs, Limits(body=20_000, examples=50, length=400, sessions=20))


@pytest.fixture
def client(service):
    """A client on this machine; an error that nobody expected is raised in the test."""
    with TestClient(application_of(service), base_url="http://localhost") as client:
        yield client
