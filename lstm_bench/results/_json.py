"""Conversion of values to JSON: all JSON documents are made here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any


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

    NumPy scalars and arrays are unpacked, dataclasses become mappings, tuples lists, and paths
    text. NaN, infinities and missing values of pandas become None.

    >>> plain_json({"p": float("inf"), "n": (1, 2)})
    {'p': None, 'n': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain_json(vars(value))
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return plain_json(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if type(value).__name__ in ("NAType", "NaTType") else value
