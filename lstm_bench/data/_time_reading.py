"""Times from the cells of a column: their pattern is that of the column as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._calendar import Calendar, infer_calendar
from lstm_bench.data._time_patterns import (
    DIRECTIVE,
    Order,
    Times,
    directives,
    expand,
    match_cells,
    pattern_of,
    style,
    wall_times,
    write_time,
)
from lstm_bench.data._time_zones import (
    fitting_zones,
    offsets,
    summer_time_zone,
    written_zone,
    zone_offset,
)

COMPACT = {6: "%Y%m", 7: "%Y%j", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M",
           14: "%Y%m%d%H%M%S"}  # fmt: skip
"""Patterns of numbers that are dates, by how many digits they have."""
COMPACT_YEARS = (1500, 2299)
EPOCHS = {"s": (1e8, 1e10), "ms": (1e11, 1e13), "us": (1e14, 1e16), "ns": (1e17, 9e18)}
"""Units of time since 1970, with the numbers that are from 1973 to 2286."""
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
MAX_PATTERNS = 6
"""A column of times is written in at most so many patterns."""
MIN_RUN = 20
"""Rows that series after series have on average, for summer time to be looked for in each."""
SAMPLE = 200
"""Cells that are looked at first, evenly over a column."""
DIGITS = str.maketrans("123456789", "000000000")
NAMES = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}

Strings = Sequence[str]


@dataclass(frozen=True)
class TimeFormat:
    """How a column of times is written: to read further ones, and to write the next."""

    columns: tuple[str, ...]  # that are joined, if there are several
    kind: Literal["numbers", "epoch", "text"]
    pattern: str = ""  # for writing; of an epoch: unit and decimals, such as ms0
    order: Order | None = None  # of day, month and year, where all are numbers
    exact: str = ""  # the pattern that the user gave
    zone: str = ""  # how the last zone is written, "" without zones
    place: str = ""  # the zone whose rules all offsets follow, if there is one

    def document(self) -> dict[str, Any]:
        """Returns the fields as plain values, from which `TimeFormat` can be made again."""
        return vars(self) | {"columns": list(self.columns)}


@dataclass(frozen=True)
class Reading:
    """The times of a column, in the order of its cells."""

    values: NDArray[Any]  # to be compared: numbers, or datetime64[us], in UTC if they have zones
    wall: NDArray[Any]  # as the clocks of the zone show them
    texts: NDArray[np.object_]  # as they are written
    format: TimeFormat
    notes: tuple[str, ...] = ()

    @property
    def has_clock(self) -> bool:
        """Whether some time is not midnight."""
        return bool((self.wall != self.wall.astype("M8[D]")).any())

    @property
    def is_clock_alone(self) -> bool:
        """Whether the cells are times of day without a date."""
        parts = set(directives(plain(self.format.pattern)) or ())
        return self.format.kind == "text" and not parts & set("YyGbmdjqN")


@dataclass(frozen=True)
class Unread:
    """Why a column cannot be read as times."""

    rows: NDArray[np.intp]  # that cannot be read
    share: float  # of the cells that can be read
    reason: Literal["format", "calendar", "zones", "order"]
    texts: tuple[str, ...] = ()  # with the reason "order": the first time in each reading


def plain(pattern: str) -> str:
    """Returns a pattern without the flags for writing."""
    return DIRECTIVE.sub(lambda match: f"%{match['name']}", pattern)


def read_texts(
    cells: NDArray[np.object_], orders: Sequence[Order] | None = None, exact: str = ""
) -> Reading | Unread:
    """Returns the times of cells, none of which is missing, or why they cannot be read.

    The order of day, month and year is that in which all cells are in the calendar. If there are
    several, it is the one in which the times are evenly spaced, if that is only one.
    """
    unique, places = np.unique(cells.astype(str), return_inverse=True)
    texts = unique.tolist()
    if exact:
        return _restored(_with_patterns(texts, [expand(exact)] * len(texts), "dmy", exact), places,
                         cells)  # fmt: skip
    shapes, shape_of = np.unique([text.translate(DIGITS) for text in texts], return_inverse=True)
    first = np.array([np.argmax(shape_of == n) for n in range(len(shapes))]) if (
        len(shapes) <= SAMPLE) else None  # fmt: skip
    if first is None:
        sample = texts[:: max(1, len(texts) // SAMPLE)]
        share = sum(pattern_of(text) is not None for text in sample) / len(sample)
        if share < 0.5:
            return Unread(np.arange(len(cells)), 0.0, "format")
        shapes, first = np.array(texts, object), np.arange(len(texts))
        shape_of = np.arange(len(texts))
    examples = [texts[place] for place in first]
    readings: list[Reading | Unread] = []
    tried: set[tuple[str | None, ...]] = set()
    for order in orders or ("dmy", "mdy", "ymd"):
        patterns = [pattern_of(example, order) for example in examples]
        dotted = any(pattern and "." in pattern for pattern in patterns)
        if tuple(patterns) in tried or (not orders and dotted and order == "mdy"):
            continue
        tried.add(tuple(patterns))
        readings.append(
            _restored(_with_patterns(texts, [patterns[n] for n in shape_of], order), places, cells)
        )
    return _chosen(readings)


def _with_patterns(
    texts: list[str], patterns: Sequence[str | None], order: Order, exact: str = ""
) -> Reading | Unread:
    kinds = [pattern for pattern in dict.fromkeys(patterns) if pattern is not None]
    # Long and short names of months differ in their pattern alone.
    merged = {kind: kind.replace("%B", "%b").replace("%A", "%a") for kind in kinds}
    kinds = list(dict.fromkeys(merged.values()))
    wall = np.full(len(texts), np.datetime64("NaT", "us"), "M8[us]")
    zones = [""] * len(texts)
    fits = np.zeros(len(texts), bool)
    styled, counts = {}, {}
    if 0 < len(kinds) <= MAX_PATTERNS:
        for kind in kinds:
            rows = [n for n, pattern in enumerate(patterns) if pattern and merged[pattern] == kind]
            fields = match_cells([texts[row] for row in rows], kind)
            present = np.array([cell is not None for cell in next(iter(fields.values()))], bool)
            fits[rows] = present
            wall[rows] = wall_times(fields)
            for row, zone in zip(rows, fields.get("z", ()), strict=False):
                zones[row] = zone or ""
            styled[kind], counts[kind] = style(kind, fields), len(rows)
    wrong = np.flatnonzero(np.isnat(wall))
    if len(wrong):
        share = 1 - len(wrong) / len(texts)
        in_format = bool(fits[wrong].all())
        return Unread(wrong, share, "calendar" if in_format else "format")
    longest = max(counts, key=lambda kind: (len(directives(kind) or ()), counts[kind]))
    parts = [part for part in directives(longest) or () if part in "Yymd"]
    ordered = {"m", "d"} <= set(parts) and parts[0] != "Y"
    times = TimeFormat((), "text", styled[longest], order if ordered else None, exact)
    return Reading(wall, wall, np.array(zones, object), times)


def _restored(
    reading: Reading | Unread, places: NDArray[np.intp], cells: NDArray[np.object_]
) -> Reading | Unread:
    """Returns what was read in different cells for all cells, with zones taken into account."""
    if isinstance(reading, Unread):
        rows = np.flatnonzero(np.isin(places, reading.rows))
        return replace(reading, rows=rows, share=1 - len(rows) / len(cells))
    wall, zones = reading.wall[places], reading.texts[places]
    reading = replace(reading, values=wall, wall=wall, texts=cells)
    has_zone = zones != ""
    if not has_zone.any():
        return _with_summer_time(reading)
    if not has_zone.all():
        minority = np.flatnonzero(has_zone if has_zone.mean() < 0.5 else ~has_zone)
        return Unread(minority, 1 - len(minority) / len(cells), "zones")
    minutes = offsets(zones.tolist(), wall)
    if np.isnan(minutes).any():
        rows = np.flatnonzero(np.isnan(minutes))
        return Unread(rows, 1 - len(rows) / len(cells), "format")
    values = wall - (minutes * 60e6).astype("m8[us]")
    values = np.minimum(values, np.datetime64("9999-12-31T23:59:59.999999", "us"))
    latest = int(np.argmax(values))
    place = ""
    notes: tuple[str, ...] = ()
    names = sorted(set(zones.tolist()))
    if len(names) == 1 and "/" in names[0] and names[0][0] not in "+-":
        place = names[0]
    elif len(set(minutes.tolist())) > 1:
        order = np.argsort(values, kind="stable")
        place = next(iter(fitting_zones(values[order], minutes[order])), "")
        rule = f" as in {place}" if place else "; the next times are written with the last one"
        notes = (f"offsets from UTC differ{rule}",)
    times = replace(reading.format, zone=str(zones[latest]), place=place)
    return replace(reading, values=values, format=times, notes=notes)


def _with_summer_time(reading: Reading) -> Reading:
    """Returns times without a zone as those of a zone if only its summer time makes them even."""
    if reading.is_clock_alone or "H" not in (directives(plain(reading.format.pattern)) or ()):
        return reading
    descending = len(reading.wall) > 1 and reading.wall[0] > reading.wall[-1]
    wall = reading.wall[::-1] if descending else reading.wall
    starts = np.flatnonzero(np.diff(wall) < -np.timedelta64(1, "h")) + 1
    if len(starts) * MIN_RUN > len(wall):
        return reading  # rows of several series in turns, or in no order
    runs = np.split(wall, starts)  # series after series
    zone = next(filter(None, map(summer_time_zone, runs)), None)
    if zone is None:
        return reading
    minutes = np.concatenate([offsets([zone] * len(run), run) for run in runs])
    values = wall - (minutes * 60e6).astype("m8[us]")
    values = values[::-1] if descending else values
    note = f"local time with summer time as in {zone}"
    return replace(
        reading, values=values, format=replace(reading.format, place=zone), notes=(note,)
    )


def _chosen(readings: list[Reading | Unread]) -> Reading | Unread:
    read = [reading for reading in readings if isinstance(reading, Reading)]
    if not read:
        return max((r for r in readings if isinstance(r, Unread)), key=lambda r: r.share)
    first = read[0]
    different = [first, *(r for r in read[1:] if (r.values != first.values).any())]
    if len(different) == 1:
        return first
    ranks = [_regularity(reading.values) for reading in different]
    if max(ranks) and ranks.count(max(ranks)) == 1:
        best = different[ranks.index(max(ranks))]
        text = f"read as {_order_name(best)}, in which they are evenly spaced"
        return replace(best, notes=(*best.notes, text))
    row = int(np.argmax(different[0].values != different[1].values))
    shown = tuple(
        f"{_order_name(r)} ({r.texts[row]} is {str(r.wall[row])[:10]})" for r in different
    )
    return Unread(np.arange(len(first.texts)), 1.0, "order", shown)


def _order_name(reading: Reading) -> str:
    return NAMES[reading.format.order or "ymd"]


def _regularity(values: NDArray[Any]) -> int:
    """Returns 2 for times that are evenly spaced, 1 for some gaps between them, otherwise 0."""
    calendar: Calendar | None = infer_calendar(np.unique(values))
    if calendar is None or calendar.uneven:
        return 0
    if calendar.has_sessions:
        return 1
    return 0 if not calendar.regular else 1 if calendar.absent else 2


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
    reading = _with_patterns(unique.tolist(), [pattern] * len(unique), "ymd")
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


def as_numbers(cells: NDArray[np.object_], numbers: NDArray[np.float64]) -> Reading:
    """Returns times that are numbers of any meaning."""
    return Reading(numbers, numbers, cells, TimeFormat((), "numbers"))


def calendar_times(reading: Reading) -> NDArray[Any]:
    """Returns the times in which a calendar is regular: of clocks for days, in UTC for hours."""
    if reading.wall is reading.values or not reading.format.zone + reading.format.place:
        return reading.values
    steps = np.diff(np.unique(reading.values))
    long = len(steps) and np.median(steps.astype("int64")) >= 20 * 3600e6
    return reading.wall if long else reading.values


def write_moments(
    moments: Times | NDArray[np.float64], like: TimeFormat, on_wall: bool, texts: Strings = ()
) -> list[str]:
    """Returns moments as texts in the way of a column.

    `on_wall` says that they are times of the clocks of the zone, not in UTC. `texts` are some of
    the column's own numbers.
    """
    if like.kind == "numbers":
        return _number_texts(np.asarray(moments, float), texts)
    if like.kind == "epoch":
        return [_epoch_text(moment, like.pattern) for moment in moments.astype("M8[us]")]
    written = []
    last = float(offsets([like.zone], np.array(["1970"], "M8[us]"))[0]) if like.zone else 0.0
    for moment in moments.astype("M8[us]"):
        minutes = zone_offset(like.place, moment, on_wall) if like.place else last
        if not on_wall and (like.zone or like.place):
            moment = moment + np.timedelta64(round(minutes * 60e6), "us")
        zone = written_zone(minutes, like.zone) if like.zone else ""
        written.append(write_time(moment, like.pattern, zone))
    return written


def _number_texts(moments: NDArray[np.float64], texts: Strings) -> list[str]:
    comma = any("," in text for text in texts)
    texts = [text.replace(",", ".") for text in texts]
    decimals = {len(text.partition(".")[2]) if re.fullmatch(r"-?\d*\.\d+", text) else None
                for text in texts}  # fmt: skip
    written = [f"{value:.12g}" for value in moments]
    if len(decimals) == 1 and (count := decimals.pop()) is not None:
        written = [f"{value:.{count}f}" for value in moments]
    return [text.replace(".", ",") for text in written] if comma else written


def _epoch_text(moment: np.datetime64, pattern: str) -> str:
    unit, decimals = pattern[:-1], int(pattern[-1])
    number = int(moment.astype("int64")) * PER_SECOND.get(unit, 1) * 10**decimals // 10**6
    if not decimals:
        return str(number)
    whole, rest = divmod(number, 10**decimals)
    return f"{whole}.{rest:0{decimals}}"
