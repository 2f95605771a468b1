"""Columns of times: numbers, or dates as ISO 8601 writes them, or 31.12.2024."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from lstm_bench.tasks.cells import MISSING, as_date, as_numbers
from lstm_bench.tasks.table import DataError, Table, rows

NAMES = {"time", "date", "datetime", "timestamp", "year", "month", "day", "week", "t", "ds"}
"""What a column of times is called where nobody says which it is."""
ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def is_time(table: Table, name: str) -> bool:
    """Returns whether a column is called like a time and holds nothing else."""
    if name.lower() not in NAMES:
        return False
    return table.is_numeric(name) or all(map(as_date, table.columns[name]))


def instants(table: Table, name: str) -> NDArray[np.generic]:
    """Returns a column of times as values to be compared: numbers, or moments in UTC.

    Raises `DataError` where a time is missing or is none, or where only some have a time zone.
    """
    text = table.text(name)
    empty = [place for place, cell in enumerate(text) if cell.lower() in MISSING]
    if empty:
        raise DataError(f"{table.file}: times in {name!r} must not be missing: {rows(empty)}")
    if table.is_numeric(name):
        return table.numbers(name)
    dates = [as_date(cell) for cell in text]
    strange = [place for place, date in enumerate(dates) if date is None]
    if 2 * len(strange) > len(text):  # not dates, for the most part: numbers, perhaps
        counted = np.flatnonzero(np.isnan(as_numbers(text, table.comma)))
        strange = counted.tolist() if len(counted) < len(strange) else strange
    if strange:
        raise DataError(
            f"{table.file}: times in {name!r} must be numbers or dates like 2024-03-31 or "
            f"2024-03-31 14:00, but {rows(strange, ('has', 'have text like'))} "
            f"{str(text[strange[0]])[:40]!r}; write them so, or set time to another column"
        )
    iso = [date for date in dates if date is not None]
    zones = [found.group() if (found := ZONE.search(date[10:])) else "" for date in iso]
    zoned = np.array([zone != "" for zone in zones])
    if zoned.any() and not zoned.all():
        few = np.flatnonzero(zoned if zoned.mean() < 0.5 else ~zoned)
        raise DataError(
            f"{table.file}: times in {name!r} must all have a time zone or none, but "
            f"{rows(few, ('differs', 'differ'))} from the others; write all in one way"
        )
    if len(set(zones)) > 1:
        raise DataError(
            f"{table.file}: times in {name!r} must be of one time zone, but have "
            f"{', '.join(sorted(set(zones))[:5])}; write all of them in UTC"
        )
    import pandas as pd  # takes a third of a second to import

    try:
        moments = pd.to_datetime(pd.Series(iso), format="ISO8601", utc=True)
    except ValueError as error:
        raise DataError(f"{table.file}: times in {name!r} cannot be read ({error})") from error
    return np.asarray(moments.dt.tz_localize(None).to_numpy())


def spacing(when: NDArray[np.generic]) -> str:
    """Returns in words how far apart times are, mostly."""
    steps = np.diff(np.unique(when))
    if not len(steps):
        return "one time"
    values, counts = np.unique(steps, return_counts=True)
    usual = values[counts.argmax()]
    if isinstance(usual, np.timedelta64):
        days = usual / np.timedelta64(1, "D")
        calendar = {7: "weekly", 1: "daily", 30: "monthly", 31: "monthly", 365: "yearly"}
        calendar |= {90: "quarterly", 91: "quarterly", 92: "quarterly", 366: "yearly"}
        hours = 24 * days
        told = calendar.get(round(days)) if days >= 1 and days == round(days) else None
        return told or (f"every {days:g} days" if days >= 1 else f"every {hours:.3g} hours")
    share = counts.max() / len(steps)
    return f"every {usual:g}" + ("" if share == 1 else f" in {share:.0%} of steps")
