"""The format of a column's numbers: decimal mark, thousands separator, currency or unit.

The format is decided for a column as a whole, by all of its cells, by the other columns and by the
separator of the file. A column that fits two formats with different values is refused where it is
used.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import plain_number

Decimal = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'"]

LOOKALIKES = str.maketrans({
    "−": "-", "\u2012": "-", "\u2013": "-", "’": "'", "ʼ": "'",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ",
})  # fmt: skip
"""Other forms of minus signs, apostrophes and spaces."""
NUMBER = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[+-])?\s*"
    r"(?P<before>[A-Z]{0,3}[$€£¥₹₽₩₺¢]|[A-Z]{3}(?=[ \d+-]))?\s*(?P<sign2>[+-])?"
    r"(?P<core>\d(?:[\d.,' ]*\d)?[.,]?|[.,]\d+)(?P<exponent>[eE][+-]?\d+)?"
    r"\s*(?P<after>(?:[^\W\d_]|[%‰°$€£¥₹₽₩₺¢])[^\s\d,;:()]{0,11}[²³23]?)?(?P<sign3>-)?(?P<close>\))?"
)
NOT_UNITS = {"am", "pm", "a.m.", "p.m.", "th", "st", "nd", "rd"}
CURRENCY_CODES = {
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR",
    "JPY", "KRW", "MXN", "NOK", "NZD", "PLN", "RUB", "SEK", "SGD", "THB", "TRY", "TWD", "USD",
    "ZAR",
}  # fmt: skip
"""Three letters before whole numbers that are a unit; others, as in SKU1, make a name of it."""


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of a column are written.

    >>> NumberFormat(",", ".", ("€", ""), plain=False).parse(["€ 1.200,50", "x"]).tolist()
    [1200.5, nan]
    """

    decimal: str = "."
    thousands: str = ""
    unit: tuple[str, str] = ("", "")  # before and after the number
    plain: bool = True  # whether the numbers are written as in Python
    example: str = ""  # a cell that shows the format
    ambiguous: bool = False  # whether `example` may be one of two numbers
    doubtful: bool = False  # whether `example` has a second reading, which is unlikely
    not_as: str = ""  # the user's option that the cells contradict

    def parse(self, cells: Iterable[str]) -> NDArray[np.float64]:
        """Returns cells as numbers, NaN for every other cell."""
        parse = plain_number if self.plain else self._number
        return np.fromiter((parse(cell) for cell in cells), np.float64)

    def _number(self, cell: str) -> float:
        parts = _parts(cell)
        if parts is None:
            plain = plain_number(cell)  # inf, for example
            return plain if not np.isfinite(plain) else np.nan
        if parts.unit != self.unit or not _core(self.decimal, self.thousands).fullmatch(parts.core):
            return np.nan
        digits = parts.core.replace(self.thousands, "") if self.thousands else parts.core
        return float(parts.sign + digits.replace(self.decimal, ".") + parts.exponent)

    @property
    def description(self) -> str:
        """The format in words, "" for numbers as in Python."""
        shown = self.example and (self.not_as or not self.plain)
        words = [f"like {self.example}"] if shown else []
        words += [f"thousands separator {self.thousands!r}"] if self.thousands else []
        words += [f"decimal mark {self.decimal!r}"] if self.decimal == "," else []
        words += [f"in {''.join(self.unit)}"] if any(self.unit) else []
        words += [f"not with {self.not_as}"] if self.not_as else []
        return ", ".join(words)


@dataclass(frozen=True)
class _Parts:
    sign: str
    core: str  # digits, decimal mark and thousands separators
    exponent: str
    unit: tuple[str, str]


def _parts(cell: str) -> _Parts | None:
    """Returns the parts of a number, None for another cell."""
    match = NUMBER.fullmatch(cell.translate(LOOKALIKES).strip())
    if match is None or (match["open"] is None) != (match["close"] is None):
        return None
    signs = [sign for name in ("sign", "sign2", "sign3") if (sign := match[name])]
    after = match["after"] or ""
    if len(signs) + (match["open"] is not None) > 1 or after.lower() in NOT_UNITS:
        return None
    if unicodedata.numeric(after[:1] or "0", 0) % 1:
        return None  # 5½ is not 5
    negative = match["open"] is not None or "-" in signs
    unit = (match["before"] or "", after)
    return _Parts("-" if negative else "", match["core"], match["exponent"] or "", unit)


def _core(decimal: str, thousands: str) -> re.Pattern[str]:
    """Returns the pattern of the digits of a number; Indian lakhs, 12,34,567, are grouped too."""
    d, whole = re.escape(decimal), r"\d+"
    if thousands:
        t = re.escape(thousands)
        middle = r"\d{2,3}" if thousands == "," else r"\d{3}"
        whole = rf"(?:[1-9]\d{{0,2}}(?:{t}{middle})*{t}\d{{3}}|\d+)"
    return re.compile(rf"{whole}(?:{d}\d*)?|{d}\d+")  # `re` keeps compiled patterns


@dataclass(frozen=True)
class _Evidence:
    """What the cells of one column say: the formats that fit, and how its integers look."""

    formats: tuple[NumberFormat, ...]
    marked: str = ""  # a cell with the mark that has two readings
    short_integers: bool = False  # whether some numbers are integers of up to three digits
    long_integers: bool = False  # whether some are longer and are not grouped
    large_integers: bool = False  # whether some are twice as large as any number with a point


PLAIN = _Evidence((NumberFormat(),))
SAMPLE = 200
"""Different cells of a column that decide whether it holds numbers at all."""
TWO_READINGS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}|[+-]?\d{1,3}")
CURRENCIES = set("$€£¥₹₽₩₺")


def _evidence(cells: Sequence[str]) -> _Evidence:
    """Returns what present cells say; cells that are not numbers are left out unless most are."""
    if not any(np.isnan(plain_number(cell)) for cell in cells):
        with_point = next((cell for cell in cells if "." in cell), None)
        if with_point is None:
            return PLAIN
        clear = next((cell for cell in cells if not TWO_READINGS.fullmatch(cell)), None)
        if clear is not None:
            return _Evidence((NumberFormat(example=with_point),))
    different = list(dict.fromkeys(cells))
    if 2 * sum(_parts(cell) is not None for cell in different[:SAMPLE]) < len(different[:SAMPLE]):
        return PLAIN
    parts = {cell: part for cell in different if (part := _parts(cell)) is not None}
    units = {part.unit for part in parts.values()}
    if len(units) != 1:
        return PLAIN  # text: 3 kg and 3 lb are not comparable
    unit = units.pop()
    cores = {part.core: cell for cell, part in parts.items()}
    used = {mark for core in cores for mark in ".,' " if mark in core}
    code = len(unit[0]) == 3 and unit[0].isalpha() and unit[0] not in CURRENCY_CODES
    if code and not used & {".", ","}:
        return PLAIN  # names such as SKU1
    formats = []
    for decimal in ".,":
        marks = used - {decimal}
        thousands = marks.pop() if marks else ""
        pattern = _core(decimal, thousands)
        fitting = [core for core in cores if pattern.fullmatch(core)]
        if not marks and 2 * len(fitting) > len(cores):
            formats.append((len(fitting), NumberFormat(decimal, thousands, unit, False)))
    most = max((count for count, _ in formats), default=0)
    best = [candidate for count, candidate in formats if count == most]
    if not best:
        return PLAIN  # dates such as 31.12.2024, for example
    if not used & {".", ","}:
        best = best[:1]
    example = next((cell for core, cell in cores.items() if any(m in core for m in used)), "")
    example = example or next(iter(parts))
    if not any(np.isnan(plain_number(cell)) for cell in parts):
        best = [replace(candidate, plain=candidate.decimal == ".") for candidate in best]
    integers = [core for core in cores if core.isdecimal()]
    decimals = [plain_number(core) for core in cores if "." in core]
    return _Evidence(
        tuple(replace(candidate, example=example) for candidate in best),
        example,
        any(len(core) <= 3 for core in integers),
        any(len(core) > 3 for core in integers),
        max(map(float, integers), default=0) > 2 * max(decimals, default=0),
    )


def number_formats(
    columns: Mapping[str, Sequence[str]],
    separator: str,
    decimal: str | None = None,
    thousands: str | None = None,
) -> dict[str, NumberFormat]:
    """Returns the format of each column of present cells; `decimal` and `thousands` settle it.

    A single mark before three digits, as in 1,002, has two readings. It is a thousands separator
    if other columns show that the decimal mark is another one, or beside integers below 1000, which
    a writer of three decimals would not leave without them. A comma in a file with semicolons, and
    a point, are otherwise the decimal mark; what is left is ambiguous. So is a point beside
    integers below 1000, unless the file has commas and the integers are of the size of the other
    numbers, as 1, 1.333 and 1.667 are.

    >>> columns = {"a": ["996", "1,002"], "b": ["1,002", "2,500"], "c": ["1 200,5"]}
    >>> formats = number_formats({"a": columns["a"]}, separator=";")
    >>> formats["a"].ambiguous, number_formats({"a": columns["a"]}, ",")["a"].thousands
    (True, ',')
    >>> number_formats(columns, ";")["b"].decimal
    ','
    """
    evidence = {name: _evidence(cells) for name, cells in columns.items()}
    if decimal is not None or thousands is not None:
        evidence = {
            name: _given(column, columns[name], decimal, thousands)
            for name, column in evidence.items()
        }
    certain = [column.formats[0] for column in evidence.values() if len(column.formats) == 1]
    comma = any(f.decimal == "," and not f.plain for f in certain)
    point = any(
        (f.decimal == "." and "." in f.example) or f.thousands == "," for f in certain if f.example
    )
    return {name: _resolved(column, separator, comma, point) for name, column in evidence.items()}


def _given(
    column: _Evidence, cells: Sequence[str], decimal: str | None, thousands: str | None
) -> _Evidence:
    """Returns what cells say if the user gave these marks, which most of those with marks must fit.

    Where they do not, the column is read in its own format, which its description then says.
    """
    if column is PLAIN:
        return column
    fitting = [f for f in column.formats if decimal in (None, f.decimal)]
    if thousands is not None:
        exact = [f for f in fitting if f.thousands == thousands]
        fitting = exact or [f for f in fitting if not f.thousands and f.decimal != thousands]
    if fitting:
        return replace(column, formats=tuple(fitting))
    decimal, thousands = decimal or ("," if thousands == "." else "."), thousands or ""
    given = replace(column.formats[0], decimal=decimal, thousands=thousands, plain=False)
    marked = {cell for cell in cells if any(mark in cell for mark in ".,' ")}
    if 2 * int(np.isfinite(given.parse(marked)).sum()) > len(marked):
        return replace(column, formats=(given,))
    option = f"decimal={decimal!r}" if not thousands else f"thousands={thousands!r}"
    return replace(column, formats=tuple(replace(f, not_as=option) for f in column.formats))


def _resolved(column: _Evidence, separator: str, comma: bool, point: bool) -> NumberFormat:
    if len(column.formats) == 1:
        return column.formats[0]
    with_point, with_comma = column.formats  # decimal point, decimal comma
    mixed = column.short_integers and not column.long_integers
    if with_point.thousands and with_comma.thousands:  # 1,234 and 1.234 in one column
        return replace(with_point, ambiguous=True)
    if CURRENCIES & set("".join(with_point.unit)):  # amounts have two decimals
        return with_point if with_point.thousands else with_comma
    if "." in column.marked:
        if comma and not point:
            return with_comma
        likely = point or (separator == "," and not column.large_integers)
        doubtful = not point and (mixed or separator != ",")
        return replace(with_point, ambiguous=mixed and not likely, doubtful=doubtful)
    if point and not comma:
        return with_point
    if comma or separator == ";":
        return replace(with_comma, ambiguous=True) if mixed or point else with_comma
    return with_point if mixed else replace(with_point, ambiguous=True)


def several_units(cells: Iterable[str]) -> tuple[str, str] | None:
    """Returns two cells that are numbers in different units, None if most cells are no numbers.

    >>> several_units(["5 kWh", "2 MWh", "3 kWh"]), several_units(["5", "a", "b"])
    (('5 kWh', '2 MWh'), None)
    """
    parts = {cell: _parts(cell) for cell in cells}
    by_unit: dict[tuple[str, str], str] = {}
    for cell, part in parts.items():
        if part is not None:
            by_unit.setdefault(part.unit, cell)
    numbers = sum(part is not None for part in parts.values())
    if len(by_unit) < 2 or 2 * numbers <= len(parts):
        return None
    first, second, *_ = by_unit.values()
    return first, second


def looks_like_number(cell: str) -> bool:
    """Returns whether a cell is a number in some format, with or without a unit."""
    return not np.isnan(plain_number(cell)) or _parts(cell) is not None
