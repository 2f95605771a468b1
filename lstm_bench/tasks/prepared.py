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

from lstm_bench.seeds import stream
from lstm_bench.tasks.inference import (
    TargetKind,
    group_column,
    input_columns,
    season_of,
    target_column,
    target_kind,
    target_values,
    time_column,
)
from lstm_bench.tasks.table import LISTED, DataError, Table, read, rows, runs
from lstm_bench.tasks.times import instants, spacing

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
    validation: int
    test: int

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True)
class Prepared:
    """What a file holds, as it was asked for."""

    kind: TargetKind
    target: str
    inputs: tuple[str, ...]
    labels: tuple[str, ...]  # of symbols
    time: str | None
    group: str | None
    series: tuple[Series, ...]
    season: int | None
    horizon: int
    notes: tuple[str, ...]


def prepare(asked: Asked) -> Prepared:
    """Returns the series of a file; raises `DataError` with what is wrong and would be right."""
    return _prepared(asked, read(asked.file).digest)


@functools.lru_cache(maxsize=16)
def _prepared(asked: Asked, digest: str) -> Prepared:
    table = read(asked.file)
    time = time_column(asked.time, table)
    target = target_column(asked.target, asked.group, table, time)
    kind = asked.kind or target_kind(table, target)
    when = None if time is None else instants(table, time)
    group = asked.group or group_column(table, target, time, when)
    if group is not None:
        table.text(group)
    inputs, left_out = input_columns(asked.columns, table, kind, {target, time, group})
    labels, values = target_values(table, target, kind)
    if asked.horizon == 0 and not inputs:
        raise DataError(
            f"{table.file}: horizon=0 asks for {target!r} from the other columns of its row, but "
            "there are none of numbers; use horizon=1"
        )
    others = _others(table, inputs)
    series = _series(asked, table, kind, values, others, time, when, group)
    _check(asked, table, target, inputs, series)
    season, found = asked.season, ""
    if season is None and kind != "symbols":
        season, found = season_of([each.target[: each.validation] for each in series])
    notes = [
        f"target {target}: {kind}" + (f", {len(labels)} different" if kind == "symbols" else ""),
        _order_note(time, group, series, when),
        "inputs: " + ", ".join([*([target] if asked.horizon else []), *inputs]) + left_out,
        *([found] if found else []),
        _split_note(series),
    ]
    return Prepared(
        kind, target, inputs, labels, time, group, series, season, asked.horizon, tuple(notes)
    )


def follow(asked: Asked, found: Prepared, file: str) -> tuple[Series, ...]:
    """Returns the series of another file that has the columns of the one that `found` is of.

    All of their rows are after the cuts. Without a time column in `file` the rows are in order. The
    target may be missing where `asked.horizon` is 0. Raises `DataError` as `prepare` does.
    """
    table = read(file)
    if asked.horizon == 0 and found.target not in table.columns:
        values = np.zeros(len(table))
    else:
        _, values = target_values(table, found.target, found.kind, found.labels)
    time = found.time if found.time in table.columns else None
    when = None if time is None else instants(table, time)
    if found.group is not None:
        table.text(found.group)
    others = _others(table, found.inputs)
    return _series(asked, table, found.kind, values, others, time, when, found.group, cut=False)


def _others(table: Table, inputs: Sequence[str]) -> Floats:
    """Returns columns of numbers side by side, (rows, F)."""
    columns = [table.numbers(name) for name in inputs]
    return np.stack(columns, axis=1) if columns else np.empty((len(table), 0))


def _series(
    asked: Asked,
    table: Table,
    kind: TargetKind,
    values: Floats,
    others: Floats,
    time: str | None,
    when: NDArray[np.generic] | None,
    group: str | None,
    cut: bool = True,
) -> tuple[Series, ...]:
    parts = runs(table.text(group)) if group else {"": np.arange(len(table))}
    told = table.text(time) if time else np.array([f"row {n + 2}" for n in range(len(table))],
                                                  object)  # fmt: skip
    gaps = np.isnan(values) | np.isnan(others).any(axis=1)
    if gaps.any() and asked.missing == "refuse":
        raise DataError(
            f"{table.file}: no value may be missing, but {rows(np.flatnonzero(gaps))} have gaps; "
            "set missing=drop to leave these rows out, or missing=interpolate"
        )
    if gaps.any() and asked.missing == "interpolate" and kind != "real":
        raise DataError(
            f"{table.file}: missing=interpolate is for numbers, but the target is {kind}; "
            "use missing=drop"
        )
    kept = {}
    for name, places in parts.items():
        if when is not None:
            _check_order(table, time, group, name, when, places)
        kept[name] = places[~gaps[places]] if asked.missing == "drop" else places
        if asked.missing == "interpolate":
            first = np.flatnonzero(~gaps[places])
            kept[name] = places[first[0] :] if len(first) else places[:0]
    kept = {name: places for name, places in kept.items() if len(places)}
    cuts = _cuts(asked, kept, when, group) if cut else dict.fromkeys(kept, (0, 0))
    found = []
    for name, places in kept.items():
        validation, test = cuts[name]
        columns = np.column_stack([values[places], others[places]])
        known = ~np.isnan(columns[:, 0])
        columns = _filled(columns, validation)
        found.append(
            Series(name, columns[:, 0], columns[:, 1:], known, told[places], validation, test)
        )
    return tuple(found)


def _check_order(
    table: Table,
    time: str | None,
    group: str | None,
    name: str,
    when: NDArray[np.generic],
    places: NDArray[np.intp],
) -> None:
    own = when[places]
    where = f" of {group} {name!r}" if group else ""
    same = places[1:][own[1:] == own[:-1]]
    if len(same):
        help_ = "" if group else ", or name the column that tells the series apart as group"
        raise DataError(
            f"{table.file}: times in {time!r}{where} must differ, but {rows(same)} repeat the time "
            f"of the row before; keep one of them{help_}"
        )
    early = places[1:][np.less(own[1:], own[:-1])]
    if len(early):
        raise DataError(
            f"{table.file}: rows{where} must be in order of {time!r}, but the time of {rows(early)}"
            " is before that of the row before; sort the file, or name a group column"
        )


def _filled(columns: Floats, boundary: int) -> Floats:
    """Returns columns (n, C) without gaps: straight lines before `boundary`, the last value after.

    So nothing that is scored is told by what came after it.
    """
    filled = columns.copy()
    place = np.arange(len(columns))
    for column in filled.T:
        known = ~np.isnan(column)
        if known.all():
            continue
        early = known & (place < boundary)
        latest = np.maximum.accumulate(np.where(known, place, 0))
        carried = column[latest]
        if early.any():
            last = np.flatnonzero(early)[-1]
            line = np.interp(place, place[early], column[early])
            carried = np.where(place <= last, line, carried)
        column[~known] = carried[~known]
    return filled


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
                f"split: 'group' keeps whole series back, so there must be at least 3, but there "
                f"are {len(parts)}; use split=time"
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


def _check(
    asked: Asked, table: Table, target: str, inputs: Sequence[str], series: Sequence[Series]
) -> None:
    count = sum(map(len, series))
    if count < FEWEST_ROWS:
        raise DataError(
            f"{table.file}: there must be at least {FEWEST_ROWS} rows to learn from and to be "
            f"scored on, but there are {count}; give more data"
        )
    ends = {"validation": [s.validation for s in series], "test": [s.test for s in series]}
    for part, cuts in ends.items():
        learnt = sum(max(0, cut - asked.horizon) for cut in cuts)
        if learnt < FEWEST_ROWS // 4:
            raise DataError(
                f"{table.file}: at most {learnt} steps are left to learn from before the {part} "
                f"part, with horizon={asked.horizon} and unseen={asked.unseen}; make these "
                "smaller, or give longer series"
            )
    early = [(name, s.inputs[: s.validation, k]) for s in series for k, name in enumerate(inputs)]
    early += [(target, s.target[: s.validation]) for s in series]
    for name in dict.fromkeys([target, *inputs]):
        seen = np.concatenate([values for own, values in early if own == name])
        if len(seen) and np.ptp(seen) == 0:
            does = "nothing can be learnt of it" if name == target else "it tells nothing"
            raise DataError(
                f"{table.file}: column {name!r} is constant ({seen[0]:g} in the part to learn "
                f"from), so {does}; " + ("choose another target" if name == target
                                         else "leave it out of columns")
            )  # fmt: skip


def _order_note(
    time: str | None,
    group: str | None,
    series: Sequence[Series],
    when: NDArray[np.generic] | None,
) -> str:
    count = sum(map(len, series))
    first, last = series[0].when[0], series[-1].when[-1]
    order = f"in the order of {time}, {spacing(when, group)}, {first} to {last}" if (
        time is not None and when is not None
    ) else "in the order of the file"  # fmt: skip
    several = f"{len(series)} series by {group}, " if group else ""
    return f"{several}{count:,} rows {order}"


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
