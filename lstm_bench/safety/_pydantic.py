"""Messages about pydantic's validation errors, in this package's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from lstm_bench.errors import Fault, unknown

MAX_VALUE_LENGTH = 200
"""Longer texts of wrong values are cut to this number of characters."""
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
"""Our rule for each of pydantic's types of errors."""


def pydantic_faults(
    error: ValidationError, values: Mapping[str, Any], model: type[BaseModel] | None = None
) -> list[Fault]:
    """Returns one fault per wrong key of `values`, in this package's words.

    If the `model` that rejected `values` is given, the fault of an unknown key lists its keys.
    """
    messages_of: dict[str, list[str]] = {}
    unknown_keys = set()
    for item in error.errors():
        # A union reports one error per member, with the member's name in the path.
        path = [str(part) for part in item["loc"] if "[" not in str(part)]
        depth = 1 + sum(1 for part in path[1:] if part in _all_keys(values))
        if item["type"] == "missing":
            depth = len(path)
        key, message = ".".join(path[:depth]), broken_rule(dict(item))
        valid_keys = _model_keys(model, path) if item["type"] == "extra_forbidden" else []
        if valid_keys:
            unknown_keys.add(key)
            message = unknown("key", path[-1], valid_keys)
        messages_of.setdefault(key, []).append(message)
    rules = {
        key: _merged_rules(messages)
        for key, messages in messages_of.items()
        # A fault within a value says more than that the value might have another type.
        if not any(other.startswith(f"{key}.") for other in messages_of)
    }
    # A rule about several keys belongs to none of them, and its message contains their values.
    return [
        Fault(key, f"{rule}, but got {_value_text(values, key)}")
        if key and key not in unknown_keys
        else Fault(key, rule)
        for key, rule in rules.items()
    ]


def broken_rule(item: Mapping[str, Any]) -> str:
    """Returns the rule that was broken, for one item of pydantic's `ValidationError.errors()`.

    >>> broken_rule({"type": "greater_than_equal", "ctx": {"ge": 1.0}, "msg": ""})
    'must be at least 1'
    """
    if item["type"] == "extra_forbidden":
        return "there is no such key"
    rule = RULES.get(item["type"])
    if rule is None:
        message = str(item["msg"]).removeprefix("Value error, ")
        return message[:1].lower() + message[1:]
    bounds = {
        key: f"{value:.15g}" if isinstance(value, float) else value
        for key, value in item.get("ctx", {}).items()
    }
    return rule.format(**bounds)


def _model_keys(annotation: Any, path: Sequence[str]) -> list[str]:
    """Returns the valid keys of the model in which `path` ends; empty if there is no model."""
    if not path:
        return []
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {
            field.alias or key: field.annotation for key, field in annotation.model_fields.items()
        }
        return list(fields) if len(path) == 1 else _model_keys(fields.get(path[0]), path[1:])
    members = (_model_keys(member, path) for member in get_args(annotation))
    return next(filter(None, members), [])


def _merged_rules(messages: Sequence[str]) -> str:
    """Returns the rules of a union's members as one rule, without types if there are others.

    >>> _merged_rules(["must be a list", "must be text"])
    'must be a list or text'
    >>> _merged_rules(["low <= high must hold", "must be a list"])
    'low <= high must hold'
    """
    other = [message for message in messages if not message.startswith("must be ")]
    return " or ".join(dict.fromkeys(other or messages)).replace(" or must be ", " or ")


def _all_keys(values: Any) -> set[str]:
    """Returns the keys and indices of all mappings and lists in `values`, at any depth."""
    if isinstance(values, Mapping):
        inner = (_all_keys(value) for value in values.values())
        return {str(key) for key in values}.union(*inner)
    if isinstance(values, list | tuple):
        inner = (_all_keys(value) for value in values)
        return {str(index) for index in range(len(values))}.union(*inner)
    return set()


def _value_text(values: Any, key: str) -> str:
    """Returns the value at a dotted key as text; `nothing` if there is none."""
    for part in filter(None, key.split(".")):
        if isinstance(values, Mapping):
            values = {str(k): v for k, v in values.items()}.get(part, "nothing")
        elif isinstance(values, list | tuple) and part.isdigit():
            values = values[int(part)] if int(part) < len(values) else "nothing"
    return "nothing" if isinstance(values, str) and values == "nothing" else shown_value(values)


def shown_value(value: object) -> str:
    """Returns a value as messages show it: its `repr`, cut to `MAX_VALUE_LENGTH` characters.

    >>> shown_value(["a", 1.5])
    "['a', 1.5]"
    """
    try:
        text = repr(value)
    except ValueError:  # Python does not convert integers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"
