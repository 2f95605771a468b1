"""The columns to forecast: one, or several of numbers at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._columns import Columns, TargetKind
from lstm_bench.data._inference import infer_target_kind, parse_target
from lstm_bench.data._messages import list_names
from lstm_bench.data._table import Table
from lstm_bench.errors import DataError

MAX_OUTPUTS = 1000
"""Values that a network can forecast at one time: targets times steps of a path."""

Floats = NDArray[np.float64]


def listed_targets(table: Table, target: str | None) -> tuple[str, ...]:
    """Returns the columns that `target` names, separated by commas unless that is one column.

    Empty if it does not name any. Raises `DataError` for a column that is named twice.
    """
    if target is None:
        return ()
    if target in table.columns or "," not in target:
        return (target,)
    names = tuple(name.strip() for name in target.split(","))
    for name in names:
        table.text(name)
        if names.count(name) > 1:
            raise DataError(
                f"{table.file}: target must name each column once, but repeats {name!r}; leave one "
                "out"
            )
    return names


def check_outputs(
    table: Table, targets: tuple[str, ...], kind: TargetKind, horizon: int, path: bool
) -> None:
    """Raises `DataError` if several values are to be forecast that are not numbers, or too many."""
    for name in targets[1:]:
        other = infer_target_kind(table, name)
        if other != "real":
            raise DataError(
                f"{table.file}: several targets must all be numbers, but {name!r} is {other}; "
                "forecast it in a sweep of its own"
            )
    if kind != "real" and (path or len(targets) > 1):
        what = "several targets" if len(targets) > 1 else "a path of steps"
        repair = "forecast each in a sweep of its own" if len(targets) > 1 else "use one horizon"
        raise DataError(
            f"{table.file}: {what} must be of numbers, but {targets[0]!r} is {kind}; {repair}"
        )
    count = len(targets) * (horizon if path else 1)
    if count > MAX_OUTPUTS:
        raise DataError(
            f"{table.file}: at most {MAX_OUTPUTS:,} values can be forecast at one time, but "
            f"{list_names(targets)} over {horizon} rows are {count:,}; use a shorter path"
        )


def parse_targets(
    table: Table, columns: Columns, known_labels: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], Floats]:
    """Returns the labels of a target of symbols, and all targets as numbers (rows, J)."""
    labels, first = parse_target(table, columns.target, columns.kind, known_labels)
    return labels, np.column_stack([first, *(table.numbers(name) for name in columns.further)])


def steps_note(columns: Columns) -> str:
    """Returns a note on the steps of a path, or ""."""
    if not columns.all_steps:
        return ""
    return f"path: the next {columns.horizon} rows, each an output of one network"
