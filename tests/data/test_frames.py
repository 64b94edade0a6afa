"""Answers in the kind of frame, and with the times, that the caller has."""

import pandas as pd
import polars as pl
import pytest

from gatework.data.frames import like

DAYS = ["2024-03-30", "2024-03-31"]
HOURS = ["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"]
BERLIN = pd.to_datetime(HOURS, utc=True).tz_convert("Europe/Berlin")


@pytest.mark.parametrize(
    ("times", "texts"),
    [
        (pd.to_datetime(DAYS), DAYS),
        (pd.to_datetime(DAYS), [f"{day}T00:00:00" for day in DAYS]),
        (pd.to_datetime(DAYS).tz_localize("Europe/Berlin"), DAYS),
        (BERLIN, HOURS),
        (BERLIN, ["2024-03-31T01:00:00", "2024-03-31T03:00:00"]),
    ],
)
def test_times_are_those_of_the_callers_frame(times, texts):
    answers = pl.DataFrame({"day": texts, "forecast": [1.0, 2.0]})
    for frame in (pd.DataFrame({"day": times}), pd.DataFrame({"y": [1, 2]}, index=times.rename("day"))):
        said = like(frame, answers)
        assert list(said["day"]) == list(times)
        assert said["day"].dt.tz == times.tz or str(said["day"].dt.tz) == str(times.tz)


def test_dates_are_dates_and_texts_stay_texts():
    answers = pl.DataFrame({"day": DAYS, "forecast": [1.0, 2.0]})
    dates = pl.DataFrame({"day": pl.Series(DAYS).str.to_date(), "y": [1, 2]})
    assert like(dates, answers)["day"].equals(dates["day"])
    assert like(dates.cast(pl.String), answers).equals(answers)
    assert like("file.csv", answers).equals(answers)
