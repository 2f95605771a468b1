"""Columns of times: numbers, or dates as ISO 8601 writes them, or 31.12.2024."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import MISSING, as_date, as_numbers
from lstm_bench.data._table import DataError, Table, rows

NAMES = {"time", "date", "datetime", "timestamp", "year", "month", "day", "week", "t", "ds"}
"""What a column of times is called where nobody says which it is."""
CALENDAR = (
    ("daily", "day", (1, 1), 1.0),
    ("weekly", "week", (7, 7), 7.0),
    ("monthly", "month", (30, 31), 365.2425 / 12),
    ("quarterly", "quarter", (90, 92), 365.2425 / 4),
    ("yearly", "year", (365, 366), 365.2425),
)
"""What steps between dates are called, their unit, its least and most days, and their mean."""
UNEVEN = 0.15
"""Share of the usual step by which others may differ: months do by a tenth."""
MANY = 1e9
"""Steps in one hole from which on it is none, but the usual step says little."""
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
        raise DataError(
            f"{table.file}: times in {name!r} must not be missing: {rows(empty)}; fill them in"
        )
    if table.is_numeric(name):
        return table.numbers(name)
    dates = [as_date(cell) for cell in text]
    strange = [place for place, date in enumerate(dates) if date is None]
    if 2 * len(strange) > len(text):  # not dates, for the most part: numbers, perhaps
        counted = np.flatnonzero(np.isnan(as_numbers(text, table.comma)))
        strange = counted.tolist() if len(counted) < len(strange) else strange
    if strange:
        raise DataError(
            f"{table.file}: times in {name!r} must be numbers or dates like 2024-03-31, "
            f"31.03.2024 or 2024-03-31 14:00, but {rows(strange, ('has', 'have text like'))} "
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

    moments = pd.to_datetime(pd.Series(iso), format="ISO8601", utc=True, errors="coerce")
    wrong = np.flatnonzero(moments.isna())
    if len(wrong):
        raise DataError(
            f"{table.file}: times in {name!r} must be in the calendar, but "
            f"{rows(wrong, ('has', 'have days like'))} {str(text[wrong[0]])!r}; correct these"
        )
    return np.asarray(moments.dt.tz_localize(None).to_numpy())


def spacing(series: Iterable[NDArray[np.generic]]) -> str:
    """Returns in words how far apart the times of series are, mostly, and how many are missing.

    >>> spacing([np.array([1, 2, 3, 5]), np.array([7, 8])])
    'every 1, 1 step missing'
    >>> spacing([np.array(["2010-01", "2010-02", "2010-06"], "datetime64[M]").astype("M8[s]")])
    'monthly, 3 months missing'
    """
    times = list(series)
    steps = np.concatenate([np.diff(when) for when in times])
    if not len(steps):
        return "one time"
    values, counts = np.unique(steps, return_counts=True)
    usual, step = values[counts.argmax()], "step"
    if isinstance(usual, np.timedelta64):
        steps, told, step = _calendar(times, steps / np.timedelta64(1, "D"), usual)
    else:
        with np.errstate(over="ignore"):
            steps, told = np.nan_to_num(steps / usual), f"every {usual:g}"
    whole = np.round(steps)
    if (np.abs(steps - whole) > UNEVEN).any() or whole.min() < 1 or whole.max() > MANY:
        share = counts.max() / len(steps)
        return f"{told} in {share:.0%} of steps"
    missing = int(whole.sum()) - len(whole)
    return told + (f", {missing:,} {step}{'s' * (missing > 1)} missing" if missing else "")


def _calendar(
    times: Sequence[NDArray[np.generic]], days: NDArray[np.float64], usual: np.timedelta64
) -> tuple[NDArray[np.float64], str, str]:
    """Returns steps of so many days in units of the usual one, that one, and what is its unit."""
    every = float(usual / np.timedelta64(1, "D"))
    if every == 1 and len(days) > 7:
        dates = [when.astype("M8[D]") for when in times]
        if all(np.is_busday(each).all() for each in dates):
            counted = [np.busday_count(each[:-1], each[1:]) for each in dates]
            return np.concatenate(counted).astype(float), "every weekday", "weekday"
    for name, unit, (least, most), mean in CALENDAR:
        if least <= every <= most:
            return days / mean, name, unit
    for unit, parts in (("day", 1), ("hour", 24), ("minute", 1440), ("second", 86400)):
        count = round(every * parts, 6)
        if count >= 1 or unit == "second":
            break
    told = f"every {unit}" if count == 1 else f"every {count:.3g} {unit}s"
    return days / every, told, "step"
