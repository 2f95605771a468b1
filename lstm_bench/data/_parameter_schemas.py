"""JSON Schemas of values in sweep files, for parameters of `csv` that are read first."""

from __future__ import annotations

from typing import Any

TARGET: dict[str, Any] = {"type": ["string", "array", "null"], "items": {"type": "string"}}
HORIZON: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 10_000},
        {"type": "string", "pattern": "^ *1 *\\. *\\. *[1-9][0-9 ]*$"},
    ]
}
GAPS: dict[str, Any] = {"type": ["string", "number", "boolean", "array", "object", "null"]}
