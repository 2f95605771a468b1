"""Wide files with one part of a time in each row and a smaller one in each column, as one series.

They are years and months, years and quarters, months and days, or days and times of day.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import is_missing, parse_numbers, present_cells
from lstm_bench.data._time_digits import read_numbers
from lstm_bench.data._time_patterns import MONTHS, directives
from lstm_bench.data._time_reading import Unread, plain, read_texts
from lstm_bench.errors import DataError

Text = NDArray[np.object_]

YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
LANGUAGES = tuple(
    names.split()
    for names in (
        "januar februar märz april mai juni juli august september oktober november dezember",
        "jänner feber mrz apr mai jun jul aug sept okt nov dez",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
        "dicembre",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    )
)
"""Names of months besides the English ones; the first three letters or more stand for them."""
PART = re.compile(r"([A-Za-z]*)[ _-]?(\d{1,2})")
CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d)?")
WORDS = {"month": ("", "m", "month"), "quarter": ("q", "qtr", "quarter"), "day": ("", "d", "day"),
         "hour": ("", "h", "he", "hr", "hour")}  # fmt: skip
"""What stands in front of the number of a part."""
NUMBERS = (("month", range(1, 13)), ("quarter", range(1, 5)), ("day", range(1, 32)),
           ("hour", range(24)), ("hour", range(1, 25)))  # fmt: skip
WHOLE = {"month": "year", "quarter": "year", "day": "month", "hour": "date", "time": "date"}
"""The time that each part is one of."""


@dataclass(frozen=True)
class Parts:
    """The values of a wide file in order of time, with their times and the rows of the file."""

    times: Text
    values: Text
    rows: NDArray[np.intp]
    series: Text | None  # the series of each value, if there are several
    note: str
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class Wholes:
    """Years, months or dates, of which parts are in the rows or columns."""

    texts: list[str]
    order: NDArray[np.intp]  # their places from the first to the last


def parts_in_columns(file: str, columns: Mapping[str, Text]) -> Parts | None:
    """Returns the values of a file as one series, None unless its columns are parts of a time.

    Raises `DataError` if months are in another order, or if a day is in no calendar.
    """
    for unit, names in _named_parts(list(columns)):
        others = [name for name in columns if name not in names]
        for base in others:
            wholes = _wholes(columns[base], WHOLE[unit])
            if wholes is None:
                continue
            keys = [name for name in others if name != base]
            series = _series(columns, base, keys)
            if series is None:
                continue
            _check_order(file, unit, names)
            grid = np.stack([columns[name] for name in names], axis=1)
            rows = np.repeat(np.arange(len(grid)), len(names)).reshape(grid.shape)
            note = f"{len(names)} columns as the {unit}s of each {base}"
            left_out = {n: f"it is no {unit}" for n in keys if n not in series}
            of_row = np.array(
                [" ".join(str(columns[n][k]) for n in series) for k in range(len(grid))], object
            )
            return _below_one_another(
                file, unit, wholes, list(names.values()), grid, rows, note, left_out,
                of_row if series else None,
            )  # fmt: skip
    return _parts_in_rows(file, columns)


def _parts_in_rows(file: str, columns: Mapping[str, Text]) -> Parts | None:
    """Returns the same for a file with the larger parts in its columns."""
    first, *names = columns
    cells = [str(cell) for cell in columns[first]]
    if len(names) < 2 or len(set(cells)) < len(cells):
        return None
    for unit, parts in _named_parts(cells):
        wholes = _wholes(np.array(names, object), WHOLE[unit])
        if wholes is None or len(parts) < len(cells):
            continue
        _check_order(file, unit, parts)
        grid = np.stack([columns[name] for name in names])
        rows = np.tile(np.arange(len(cells)), (len(names), 1))
        note = f"{len(cells)} rows as the {unit}s of each column"
        return _below_one_another(
            file, unit, wholes, list(parts.values()), grid, rows, note, {}, None
        )
    return None


def _named_parts(names: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields which names are all parts of one kind: the number of each, or its time of day."""
    english = {n: MONTHS[n.lower().rstrip(".")] for n in names if n.lower().rstrip(".") in MONTHS}
    months = [english]
    months += [{n: m for n in names if (m := _month(n, language))} for language in LANGUAGES]
    for found in months:
        if sorted(found.values()) == list(range(1, 13)):
            yield "month", {name: str(number) for name, number in found.items()}
            return
    clocks = {name: name for name in names if CLOCK.fullmatch(name)}
    if len(clocks) > 3:
        yield "time", clocks
    matches = [(name, match) for name in names if (match := PART.fullmatch(name))]
    for unit, numbers in NUMBERS:
        found = {n: int(m[2]) for n, m in matches if m[1].lower() in WORDS[unit]}
        if sorted(found.values()) == list(numbers):
            yield unit, {name: str(number) for name, number in found.items()}


def _month(name: str, language: Sequence[str]) -> int:
    """Returns the number of a month by its name or at least three letters of it, otherwise 0."""
    short = name.lower().strip().rstrip(".")
    numbers = [n for n, month in enumerate(language, 1) if month.startswith(short)]
    exact = [n for n in numbers if language[n - 1] == short]
    return (exact or numbers)[0] if numbers and len(short) > 2 else 0


def _wholes(cells: Text, kind: str) -> Wholes | None:
    """Returns cells as years, months (2020-01) or dates, None if they are none."""
    texts = [str(cell) for cell in cells]
    if not present_cells(cells).all():
        return None
    if kind == "year":
        years = all(YEAR.fullmatch(text) for text in texts)
        return Wholes(texts, np.argsort(texts, kind="stable")) if years else None
    digits = all(map(str.isdecimal, texts))
    read = read_numbers(cells, parse_numbers(cells, False)) if digits else read_texts(cells)
    if isinstance(read, Unread):  # day and month may be either: that is settled later
        in_order = Wholes(texts, np.arange(len(texts)))
        return in_order if kind == "date" and read.reason == "order" else None
    if read is None or read.format.kind != "text" or read.has_clock:
        return None
    parts = set(directives(plain(read.format.pattern)) or ())
    if kind == "month":
        if not parts & {"Y", "y"} or not parts & {"m", "b"} or parts & {"d", "H"}:
            return None
        texts = [str(month)[:7] for month in read.wall.astype("M8[M]")]
    elif not parts & {"d", "j"}:
        return None
    return Wholes(texts, np.argsort(read.values, kind="stable"))


def _series(columns: Mapping[str, Text], base: str, keys: Sequence[str]) -> list[str] | None:
    """Returns the columns that tell rows of one time apart, None if none do."""
    texts = [name for name in keys if not np.isfinite(parse_numbers(columns[name], False)).any()]
    for chosen in ([], *([name] for name in keys), texts):
        rows = list(zip(*(columns[name].tolist() for name in (base, *chosen)), strict=True))
        if len(set(rows)) == len(rows):
            return list(chosen)
    return None


def _check_order(file: str, unit: str, parts: Mapping[str, str]) -> None:
    numbers = list(parts.values())
    if unit == "month" and numbers != [str(n) for n in range(1, 13)]:
        raise DataError(
            f"{file}: months must be in the order of the year, but begin with {next(iter(parts))}; "
            "put January first, with the year of each month in its row, or set wide=columns if "
            "each column is a series"
        )


def _below_one_another(
    file: str,
    unit: str,
    wholes: Wholes,
    parts: Sequence[str],
    grid: Text,
    rows: NDArray[np.intp],
    note: str,
    left_out: Mapping[str, str],
    series: Text | None,
) -> Parts | None:
    times = np.array(
        [[_time(unit, whole, part) for part in parts] for whole in wholes.texts], object
    )
    for n, whole in enumerate(wholes.texts) if unit == "day" else ():
        length = calendar.monthrange(*map(int, whole.split("-")))[1]
        for k, part in enumerate(parts):
            if int(part) > length and not is_missing(grid[n, k]):
                raise DataError(
                    f"{file}: days must be in the calendar, but row {rows[n, k] + 2} has a value "
                    f"for day {part} of {whole}; leave that cell empty, or set wide=columns if "
                    "each column is a series"
                )
            times[n, k] = "" if int(part) > length else times[n, k]
    names = np.full(len(wholes.texts), "", object) if series is None else series
    names = np.repeat(names, len(parts))
    order = (wholes.order[:, None] * len(parts) + np.arange(len(parts))).ravel()
    order = order[times.ravel()[order] != ""]
    known = ~np.array([is_missing(cell) for cell in grid.ravel()], bool)
    kept = []
    for name in dict.fromkeys(names[order].tolist()):
        places = order[names[order] == name]
        inside = np.flatnonzero(known[places])
        kept.append(places[inside[0] : inside[-1] + 1] if len(inside) else places[:0])
    every = np.concatenate(kept)
    return Parts(
        times.ravel()[every], grid.ravel()[every], rows.ravel()[every],
        None if series is None else names[every],
        f"a wide file: {note}; wide=columns makes them series", left_out,
    )  # fmt: skip


def _time(unit: str, whole: str, part: str) -> str:
    if unit == "time":
        return f"{whole} {part}"
    if unit == "quarter":
        return f"{whole}Q{part}"
    return f"{whole} {int(part):02}:00" if unit == "hour" else f"{whole}-{int(part):02}"
