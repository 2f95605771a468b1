"""Columns of text as inputs: one feature of 0 and 1 for each of their values (one-hot).

An empty cell is 0 in all of these: it says that none of the values holds. Words that may be a
value, such as none, are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lstm_bench.data._cells import is_missing, is_text_gap
from lstm_bench.data._columns import Columns
from lstm_bench.data._messages import list_names
from lstm_bench.data._table import Table

MAX_VALUES = 20
"""A column of text with more different values is not used: most would occur too rarely."""

Floats = NDArray[np.float64]


def text_columns(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns of text among `names`: less than half of their values are numbers.

    Other columns with text in them are left to `Table.numbers`, which names the rows.
    """
    chosen = []
    for name in names:
        texts = {cell for cell in table.text(name) if not is_missing(cell)}
        numeric = int(np.isfinite(table.formats[name].parse(texts)).sum())
        if texts and 2 * numeric < len(texts):
            chosen.append(name)
    return tuple(chosen)


def usable_columns(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Returns the columns without those of text with too many values, and a note about these."""
    counts = {name: len(_values(table, name)) for name in text_columns(table, names)}
    excluded = [name for name, count in counts.items() if count > MAX_VALUES]
    if not excluded:
        return names, ""
    shown = list_names([f"{name} with {counts[name]:,}" for name in excluded])
    note = f" (left out, text with more than {MAX_VALUES} different values: {shown})"
    return tuple(name for name in names if name not in excluded), note


def text_hint(table: Table, names: Sequence[str]) -> str:
    """Returns a note on which of the columns of text `names` could be inputs, or ""."""
    counts = {
        name: len(_values(table, name)) + bool(_empty_cells(table, name))
        for name in text_columns(table, names)
    }
    few = [name for name, count in counts.items() if 1 < count <= MAX_VALUES]
    those = f"text of at most {MAX_VALUES} values, an input if columns names it"
    return f" ({those}: {', '.join(few)})" if few else ""


def category_numbers(table: Table, name: str, categories: Sequence[str]) -> Floats:
    """Returns the place of each cell of a column (rows,) among the categories.

    The number of categories for a text that is not among them, and for an empty cell; NaN for a
    missing value.
    """
    places = {text: float(place) for place, text in enumerate(categories)}
    text = table.text(name)
    numbers = np.array([places.get(str(cell), float(len(places))) for cell in text])
    return np.where([is_text_gap(cell) for cell in text], np.nan, numbers)


def all_categories(table: Table, names: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Returns the different values of each column of text among `names`, sorted."""
    return tuple((name, _values(table, name)) for name in text_columns(table, names))


def categories_of_rows(
    columns: Columns, values: Floats, rows: NDArray[np.intp]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Returns `columns.categories` without those that do not occur in `rows` of `values`.

    `values` (all rows, columns) are those of the file, as `category_numbers`.
    """
    names, texts = [*columns.targets, *columns.inputs, *columns.known], dict(columns.categories)
    encodings = []
    for place, name in enumerate(names):
        if name in texts:
            seen = set(values[rows, place].tolist())
            encodings.append((name, tuple(t for n, t in enumerate(texts[name]) if n in seen)))
    return tuple(encodings)


def one_hot(
    values: Floats, names: Sequence[str], categories: Mapping[str, Sequence[str]]
) -> Floats:
    """Returns the features (n, F) of columns (n, C): those of text as one for each category.

    A text that is not among the categories has zeros in all of them.

    >>> one_hot(np.array([[5.0, 1.0], [6.0, 2.0]]), ["x", "c"], {"c": ["a", "b"]}).tolist()
    [[5.0, 0.0, 1.0], [6.0, 0.0, 0.0]]
    """
    parts = [
        values[:, [place]] == np.arange(len(categories[name]))
        if name in categories
        else values[:, [place]]
        for place, name in enumerate(names)
    ]
    return np.concatenate([np.empty((len(values), 0)), *parts], axis=1)


def unseen_note(table: Table, columns: Columns) -> str:
    """Returns a note about texts that are not among the categories, and empty cells, or ""."""
    notes, empty = [], []
    for name, texts in columns.categories:
        other = sorted(set(_values(table, name)) - set(texts))
        if other:
            notes.append(f"{name} also has {list_names(other)}")
        if count := _empty_cells(table, name):
            empty.append(f"{count:,} of {name}")
    unseen = f"not in the training set, so 0 in all features: {'; '.join(notes)}" if notes else ""
    blank = f"empty cells of text are 0 in all features: {', '.join(empty)}" if empty else ""
    return "; ".join(filter(None, (unseen, blank)))


def _values(table: Table, name: str) -> tuple[str, ...]:
    """Returns the different texts of a column, sorted, without empty cells and missing values."""
    texts = set(map(str, table.text(name)))
    return tuple(sorted(text for text in texts if text.strip() and not is_text_gap(text)))


def _empty_cells(table: Table, name: str) -> int:
    return sum(not cell.strip() for cell in table.text(name))
