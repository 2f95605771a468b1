"""Mutates the nodes of nested values, as in YAML and JSON."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

from .sandbox import ASTRAY

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
"""Values to replace a node with."""

Position = tuple[Any, Any]
"""A list or a mapping, and the index or the key of a node in it."""


def mutated(document: Any, rng: random.Random, keys: Sequence[str], odd: Sequence[Any]) -> Any:
    """Returns `document` with one to three nodes changed.

    `keys` are keys that have a meaning; nodes are replaced by values of `odd` and `ODD`.
    """
    root = [copy.deepcopy(document)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        _mutate(root, rng, keys, [*ODD, *odd])
    return root[0]


def _mutate(root: list[Any], rng: random.Random, keys: Sequence[str], odd: Sequence[Any]) -> None:
    """Changes one node of a document, which is the only item of the list `root`."""
    parent, key = rng.choice(list(positions(root)))
    node = parent[key]
    match rng.randrange(9):
        case 0 | 1 | 2:
            parent[key] = copy.deepcopy(rng.choice(odd))
        case 3 if isinstance(node, int) and not isinstance(node, bool):
            parent[key] = rng.choice((-node, node + 1, node * 10, node / 3, str(node), [node]))
        case 4 if parent is not root:
            del parent[key]
        case 5 if isinstance(parent, dict):
            parent[rng.choice((*keys, str(key).upper(), f"{key} "))] = parent.pop(key)
        case 6 if isinstance(node, dict):
            node[rng.choice((*keys, "x"))] = copy.deepcopy(rng.choice(odd))
        case 6 if isinstance(node, list):
            node.insert(rng.randrange(len(node) + 1), copy.deepcopy(rng.choice(odd)))
        case 7:
            other, other_key = rng.choice(list(positions(root)))
            parent[key] = copy.deepcopy(other[other_key])
        case 8:
            for _ in range(rng.choice((1, 3, 40))):
                parent[key] = [parent[key]] if rng.random() < 0.5 else {"a": parent[key]}
        case _:
            parent[key] = copy.deepcopy(rng.choice(odd))


def positions(parent: Any) -> Iterator[Position]:
    """Yields the position of every node in a list or a mapping, and in all those inside it."""
    keys = list(parent) if isinstance(parent, dict) else range(len(parent))
    for key in keys:
        yield parent, key
        if isinstance(parent[key], (dict, list)):
            yield from positions(parent[key])
