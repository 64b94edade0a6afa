"""Telemetry in the layout of telemanom's data: arrays of channels, and a table of what in them is anomalous.

K. Hundman et al., "Detecting spacecraft anomalies using LSTMs and nonparametric dynamic thresholding", 2018:
`train/CHANNEL.npy` and `test/CHANNEL.npy` of shape (rows, columns), whose first column is the telemetry and the others
the commands of that time; `labeled_anomalies.csv` with the columns `chan_id`, `spacecraft` and `anomaly_sequences`, a
list of first and last rows of the test part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gatework.data.events import EventRows
from gatework.errors import DataError

# The rows bear no time of their own: a day lies between two, so that no time of day is learnt.
STEP = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Channel:
    """One channel.

    Attributes:
        name: As in the table.
        spacecraft: What it flies on.
        train: The telemetry that is learnt from, shape (rows,).
        test: What is judged, shape (rows,).
        labels: 1 within labelled spans of the test part, else 0, shape (rows,).
    """

    name: str
    spacecraft: str
    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray

    def rows(self) -> EventRows:
        """Both parts as one series; nothing in the part that is learnt from is labelled."""
        values = np.concatenate([self.train, self.test])
        labels = np.concatenate([np.zeros(len(self.train)), self.labels])
        places = np.arange(len(values))
        return EventRows((), places, STEP * places, values[:, None], labels)


def channels(folder: Path) -> Iterator[Channel]:
    """The channels of a folder in the order of its table; one that stands there twice has the spans of both lines.

    Raises:
        DataError: A file is missing or cannot be used.
    """
    import polars as pl

    table = folder / "labeled_anomalies.csv"
    if not table.is_file():
        raise DataError(f"{folder} holds no labeled_anomalies.csv, which says what is anomalous in its channels")
    lines = pl.read_csv(table, glob=False, schema_overrides={"anomaly_sequences": pl.String})
    missing = {"chan_id", "spacecraft", "anomaly_sequences"} - set(lines.columns)
    if missing:
        raise DataError(f"{table} has no column {', '.join(sorted(missing))}: there is {', '.join(lines.columns)}")
    for (name,), part in lines.group_by("chan_id", maintain_order=True):
        train, test = (_telemetry(folder / part_of / f"{name}.npy") for part_of in ("train", "test"))
        labels = np.zeros(len(test))
        for text in part["anomaly_sequences"]:
            for first, last in _spans(text, f"{table}, channel {name}"):
                labels[first : last + 1] = 1
        yield Channel(str(name), str(part["spacecraft"][0]), train, test, labels)


def _telemetry(path: Path) -> np.ndarray:
    if not path.is_file():
        raise DataError(f"{path} is not there; the table of labels names its channel")
    values = np.load(path, allow_pickle=False)
    if values.ndim != 2 or not len(values):
        raise DataError(f"{path} has the shape {values.shape}, expected (rows, columns) with the telemetry first")
    telemetry: np.ndarray = values[:, 0].astype(np.float64)
    return telemetry


def _spans(text: str, where: str) -> list[tuple[int, int]]:
    try:
        return [(int(first), int(last)) for first, last in json.loads(text)]
    except (ValueError, TypeError):
        raise DataError(
            f'{where} has the anomaly_sequences "{text}", expected pairs of rows such as [[5, 9]]'
        ) from None
