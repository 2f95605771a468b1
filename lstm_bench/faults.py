"""What pydantic finds wrong with a value, in this package's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from lstm_bench.errors import Fault


def pydantic_faults(error: ValidationError, values: Mapping[str, Any]) -> list[Fault]:
    """Returns one fault a wrong key, in this package's words."""
    by_key: dict[str, list[str]] = {}
    for item in error.errors():
        if item["type"] == "extra_forbidden":
            message = "there is no such key"
        else:
            message = item["msg"].removeprefix("Value error, ")
            message = message[0].lower() + message[1:]
        place = [str(part) for part in item["loc"]]
        # A union reports one error a member, with the member's name at the end of the path.
        depth = 1 + sum(1 for part in place[1:] if part in _walk_keys(values))
        if item["type"] == "missing":
            depth = len(place)
        by_key.setdefault(".".join(place[:depth]), []).append(message)
    told = {key: " or ".join(dict.fromkeys(messages)) for key, messages in by_key.items()}
    # A rule that joins several keys belongs to none of them, and names its values itself.
    return [
        Fault(key, f"{text}, but got {_shown(values, key)}" if key else text)
        for key, text in told.items()
    ]


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
            values = values[int(part)]
    return "nothing" if values == "nothing" else repr(values)
