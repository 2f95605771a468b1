"""Files with one label a sequence: whole sequences are learned from, chosen on and scored on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._column_notes import number_notes, written_numbers
from lstm_bench.data._columns import Columns, Series
from lstm_bench.data._file_notes import rows_note
from lstm_bench.data._file_options import FileOptions
from lstm_bench.data._inference import infer_input_columns
from lstm_bench.data._messages import list_names, quote_cell
from lstm_bench.data._rows import arrange_rows
from lstm_bench.data._series import PreparedFile, build_series, leave_out_constant, stack_columns
from lstm_bench.data._table import Table
from lstm_bench.data._targets import parse_targets
from lstm_bench.data._text_columns import all_categories, categories_of_rows, unseen_note
from lstm_bench.data._text_file import read_data
from lstm_bench.data._time_columns import TimeOptions, find_times
from lstm_bench.errors import DataError
from lstm_bench.seeds import stream

MIN_OF_LABEL = 3
"""Sequences of each label, at least: one each in the training, validation and test sets."""

Floats = NDArray[np.float64]


def read_labelled(options: FileOptions) -> PreparedFile:
    """Returns the sequences of a file whose column `target` labels each of them.

    A sequence is the rows of one value of the column `group`, in order of time if there are times,
    else of the file. Its label is that of its rows, which must be the same.

    Raises `DataError` if the file or an option is wrong.
    """
    table = read_data(options.file, False, options.reading)
    target, group = _named(table, "target", options.target), _named(table, "group", options.group)
    if target == group:
        raise DataError(f"{table.file}: {group!r} is both target and group; name another column")
    times, unused = find_times(
        table,
        TimeOptions(options.time, options.date_format, options.day_first),
        {target, group, *(options.columns or ())},
    )
    roles = {target, group, *(() if times is None else times.columns)}
    inputs, out_note = infer_input_columns(  # as for numbers: all columns of numbers
        options.columns, table, "real", target, {*roles}, dict(table.left_out)
    )
    columns = Columns(
        "symbols", target, inputs, (), None if times is None else times.name, group, 0,
        options.missing, None if times is None else times.format, options.aggregate,
        categories=all_categories(table, inputs), reading=replace(options.reading, sheet=None),
        label_per_sequence=True, numbers=written_numbers(table, inputs),
    )  # fmt: skip
    labels, target_values = parse_targets(table, columns)
    columns = replace(columns, labels=labels)
    rows = arrange_rows(table, columns, stack_columns(table, columns, target_values), times)
    label_of = {
        name: labels[_only_label(table, columns, name, rows.values[indices, 0])]
        for name, indices in rows.by_series.items()
    }
    lengths = {name: len(indices) for name, indices in rows.by_series.items()}
    starts, order = split_sequences(table.file, options.unseen, label_of, lengths)
    if columns.categories:  # those of the training set
        train = [i for name, i in rows.by_series.items() if starts[name][0] == lengths[name]]
        categories = categories_of_rows(columns, rows.values, np.concatenate(train))
        columns = replace(columns, categories=categories)
        rows = arrange_rows(table, columns, stack_columns(table, columns, target_values), times)
    series = tuple(
        replace(one, time_ranks=np.full(len(one), order[one.name]))
        for one in build_series(columns, rows, starts)
    )
    if options.columns is None:
        columns, series, constant_note = leave_out_constant(columns, series)
        out_note += constant_note
    if not columns.inputs:
        raise DataError(
            f"{table.file}: a sequence is labelled by the other columns of its rows, but there "
            "are none of numbers that vary; name columns of text in columns, if there are any"
            + out_note
        )
    frequent = max(labels, key=list(label_of.values()).count)
    share = list(label_of.values()).count(frequent) / len(label_of)
    notes = [
        f"label of each sequence: {target}, {len(labels)} different; the most frequent one is "
        f"{quote_cell(frequent)}, {100 * share:.0f} % of the sequences",
        f"{len(series):,} sequences, one for each {group}, of {min(lengths.values()):,} to "
        f"{max(lengths.values()):,} rows; "
        + rows_note(columns, rows, rows)
        + " in the order of "
        + (columns.time or "the file"),
        f"inputs: {', '.join(columns.inputs)}{out_note}",
        unseen_note(table, columns),
        _split_note(series),
        *table.notes,
        *number_notes(table, columns.inputs),
        *(() if times is None else times.notes),
        *unused,
    ]
    return PreparedFile(
        **vars(columns), series=series, season=None, notes=tuple(filter(None, notes))
    )


def _named(table: Table, role: str, name: str | None) -> str:
    """Returns the column of a role, which must be given."""
    if name is None:
        what = "labels the sequences" if role == "target" else "says which sequence a row is of"
        raise DataError(
            f"{table.file}: {role} must name the column that {what}, but is not given; it has "
            f"{list_names(list(table.columns), limit=20)}"
        )
    table.text(name)
    return name


def _only_label(table: Table, columns: Columns, name: str, values: Floats) -> int:
    """Returns the number of the label of a sequence; raises `DataError` if it has several."""
    numbers = sorted({int(value) for value in values[~np.isnan(values)]})
    if len(numbers) == 1:
        return numbers[0]
    shown = list_names([quote_cell(columns.labels[number]) for number in numbers])
    raise DataError(
        f"{table.file}: label_per_sequence needs one label in all rows of a sequence, but "
        f"{columns.target!r} of {columns.group} {name!r} is {shown or 'missing'}; correct these "
        "rows, name another target, or leave label_per_sequence out to forecast every row"
    )


def split_sequences(
    file: str, unseen: float, labels: Mapping[str, str], lengths: Mapping[str, int]
) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Returns the starts of the validation and the test set in each sequence, and its rank.

    Each part consists of whole sequences, a share `unseen` of those of each label (stratified).
    They are drawn by their place in the file, in an order that no seed of a recipe changes; the
    rank is the place in this order. Raises `DataError` for a label of too few sequences.
    """
    names = list(labels)
    drawn = [names[place] for place in stream(0, "data").permutation(len(names)).tolist()]
    starts = {name: (length, length) for name, length in lengths.items()}  # training set
    for label in sorted(set(labels.values())):
        members = [name for name in drawn if labels[name] == label]
        if len(members) < MIN_OF_LABEL:
            raise DataError(
                f"{file}: each label needs {MIN_OF_LABEL} sequences or more, for the training, "
                f"validation and test sets, but {quote_cell(label)} has "
                f"{len(members)}; leave {'it' if len(members) == 1 else 'them'} out, or give more"
            )
        count = min(max(1, round(unseen * len(members))), (len(members) - 1) // 2)
        starts |= dict.fromkeys(members[:count], (0, 0))
        starts |= {name: (0, lengths[name]) for name in members[count : 2 * count]}
    return starts, {name: rank for rank, name in enumerate(drawn)}


def _split_note(series: tuple[Series, ...]) -> str:
    """Returns the numbers of sequences in the training, validation and test sets."""
    test = sum(one.test_start == 0 for one in series)
    validation = sum(one.validation_start == 0 for one in series) - test
    return (
        f"training set: {len(series) - validation - test:,} sequences, validation set: "
        f"{validation:,}, test set: {test:,}: whole ones, the same share of each label, drawn by "
        "their place in the file and the same for every seed"
    )
