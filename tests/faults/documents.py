"""Nested values, as in YAML and JSON, damaged node by node."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

from .world import ASTRAY

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 31, 2**31, 2**63, -(2**63), 10**30, 10**400, 0.0, -0.0, 0.5,
    1e-300, 1e308, float("nan"), float("inf"), -float("inf"), "", " ", "x", "A1", "1e400", "0x10",
    "1_000", "true", "null", "=1+1", "é", "日本", "\u202etxt", "\x1b[2J", "\x00", "\x07", "\x9b31m",
    "a\nb", "a\tb", "🙂" * 40, "y" * 20_000, "..", "../secret.csv", "/etc/passwd", "../../x",
    f"/../..{ASTRAY}", "a/b", "<b>", "</script><script>alert(1)</script>",
    "${oc.env:LSTM_BENCH_SECRET}", "${oc.env:HOME}", "${x}", "${", "${task}", "${.}",
    "${oc.decode:'1'}", "%s %d {0}", [], [[]], [None], [1, 2], ["a", 1, None], [1, 1], {},
    {"a": {}}, {"int": [1, 9]}, {"float": [0, 1], "log": True}, {"int": [9, 1]},
    {"int": [1, 10**18]}, {"float": [-1e308, 1e308]}, {1: 2}, {None: None}, {"": ""},
)  # fmt: skip
"""What is put in the place of a node."""

Place = tuple[Any, Any]
"""A list or a mapping, and the index or the key of a node in it."""


def mutated(document: Any, chance: random.Random, words: Sequence[str], odd: Sequence[Any]) -> Any:
    """Returns `document` with one to three nodes changed.

    `words` are keys that mean something; `odd` is put in besides `ODD`.
    """
    whole = [copy.deepcopy(document)]
    for _ in range(chance.choice((1, 1, 2, 3))):
        _mutate(whole, chance, words, [*ODD, *odd])
    return whole[0]


def _mutate(
    whole: list[Any], chance: random.Random, words: Sequence[str], odd: Sequence[Any]
) -> None:
    above, key = chance.choice(list(places(whole)))
    node = above[key]
    match chance.randrange(9):
        case 0 | 1 | 2:
            above[key] = copy.deepcopy(chance.choice(odd))
        case 3 if isinstance(node, int) and not isinstance(node, bool):
            above[key] = chance.choice((-node, node + 1, node * 10, node / 3, str(node), [node]))
        case 4 if above is not whole:
            del above[key]
        case 5 if isinstance(above, dict):
            above[chance.choice((*words, str(key).upper(), f"{key} "))] = above.pop(key)
        case 6 if isinstance(node, dict):
            node[chance.choice((*words, "x"))] = copy.deepcopy(chance.choice(odd))
        case 6 if isinstance(node, list):
            node.insert(chance.randrange(len(node) + 1), copy.deepcopy(chance.choice(odd)))
        case 7:
            other, place = chance.choice(list(places(whole)))
            above[key] = copy.deepcopy(other[place])
        case 8:
            for _ in range(chance.choice((1, 3, 40))):
                above[key] = [above[key]] if chance.random() < 0.5 else {"a": above[key]}
        case _:
            above[key] = copy.deepcopy(chance.choice(odd))


def places(above: Any) -> Iterator[Place]:
    """Yields the place of every node in a list or a mapping, and in those below it."""
    keys = list(above) if isinstance(above, dict) else range(len(above))
    for key in keys:
        yield above, key
        if isinstance(above[key], (dict, list)):
            yield from places(above[key])
