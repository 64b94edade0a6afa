"""A small sensor with a daily cycle, and payments whose fraud no row shows by itself."""

import datetime

import numpy as np
import polars as pl

SPIKE = 700
SETTINGS = {"time": "time", "hidden": 8, "epochs": 3, "context": 24, "threads": 1}


def sensor(rows=600, seed=0, variables=1, minutes=60):
    noise = np.random.default_rng(seed).normal(scale=0.05, size=(rows, variables))
    cycle = np.sin(2 * np.pi * np.arange(rows) * minutes / 1440)[:, None]
    start = datetime.datetime(2024, 1, 1)
    stamps = [start + datetime.timedelta(minutes=minutes * k) for k in range(rows)]
    names = ("value", "other", "third")[:variables]
    values = 20 + 5 * (cycle + noise)
    return pl.DataFrame({"time": stamps, **{name: values[:, k] for k, name in enumerate(names)}})


def spiked(rows=800, variables=1):
    """New rows of the sensor, with a spike at SPIKE in the last variable, and a column that says so."""
    frame = sensor(rows, seed=1, variables=variables)
    name = frame.columns[-1]
    values = frame[name].to_numpy().copy()
    values[SPIKE] += 30
    labels = np.zeros(rows, dtype=np.int64)
    labels[SPIKE - 2 : SPIKE + 3] = 1
    return frame.with_columns(pl.Series(name, values), pl.Series("anomaly", labels))


def resting(frame):
    """The same rows of a sensor that shows nothing below 23."""
    return frame.with_columns((pl.col("value") - 23).clip(0))


def payments(accounts=40, length=30, seed=0):
    """Payments by account; those that follow one of 1.0 are labelled, which no row shows by itself."""
    generator = np.random.default_rng(seed)
    rows = []
    for account in range(accounts):
        amounts = generator.choice([1.0, 2.0, 3.0, 4.0, 5.0], size=length)
        for k in range(length):
            fraud = k >= 1 and amounts[k - 1] == 1.0
            time = datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=3 * k, minutes=account)
            rows.append({"time": time, "account": f"a{account}", "amount": amounts[k], "fraud": int(fraud)})
    return pl.DataFrame(rows)
