"""The types of settings in words: `Annotated[int, Field(ge=1)]` is "a whole number from 1 on"."""

from __future__ import annotations

import collections.abc
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "`true` or `false`",
    Path: "a path",
    Any: "any value",
}


def limits(metadata: Any) -> str:
    """Returns the bounds that Pydantic keeps for a field: " from 1 to 4096", or ""."""
    bounds: dict[str, Any] = {}
    for item in metadata:
        parts = item.metadata if isinstance(item, FieldInfo) else [item]
        for part in parts:
            for key in ("ge", "gt", "le", "lt"):
                if getattr(part, key, None) is not None:
                    bounds[key] = getattr(part, key)
    low = f"from {bounds['ge']:,}" if "ge" in bounds else ""
    low = f"above {bounds['gt']:,}" if "gt" in bounds else low
    high = f"to {bounds['le']:,}" if "le" in bounds else ""
    high = f"below {bounds['lt']:,}" if "lt" in bounds else high
    if low and high:
        joint = "" if low.startswith("from") and high.startswith("to") else ","
        return f" {low}{joint} {high}"
    return f" {low} on" if low.startswith("from") else f" {low or high}".rstrip()


def type_in_words(annotation: Any, metadata: Any = ()) -> str:
    """Returns what values a type has, in words and Markdown.

    >>> type_in_words(Annotated[int, FieldInfo(ge=1, le=9)] | Literal["all"])
    'a whole number from 1 to 9, or `all`'
    >>> type_in_words(tuple[str, ...])
    'a list of texts'
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_in_words(parts[0], [*parts[1:], *metadata])
    if origin is Literal:
        return ", ".join(f"`{str(part).lower() if part is True else part}`" for part in parts)
    if origin in (Union, UnionType):
        words = [type_in_words(part, metadata) for part in parts if part is not NoneType]
        return ", or ".join(dict.fromkeys(words))
    if origin in (tuple, list):
        inner = [part for part in parts if part is not Ellipsis]
        if Ellipsis in parts or origin is list:
            one = type_in_words(inner[0])
            return f"a list of {one.removeprefix('a ').replace('text', 'texts', 1)}"
        return "a list of " + " and ".join(type_in_words(part) for part in inner)
    if origin in (dict, collections.abc.Mapping):
        return "a mapping"
    words = NAMES.get(annotation, f"`{getattr(annotation, '__name__', annotation)}`")
    return words + limits(metadata)


def field_in_words(field: FieldInfo) -> str:
    """Returns what values a field of a model takes, in words."""
    return type_in_words(field.annotation, field.metadata)


def default_in_words(field: FieldInfo) -> str:
    """Returns the default of a field as it is written in a sweep file."""
    value = field.default
    if field.is_required():
        return "required"
    if value is None:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float) and value.is_integer():
        return f"`{value:.1f}`"
    if not isinstance(value, int | float | str | Path):
        return "–" if not value else f"`{value}`"
    return f"`{value}`" if str(value) else "–"
