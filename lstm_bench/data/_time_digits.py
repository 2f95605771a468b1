"""Times that are written as digits alone: dates such as 20240131, and seconds since 1970."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._time_reading import (
    PER_SECOND,
    Reading,
    TimeFormat,
    Unread,
    with_patterns,
)

COMPACT = {6: "%Y%m", 7: "%Y%j", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M",
           14: "%Y%m%d%H%M%S"}  # fmt: skip
"""Patterns of numbers that are dates, by how many digits they have."""
COMPACT_YEARS = (1500, 2299)
EPOCHS = {"s": (1e8, 1e10), "ms": (1e11, 1e13), "us": (1e14, 1e16), "ns": (1e17, 9e18)}
"""Units of time since 1970, with the numbers that are from 1973 to 2286."""


def read_numbers(cells: NDArray[np.object_], numbers: NDArray[np.float64]) -> Reading | None:
    """Returns the times of numbers that are dates, such as 20240131, or seconds since 1970.

    None if they are not. Numbers of 4 digits are left as they are.
    """
    texts = cells.astype(str).tolist()
    lengths = {len(text) for text in texts}
    if len(lengths) == 1 and all(map(str.isdigit, texts)):
        pattern = COMPACT.get(lengths.pop())
        reading = None if pattern is None else _dates_of_digits(cells, pattern)
        if reading is not None:
            return reading
    for regex, pattern in ((r"\d{4}\.(0[1-9]|1[012])", "%Y.%m"), (r"(0[1-9]|1[012])\.\d{4}",
                                                                  "%m.%Y")):  # fmt: skip
        if all(re.fullmatch(regex, text) for text in texts) and len({*texts}) > 2:
            return _dates_of_digits(cells, pattern)
    return _epoch(cells, texts, numbers)


def _dates_of_digits(cells: NDArray[np.object_], pattern: str) -> Reading | None:
    unique, places = np.unique(cells.astype(str), return_inverse=True)
    reading = with_patterns(unique.tolist(), [pattern] * len(unique), "ymd")
    if isinstance(reading, Unread):
        return None
    years = reading.wall.astype("M8[Y]").astype(int) + 1970
    if years.min() < COMPACT_YEARS[0] or years.max() > COMPACT_YEARS[1]:
        return None
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
