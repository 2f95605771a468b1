"""From the columns of a table to typed series in order of time, and where they are cut.

What is not said is inferred, and told in `Prepared.notes`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._inference import (
    TargetKind,
    group_column,
    input_columns,
    kind_note,
    season_of,
    target_column,
    target_kind,
    target_values,
    time_column,
)
from lstm_bench.data._table import LISTED, DataError, Table, read, rows, runs
from lstm_bench.data._times import instants, spacing
from lstm_bench.seeds import stream

Missing = Literal["refuse", "drop", "interpolate"]

FEWEST_ROWS = 20
"""Rows of a file: fewer give no part to learn from, to choose on and to be scored on."""
GROUPS_TO_SPLIT = 5
"""Series without times from which whole series are kept back, and not the end of each."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """What the user says of a file; None or empty is for us to find out."""

    file: str
    target: str | None = None
    columns: tuple[str, ...] | None = None
    time: str | None = None
    group: str | None = None
    kind: TargetKind | None = None
    horizon: int = 1
    season: int | None = None
    missing: Missing = "refuse"
    unseen: float = 0.2
    split: Literal["time", "group"] | None = None


@dataclass(frozen=True)
class Series:
    """n rows of one series, in the data's own units.

    Rows before `validation` are to learn from, those before `test` to choose a recipe on, and the
    others to be scored on.
    """

    name: str
    target: Floats  # (n,): the value, 0 or 1, or the number of a symbol
    inputs: Floats  # (n, F): the other columns
    known: NDArray[np.bool_]  # (n,): False where the target was missing
    when: NDArray[np.object_]  # (n,): the time as text, or the row
    moment: NDArray[np.integer]  # (n,): the place of that among all times of the file
    validation: int
    test: int

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Columns:
    """Which column is what: all that another file needs to be read in the same way."""

    kind: TargetKind
    target: str
    inputs: tuple[str, ...]
    labels: tuple[str, ...]  # of symbols
    time: str | None
    group: str | None
    horizon: int
    missing: Missing


@dataclass(frozen=True)
class Prepared(Columns):
    """What a file holds, as it was asked for."""

    series: tuple[Series, ...]
    season: int | None
    notes: tuple[str, ...]


def prepare(asked: Asked) -> Prepared:
    """Returns the series of a file; raises `DataError` with what is wrong and would be right."""
    return _prepared(asked, read(asked.file).digest)


@functools.lru_cache(maxsize=16)
def _prepared(asked: Asked, digest: str) -> Prepared:
    table = read(asked.file)
    taken = {asked.target, asked.group, *(asked.columns or ())}
    time = time_column(asked.time, table, taken)
    target = target_column(asked.target, asked.group, table, time)
    kind = asked.kind or target_kind(table, target)
    when = None if time is None else instants(table, time)
    group = asked.group or group_column(table, target, time, when)
    if group is not None:
        table.text(group)
    if group == target:
        raise DataError(f"{table.file}: {target!r} is both target and group; name another column")
    inputs, left_out = input_columns(asked.columns, table, kind, {target, time, group})
    labels, values = target_values(table, target, kind)
    if asked.horizon == 0 and not inputs:
        raise DataError(
            f"{table.file}: horizon=0 asks for {target!r} from the other columns of its row, but "
            "there are none of numbers; use horizon=1"
        )
    columns = Columns(kind, target, inputs, labels, time, group, asked.horizon, asked.missing)
    cells = _cells(table, inputs, values)
    places = _places(table, columns, cells, when)
    series = _series(table, columns, cells, when, places, _cuts(asked, places, when, group))
    _check(asked, columns, series)
    season, found = asked.season, ""
    if season is None and kind != "symbols":
        season, found = season_of([each.target[: each.validation] for each in series])
    notes = [
        f"target {target}: {kind}" + kind_note(table, target, kind, len(labels)),
        _rows_note(columns, cells, places) + " " + _order_note(table, columns, series, when),
        "inputs: " + ", ".join([*([target] if asked.horizon else []), *inputs]) + left_out,
        *([found] if found else []),
        _split_note(series),
    ]
    return Prepared(**vars(columns), series=series, season=season, notes=tuple(notes))


def follow(columns: Columns, file: str) -> tuple[Series, ...]:
    """Returns the series of another file that has the same columns; all rows are after the cuts.

    Without the column of times the rows are in order. At horizon 0 the target may be missing.
    Raises `DataError` as `prepare` does.
    """
    table = read(file)
    if columns.horizon == 0:
        values = np.zeros(len(table))
    else:
        _, values = target_values(table, columns.target, columns.kind, columns.labels)
    time = columns.time if columns.time in table.columns else None
    when = None if time is None else instants(table, time)
    cells = _cells(table, columns.inputs, values)
    places = _places(table, columns, cells, when, following=True)
    return _series(table, columns, cells, when, places, dict.fromkeys(places, (0, 0)))


def _cells(table: Table, inputs: Sequence[str], values: Floats) -> Floats:
    """Returns the target's `values` and the other columns side by side, (rows, 1 + F)."""
    return np.column_stack([values, *(table.numbers(name) for name in inputs)])


def _places(
    table: Table,
    columns: Columns,
    cells: Floats,
    when: NDArray[np.generic] | None,
    following: bool = False,
) -> dict[str, NDArray[np.intp]]:
    """Returns the rows of each series that are kept, in order.

    Where the file is `following` a run's, what to do about it cannot be a setting.
    """
    gaps = np.asarray(np.isnan(cells).any(axis=1))
    if gaps.any() and columns.missing == "refuse":
        repair = (
            "fill or leave out these rows, or train a run with missing=drop or missing=interpolate"
            if following
            else "set missing=drop to leave these rows out, or missing=interpolate"
        )
        raise DataError(
            f"{table.file}: no value may be missing, but "
            f"{rows(np.flatnonzero(gaps), ('has a gap', 'have gaps'))}; {repair}"
        )
    if gaps.any() and columns.missing == "interpolate" and columns.kind != "real":
        raise DataError(
            f"{table.file}: missing=interpolate is for numbers, but the target is {columns.kind}; "
            f"{'train a run with' if following else 'use'} missing=drop"
        )
    kept = {}
    for name, places in _parts(table, columns.group).items():
        if when is not None:
            _check_order(table, columns, name, when[places], places, following)
        kept[name] = places[~gaps[places]]
        if columns.missing == "interpolate" and len(kept[name]):  # from the first whole row on
            kept[name] = places[np.flatnonzero(~gaps[places])[0] :]
    return {name: places for name, places in kept.items() if len(places)}


def _parts(table: Table, group: str | None) -> dict[str, NDArray[np.intp]]:
    return runs(table.text(group)) if group else {"": np.arange(len(table))}


def _series(
    table: Table,
    columns: Columns,
    cells: Floats,
    when: NDArray[np.generic] | None,
    places: Mapping[str, NDArray[np.intp]],
    cuts: Mapping[str, tuple[int, int]],
) -> tuple[Series, ...]:
    told, moment = np.array([f"row {n + 2}" for n in range(len(table))], object), None
    if when is not None and columns.time is not None:
        told, moment = table.text(columns.time), np.unique(when, return_inverse=True)[1]
    moment = np.arange(len(table)) if moment is None else moment
    found = []
    for name, own in places.items():
        known = ~np.isnan(cells[own, 0])
        filled = carried(cells[own])
        part = (filled[:, 0], filled[:, 1:], known, told[own], moment[own])
        found.append(Series(name, *part, *cuts[name]))
    return tuple(found)


def carried(columns: Floats) -> Floats:
    """Returns columns (n, C) with the last value there was in every gap.

    A line to the next value would tell the network what comes next.
    """
    place = np.arange(len(columns))[:, None]
    latest = np.maximum.accumulate(np.where(np.isnan(columns), 0, place), axis=0)
    return np.asarray(np.take_along_axis(columns, latest, axis=0))


def _check_order(
    table: Table,
    columns: Columns,
    name: str,
    own: NDArray[np.generic],
    places: NDArray[np.intp],
    following: bool,
) -> None:
    time, group = columns.time, columns.group
    where = f" of {group} {name!r}" if group else ""
    help_ = (
        ", or give a file for each series, or train a run on a file with a column of their names"
        if following
        else ", or name the column that tells the series apart as group"
    ) * (not group)
    same = places[1:][own[1:] == own[:-1]]
    if len(same):
        raise DataError(
            f"{table.file}: times in {time!r}{where} must differ, but "
            f"{rows(same, ('repeats', 'repeat'))} the time of the row before; keep one of "
            f"them{help_}"
        )
    early = places[1:][np.less(own[1:], own[:-1])]
    if len(early):
        raise DataError(
            f"{table.file}: rows{where} must be in order of {time!r}, but the time of {rows(early)}"
            f" is before that of the row before; sort the file{help_}"
        )


def _cuts(
    asked: Asked,
    parts: Mapping[str, NDArray[np.intp]],
    when: NDArray[np.generic] | None,
    group: str | None,
) -> dict[str, tuple[int, int]]:
    """Returns for each series where its part to choose on begins, and its part to be scored on."""
    split = asked.split or (
        "group" if group and when is None and len(parts) >= GROUPS_TO_SPLIT else "time"
    )
    if split == "group":
        if len(parts) < 3:
            raise DataError(
                "split: 'group' keeps whole series back, so there must be at least 3, but there "
                f"{_are(len(parts))}; use split=time"
            )
        names = list(parts)
        order = stream(0, "data").permutation(len(names))
        back = min(max(1, round(asked.unseen * len(names))), (len(names) - 1) // 2)
        scored, chosen = set(order[:back].tolist()), set(order[back : 2 * back].tolist())
        return {
            name: (0, 0) if n in scored else (0, len(parts[name])) if n in chosen
            else (len(parts[name]), len(parts[name]))
            for n, name in enumerate(names)
        }  # fmt: skip
    if when is not None and len(parts) > 1:  # one moment for all of them
        every = np.sort(np.concatenate([when[places] for places in parts.values()]))
        early, late = (every[_cut_at(len(every), asked.unseen, k)] for k in (2, 1))
        return {
            name: (int((when[p] < early).sum()), int((when[p] < late).sum()))
            for name, p in parts.items()
        }
    return {
        name: (_cut_at(len(p), asked.unseen, 2), _cut_at(len(p), asked.unseen, 1))
        for name, p in parts.items()
    }


def _cut_at(count: int, unseen: float, parts: int) -> int:
    """Returns where the last `parts` parts of `count` rows begin, each a share `unseen` of them."""
    return max(0, count - parts * max(1, round(unseen * count)))


def _check(asked: Asked, columns: Columns, series: Sequence[Series]) -> None:
    count = sum(map(len, series))
    if count < FEWEST_ROWS:
        raise DataError(
            f"{asked.file}: there must be at least {FEWEST_ROWS} rows to learn from and to be "
            f"scored on, but there {_are(count)}; give more data"
        )
    parts = {
        "validation": [(each, each.validation, each.test) for each in series],
        "test": [(each, each.test, len(each)) for each in series],
    }
    for part, cuts in parts.items():
        learnt = sum(max(0, cut - asked.horizon) for _, cut, _ in cuts)
        counted = (each.known[max(cut, asked.horizon) : end] for each, cut, end in cuts)
        scored = sum(int(each.sum()) for each in counted)
        if learnt < FEWEST_ROWS // 4:
            raise DataError(
                f"{asked.file}: there must be {FEWEST_ROWS // 4} or more steps to learn from "
                f"before the {part} part, but at most {learnt} "
                f"{'step is' if learnt == 1 else 'steps are'} left to learn from, with "
                f"horizon={asked.horizon} (rows ahead) and unseen={asked.unseen} (a share of the "
                "rows for the validation part, and again for the test part); make these smaller, "
                "or give longer series"
            )
        if not scored:
            raise DataError(
                f"{asked.file}: there must be steps to be scored on, but the {part} part has none "
                f"with a known {columns.target!r}, with horizon={asked.horizon} and "
                f"unseen={asked.unseen}; give more rows at the end, or a smaller horizon"
            )
    for place, name in enumerate([columns.target, *columns.inputs]):
        early = (
            each.inputs[: each.validation, place - 1] if place else each.target[: each.validation]
            for each in series
        )  # fmt: skip
        seen = np.concatenate(list(early))
        if len(seen) and np.ptp(seen) == 0:
            same = columns.labels[int(seen[0])] if columns.labels and not place else f"{seen[0]:g}"
            does = "it tells nothing" if place else "nothing can be learnt of it"
            repair = "leave it out of columns" if place else "choose another target"
            if place and asked.columns is None:
                repair = "name those that shall go in as columns, columns=[] for none"
            raise DataError(
                f"{asked.file}: column {name!r} is constant ({same} in the part to learn "
                f"from), so {does}; {repair}"
            )


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count}"


def _rows_note(columns: Columns, cells: Floats, places: Mapping[str, NDArray[np.intp]]) -> str:
    count = sum(map(len, places.values()))
    dropped = len(cells) - count
    filled = sum(int(np.isnan(cells[own]).sum()) for own in places.values())
    gaps = [f"{dropped:,} with gaps dropped"] * (dropped > 0)
    gaps += [f"{filled:,} value{'s' * (filled > 1)} filled"] * (filled > 0)
    several = f"{len(places)} series by {columns.group}, " if columns.group else ""
    return f"{several}{count:,} rows" + (f" ({', '.join(gaps)})" if gaps else "")


def _order_note(
    table: Table, columns: Columns, series: Sequence[Series], when: NDArray[np.generic] | None
) -> str:
    if when is None:
        return "in the order of the file"
    apart = spacing(when[own] for own in _parts(table, columns.group).values())
    first = min(series, key=lambda each: int(each.moment[0])).when[0]
    last = max(series, key=lambda each: int(each.moment[-1])).when[-1]
    return f"in the order of {columns.time}, {apart}, {first} to {last}"


def _split_note(series: Sequence[Series]) -> str:
    learnt = sum(each.validation for each in series)
    chosen = sum(each.test - each.validation for each in series)
    scored = sum(len(each) - each.test for each in series)
    names = [each.name for each in series if each.test == 0]
    which = f" (series {', '.join(names[:LISTED])}{', ...' * (len(names) > LISTED)})"
    return (
        f"{learnt:,} rows to learn from, {chosen:,} to choose a recipe on, "
        f"{scored:,} to be scored on{which if names else ''}"
    )
