"""Keeps columns that are equal in several outcomes in memory once.

Recipes of one sweep over a file forecast the same rows, next to the same baselines. So only the
columns `predicted` and `correct` of their predictions differ from one outcome to the next.
"""

from __future__ import annotations

import hashlib
from weakref import WeakValueDictionary

import numpy as np
import pandas as pd

MIN_ROWS = 1000
"""Shorter tables take too little memory for a search."""

_tables: WeakValueDictionary[tuple[str, str, bytes], pd.DataFrame] = WeakValueDictionary()
"""The latest table with a column, by the column's name and type and a digest of its values."""


def share_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Returns an equal table that shares the memory of equal columns with other tables.

    No table can change another one: pandas copies a shared column before it changes it.
    """
    if len(frame) < MIN_ROWS or not frame.index.equals(pd.RangeIndex(len(frame))):
        return frame
    keys = {str(name): _key(str(name), column) for name, column in frame.items()}
    columns = {name: _equal_column(frame[name], key) for name, key in keys.items()}
    shared = pd.DataFrame(columns, index=frame.index, copy=False)
    for key in filter(None, keys.values()):
        _tables[key] = shared  # the latest: an earlier one is often replaced by it
    return shared


def _key(name: str, column: pd.Series) -> tuple[str, str, bytes] | None:
    """Returns a key that equal columns share; None for a column of objects."""
    if isinstance(column.dtype, pd.StringDtype):
        values = pd.util.hash_pandas_object(column, index=False).to_numpy()
    elif isinstance(column.dtype, np.dtype) and not column.dtype.hasobject:
        values = column.to_numpy()
    else:
        return None
    return name, repr(column.dtype), hashlib.blake2b(values.tobytes()).digest()


def _equal_column(column: pd.Series, key: tuple[str, str, bytes] | None) -> pd.Series:
    """Returns the equal column of an earlier table, or else a copy with memory of its own."""
    table = _tables.get(key) if key else None
    if table is not None and key is not None:
        earlier: pd.Series = table[key[0]]
        same = len(earlier) == len(column) and _key(key[0], earlier) == key  # it may have changed
        if same and (isinstance(column.dtype, np.dtype) or earlier.equals(column)):
            return earlier
    if isinstance(column.dtype, pd.StringDtype):  # a copy would still be a view of a whole file
        return pd.Series(column.array.take(np.arange(len(column))), column.index)
    return column.copy()
