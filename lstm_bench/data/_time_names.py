"""What the name and the look of a column say about whether it holds times."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._calendar import infer_calendar
from lstm_bench.data._time_digits import EPOCHS
from lstm_bench.data._time_patterns import MONTHS
from lstm_bench.data._wide_parts import LANGUAGES

NAMES = {"time", "date", "datetime", "timestamp", "year", "month", "day", "week", "t", "ds",
         "jahr", "anno", "ano", "año", "annee", "année", "datum", "fecha"}  # fmt: skip
"""Names by which a column of any numbers is recognized as times, in lower case."""
DATED = {"date", "datetime", "timestamp", "year", "yr", "jahr", "anno", "ano", "año", "annee",
         "année", "datum", "fecha", "ds"}  # fmt: skip
"""Words in the name of a column of dates: evenly spaced numbers there order the rows."""
COUNTED = {"decimal", "datenum", "jd", "mjd"}
"""Further such words, for numbers that tell the year and the day at once."""
HINTS = NAMES | DATED | COUNTED | {
    "period", "quarter", "hour", "epoch", "unix", "ts", "when", "moment", "dt", "zeit", "uhrzeit",
    "monat", "woche", "tag", "stunde", "mois", "semaine", "mes",
}  # fmt: skip
"""Words in the name of a column that may hold times. Texts with digits there must be read as times,
and digits may be dates or seconds since 1970. Evenly spaced numbers there are times if they rise:
such a word alone may name something else, such as T_set, which may fall as time goes on."""
COUNTDOWN = {"left", "remaining", "to", "until", "till", "minus", "before", "ago", "lead", "bp",
             "age"}  # fmt: skip
"""Words in the name of a column that counts down to something: it falls as time goes on."""
DIGIT = re.compile(r"\d")
YEAR_AND_PART = re.compile(r"(?:1[5-9]|20)\d\d[-/.: ]?[A-Za-z]{0,3}[-/.: ]?\d{1,2}")
YEAR_IN_TEXT = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
DAY_OR_MONTH = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
WORD = re.compile(r"[^\W\d_]+")
MONTH_NAMES = (*MONTHS, *(name for language in LANGUAGES for name in language))
MAX_WORDS = 24
"""Different words that cells of times may have, such as names of months; texts with more of them
are names or titles."""
MIN_DATES = 10
"""Different texts that a column must have to look like times if it cannot be read as times, and to
be taken for times if it holds digits and its name says nothing."""
YEARS = (1500, 2099)
"""Different whole numbers in these limits, most of them one after the other, are years whatever
their column is called, unless they fall from row to row."""


def words_of(name: str) -> set[str]:
    """Returns the name of a column and the words in it, in lower case.

    >>> sorted(words_of("timeToEvent"))
    ['event', 'time', 'timetoevent', 'to']
    """
    return {name.lower(), *WORD.findall(re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())}


def are_numbers_of_times(name: str, values: NDArray[np.float64]) -> bool:
    """Returns whether numbers are times by their spacing and the words in the column's name.

    What falls, or is in no order, needs a word that is used for dates alone, or seconds since 1970.
    """
    words, steps = words_of(name), np.diff(values)
    if len(np.unique(values)) < len(values) or words & COUNTDOWN:
        return False
    if words & (DATED | COUNTED) or name.lower() == "period":
        return is_even(values)
    if words & HINTS:
        since_1970 = values.min() >= EPOCHS["s"][0]
        return is_even(values) and (since_1970 or bool((steps > 0).all()))
    return _are_years(values) and not (steps < 0).all()


def tells_dates_by_name(name: str, values: NDArray[np.float64]) -> bool:
    """Returns whether numbers are times beside others, not only where nothing else is a time.

    Numbers from `YEARS[0]` on are no part of a time, such as the day of the year.
    """
    by_word = bool(words_of(name) & (DATED | COUNTED))
    return name.lower() in NAMES or (by_word and values.min() >= YEARS[0])


def must_be_times(name: str, cells: NDArray[np.object_]) -> bool:
    """Returns whether texts that cannot be read look like times, by their column's name or alone.

    >>> must_be_times("part", np.array([f"ORD-{n}" for n in range(1600, 1660)], object))
    False
    """
    if len(set(cells)) < MIN_DATES:
        return False
    if words_of(name) & HINTS:
        return 2 * sum(DIGIT.search(cell) is not None for cell in cells) >= len(cells)
    return not _has_many_words(cells) and 2 * sum(map(_has_year_and_part, cells)) >= len(cells)


def have_years(cells: NDArray[np.object_]) -> bool:
    """Returns whether most texts hold a number like a year."""
    found = sum(YEAR_IN_TEXT.search(cell) is not None for cell in cells)
    return 2 * found >= len(cells) and len(set(cells)) >= MIN_DATES and not _has_many_words(cells)


def _has_year_and_part(cell: str) -> bool:
    """Returns whether a text holds a year with a smaller number, or with the name of a month.

    One that starts with a letter, such as INV-2023-17, needs the name of a month.
    """
    if YEAR_AND_PART.fullmatch(cell):
        return True
    year = YEAR_IN_TEXT.search(cell)
    if year is None:
        return False
    rest = f"{cell[: year.start()]} {cell[year.end() :]}"
    words = [word for word in WORD.findall(rest.lower()) if len(word) > 2]
    if cell[0].isdigit() and DAY_OR_MONTH.search(rest):
        return True
    return any(month.startswith(word) for word in words for month in MONTH_NAMES)


def _has_many_words(cells: Collection[str]) -> bool:
    words: set[str] = set()
    for cell in cells:
        words.update(WORD.findall(cell.lower()))
        if len(words) > MAX_WORDS:
            return True
    return False


def _are_years(values: NDArray[np.float64]) -> bool:
    """Returns whether different numbers are years, most of them one after the other."""
    within = YEARS[0] <= values.min() and values.max() <= YEARS[1]
    if not within or len(values) < MIN_DATES or (values != np.round(values)).any():
        return False
    calendar = infer_calendar(np.unique(values))
    return calendar is not None and calendar.regular and calendar.step == 1


def is_even(values: NDArray[Any]) -> bool:
    """Returns whether different times are many, and evenly spaced with few gaps."""
    different = np.unique(values)
    calendar = infer_calendar(different) if len(different) >= MIN_DATES else None
    return calendar is not None and (calendar.regular or calendar.has_sessions)


def is_monotone(values: NDArray[Any]) -> bool:
    """Returns whether times rise, or fall, from row to row."""
    steps = np.diff(values)
    zero = np.zeros((), steps.dtype)
    return bool((steps > zero).all() or (steps < zero).all())


def counts(values: NDArray[np.float64]) -> bool:
    """Returns whether numbers count up evenly, perhaps from the start again or several at once."""
    steps = np.diff(values)
    different = np.unique(values)
    even = len(different) > 2 and np.allclose(np.diff(different), different[1] - different[0])
    up = (steps == 0) | (values[1:] == values[0]) | np.isclose(steps, different[1] - different[0])
    return bool(even and up.all()) if len(different) > 2 else False
