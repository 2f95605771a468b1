"""What pydantic finds wrong with a value, in this package's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from lstm_bench.errors import Fault, unknown

LONGEST_SHOWN = 200
"""Characters of a wrong value that are shown."""
RULES = {
    "missing": "must be given",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "mapping_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be below {lt}",
    "literal_error": "must be {expected}",
    "too_short": "must have {min_length} or more items",
    "too_long": "must have {max_length} or fewer items",
}
"""What pydantic calls each kind of error, and what we say."""


def pydantic_faults(
    error: ValidationError, values: Mapping[str, Any], model: type[BaseModel] | None = None
) -> list[Fault]:
    """Returns one fault a wrong key, in this package's words.

    With the `model` that refused `values`, a key that it does not know is told with those it does.
    """
    by_key: dict[str, list[str]] = {}
    strange = set()
    for item in error.errors():
        # A union reports one error a member, with the member's name in the path.
        place = [str(part) for part in item["loc"] if "[" not in str(part)]
        depth = 1 + sum(1 for part in place[1:] if part in _walk_keys(values))
        if item["type"] == "missing":
            depth = len(place)
        key, message = ".".join(place[:depth]), broken_rule(dict(item))
        known = _keys(model, place) if item["type"] == "extra_forbidden" else []
        if known:
            strange.add(key)
            message = unknown("key", place[-1], known)
        by_key.setdefault(key, []).append(message)
    told = {
        key: _joined(messages)
        for key, messages in by_key.items()
        # What is wrong within a value says more than that it might have been of another kind.
        if not any(other.startswith(f"{key}.") for other in by_key)
    }
    # A rule that joins several keys belongs to none of them, and names its values itself.
    return [
        Fault(key, f"{text}, but got {_shown(values, key)}" if key and key not in strange else text)
        for key, text in told.items()
    ]


def broken_rule(item: Mapping[str, Any]) -> str:
    """Returns the rule that one of pydantic's errors says was broken.

    >>> broken_rule({"type": "greater_than_equal", "ctx": {"ge": 1.0}, "msg": ""})
    'must be at least 1'
    """
    if item["type"] == "extra_forbidden":
        return "there is no such key"
    known = RULES.get(item["type"])
    if known is None:
        message = str(item["msg"]).removeprefix("Value error, ")
        return message[:1].lower() + message[1:]
    facts = {
        key: f"{value:.15g}" if isinstance(value, float) else value
        for key, value in item.get("ctx", {}).items()
    }
    return known.format(**facts)


def _keys(kind: Any, place: Sequence[str]) -> list[str]:
    """Returns the keys that a model has where `place` ends; none where there is no model."""
    if not place:
        return []
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or key: field.annotation for key, field in kind.model_fields.items()}
        return list(fields) if len(place) == 1 else _keys(fields.get(place[0]), place[1:])
    return next(filter(None, (_keys(each, place) for each in get_args(kind))), [])


def _joined(messages: Sequence[str]) -> str:
    """Returns the rules of a union's members as one; only what is no mere type, if there is any.

    >>> _joined(["must be a list", "must be text"])
    'must be a list or text'
    >>> _joined(["low <= high must hold", "must be a list"])
    'low <= high must hold'
    """
    own = [message for message in messages if not message.startswith("must be ")]
    return " or ".join(dict.fromkeys(own or messages)).replace(" or must be ", " or ")


def _walk_keys(values: Any) -> set[str]:
    if isinstance(values, Mapping):
        inner = (_walk_keys(value) for value in values.values())
        return {str(key) for key in values}.union(*inner)
    if isinstance(values, list | tuple):
        inner = (_walk_keys(value) for value in values)
        return {str(place) for place in range(len(values))}.union(*inner)
    return set()


def _shown(values: Any, key: str) -> str:
    for part in filter(None, key.split(".")):
        if isinstance(values, Mapping):
            values = {str(k): v for k, v in values.items()}.get(part, "nothing")
        elif isinstance(values, list | tuple) and part.isdigit():
            values = values[int(part)] if int(part) < len(values) else "nothing"
    if isinstance(values, str) and values == "nothing":
        return "nothing"
    try:
        shown = repr(values)
    except ValueError:  # a whole number of thousands of digits, which Python does not write
        return "a number of thousands of digits"
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}…"
