"""Detectors trained once per session."""

import pytest

from gatework.training import train
from support.sensors import SETTINGS, payments, resting, sensor


@pytest.fixture(scope="session")
def forecast_run(tmp_path_factory):
    return train("detect", sensor(), out=tmp_path_factory.mktemp("detect") / "run", target="value", **SETTINGS)


@pytest.fixture(scope="session")
def pair_run(tmp_path_factory):
    frame = sensor(variables=2)
    out = tmp_path_factory.mktemp("detect") / "run"
    return train("detect", frame, out=out, target="value,other", threshold="pot", **SETTINGS)


@pytest.fixture(scope="session")
def related_run(tmp_path_factory):
    """Two columns that go together, watched by everything that the default has."""
    out = tmp_path_factory.mktemp("detect") / "run"
    return train("detect", sensor(variables=2), out=out, target="value,other", **SETTINGS)


@pytest.fixture(scope="session")
def resting_run(tmp_path_factory):
    """A column that is 0 but for some hours of the day."""
    out = tmp_path_factory.mktemp("detect") / "run"
    return train("detect", resting(sensor()), out=out, target="value", **SETTINGS)


@pytest.fixture(scope="session")
def restoring_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("detect") / "run"
    settings = SETTINGS | {"epochs": 20, "learning_rate": 1e-2, "scorer": "reconstruction", "threshold": "dynamic"}
    return train("detect", sensor(), out=out, target="value", **settings)


@pytest.fixture(scope="session")
def labelled_run(tmp_path_factory):
    return train(
        "detect",
        payments(),
        out=tmp_path_factory.mktemp("detect") / "run",
        time="time",
        series="account",
        target="amount",
        label="fraud",
        hidden=16,
        epochs=20,
        context=16,
        learning_rate=1e-2,
        threads=1,
    )
