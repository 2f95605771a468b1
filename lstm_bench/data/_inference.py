"""What a file of data does not say of itself: which column is what, and of which kind."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import FALSE, GROUPED, MISSING, TRUE, as_numbers, grouped
from lstm_bench.data._table import LISTED, DataError, Table, rows, runs
from lstm_bench.data._times import is_time

TargetKind = Literal["real", "binary", "symbols"]

GROUP_NAMES = {"group", "series", "series_id", "id", "unit", "unique_id", "station", "store"}
"""What a column that tells series apart is called."""
MOST_SYMBOLS = 1000
SEASON_UP_TO = 400
SEASONAL, NOISY = 0.15, 3.0
"""Mean autocorrelation of a season, to which is added, for n pairs, so much over sqrt(3 n)."""

Floats = NDArray[np.float64]


def time_column(given: str | None, table: Table, taken: Collection[str | None]) -> str | None:
    """Returns the column of times: the one given, or one that is called so; else None.

    None also where `given` is "none" and no column is called so: the rows are in order. A column
    that is `taken` for something else is no time. Of several, the one with the most different
    values.
    """
    if given is not None:
        if given == "none" and given not in table.columns:
            return None
        table.text(given)
        return given
    called = [name for name in table.columns if name not in taken and is_time(table, name)]
    return max(called, key=lambda name: len(set(table.columns[name])), default=None)


def target_column(given: str | None, group: str | None, table: Table, time: str | None) -> str:
    """Returns the column to forecast: the one given, or the only one there is."""
    if given is not None:
        table.text(given)
        return given
    open_ = [name for name in table.columns if name not in (time, group)]
    if len(open_) == 1:
        return open_[0]
    raise DataError(
        f"{table.file}: target must name the column to forecast; it has {', '.join(open_[:20])}"
    )


def target_kind(table: Table, target: str) -> TargetKind:
    """Returns `binary` for two words of yes and no, `real` for numbers, else `symbols`.

    Raises `DataError` for numbers with text among them, and for those with thousands separators.
    """
    given = {cell.lower() for cell in table.text(target)} - MISSING
    if given and (given <= TRUE | FALSE) and given & TRUE and given & FALSE:
        return "binary"
    if table.is_numeric(target):
        return "real"
    numbers = sum(cell.lower() not in MISSING and _numeric(cell, table) for cell in given)
    if given and 2 * numbers >= len(given):
        table.numbers(target)  # says which rows hold text among the numbers
    return "symbols"


def _numeric(cell: str, table: Table) -> bool:
    number = np.isfinite(as_numbers([cell], table.comma)[0])
    return bool(number) or GROUPED.fullmatch(cell) is not None


def group_column(
    table: Table, target: str, time: str | None, when: NDArray[np.generic] | None
) -> str | None:
    """Returns the column of names that tells equal times apart, where times repeat.

    Numbers are taken for names only where the column is called so.
    """
    if when is None or len(np.unique(when)) == len(when):
        return None
    for name in table.columns:
        named = name.lower() in GROUP_NAMES
        if name in (target, time) or (table.is_numeric(name) and not named):
            continue
        parts = runs(table.text(name)).values()
        if len(parts) < len(table) and all(
            len(np.unique(when[places])) == len(places) for places in parts
        ):
            return name
    return None


def input_columns(
    given: tuple[str, ...] | None, table: Table, kind: TargetKind, taken: set[str | None]
) -> tuple[tuple[str, ...], str]:
    """Returns the columns that go in besides the target, and what is said of those left out."""
    if given is not None:
        for name in given:
            table.numbers(name)
            if name in taken:
                raise DataError(
                    f"{table.file}: columns must name others than target, time and group, but has "
                    f"{name!r}; leave it out"
                )
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise DataError(f"{table.file}: columns names {twice[0]!r} twice; leave one out")
        return given, ""
    if kind == "symbols":
        return (), ""
    open_ = [name for name in table.columns if name not in taken]
    text = [name for name in open_ if not table.is_numeric(name)]
    same = [n for n in open_ if n not in text and len(set(table.columns[n])) == 1]
    gone = {"no numbers": text, "constant": same}
    told = [f" (left out, {why}: {', '.join(names)})" for why, names in gone.items() if names]
    return tuple(name for name in open_ if name not in [*text, *same]), "".join(told)


def kind_note(table: Table, target: str, kind: TargetKind, symbols: int) -> str:
    """Returns how many symbols there are, or what 1 and 0 stand for in words of yes and no."""
    if kind == "symbols":
        return f", {symbols} different"
    words = sorted(set(table.text(target)) - {"0", "1"})
    yes, no = ([each for each in words if each.lower() in told] for told in (TRUE, FALSE))
    return f", 1: {', '.join(yes)}, 0: {', '.join(no)}" if kind == "binary" and yes else ""


def target_values(
    table: Table, target: str, kind: TargetKind, known: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], Floats]:
    """Returns the labels of symbols, and the target as numbers, NaN where it is missing.

    Where the symbols are `known`, no others may be there. Else there must be several rows of each,
    on average: of a symbol of its own nothing can be learnt.
    """
    text = table.text(target)
    if kind == "real":
        return (), table.numbers(target)
    if kind == "binary":
        lower = [cell.lower() for cell in text]
        strange = [n for n, cell in enumerate(lower) if cell not in TRUE | FALSE | MISSING]
        if strange:
            raise DataError(
                f"{table.file}: target_kind=binary needs 0 and 1, true and false or yes and no, "
                f"but column {target!r} has {text[strange[0]]!r} in {rows(strange)}; use "
                "target_kind=symbols"
            )
        read_ = [1.0 if c in TRUE else 0.0 if c in FALSE else np.nan for c in lower]
        return (), np.array(read_)
    names = list(known) or sorted({cell for cell in text if cell})
    number = {name: float(place) for place, name in enumerate(names)}
    strange = [n for n, cell in enumerate(text) if cell and cell not in number] if known else []
    if strange:
        raise DataError(
            f"{table.file}: column {target!r} may hold the symbols that were trained on, "
            f"{', '.join(known[:LISTED])}{', ...' * (len(known) > LISTED)}, but has "
            f"{text[strange[0]]!r} in {rows(strange)}; leave these rows out"
        )
    count = sum(map(bool, text))
    if not known and not 2 <= len(names) <= min(MOST_SYMBOLS, count // 2):
        shown = grouped(names) or next(iter(names), None)
        repair = "use target_kind=real" if table.is_numeric(target) else "choose another column"
        if shown is not None and GROUPED.fullmatch(shown):
            repair = "write numbers without thousands separators"
        raise DataError(
            f"{table.file}: a column of symbols must have 2 to {MOST_SYMBOLS:,} different ones and "
            f"twice as many rows, but {target!r} has {len(names):,} in {count:,} rows"
            + (f", like {shown[:40]!r}" if shown is not None else "")
            + f"; {repair}"
        )
    return tuple(names), np.array([number.get(cell, np.nan) for cell in text])


def season_of(series: Sequence[Floats]) -> tuple[int | None, str]:
    """Returns the lag after which the changes of the longest series repeat, and how that is told.

    What counts is the mean autocorrelation of the changes after one, two and three seasons; it must
    be more than noise of this length shows. Of the peaks within a tenth of the best the first.
    """
    changes = np.diff(max(series, key=len))
    count = len(changes)
    most = min(count // 4, SEASON_UP_TO)
    if most < 2 or np.ptp(changes) == 0:
        return None, ""
    centred = changes - changes.mean()
    power = np.abs(np.fft.rfft(centred, 2 * count)) ** 2
    correlation = np.fft.irfft(power)[:count] / (centred @ centred)
    correlation *= count / (count - np.arange(count))  # as many pairs as there are
    lags = np.arange(1, most + 2)
    repeats = np.mean([correlation[np.minimum(n * lags, count - 1)] for n in (1, 2, 3)], axis=0)
    inner = repeats[1:-1]  # lags 2 to `most`
    peaks = 2 + np.flatnonzero((inner >= repeats[:-2]) & (inner >= repeats[2:]))
    known = np.sqrt(3 * np.maximum(count - 3 * peaks, 1))
    clear = repeats[peaks - 1] >= np.maximum(SEASONAL + NOISY / known, 0.9 * inner.max())
    strong = peaks[clear].tolist()
    if not strong:
        return None, "no season found"
    season = strong[0]
    told = f"correlate by {repeats[season - 1]:.2f}"
    return season, f"season of {season} rows (changes one to three seasons apart {told})"
