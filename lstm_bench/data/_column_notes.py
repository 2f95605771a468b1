"""Notes about columns: the format of numbers, texts that may be gaps, unused columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import present_cells
from lstm_bench.data._messages import list_names, quote_cell
from lstm_bench.data._table import Table
from lstm_bench.data._text_columns import text_columns

Floats = NDArray[np.float64]

SENTINELS = {-1.0, -9.0, -99.0, -200.0, 999.0, -32768.0, 65535.0, 1e20, -1e20}
"""Numbers that often stand for a missing value, besides those of nines, such as -999 and 9999."""
CERTAIN = 99.0
"""A suspicious number below minus this is far from others if none of them is negative."""
MIN_SENTINELS = 3
FAR = 5.0
"""A suspicious number is this many interquartile ranges beyond a quartile of the others."""


def left_out_note(reasons: Mapping[str, str]) -> str:
    """Returns the columns that are not used by reason, "" if there are none.

    >>> left_out_note({"shop": "no numbers", "note": "no numbers", "level": "constant"})
    ' (left out, no numbers: shop, note) (left out, constant: level)'
    """
    by_reason: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        by_reason.setdefault(reason, []).append(name)
    return "".join(f" (left out, {why}: {', '.join(names)})" for why, names in by_reason.items())


def unused_columns(table: Table, names: Iterable[str], target: str) -> dict[str, str]:
    """Returns why a column of `names` is not an input: text, empty, constant, or a copy.

    Numbers with some other cells among them are not an input either: the cells are named.
    """
    reasons: dict[str, str] = {}
    seen: dict[bytes, str] = {}
    if table.is_numeric(target) and not table.formats[target].ambiguous:
        seen[table.numbers(target).tobytes()] = target
    for name in names:
        column = table.columns[name]
        if not table.is_numeric(name):
            reasons[name] = _why_not_numeric(table, name)
        elif len(set(column)) == 1:
            reasons[name] = "constant"
        elif not table.formats[name].ambiguous:
            first = seen.setdefault(table.numbers(name).tobytes(), name)
            if first != name:
                reasons[name] = f"the same as {first}"
    in_order = ("no numbers", "no values", "constant")
    return dict(sorted(reasons.items(), key=lambda item: in_order.index(item[1])
                       if item[1] in in_order else len(in_order)))  # fmt: skip


def _why_not_numeric(table: Table, name: str) -> str:
    text = table.columns[name]
    if not present_cells(text).any():
        return "no values"
    if text_columns(table, [name]):
        return "no numbers"
    rows = table.other_rows(name)
    infinite = np.isinf(table.formats[name].parse(text[rows])).all()
    what = "infinite numbers" if infinite else "text among its numbers"
    hint = table.gap_hint(name)
    return (
        f"{what}, {quote_cell(text[rows[0]])} in {table.describe_rows(rows)}"
        + f"; {hint}" * bool(hint)
    )


def number_notes(table: Table, names: Sequence[str]) -> list[str]:
    """Returns notes on columns whose numbers are not written as 1234.5, and on likely gaps."""
    notes = []
    by_format: dict[str, list[str]] = {}
    for name in names:
        if table.is_numeric(name) and (text := table.formats[name].description):
            by_format.setdefault(text, []).append(name)
    for text, columns in by_format.items():
        notes.append(f"numbers of {list_names(columns)} are written {text}")
    by_example = {
        table.formats[name].example: name
        for name in reversed(names)
        if table.is_numeric(name) and table.formats[name].doubtful
    }
    for example, name in reversed(by_example.items()):
        notes.append(
            f"the point in {example} of {name} is read as a decimal mark; if it separates "
            "thousands, set thousands='.'"
        )
    for name in names:
        if table.is_numeric(name) and (suspicious := _sentinel(table.numbers(name))):
            value, count = suspicious
            notes.append(
                f"{name} is {value:g} in {count} rows, far from its other values; if that stands "
                f"for a gap, set na={value:g}"
            )
    return notes


def written_numbers(table: Table, names: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """Returns the decimal mark and the thousands separator of columns not written as 1234.5."""
    formats = ((name, table.formats[name]) for name in names if table.is_numeric(name))
    return tuple(
        (name, how.decimal, how.thousands)
        for name, how in formats
        if how.decimal != "." or how.thousands
    )


def contradiction_notes(
    table: Table, names: Sequence[str], known: Sequence[tuple[str, str, str]]
) -> list[str]:
    """Returns notes on columns whose numbers are not written as in the file read before."""
    before = {name: marks for name, *marks in known}
    notes = []
    for name, *marks in written_numbers(table, [n for n in names if n in table.columns]):
        if before.get(name, [".", ""]) != marks:
            example = table.formats[name].description
            notes.append(
                f"numbers of {name} are written {example}, not as in the file that was trained on; "
                "decimal and thousands settle it if that is wrong"
            )
    for name in before:
        if name in table.columns and table.is_numeric(name) and "." in table.formats[name].example:
            how = table.formats[name]
            if how.decimal == "." and not how.thousands and before[name] != [".", ""]:
                notes.append(
                    f"numbers of {name} are written like {how.example}, with a decimal point, not "
                    "as in the file that was trained on; decimal and thousands settle it if that "
                    "is wrong"
                )
    return notes


def _sentinel(values: Floats) -> tuple[float, int] | None:
    """Returns a number that may stand for a gap, and how often it occurs.

    It is the smallest or the largest, occurs several times, and is far from at least two others.
    """
    known = values[np.isfinite(values)]
    for extreme in (known.min(), known.max()) if len(known) else ():
        others = known[known != extreme]
        count = len(known) - len(others)
        if not _is_suspicious(extreme) or count < MIN_SENTINELS or len(others) < count:
            continue
        low, high = np.quantile(others, [0.25, 0.75])
        apart = max(low - extreme, extreme - high) > FAR * max(high - low, 1e-12)
        alone = extreme <= -CERTAIN and others.min() >= 0
        if np.ptp(others) > 0 and (apart or alone):
            return float(extreme), count
    return None


def _is_suspicious(value: float) -> bool:
    """Returns whether a number often stands for a gap.

    >>> [_is_suspicious(number) for number in (-999.0, 99999.0, -1.0, 99.0, 1998.0, 9.96921e36)]
    [True, True, True, False, False, True]
    """
    nines = re.fullmatch(r"-99+|9999+", f"{value:.0f}") is not None and value % 1 == 0
    return value in SENTINELS or nines or abs(value) > 9e35


def varied_columns(parts: Sequence[Floats]) -> NDArray[np.bool_]:
    """Returns which columns of arrays (n, F) hold different values; all, if there are no rows."""
    rows = np.concatenate(parts)
    return np.asarray(np.ptp(rows, axis=0) > 0) if len(rows) else np.ones(rows.shape[1], bool)
