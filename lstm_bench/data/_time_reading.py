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
    USUAL_FIRST,
    Order,
    Times,
    column_pattern,
    directives,
    expand,
    first_short_year,
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
    reason: Literal["format", "calendar", "zones", "order", "century", "year"]
    texts: tuple[str, ...] = ()  # "order": the first time in each reading; "year": the pattern


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
        return _restored(with_patterns(texts, [expand(exact)] * len(texts), "dmy", exact), places,
                         cells)  # fmt: skip
    if (whole := column_pattern(texts)) is not None:
        read = with_patterns(texts, [whole] * len(texts), "ymd", whole)
        if isinstance(read, Reading):
            return _restored(read, places, cells)
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
        unusual = not orders and dotted and order == "mdy"
        if tuple(patterns) in tried or (unusual and not _has_early_days(readings[0])):
            continue
        tried.add(tuple(patterns))
        read = _restored(
            with_patterns(texts, [patterns[n] for n in shape_of], order), places, cells
        )
        if unusual and not _is_more_even(read, readings[0]):
            continue
        readings.append(read)
    best = chosen(readings)
    if isinstance(best, Reading) and _lacks_year(best):
        pattern = plain(best.format.pattern)
        only_months = set(directives(pattern) or ()) == {"y", "b"}
        return Unread(np.array([0]), 1.0, "year", (pattern,) * only_months)
    return best


def with_patterns(
    texts: list[str], patterns: Sequence[str | None], order: Order, exact: str = ""
) -> Reading | Unread:
    """Returns the times of texts by the pattern of each, or which of them cannot be read.

    Their zones are in place of the texts.
    """
    kinds = [pattern for pattern in dict.fromkeys(patterns) if pattern is not None]
    # Long and short names of months differ in their pattern alone.
    merged = {kind: kind.replace("%B", "%b").replace("%A", "%a") for kind in kinds}
    kinds = list(dict.fromkeys(merged.values()))
    wall = np.full(len(texts), np.datetime64("NaT", "us"), "M8[us]")
    zones = [""] * len(texts)
    fits = np.zeros(len(texts), bool)
    styled, counts = {}, {}
    matched: list[tuple[list[int], dict[str, list[str | None]]]] = []
    if 0 < len(kinds) <= MAX_PATTERNS:
        for kind in kinds:
            rows = [n for n, pattern in enumerate(patterns) if pattern and merged[pattern] == kind]
            fields = match_cells([texts[row] for row in rows], kind)
            present = np.array([cell is not None for cell in next(iter(fields.values()))], bool)
            fits[rows] = present
            matched.append((rows, fields))
            for row, zone in zip(rows, fields.get("z", ()), strict=False):
                zones[row] = zone or ""
            styled[kind], counts[kind] = style(kind, fields), len(rows)
    first = first_short_year(text for _, fields in matched for text in fields.get("y", ()))
    for rows, fields in matched:
        wall[rows] = wall_times(fields, first or USUAL_FIRST)
    wrong = np.flatnonzero(np.isnat(wall))
    if len(wrong):
        share = 1 - len(wrong) / len(texts)
        in_format = bool(fits[wrong].all())
        return Unread(wrong, share, "calendar" if in_format else "format")
    if first is None:
        return Unread(np.array([0]), 1.0, "century")
    notes: tuple[str, ...] = ()
    if first != USUAL_FIRST:
        years = wall.astype("M8[Y]")
        notes = (f"years of two digits are {years.min()} to {years.max()}",)
    longest = max(counts, key=lambda kind: (len(directives(kind) or ()), counts[kind]))
    parts = [part for part in directives(longest) or () if part in "Yymd"]
    ordered = {"m", "d"} <= set(parts) and parts[0] != "Y"
    times = TimeFormat((), "text", styled[longest], order if ordered else None, exact)
    return Reading(wall, wall, np.array(zones, object), times, notes)


def _lacks_year(reading: Reading) -> bool:
    """Returns whether the number next to a month's name is a day, not the year it was read as.

    It is one if there is a weekday or a time of day, and if the months are not in order while the
    days are closer to an even step than the months.
    """
    parts = set(directives(plain(reading.format.pattern)) or ())
    if not {"y", "b"} <= parts or parts & {"d", "Y"}:
        return False
    months = reading.wall.astype("M8[M]").astype(int)
    if parts > {"y", "b"} or len(different := np.unique(months)) < 3:
        return parts > {"y", "b"}
    numbers = (months // 12 + 1970) % 100
    start = (months % 12 + 12 * 30).astype("M8[M]")  # in 2000, a leap year
    days = start.astype("M8[D]") + (numbers - 1).astype("m8[D]")
    if (days.astype("M8[M]") != start).any():
        return False
    steps, one_month = np.diff(months), len(np.unique(start)) == 1
    if not one_month and ((steps > 0).all() or (steps < 0).all()):
        return False
    by_day, by_month = _evenness(np.unique(days).astype(int)), _evenness(different)
    return by_day > by_month or (one_month and by_day == by_month)


def _evenness(values: NDArray[np.int64]) -> float:
    """Returns the share of steps that are the most common one."""
    counts = np.unique(np.diff(values), return_counts=True)[1]
    return float(counts.max() / counts.sum())


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
    notes = reading.notes
    names = sorted(set(zones.tolist()))
    if len(names) == 1 and "/" in names[0] and names[0][0] not in "+-":
        place = names[0]
    elif len(set(minutes.tolist())) > 1:
        order = np.argsort(values, kind="stable")
        place = next(iter(fitting_zones(values[order], minutes[order])), "")
        rule = f" as in {place}" if place else "; the next times are written with the last one"
        notes = (*notes, f"offsets from UTC differ{rule}")
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
    notes = (*reading.notes, note)
    return replace(reading, values=values, format=replace(reading.format, place=zone), notes=notes)


def chosen(readings: Sequence[Reading | Unread]) -> Reading | Unread:
    """Returns the one reading of a column that can be meant, or why there is none."""
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


def _has_early_days(reading: Reading | Unread) -> bool:
    """Returns whether all days of the month may be months."""
    if isinstance(reading, Unread):
        return False
    days = reading.wall.astype("M8[D]") - reading.wall.astype("M8[M]").astype("M8[D]")
    return bool((days.astype(int) < 12).all())


def _is_more_even(reading: Reading | Unread, other: Reading | Unread) -> bool:
    if isinstance(reading, Unread) or isinstance(other, Unread):
        return False
    return _regularity(reading.values) > _regularity(other.values)


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
