"""Named random streams that depend on nothing but (seed, role, path).

No generator is shared, so the order in which streams are drawn from, the thread that draws, and
the other seeds that run beside it cannot change a number.
"""

from __future__ import annotations

import numpy as np

ROLES = {"data": 1, "init": 2, "shuffle": 3, "search": 4, "query": 5, "simulation": 6, "dropout": 7}

SOURCES = {"data": "data", "query": "data", "init": "init", "shuffle": "order", "dropout": "order"}
"""What a role's stream decides: the data, the initial weights, or the order of training."""

CROSSED = 2**45
"""Seeds from here on hold one seed a source, of 15 bits each: see `crossed`."""


def crossed(data: int, init: int, order: int) -> int:
    """Returns a seed whose sources draw as the seeds `data`, `init` and `order` do.

    >>> a, b, both = stream(3, "data"), stream(8, "init"), crossed(data=3, init=8, order=1)
    >>> bool((a.random(4) == stream(both, "data").random(4)).all())
    True
    >>> bool((b.random(4) == stream(both, "init").random(4)).all())
    True
    """
    parts = (data, init, order)
    if not all(0 <= part < 2**15 for part in parts):
        raise ValueError(f"crossed seeds must be from 0 to {2**15 - 1}, but got {parts}")
    return CROSSED + data + (init << 15) + (order << 30)


def uncrossed(seed: int) -> dict[str, int]:
    """Returns the seed of each source: `seed` itself, unless it is a crossed one.

    >>> uncrossed(crossed(data=3, init=8, order=1))
    {'data': 3, 'init': 8, 'order': 1}
    """
    if not CROSSED <= seed < 2 * CROSSED:
        return {"data": seed, "init": seed, "order": seed}
    return {"data": seed & 0x7FFF, "init": seed >> 15 & 0x7FFF, "order": seed >> 30 & 0x7FFF}


def stream(seed: int, role: str, *path: int) -> np.random.Generator:
    """Returns a fresh generator for `role` (a key of `ROLES`) under `seed`.

    `path` names a sub-stream, e.g. the epoch of a shuffle. The construction is NumPy's
    `SeedSequence` with a spawn key, feeding a counter-based Philox generator.

    >>> a, b = stream(7, "shuffle", 0), stream(7, "shuffle", 0)
    >>> bool((a.permutation(9) == b.permutation(9)).all())
    True
    >>> bool((stream(7, "data").random(4) == stream(7, "init").random(4)).any())
    False
    """
    return np.random.Generator(np.random.Philox(_sequence(seed, role, path)))


def integer(seed: int, role: str, *path: int) -> int:
    """Returns an integer in [0, 2**31) for libraries that take a seed of their own."""
    return int(_sequence(seed, role, path).generate_state(1, np.uint32)[0] >> 1)


def _sequence(seed: int, role: str, path: tuple[int, ...]) -> np.random.SeedSequence:
    own = uncrossed(seed)[SOURCES[role]] if role in SOURCES else seed
    return np.random.SeedSequence(entropy=own, spawn_key=(ROLES[role], *path))
