"""What each column of a file is used for: target, group, time, input, or known in advance."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lstm_bench.data._column_notes import written_numbers
from lstm_bench.data._columns import Columns, TargetKind
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._inference import (
    infer_group_column,
    infer_input_columns,
    infer_target_column,
    infer_target_kind,
)
from lstm_bench.data._known import check_known
from lstm_bench.data._series_by_order import SeriesByOrder, series_or_times
from lstm_bench.data._table import Table
from lstm_bench.data._targets import check_outputs, listed_targets
from lstm_bench.data._text_columns import all_categories
from lstm_bench.data._time_columns import TimeOptions, find_times
from lstm_bench.data._time_joins import FileTimes
from lstm_bench.errors import DataError


@dataclass(frozen=True)
class Roles:
    """The role of each column that is used, and notes on those that are not."""

    kind: TargetKind
    targets: tuple[str, ...]
    group: str | None
    times: FileTimes | None
    inputs: tuple[str, ...]
    known: tuple[str, ...]
    by_order: SeriesByOrder
    unused_times: tuple[str, ...]
    left_out: str  # of the inputs
    known_left_out: str

    @property
    def inputs_with_target(self) -> tuple[str, ...]:
        """The targets, if they are numbers, and the inputs; known columns are apart."""
        return (*(self.targets if self.kind == "real" else ()), *self.inputs)


def find_roles(table: Table, options: FileOptions) -> Roles:
    """Returns the roles that the options give to the columns of a file; the others are inferred.

    Raises `DataError` if columns do not exist, do not fit their roles, or have several.
    """
    listed = listed_targets(table, options.target)
    time_options = TimeOptions(options.time, options.date_format, options.day_first)
    reserved = {*listed, options.group, *(options.columns or ()), *(options.known or ())}
    times, unused = find_times(table, time_options, reserved)
    target = infer_target_column(next(iter(listed), None), options.group, table, times)
    targets = (target, *listed[1:])
    kind = options.kind or infer_target_kind(table, target)
    group = options.group or table.series or infer_group_column(table, target, times)
    if options.group == "none" and "none" not in table.columns:
        group = None
    left_out, by_order = dict(table.left_out), SeriesByOrder()
    if group is None:
        reserved |= {*targets}
        by_order, times = series_or_times(table, times, reserved, options.time, options.group)
        group = by_order.group
        unused = (*unused, *by_order.unused)
        if by_order.counter is not None:
            left_out[by_order.counter] = f"it counts the rows of each {group}"
    if group is not None:
        table.text(group)
    if group in targets:
        raise DataError(f"{table.file}: {group!r} is both target and group; name another column")
    check_outputs(table, targets, kind, options.horizon, bool(options.all_steps))
    known, known_left_out = options.known or (), ""
    taken = {*targets, group, *(() if times is None else times.columns)}
    if times is not None:
        others = [n for n in times.others if n not in {*taken, *known}]
        left_out |= dict.fromkeys(others, f"times, beside those of {times.name}")
    if known:
        known, known_left_out = check_known(known, table, options.horizon, options.columns, taken)
    inputs, left_out_note = infer_input_columns(
        options.columns, table, kind, target, taken | {*(options.known or ())}, left_out
    )
    return Roles(
        kind, targets, group, times, inputs, known, by_order, unused, left_out_note, known_left_out
    )


def columns_of(table: Table, options: FileOptions, roles: Roles) -> Columns:
    """Returns the columns that are used, with how they are read; text is not yet numbered."""
    times = roles.times
    columns = Columns(
        roles.kind,
        roles.targets[0],
        roles.inputs,
        (),
        None if times is None else times.name,
        roles.group,
        options.horizon,
        options.missing,
        None if times is None else times.format,
        options.aggregate,
        text=bool(options.text),
        further=roles.targets[1:],
        all_steps=bool(options.all_steps),
        known=roles.known,
        categories=all_categories(table, [*roles.inputs, *roles.known]),
        reading=replace(options.reading, sheet=None),
    )
    numbers = written_numbers(table, [*roles.inputs_with_target, *roles.known])
    return replace(columns, numbers=numbers)
