"""Times that several columns tell: a date and a time of day, or years, months, days and hours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import parse_numbers, present_cells
from lstm_bench.data._table import Table
from lstm_bench.data._time_patterns import MONTHS, wall_times, write_time
from lstm_bench.data._time_reading import Reading, TimeFormat, Unread, read_texts

PARTS = {
    "Y": ("year", "yr", "yyyy", "jahr", "annee", "année", "anno", "ano", "año"),
    "m": ("month", "mon", "mm", "mo", "monat", "mois", "mes", "mese", "mês"),
    "q": ("quarter", "qtr", "q", "quartal"),
    "V": ("week", "wk", "isoweek", "week_of_year", "weekofyear", "woche", "kw"),
    "j": ("day_of_year", "dayofyear", "doy", "yday", "julian_day"),
    "d": ("day", "dd", "day_of_month", "dom", "tag"),
    "H": ("hour", "hr", "hh", "hours", "stunde"),
    "M": ("minute", "min", "minutes", "mi"),
    "S": ("second", "sec", "seconds", "ss"),
}
"""Names of columns that hold one part of a time."""
CLOCK_NAMES = {"time", "hhmm", "clock", "zeit", "uhrzeit", "interval", "heure", "hora",
               *PARTS["H"]}  # fmt: skip
"""Words in the names of columns that hold times of day; numbers need one of them as name."""
MEASURED = {"interval"}
"""Such names whose numbers may also be measured: they are no clock if dates differ in a series."""
CLOCKS = (
    re.compile(r"(?P<H>\d{1,2})\.(?P<M>\d\d)(?:\.(?P<S>\d\d))?"),
    re.compile(r"(?P<H>\d{1,2}):(?P<M>\d\d) ?[-–] ?\d{1,2}:\d\d"),
    re.compile(r"(?i:HE|H|hour) ?(?P<H>\d{1,2})"),
    re.compile(r"(?P<H>\d{1,2}) ?(?i:h|hrs?|Uhr)(?P<M>\d\d)?"),
)
"""Times of day that are written in other ways than 14:30, and the beginnings of stretches."""
PART_NAMES = {"date", "datum", "fecha", "period"}
"""Names of further columns that tell a part of a time, and no series."""
PERIODS = {"m": re.compile(r"[Mm]\d{1,2}"), "q": re.compile(r"[Qq]0?\d")}
"""Months and quarters in a column called period."""
MIN_NAMES = 4
"""Different texts that are names of parts, such as quarters; fewer may be weekday and weekend."""
WITHIN = {"m": "Y", "q": "Y", "V": "Y", "j": "Y", "d": "m", "H": "dj", "M": "H", "S": "M"}
"""Which part must be there for another one to mean something."""
MIDNIGHT = np.datetime64("1900-01-01", "us")


@dataclass(frozen=True)
class FileTimes:
    """The times of a file's rows."""

    name: str  # of the column, or of the columns that are joined
    columns: tuple[str, ...]
    reading: Reading
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # further columns of times, which order no rows

    @property
    def values(self) -> NDArray[Any]:
        """The times to be compared, (rows,)."""
        return self.reading.values

    @property
    def format(self) -> TimeFormat:
        """How they are written."""
        return replace(self.reading.format, columns=self.columns)


def join(
    table: Table, names: Sequence[str], wall: NDArray[Any], notes: tuple[str, ...] = (),
    pattern: str = "",
) -> FileTimes:  # fmt: skip
    """Returns times that several columns tell; they are written in ISO 8601."""
    if not pattern:
        seconds = bool((wall != wall.astype("M8[m]")).any())
        pattern = "%Y-%m-%d %H:%M" + (":%S" if seconds else "")
        if bool((wall != wall.astype("M8[s]")).any()):
            pattern += ".%6f"
    texts = np.array([write_time(time, pattern) for time in wall], object)
    read = Reading(wall, wall, texts, TimeFormat(tuple(names), "text", pattern))
    note = f"{', '.join(names[:-1])} and {names[-1]} joined"
    return FileTimes(" ".join(names), tuple(names), read, (note, *notes))


def dates_with_clocks(
    table: Table, dates: Sequence[FileTimes], clocks: Sequence[FileTimes],
    reserved: Collection[str | None],
) -> Iterator[FileTimes]:  # fmt: skip
    """Yields each column of dates joined with one of times of day, where that tells rows apart."""
    for date in dates:
        if date.format.kind != "text" or date.reading.has_clock:
            continue
        count = len(np.unique(date.values))
        if count == len(table):
            continue
        named = [
            name for name in table.columns if name not in reserved and name != date.name
            and _is_clock_name(name, exactly=table.is_numeric(name))
        ]  # fmt: skip
        for name in [*(clock.name for clock in clocks), *named]:
            values = clock_values(table, name)
            if values is None or name == date.name:
                continue
            if name.lower() in MEASURED and _has_series(table, date, {*reserved, name}):
                continue
            wall = date.reading.wall + values
            if len(np.unique(wall)) > count:
                yield join(table, (date.name, name), wall, date.notes)


def _has_series(table: Table, date: FileTimes, reserved: Collection[str | None]) -> bool:
    """Returns whether a column that may name series tells the rows of each date apart."""
    for name, cells in table.columns.items():
        if name in reserved or name == date.name or 2 * len(set(cells)) > len(table):
            continue
        may_name = not table.is_numeric(name) or all(map(str.isdecimal, cells))
        if may_name and len(set(zip(date.values.tolist(), cells, strict=True))) == len(table):
            return True
    return False


def _is_clock_name(name: str, exactly: bool = False) -> bool:
    """Returns whether the name of a column says that it holds times of day."""
    if exactly:
        return name.lower() in CLOCK_NAMES
    return not CLOCK_NAMES.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def may_be_part(table: Table, name: str) -> bool:
    """Returns whether a column of text is by its name a part of a time.

    It has digits, or is one of names of months and the like: `MIN_NAMES` different ones or more.
    """
    parts = parts_by_name([name])
    cells = table.columns[name]
    if not set("HMS").issuperset(parts) and len(set(cells)) >= MIN_NAMES:
        return True
    known = name.lower() in PART_NAMES or _is_clock_name(name) or bool(parts)
    return known and 2 * sum(any(map(str.isdigit, cell)) for cell in cells) > len(cells)


def clock_values(table: Table, name: str) -> NDArray[Any] | None:
    """Returns the time since midnight: of hours 0 to 24, of 0 to 2400, or of texts like 14:30."""
    text = table.columns[name]
    if not present_cells(text).all():
        return None
    if table.is_numeric(name):
        numbers = table.numbers(name)
        if numbers.min() < 0 or (numbers != np.round(numbers)).any():
            return _unusual_clocks(text)
        if numbers.max() <= 24:
            minutes = 60 * numbers
        elif 100 <= numbers.max() <= 2400 and (numbers % 100 < 60).all():
            minutes = numbers // 100 * 60 + numbers % 100
        else:
            return None
        return np.asarray((minutes * 60e6).astype("m8[us]"))
    read = read_texts(text)
    if isinstance(read, Unread) or not read.is_clock_alone or read.format.zone:
        return _unusual_clocks(text)
    return np.asarray(read.wall - MIDNIGHT)


def _unusual_clocks(cells: Iterable[str]) -> NDArray[Any] | None:
    """Returns the time since midnight of texts such as 14.30.00, 14:00-15:00 or HE14, or None."""
    for clock in CLOCKS:
        matches = [clock.fullmatch(cell) for cell in cells]
        if None in matches:
            continue
        fields = [match.groupdict() for match in matches if match]
        hour, minute, second = (
            np.array([int(field.get(part) or 0) for field in fields]) for part in "HMS"
        )
        if hour.max() <= 24 and max(minute.max(), second.max()) < 60:
            seconds = 3600 * hour + 60 * minute + second
            return np.asarray((seconds * 10**6).astype("m8[us]"))
    return None


def parts_by_name(names: Collection[str]) -> dict[str, str]:
    """Returns which column holds which part of a time, by their names.

    A day without a month is one of the year.
    """
    columns: dict[str, str] = {}
    for part, known in PARTS.items():
        for name in names:
            if name.lower().replace(" ", "_") in known and part not in columns:
                columns[part] = name
    if {"Y", "d"} <= set(columns) and not {"m", "q", "V", "j"} & set(columns):
        columns["j"] = columns.pop("d")
    return {part: columns[part] for part in PARTS if part in columns}


def parts_of(table: Table, names: Sequence[str]) -> dict[str, str]:
    """Returns `parts_by_name`, also of months such as M01 in a column called period."""
    parts = parts_by_name(names)
    for part, pattern in PERIODS.items():
        for name in names:
            if name.lower() == "period" and all(map(pattern.fullmatch, table.columns[name])):
                parts.setdefault(part, name)
    return {part: parts[part] for part in PARTS if part in parts}


def joined_parts(table: Table, reserved: Collection[str | None]) -> Iterator[FileTimes]:
    parts = parts_of(table, [name for name in table.columns if name not in reserved])
    if "Y" not in parts:
        return
    chosen = {"Y": parts["Y"]}
    for part in "mqVjdHMS":
        if part in parts and any(needed in chosen for needed in WITHIN[part]):
            if part in "qVj" and set("mqVj") & set(chosen):
                continue
            chosen[part] = parts[part]
    order = [part for part in "YmqVjdHMS" if part in chosen]
    for count in range(2, len(order) + 1):
        times = from_parts(table, {part: chosen[part] for part in order[:count]})
        if times is not None:
            yield times


def from_parts(table: Table, parts: dict[str, str]) -> FileTimes | None:
    """Returns the times that columns of years, months and so on tell; None if they tell none."""
    if "Y" not in parts:
        return None
    fields: dict[str, list[str | None]] = {}
    for part, name in parts.items():
        text = table.columns[name]
        if part == "m" and all(cell.lower() in MONTHS for cell in text):
            fields["b"] = list(text)
            continue
        if part in "mq":
            text = np.array([cell.upper().removeprefix(part.upper()) for cell in text], object)
        numbers = parse_numbers(text, False)
        if not np.isfinite(numbers).all() or (numbers != np.round(numbers)).any():
            return None
        if numbers.min() < 0 or numbers.max() > 9999:
            return None
        if part == "Y" and all(len(cell) == 2 for cell in text):
            numbers = _four_digits(numbers)
        fields[part] = [str(int(number)) for number in numbers]
    if "V" in fields:
        fields["G"] = fields.pop("Y")
    years = np.array(fields.get("Y", fields.get("G")), int)
    limits = {"q": 4, "m": 12, "V": 53}
    over = [
        part for part, most in limits.items() if np.array(fields.get(part, [0]), int).max() > most
    ]
    if years.min() < 1000 or over:
        return None
    wall = wall_times(fields)
    if np.isnat(wall).any():
        return None
    patterns = {"q": "%Y-Q%q", "V": "%G-W%V", "m": "%Y-%m", "b": "%Y-%m"}
    last = list(fields)[-1] if "V" not in fields else "V"
    names = tuple(parts.values())
    return join(table, names, wall, pattern=patterns.get(last, "") if len(parts) == 2 else "")


def _four_digits(years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns years of two digits in the centuries in which they are closest together.

    >>> _four_digits(np.array([66.0, 70.0])), _four_digits(np.array([99.0, 3.0]))
    (array([1966., 1970.]), array([1999., 2003.]))
    """
    turn = 1900 + years + 100 * (years < 69)
    return 1900 + years if np.ptp(years) < np.ptp(turn) or years.min() >= 50 else turn
