"""Ways of writing a time: the pattern of a cell, and times read and written by a pattern.

A pattern is one of `strptime`, such as `%d.%m.%Y %H:%M`, with `%q` for a quarter, `%N` for a half
of a year and `%o` for the ending of a day's number (1st). To write, `%-d` is without zeros in
front, `%3f` are three digits of a second, `%^b` is in capitals and `%P` is am or pm in small
letters.
"""

from __future__ import annotations

import calendar
import functools
import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["dmy", "mdy", "ymd"]
"""The order of day, month and year where all three are numbers and no year of 4 digits is first."""
Times = NDArray[np.datetime64]

MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
MONTHS |= {name[:3]: number for name, number in MONTHS.items()} | {"sept": 9}
USUAL_FIRST = 69
"""The first year of two digits that is of the 20th century, as for strptime."""
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ZONE_TEXT = (
    r"(?:Z|(?:UTC|GMT)[+-]\d{1,2}(?::\d\d)?|[+-]\d\d(?::?\d\d)?(?: \(?[A-Z]{3,5}\)?|\[[\w/+-]+\])?"
    r"|[A-Z]{3,5}|[A-Z]\w+(?:/[\w+-]+)+)"
)
FIELDS = {
    "Y": r"\d{4}", "y": r"\d\d", "m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}",
    "I": r"\d{1,2}", "M": r"\d{1,2}", "S": r"\d{1,2}", "f": r"\d{1,9}", "p": r"[ap]\.?m\.?",
    "b": "|".join(sorted(MONTHS, key=len, reverse=True)), "j": r"\d{1,3}", "q": "[1-4]",
    "N": "[12]", "G": r"\d{4}", "V": r"\d{1,2}", "u": "[1-7]", "a": rf"(?:{'|'.join(DAYS)})[a-z]*",
    "z": ZONE_TEXT, "o": "st|nd|rd|th", "O": "0[1-9]|1[012]?",
    "E": r"\d\d", "K": r"\d{4}",
}  # fmt: skip
"""What each directive of a pattern matches: `%E` and `%K` are the year after `%Y`."""
SAME = {"B": "b", "A": "a", "Z": "z", "P": "p", "e": "d"}
"""Directives that are read as others are."""
SHORT = {"%T": "%H:%M:%S", "%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%R": "%H:%M"}
DIRECTIVE = re.compile(r"%(?P<flag>[-^]?\d?)(?P<name>[A-Za-z%])")

ZONE = re.compile(rf"(?<=[\d.mM])(\s?){ZONE_TEXT}$")
CLOCK = re.compile(
    r"(?P<before>^|[T ,_-]+|(?<=\d):| at )(?P<H>\d{1,2})(?P<M>:\d\d)?(?P<S>:\d\d)?"
    r"(?:(?P<point>[.,])(?P<f>\d{1,9}))?(?:(?P<space>\s?)(?P<p>[AaPp]\.?[Mm]\.?))?$"
)
NUMBERS = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d\d)(\.?)")
WEEK = r"(?i:W|KW|CW|Wk|Week)\.? ?"
SEASON = re.compile(r"\d{4}( ?[-/–] ?)(\d{4}|\d\d)")
PERIOD = re.compile(r"\d{4}:(\d{1,2})")
FIXED = (
    (re.compile(r"\d{4}([-/. ])\d{1,2}\1\d{1,2}"), "%Y{0}%m{0}%d"),
    (re.compile(r"\d{4}([-/])\d{1,2}"), "%Y{0}%m"),
    (re.compile(r"\d{1,2}([-/.])\d{4}"), "%m{0}%Y"),
    (re.compile(r"\d{4}-\d{3}"), "%Y-%j"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{4}([-/: ]?)([Qq])[1-4]"), "%Y{0}{1}%q"),
    (re.compile(r"([Qq])[1-4]([-/' ]*)\d{4}"), "{0}%q{1}%Y"),
    (re.compile(r"([Qq])[1-4]([-/' ]*)\d\d"), "{0}%q{1}%y"),
    (re.compile(r"[1-4]([Qq])([-/ ]?)\d{4}"), "%q{0}{1}%Y"),
    (re.compile(r"[1-4]([Qq])([-/ ]?)\d\d"), "%q{0}{1}%y"),
    (re.compile(r"\d{4}([- ]?[Mm])\d{1,2}"), "%Y{0}%m"),
    (re.compile(r"\d{4}(-?[HhSs])[12]"), "%Y{0}%N"),
    (re.compile(rf"\d{{4}}([-/ ]?{WEEK})\d{{1,2}}"), "%G{0}%V"),
    (re.compile(r"\d{4}([- ]?[Ww])\d\d(-?)\d"), "%G{0}%V{1}%u"),
    (re.compile(rf"({WEEK})\d{{1,2}}([-/ ]|, )\d{{4}}"), "{0}%V{1}%G"),
    (re.compile(r"(FY ?)\d{4}"), "{0}%Y"),
)
"""Dates that are written with numbers in one order only."""


def pattern_of(cell: str, order: Order = "dmy") -> str | None:
    """Returns the pattern in which a time is written, None for a text that is no time.

    >>> pattern_of("31.12.2024 14:00"), pattern_of("Jan 1, 2024"), pattern_of("1959Q1")
    ('%d.%m.%Y %H:%M', '%b %d, %Y', '%YQ%q')
    >>> pattern_of("1/2/24 3:15 PM", "mdy"), pattern_of("soon")
    ('%m/%d/%y %I:%M %p', None)
    """
    if not any(map(str.isdigit, cell)) or len(cell) > 60 or "%" in cell:
        return None
    return _own_pattern(cell, order) or _guessed_pattern(cell, order)


def _own_pattern(cell: str, order: Order) -> str | None:
    rest, ending, beginning = cell, "", ""
    zone = ZONE.search(rest) if "T" in rest or ":" in rest else None
    if zone is not None:
        rest, ending = rest[: zone.start()], zone[1] + "%z"
    clock = CLOCK.search(rest)
    if clock and (clock["M"] or clock["p"]):
        text = clock["before"] + ("%I" if clock["p"] else "%H") + (":%M" if clock["M"] else "")
        text += (":%S" if clock["S"] else "") + (clock["point"] or "") + "%f" * bool(clock["f"])
        rest, ending = rest[: clock.start()], text + _text_before(clock["space"], "%p") + ending
    elif compact := re.fullmatch(r"(\d{8})([T _-]?)(\d{4}|\d{6})", rest):
        digits = "%H%M" + "%S" * (len(compact[3]) == 6)
        rest, ending = compact[1], compact[2] + digits + ending
    elif hour := re.fullmatch(r"(\d{4}([-/.])\d{1,2}\2\d{1,2})([T ])\d{1,2}", rest):
        rest, ending = hour[1], hour[3] + "%H" + ending
    elif ending:
        return None  # a zone without a time of day
    day = re.match(rf"(?:{'|'.join(DAYS)})[a-z]*(\.?,? +)", rest, re.IGNORECASE)
    if day is not None:
        beginning = ("%a" if len(day[0].rstrip(" .,")) <= 3 else "%A") + day[1]
        rest = rest[day.end() :]
    date = _date_pattern(rest, order) if rest or not ending else ""
    return None if date is None else beginning + date + ending


def column_pattern(texts: Sequence[str]) -> str | None:
    """Returns the pattern of different texts that only all of them together show, or None.

    >>> column_pattern(["2000/01", "2001/02", "2002/03"]), column_pattern(["1959:1", "1959:2"])
    ('%Y/%E', '%Y:%q')
    """
    if (season := SEASON.fullmatch(texts[0])) and len(texts) > 2:
        return f"%Y{season[1]}%{'K' if len(season[2]) == 4 else 'E'}"
    periods = [PERIOD.fullmatch(text) for text in texts]
    parts = {period[1] for period in periods if period}
    return None if None in periods else "%Y:%q" if parts <= set("1234") else "%Y:%m"


def _text_before(space: str | None, directive: str) -> str:
    return "" if space is None else space + directive


def _date_pattern(date: str, order: Order) -> str | None:
    for regex, pattern in FIXED:
        if match := regex.fullmatch(date):
            return pattern.format(*match.groups())
    if match := NUMBERS.fullmatch(date):
        year = "%Y" if len(match[4]) == 4 else "%y"
        if year == "%Y" and order == "ymd":
            order = "dmy"
        fields = {"d": "%d", "m": "%m", "y": year}
        return match[2].join(fields[letter] for letter in order) + match[5]
    tokens = re.findall(r"\d+|[A-Za-z]+|[^\dA-Za-z]+", date)
    numbers = [token for token in tokens if token.isdigit()]
    if sum(token.lower() in MONTHS for token in tokens) != 1 or not 1 <= len(numbers) <= 2:
        return None
    if any(len(number) not in (1, 2, 4) for number in numbers):
        return None
    long = [len(number) == 4 for number in numbers]
    if sum(long) > 1 or (len(numbers) == 1 and len(numbers[0]) == 1):
        return None
    kinds = iter(["%Y" if long[0] else "%y"] if len(numbers) == 1 else
                 ["%Y", "%d"] if long[0] else ["%d", "%Y" if long[1] else "%y"])  # fmt: skip
    parts = []
    for place, token in enumerate(tokens):
        if token.isdigit():
            parts.append(next(kinds))
        elif token.lower() in MONTHS:
            parts.append("%B" if len(token) > 4 else "%b")
        elif token.isalpha():
            ordinal = token.lower() in ("st", "nd", "rd", "th") and tokens[place - 1].isdigit()
            if not place or not (ordinal or token.lower() == "of"):
                return None
            parts.append("%o" if ordinal else token)
        else:
            parts.append(token)
    return "".join(parts)


@functools.lru_cache(maxsize=4096)
def _guessed_pattern(cell: str, order: Order) -> str | None:
    """Returns what pandas makes of a text, if it has a date and is in no way of above."""
    from pandas.tseries.api import guess_datetime_format  # takes a third of a second to import

    if sum(map(str.isdigit, cell)) < 4:
        return None
    try:
        with warnings.catch_warnings():  # about cells in the other order
            warnings.simplefilter("ignore")
            pattern = guess_datetime_format(cell, dayfirst=order == "dmy")
    except (ValueError, OverflowError):
        return None
    if pattern is None or "%Y" not in pattern or directives(pattern) is None:
        return None
    return str(pattern)


def directives(pattern: str) -> tuple[str, ...] | None:
    """Returns the fields that a pattern holds, None if it has one that cannot be read.

    >>> directives("%d.%m.%Y"), directives("%d %Q")
    (('d', 'm', 'Y'), None)
    """
    pattern = expand(pattern)
    names = [SAME.get(m["name"], m["name"]) for m in DIRECTIVE.finditer(pattern)]
    names = [name for name in names if name != "%"]
    known = all(name in FIELDS for name in names) and len(set(names)) == len(names)
    return tuple(names) if known and names and "%" not in DIRECTIVE.sub("", pattern) else None


def expand(pattern: str) -> str:
    """Returns a pattern with `%T`, `%F`, `%D` and `%R` written out."""
    for short, long in SHORT.items():
        pattern = pattern.replace(short, long)
    return pattern


def match_cells(cells: Sequence[str], pattern: str) -> dict[str, list[str | None]]:
    """Returns the text of each field of a pattern in each cell, None in cells that do not fit."""
    parts, place = [], 0
    for piece in DIRECTIVE.finditer(pattern):
        parts.append(re.escape(pattern[place : piece.start()]))
        name = SAME.get(piece["name"], piece["name"])
        field = FIELDS.get(name, "")
        if piece["flag"] == "-" and not piece.start() and name in "dmy":
            field = r"\d\d?"  # in front of further digits, it may lack its zero
        parts.append("%" if name == "%" else f"(?P<{name}>{field})")
        place = piece.end()
    regex = re.compile("".join(parts) + re.escape(pattern[place:]), re.IGNORECASE)
    compact = re.search(r"%-?[YymdHIMS]%-?[ymdHIMS]", pattern) is not None
    if compact:  # digits without marks between them: two for each field
        regex = re.compile(regex.pattern.replace(r"\d{1,2}", r"\d\d"), re.IGNORECASE)
    columns: dict[str, list[str | None]] = {name: [] for name in regex.groupindex}
    nothing = (None,) * len(columns)
    equal: dict[str | None, str | None] = {}  # equal texts are in memory once: few differ
    for cell in cells:
        match = regex.fullmatch(cell)
        texts = match.groups() if match else nothing
        for column, text in zip(columns.values(), texts, strict=True):
            column.append(equal.setdefault(text, text))
    return columns


def first_short_year(texts: Iterable[str | None]) -> int | None:
    """Returns from which year of two digits on years are of the 20th century; before, of the 21st.

    It is 69, as for strptime, unless these years are closer to each other otherwise: None if it is
    not clear.

    >>> [first_short_year(years) for years in (["98", "05"], ["66", "70"], ["5", "60"])]
    [69, 66, None]
    """
    years = sorted({int(text) for text in texts if text})
    if len(years) < 2:
        return USUAL_FIRST
    before = {year: (year - years[place - 1]) % 100 for place, year in enumerate(years)}
    usual = before.pop(next((year for year in years if year >= USUAL_FIRST), years[0]))
    first = max(before, key=lambda year: before[year])
    if usual > before[first]:
        return USUAL_FIRST
    unique = list(before.values()).count(before[first]) == 1
    return first if unique and before[first] >= 2 * usual else None


def wall_times(fields: dict[str, list[str | None]], first: int = USUAL_FIRST) -> Times:
    """Returns the times that fields tell, as clocks show them, NaT where they are in no calendar.

    A field that is not there is the first of its kind: 2024 is 1 January 2024, 00:00. Years of two
    digits are of the 20th century from `first` on. The hour 24 is the next day's 0.
    """
    import pandas as pd  # takes a third of a second to import

    count = len(next(iter(fields.values())))

    def number(name: str, default: int) -> NDArray[np.int64]:
        texts = fields.get(name)
        if texts is None:
            return np.full(count, default)
        return np.array([-1 if text is None else int(text) for text in texts], np.int64)

    year, month, day = number("Y", 1900), number("m", 1), number("d", 1)
    if "y" in fields:
        short = number("y", 0)
        year = short + np.where(short < first, 2000, 1900)
    if "b" in fields:
        month = np.array([MONTHS.get((text or "").lower(), -1) for text in fields["b"]], np.int64)
    for name in {"E", "K"} & fields.keys():
        year = np.where((year + 1) % 10 ** (4 if name == "K" else 2) == number(name, 0), year, 0)
    if "O" in fields:  # a month after a decimal point: 1 is 10
        fields = fields | {"m": [text and text.ljust(2, "0") for text in fields["O"]]}
        month = number("m", 1)
    if "q" in fields:
        month = 3 * number("q", 1) - 2
    if "N" in fields:
        month = 6 * number("N", 1) - 5
    if "j" in fields:
        codes, layout = 1000 * year + number("j", 1), "%Y%j"
    elif "V" in fields:
        year = number("G", 1900) if "G" in fields else year
        codes, layout = 1000 * year + 10 * number("V", 1) + number("u", 1), "%G%V%u"
    else:
        codes, layout = 10000 * year + 100 * month + day, "%Y%m%d"
    texts = pd.Series(codes).astype(str)
    known = np.array([text is not None for text in next(iter(fields.values()))], bool)
    known &= (year >= 1000) & (month > 0) & (day > 0)
    dates = pd.to_datetime(texts.where(known), format=layout, errors="coerce")
    if "j" in fields:  # pandas takes day 366 of any year
        known &= (dates.dt.year == year).to_numpy(bool)
    hour, minute, second = number("H", 0), number("M", 0), number("S", 0)
    if "p" in fields:
        hour = number("I", 12)
        afternoon = np.array([(text or "a")[0] in "pP" for text in fields["p"]])
        hour = np.where((hour >= 1) & (hour <= 12), hour % 12 + 12 * afternoon, 99)
    late = (hour == 24) & (minute == 0) & (second == 0)
    known &= ((hour < 24) | late) & (minute < 60) & (second < 60)
    parts = [0 if text is None else int(text.ljust(6, "0")[:6]) for text in fields.get("f", ())]
    clock = (60 * (60 * hour + minute) + second) * 1_000_000 + (np.array(parts) if parts else 0)
    times = dates.to_numpy().astype("M8[us]") + clock.astype("m8[us]")
    known &= times < np.datetime64("10000", "us")  # which is 24:00 of the last day
    return np.asarray(np.where(known, times, np.datetime64("NaT", "us")).astype("M8[us]"))


def style(pattern: str, fields: dict[str, list[str | None]]) -> str:
    """Returns a pattern that writes times as the cells are written whose fields are given.

    >>> style("%d-%b-%Y", match_cells(["5-JAN-2009", "15-JAN-2009"], "%d-%b-%Y"))
    '%-d-%^b-%Y'
    """

    def directive(match: re.Match[str]) -> str:
        name = match["name"]
        texts = [text for text in dict.fromkeys(fields.get(SAME.get(name, name), [])) if text]
        if not texts:
            return match[0]
        if name in "mdeHIMSjV":
            return f"%-{name}" if any(text[0] != "0" and len(text) < _width(name) for text in texts
                                      ) or "0" in texts else f"%{name}"  # fmt: skip
        if name == "f":
            return f"%{max(map(len, texts))}f"
        if name in "bB":
            long = any(len(text) > 4 or text.lower() in ("june", "july") for text in texts)
            return ("%^" if all(map(str.isupper, texts)) else "%") + ("B" if long else "b")
        if name in "aA":
            return "%A" if any(len(text) > 3 for text in texts) else "%a"
        if name in "pP":
            return "%P" if texts[-1].islower() else "%p"
        return match[0]

    return DIRECTIVE.sub(directive, pattern)


def _width(name: str) -> int:
    return 3 if name == "j" else 2


def write_time(time: np.datetime64, pattern: str, zone: str = "") -> str:
    """Returns a time as a text of a pattern; `zone` stands for `%z`.

    >>> write_time(np.datetime64("2009-01-05T14:03:00.25"), "%-d.%m.%y %I:%M:%S.%2f %p")
    '5.01.09 02:03:00.25 PM'
    >>> write_time(np.datetime64("2009-05-05"), "%YQ%q")
    '2009Q2'
    """
    when: datetime = time.astype("M8[us]").item()
    week = when.isocalendar()
    day = when.day
    numbers = {
        "Y": (f"{when.year:04}", 4), "y": (when.year % 100, 2), "m": (when.month, 2),
        "d": (day, 2), "e": (day, 2), "H": (when.hour, 2), "I": ((when.hour - 1) % 12 + 1, 2),
        "M": (when.minute, 2), "S": (when.second, 2), "j": (when.timetuple().tm_yday, 3),
        "q": ((when.month + 2) // 3, 1), "N": ((when.month + 5) // 6, 1),
        "O": (f"{when.month:02}".rstrip("0"), 0),
        "E": ((when.year + 1) % 100, 2), "K": (when.year + 1, 4),
        "G": (week.year, 4), "V": (week.week, 2), "u": (week.weekday, 1),
    }  # fmt: skip

    def text(match: re.Match[str]) -> str:
        name, flag = match["name"], match["flag"]
        if name in numbers:
            number, width = numbers[name]
            return str(number) if flag == "-" else str(number).zfill(width)
        if name == "f":
            return f"{when.microsecond:06}".ljust(9, "0")[: int(flag or 6)]
        if name in "pP":
            half = "PM" if when.hour >= 12 else "AM"
            return half if name == "p" else half.lower()
        if name == "o":
            return "th" if day // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        if name in "zZ":
            return zone
        names = {"b": calendar.month_abbr[when.month], "B": calendar.month_name[when.month],
                 "a": calendar.day_abbr[when.weekday()], "A": calendar.day_name[when.weekday()],
                 "%": "%"}  # fmt: skip
        return names[name].upper() if flag == "^" else names[name]

    return DIRECTIVE.sub(text, pattern)
