"""Equality of outcomes: all numbers, times apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


def without_columns(value: Any, columns: Sequence[str]) -> Any:
    """Returns a field without these columns, if it is a table."""
    if not isinstance(value, pd.DataFrame):
        return value
    return value.drop(columns=list(columns), errors="ignore")


def is_equal(first: Any, second: Any) -> bool:
    """Returns whether two fields are equal, tables and arrays value by value; NaN equals NaN."""
    if first is second:
        return True
    if np.isscalar(first) and np.isscalar(second):
        return bool(first == second or (first != first and second != second))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(is_equal(first[k], second[k]) for k in first)
    if type(first) is not type(second):
        return False
    if isinstance(first, pd.DataFrame | pd.Series):
        return bool(first.equals(second))
    if isinstance(first, np.ndarray):
        return first.shape == second.shape and is_equal(first.tolist(), second.tolist())
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(is_equal, first, second))
    return bool(first == second)
