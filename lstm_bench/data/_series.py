"""Series of a CSV file: typed, in order of time, and split into training, validation and test.

What the options leave open is inferred, and reported in `PreparedFile.notes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._column_notes import (
    left_out_note,
    number_notes,
    varied_columns,
)
from lstm_bench.data._columns import Columns, Series, scored_steps
from lstm_bench.data._file_digest import file_digest
from lstm_bench.data._file_notes import order_note, rows_note, split_note
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._gaps import forward_fill
from lstm_bench.data._inference import (
    detect_season,
    kind_note,
)
from lstm_bench.data._known import known_note
from lstm_bench.data._latest_rows import latest_rows
from lstm_bench.data._messages import is_or_are
from lstm_bench.data._roles import Roles, columns_of, find_roles
from lstm_bench.data._rows import Rows, arrange_rows, following_texts
from lstm_bench.data._series_by_order import blank_note
from lstm_bench.data._shared_cache import SharedCache
from lstm_bench.data._split import fewest_steps, long_series, split_rows
from lstm_bench.data._table import Table, forget_tables
from lstm_bench.data._targets import parse_targets, steps_note
from lstm_bench.data._text_columns import (
    categories_of_rows,
    category_numbers,
    one_hot,
    unseen_note,
)
from lstm_bench.data._text_file import read_data
from lstm_bench.data._time_columns import read_like
from lstm_bench.errors import DataError

MIN_ROWS = 20
"""Fewer rows are not enough for a training, a validation and a test set."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class PreparedFile(Columns):
    """The content of a file, read with some options."""

    series: tuple[Series, ...]
    season: int | None
    notes: tuple[str, ...]


PreparedKey = tuple[FileOptions, str]
"""The options that a file was read with, and its digest."""
MAX_CACHED_CELLS = 500_000
"""Cells of a table from which on its text, some 60 bytes a cell, is not kept in memory."""
PREPARED_FILES: SharedCache[PreparedKey, PreparedFile] = SharedCache("file", 16)
"""What was read of files. Processes can share it, and need not read a long file again."""


def prepare(
    options: FileOptions, read: Callable[[FileOptions], PreparedFile] | None = None
) -> PreparedFile:
    """Returns the series of a file as `read` does, by default as `read_series`; once for a file.

    Raises `DataError` if the file or an option is wrong.
    """
    key = (options, file_digest(options.file, bool(options.text)))
    return PREPARED_FILES.get(key, lambda: (read or read_series)(options))


def read_series(options: FileOptions) -> PreparedFile:
    """Returns the series of a file to forecast a column of, and what was inferred about them."""
    table = read_data(options.file, bool(options.text), options.reading)
    if len(table) * len(table.columns) > MAX_CACHED_CELLS:
        forget_tables()
    roles = find_roles(table, options)
    columns = columns_of(table, options, roles)
    labels, target_values = parse_targets(table, columns)
    columns = replace(columns, labels=labels)

    def arranged(columns: Columns) -> tuple[Rows, Rows]:
        """Returns all rows in the order of the times, and those that are used."""
        values = stack_columns(table, columns, target_values)
        rows = arrange_rows(table, columns, values, roles.times)
        return rows, latest_rows(rows, options.latest)

    all_rows, rows = arranged(columns)
    starts = split_rows(options.split, options.unseen, rows.by_series, rows.times, roles.group)
    if columns.categories:  # those of the training set
        train = [indices[: starts[name][0]] for name, indices in rows.by_series.items()]
        categories = categories_of_rows(columns, rows.values, np.concatenate(train))
        columns = replace(columns, categories=categories)
        all_rows, rows = arranged(columns)
    series = build_series(columns, rows, starts)
    short_note = ""
    if options.shortest is not None:
        steps = sequence_steps(series, options.horizon)
        kept, short_note = long_series(options.file, steps, options.shortest)
        series = tuple(s for s in series if s.name in kept)
    left_out = roles.left_out
    if options.columns is None:
        columns, series, constant_note = leave_out_constant(columns, series)
        left_out += constant_note
    if options.horizon == 0 and not columns.inputs:
        raise DataError(
            f"{table.file}: horizon=0 predicts {columns.target!r} from the other columns of its "
            f"row, but there are none of numbers; use horizon=1{left_out}"
        )
    _check(options, columns, series)
    season, season_note = options.season, ""
    if season is None and columns.kind != "symbols":
        season, season_note = detect_season([s.target[: s.validation_start] for s in series])
    roles = replace(roles, inputs=columns.inputs, left_out=left_out)
    notes = [
        *_role_notes(table, columns, roles, (all_rows, rows), series),
        season_note,
        split_note(series),
        short_note,
        *_table_notes(table, roles),
    ]
    return PreparedFile(
        **vars(columns), series=series, season=season, notes=tuple(filter(None, notes))
    )


def _role_notes(
    table: Table, columns: Columns, roles: Roles, rows: tuple[Rows, Rows], series: Sequence[Series]
) -> list[str]:
    """Returns notes on what the columns and the rows, all and those used, were taken for."""
    all_rows, used = rows
    kind = columns.kind + kind_note(table, columns.target, columns.kind, len(columns.labels))
    past = columns.targets if columns.horizon else ()
    return [
        f"target {', '.join(columns.targets)}: {kind}",
        steps_note(columns),
        rows_note(columns, all_rows, used) + " " + order_note(columns, series, used, roles.times),
        "inputs: " + ", ".join([*past, *columns.inputs]) + roles.left_out,
        known_note(columns, roles.known_left_out),
        unseen_note(table, columns),
    ]


def _table_notes(table: Table, roles: Roles) -> list[str]:
    """Returns notes on how the file was read."""
    return [
        roles.by_order.note,
        blank_note(table, roles.group),
        *table.notes,
        *number_notes(table, [*roles.inputs_with_target, *roles.known]),
        *(() if roles.times is None else roles.times.notes),
        *roles.unused_times,
    ]


def read_new_file(
    columns: Columns, file: str, reading: Mapping[str, Any] | None = None
) -> tuple[Series, ...]:
    """Returns the series of another file with the same columns; all its rows are test rows.

    `reading` are fields of `Reading` that differ from those of the file that was trained on.
    If the time column is missing, the rows are taken to be in order, which `file_notes` tells. At
    horizon 0 the target may be missing. Raises `DataError` as `prepare` does.
    """
    table = read_like_before(columns, file, reading)
    if columns.horizon == 0:
        target_values = np.zeros((len(table), len(columns.targets)))
    else:
        _, target_values = parse_targets(table, columns, columns.labels)
    times = None if columns.time is None else read_like(table, columns.time, columns.time_format)
    values = stack_columns(table, columns, target_values)
    rows = arrange_rows(table, columns, values, times, new_file=True)
    following = {
        name: following_texts(times, np.append(indices, rows.ahead[name]), columns.horizon)
        for name, indices in rows.by_series.items()
    }
    return build_series(columns, rows, dict.fromkeys(rows.by_series, (0, 0)), following)


def read_like_before(
    columns: Columns, file: str, reading: Mapping[str, Any] | None = None
) -> Table:
    """Returns the table of another file, its numbers written as in the one that was read before.

    Where they cannot be, the format is inferred again.
    """
    table = read_data(file, columns.text, replace(columns.reading, **(reading or {})))
    known = {name: (decimal, thousands) for name, decimal, thousands in columns.numbers}
    return replace(table, known_formats=known) if known else table


def stack_columns(table: Table, columns: Columns, target_values: Floats) -> Floats:
    """Returns the targets, the input columns and the known ones as one array, (rows, J + C).

    The values of text are their numbers among the categories.
    """
    texts = dict(columns.categories)
    others = [
        category_numbers(table, name, texts[name]) if name in texts else table.numbers(name)
        for name in (*columns.inputs, *columns.known)
    ]
    return np.column_stack([target_values, *others])


def build_series(
    columns: Columns,
    rows: Rows,
    starts: Mapping[str, tuple[int, int]],
    following: Mapping[str, NDArray[np.object_]] = MappingProxyType({}),
) -> tuple[Series, ...]:
    ranks = np.arange(len(rows.values))
    if rows.times is not None:
        ranks = np.unique(rows.times, return_inverse=True)[1]
    count, categories = len(columns.targets), dict(columns.categories)
    first_known = count + len(columns.inputs)
    series = []
    for name, indices in rows.by_series.items():
        observed = np.asarray(~np.isnan(rows.values[indices, :count]).any(axis=1))
        filled = forward_fill(rows.values[indices])
        inputs = one_hot(filled[:, count:first_known], columns.inputs, categories)
        ahead = rows.ahead[name]
        known = np.concatenate([filled[:, first_known:], rows.values[ahead, first_known:]])
        arrays = (filled[:, 0], inputs, observed, rows.texts[indices], ranks[indices])
        series.append(
            Series(
                name,
                *arrays,
                *starts[name],
                following.get(name, np.empty(0, object)),
                further=filled[:, 1:count],
                ahead=rows.texts[ahead],
                known=one_hot(known, columns.known, categories),
            )
        )
    return tuple(series)


def _check(options: FileOptions, columns: Columns, series: Sequence[Series]) -> None:
    """Raises `DataError` if there are too few rows in a part, or if a column is constant."""
    count = sum(map(len, series))
    if count < MIN_ROWS:
        raise DataError(
            f"{options.file}: there must be at least {MIN_ROWS} rows, but there "
            f"{is_or_are(count)}; give more data"
        )
    parts = {
        "validation": [(s, s.validation_start, s.test_start) for s in series],
        "test": [(s, s.test_start, len(s)) for s in series],
    }
    for part, bounds in parts.items():
        train = sum(max(0, start - options.horizon) for _, start, _ in bounds)
        scored = sum(
            int(scored_steps(columns, s, 0, end - options.horizon, start).sum())
            for s, start, end in bounds
        )
        if train < MIN_ROWS // 4:
            raise DataError(
                f"{options.file}: there must be {MIN_ROWS // 4} or more training steps "
                f"before the {part} set, but at most {train} "
                f"{'step is' if train == 1 else 'steps are'} left, with "
                f"horizon={options.horizon} (rows ahead) and unseen={options.unseen} (a share of "
                f"the rows{_default_note(options)} for the validation set, and again for the test "
                "set); make these smaller, or give longer series"
            )
        if not scored:
            raise DataError(
                f"{options.file}: there must be steps to be scored on, but the {part} set has "
                f"none with a known {columns.target!r}, with horizon={options.horizon} and "
                f"unseen={options.unseen}{_default_note(options)}; give more rows at the end, or a "
                "smaller horizon"
            )
    names = [*columns.targets, *columns.input_features, *columns.known_features]
    learnt = np.concatenate([
        np.column_stack([s.targets, s.inputs, s.known[: len(s)]])[: s.validation_start]
        for s in series
    ])  # fmt: skip
    for number, (name, values) in enumerate(zip(names, learnt.T, strict=True)):
        if not len(values) or np.ptp(values) > 0:
            continue
        value = f"{values[0]:g}"
        is_known = number >= len(columns.targets) + len(columns.input_features)
        option = "known" if is_known else "columns"
        effect, repair = "it cannot improve a forecast", f"leave it out of {option}"
        if options.columns is None and not is_known:
            repair = "list the columns to use as inputs in columns, columns=[] for none"
        if number < len(columns.targets):
            effect, repair = "nothing can be learnt from it", "choose another target"
            value = columns.labels[int(values[0])] if columns.labels else value
        raise DataError(
            f"{options.file}: column {name!r} is constant ({value} in the training set), so "
            f"{effect}; {repair}"
        )


def _default_note(options: FileOptions) -> str:
    """Returns where `unseen` comes from if it is the default, which a user need not have written.

    >>> _default_note(FileOptions("sales.csv")), _default_note(FileOptions("", unseen=0.1))
    (', the default', '')
    """
    return ", the default" if options.unseen == FileOptions.unseen else ""


def leave_out_constant(
    columns: Columns, series: tuple[Series, ...]
) -> tuple[Columns, tuple[Series, ...], str]:
    """Returns columns and series without inputs that are constant in the training set, and a note.

    An input is constant in the training set if it never changes before the validation set. A
    column of text is several features, one for each of its values.
    """
    varied = varied_columns([s.inputs[: s.validation_start] for s in series])
    of_feature = [name for name in columns.inputs for _ in columns.features((name,))]
    used = {name for name, varies in zip(of_feature, varied, strict=True) if varies}
    features = np.array([name in used for name in of_feature], bool)
    constant = [name for name in columns.inputs if name not in used]
    columns = replace(columns, inputs=tuple(n for n in columns.inputs if n in used))
    series = tuple(replace(s, inputs=s.inputs[:, features]) for s in series)
    reasons = dict.fromkeys(constant, "constant in the training set")
    return columns, series, left_out_note(reasons)


def sequence_steps(series: Sequence[Series], horizon: int) -> dict[str, int]:
    """Returns the fewest steps of a sequence of each series; see `fewest_steps`."""
    return {s.name: fewest_steps(s.validation_start, s.test_start, len(s), horizon) for s in series}
