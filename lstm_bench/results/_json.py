"""Conversion of values to JSON: all JSON documents are made here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd


def to_json(document: Any) -> str:
    """Returns a document as JSON text, converted by `plain_json`.

    >>> print(to_json({"mean": float("nan")}))
    {
     "mean": null
    }
    """
    return json.dumps(plain_json(document), indent=1, allow_nan=False)


def plain_json(value: Any) -> Any:
    """Returns `value` in types that JSON has.

    NumPy scalars and arrays are unpacked, dataclasses become mappings, and tuples lists. NaN,
    infinities and missing values of pandas become None. Anything else becomes text: paths, dates.

    >>> from datetime import date
    >>> plain_json({"p": float("inf"), "n": (1, 2), "day": date(2024, 2, 29)})
    {'p': None, 'n': [1, 2], 'day': '2024-02-29'}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.ndarray | np.generic | pd.Series | pd.Index):
        return _unpacked(value)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, str | int) else str(value)


def _unpacked(value: Any) -> Any:
    """Returns NumPy scalars and arrays, and columns of pandas, in types that JSON has."""
    plain = value.tolist()
    return str(value) if isinstance(plain, np.generic) else plain_json(plain)
