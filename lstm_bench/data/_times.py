"""Time columns: numbers, ISO 8601 dates, or dates such as 31.12.2024; parsed and described."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import parse_date, parse_numbers, present_cells
from lstm_bench.data._messages import describe_rows, list_names, quote_cell
from lstm_bench.data._table import Table
from lstm_bench.errors import DataError

NAMES = {"time", "date", "datetime", "timestamp", "year", "month", "day", "week", "t", "ds"}
"""Names by which a time column is recognized, in lower case."""
CALENDAR = (
    ("daily", "day", (1, 1), 1.0),
    ("weekly", "week", (7, 7), 7.0),
    ("monthly", "month", (30, 31), 365.2425 / 12),
    ("quarterly", "quarter", (90, 92), 365.2425 / 4),
    ("yearly", "year", (365, 366), 365.2425),
)
"""Frequencies of dates: name, unit, fewest and most days of a step, mean days of a step."""
TOLERANCE = 0.15
"""A step may differ from a whole number of common steps by this much: months differ by a tenth."""
MAX_STEPS = 1e9
"""A gap of more steps is not counted: the most common step then says little about the others."""
ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def is_time_column(table: Table, name: str) -> bool:
    """Returns whether a column has the name of a time column and holds only numbers or dates."""
    if name.lower() not in NAMES:
        return False
    return table.is_numeric(name) or all(map(parse_date, table.columns[name]))


def parse_times(table: Table, name: str) -> NDArray[np.generic]:
    """Returns a time column as comparable values: numbers, or `datetime64` in UTC.

    Raises `DataError` if a time is missing or cannot be read, or if time zones differ.
    """
    text = table.text(name)
    missing = np.flatnonzero(~present_cells(text))
    if len(missing):
        raise DataError(
            f"{table.file}: times in {name!r} must not be missing: {describe_rows(missing)}; "
            "fill them in"
        )
    if table.is_numeric(name):
        return table.numbers(name)
    dates = [parse_date(cell) for cell in text]
    wrong = [row for row, date in enumerate(dates) if date is None]
    if 2 * len(wrong) > len(text):  # mostly not dates: perhaps the column is meant to be numbers
        not_numbers = np.flatnonzero(np.isnan(parse_numbers(text, table.decimal_comma)))
        wrong = not_numbers.tolist() if len(not_numbers) < len(wrong) else wrong
    if wrong:
        raise DataError(
            f"{table.file}: times in {name!r} must be numbers or dates like 2024-03-31, "
            f"31.03.2024 or 2024-03-31 14:00, but {describe_rows(wrong, ('has', 'have text like'))}"
            f" {quote_cell(str(text[wrong[0]]))}; write them in one of these formats, or set time "
            "to another column"
        )
    iso = [date for date in dates if date is not None]
    zones = [match.group() if (match := ZONE.search(date[10:])) else "" for date in iso]
    has_zone = np.array([zone != "" for zone in zones])
    if has_zone.any() and not has_zone.all():
        minority = np.flatnonzero(has_zone if has_zone.mean() < 0.5 else ~has_zone)
        raise DataError(
            f"{table.file}: times in {name!r} must all have a time zone or none, but "
            f"{describe_rows(minority, ('differs', 'differ'))} from the others; write all of them "
            "in one way"
        )
    if len(set(zones)) > 1:
        raise DataError(
            f"{table.file}: times in {name!r} must be in one time zone, but have "
            f"{list_names(sorted(set(zones)))}; write all of them in UTC"
        )
    import pandas as pd  # takes a third of a second to import

    times = pd.to_datetime(pd.Series(iso), format="ISO8601", utc=True, errors="coerce")
    invalid = np.flatnonzero(times.isna())
    if len(invalid):
        raise DataError(
            f"{table.file}: times in {name!r} must be in the calendar, but "
            f"{describe_rows(invalid, ('has', 'have days like'))} "
            f"{quote_cell(str(text[invalid[0]]))}; correct these"
        )
    return np.asarray(times.dt.tz_localize(None).to_numpy())


def describe_spacing(series: Iterable[NDArray[np.generic]]) -> str:
    """Returns in words the most common step between the times of each series, and missing steps.

    >>> describe_spacing([np.array([1, 2, 3, 5]), np.array([7, 8])])
    'every 1, 1 step missing'
    >>> months = np.array(["2010-01", "2010-02", "2010-06"], "datetime64[M]").astype("M8[s]")
    >>> describe_spacing([months])
    'monthly, 3 months missing'
    """
    times = list(series)
    steps = np.concatenate([np.diff(series_times) for series_times in times])
    if not len(steps):
        return "one time"
    values, counts = np.unique(steps, return_counts=True)
    common, unit = values[counts.argmax()], "step"
    if isinstance(common, np.timedelta64):
        ratios, text, unit = _calendar_steps(times, steps / np.timedelta64(1, "D"), common)
    else:
        with np.errstate(over="ignore"):
            ratios, text = np.nan_to_num(steps / common), f"every {common:g}"
    whole = np.round(ratios)
    if (np.abs(ratios - whole) > TOLERANCE).any() or whole.min() < 1 or whole.max() > MAX_STEPS:
        share = counts.max() / len(ratios)
        return f"{text} in {share:.0%} of steps"
    missing = int(whole.sum()) - len(whole)
    return text + (f", {missing:,} {unit}{'s' * (missing > 1)} missing" if missing else "")


def _calendar_steps(
    times: Sequence[NDArray[np.generic]], days: NDArray[np.float64], common: np.timedelta64
) -> tuple[NDArray[np.float64], str, str]:
    """Returns steps of so many `days` as multiples of the common step, its name and its unit."""
    common_days = float(common / np.timedelta64(1, "D"))
    if common_days == 1 and len(days) > 7:
        dates = [series.astype("M8[D]") for series in times]
        if all(np.is_busday(series).all() for series in dates):
            weekdays = [np.busday_count(series[:-1], series[1:]) for series in dates]
            return np.concatenate(weekdays).astype(float), "every weekday", "weekday"
    for name, unit, (fewest, most), mean in CALENDAR:
        if fewest <= common_days <= most:
            return days / mean, name, unit
    for unit, per_day in (("day", 1), ("hour", 24), ("minute", 1440), ("second", 86400)):
        count = round(common_days * per_day, 6)
        if count >= 1 or unit == "second":
            break
    text = f"every {unit}" if count == 1 else f"every {count:.3g} {unit}s"
    return days / common_days, text, "step"
