"""Times that are written as digits alone: dates such as 20240131, and seconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._time_patterns import Order
from lstm_bench.data._time_reading import (
    PER_SECOND,
    Reading,
    TimeFormat,
    Unread,
    chosen,
    with_patterns,
)

COMPACT = {5: ("%Y%q",), 6: ("%Y%m", "%G%V"), 7: ("%Y%j",), 8: ("%Y%m%d",), 10: ("%Y%m%d%H",),
           12: ("%Y%m%d%H%M",), 14: ("%Y%m%d%H%M%S",)}  # fmt: skip
"""Patterns of numbers that are dates, by how many digits they have: the first that fits all."""
IN_ORDER: Mapping[int, Mapping[Order, str]] = {
    6: {"dmy": "%d%m%y", "mdy": "%m%d%y", "ymd": "%y%m%d"},
    8: {"dmy": "%d%m%Y", "mdy": "%m%d%Y"},
}
"""Further ones, by the order of day, month and year. A zero in front may have been lost."""
WEEK = re.compile("week|wk|woche|kw|semaine|semana|ww", re.IGNORECASE)
"""A name of a column whose six digits are a year and a week rather than a month."""
COMPACT_YEARS = (1500, 2299)
EPOCHS = {"s": (1e8, 1e10), "ms": (1e11, 1e13), "us": (1e14, 1e16), "ns": (1e17, 9e18)}
"""Units of time since 1970, with the numbers that are from 1973 to 2286."""


def read_numbers(
    cells: NDArray[np.object_],
    numbers: NDArray[np.float64],
    name: str = "",
    orders: Sequence[Order] | None = None,
) -> Reading | Unread | None:
    """Returns the times of numbers that are dates, such as 20240131, or seconds since 1970.

    None if they are not. Numbers of 4 digits are left as they are. The name of the column says
    whether its numbers are weeks.
    """
    texts = cells.astype(str).tolist()
    point = texts[0].find(".")
    end = texts[0][point:] if point > 0 and not texts[0][point:].strip(".0") else ""  # 20240131.0
    whole = [text.removesuffix(end) for text in texts]
    if all(map(str.isdigit, whole)) and all(text.endswith(end) for text in texts):
        read = _dates(cells, {*map(len, whole)}, end, name, orders)
        if read is not None:
            return read
    pattern = _with_point(set(texts))
    read = None if pattern is None else _dates_of_digits(cells, pattern)
    return read if isinstance(read, Reading) else _epoch(cells, texts, numbers)


def _dates(
    cells: NDArray[np.object_], lengths: set[int], end: str, name: str,
    orders: Sequence[Order] | None,
) -> Reading | Unread | None:  # fmt: skip
    """Returns dates of digits with a text at the `end`, or why most of them can be read, not all.

    None if they are no dates.
    """
    longest = max(lengths)
    patterns = COMPACT.get(longest, ()) if len(lengths) == 1 else ()
    is_week = longest == 6 and WEEK.search(name) is not None
    unread = []
    for pattern in patterns[::-1] if is_week else patterns:
        read = _dates_of_digits(cells, pattern + end)
        if isinstance(read, Reading):
            return read
        if longest == 8 or is_week:
            unread.append(read)
            if is_week:
                break
    further = []
    if lengths <= {longest, longest - 1} and not is_week:
        for order, pattern in IN_ORDER.get(longest, {}).items():
            if orders is None or order in orders:
                zero = "%-" if len(lengths) > 1 else "%"
                further.append(_dates_of_digits(cells, zero + pattern[1:] + end, order))
    if any(isinstance(read, Reading) for read in further):
        return chosen(further)
    unread += [read for read in further if longest == 8 and isinstance(read, Unread)]
    best = max(unread, key=lambda read: read.share, default=None)
    return best if best is not None and best.share > 0.5 else None


def _with_point(texts: set[str]) -> str | None:
    """Returns the pattern of months or quarters after a decimal point, None for other numbers.

    A month may be October without its zero, as numbers are written: 2015.09, 2015.1, 2015.11.
    """
    parts = {text.partition(".")[2] for text in texts}
    if len(texts) < 3 or not all(re.fullmatch(r"\d{4}\.\d{1,2}", text) for text in texts):
        months = all(re.fullmatch(r"(0[1-9]|1[012])\.\d{4}", text) for text in texts)
        return "%m.%Y" if months and len(texts) > 2 else None
    padded, plain = {f"{month:02}" for month in range(1, 13)}, {str(n) for n in range(1, 13)}
    if parts <= padded or (parts <= plain and {"2", "10"} <= parts):
        return "%Y.%m"
    if parts == {"1", "2", "3", "4"}:
        return "%Y.%q"
    return "%Y.%O" if parts <= padded - {"10"} | {"1"} and "01" in parts else None


def _dates_of_digits(
    cells: NDArray[np.object_], pattern: str, order: Order = "ymd"
) -> Reading | Unread:
    unique, places = np.unique(cells.astype(str), return_inverse=True)
    reading = with_patterns(unique.tolist(), [pattern] * len(unique), order)
    if isinstance(reading, Unread):
        rows = np.flatnonzero(np.isin(places, reading.rows))
        return replace(reading, rows=rows, share=1 - len(rows) / len(cells))
    years = reading.wall.astype("M8[Y]").astype(int) + 1970
    if years.min() < COMPACT_YEARS[0] or years.max() > COMPACT_YEARS[1]:
        return Unread(np.arange(len(cells)), 0.0, "format")
    wall = reading.wall[places]
    return replace(reading, values=wall, wall=wall, texts=cells,
                   format=replace(reading.format, exact=pattern))  # fmt: skip


def _epoch(
    cells: NDArray[np.object_], texts: list[str], numbers: NDArray[np.float64]
) -> Reading | None:
    units = [u for u, (low, high) in EPOCHS.items() if low <= numbers.min() <= numbers.max() < high]
    if not units:
        return None
    decimals = max(len(text.partition(".")[2]) for text in texts)
    if decimals > 9 or not all(re.fullmatch(r"\d+(\.\d*)?", text) for text in texts):
        return None
    return epoch_times(cells, f"{units[0]}{decimals}")


def epoch_times(cells: NDArray[np.object_], pattern: str) -> Reading | None:
    """Returns times since 1970; the pattern is a unit and how many decimals are written."""
    unit, decimals = pattern[:-1], int(pattern[-1])
    per_second = PER_SECOND.get(unit, 1)
    try:
        ticks = []
        for text in cells.astype(str).tolist():
            whole, _, rest = text.partition(".")
            digits = int(whole) * 10**decimals + int((rest.ljust(decimals, "0") or "0")[:decimals]
                                                     or 0)  # fmt: skip
            ticks.append(digits * 10**6 // (per_second * 10**decimals))
        values = np.array(ticks, "int64").astype("M8[us]")
    except (ValueError, OverflowError):
        return None
    return Reading(values, values, cells, TimeFormat((), "epoch", pattern))
