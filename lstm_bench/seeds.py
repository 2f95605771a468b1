"""Named random streams that depend on nothing but (seed, role, path).

No generator is shared, so the order in which streams are drawn from, the thread that draws, and
the other seeds that run beside it cannot change a number.
"""

from __future__ import annotations

import numpy as np

ROLES = {"data": 1, "init": 2, "shuffle": 3, "search": 4, "query": 5, "simulation": 6, "dropout": 7}


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
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(ROLES[role], *path))
    return np.random.Generator(np.random.Philox(sequence))


def integer(seed: int, role: str, *path: int) -> int:
    """Returns an integer in [0, 2**31) for libraries that take a seed of their own."""
    sequence = np.random.SeedSequence(entropy=seed, spawn_key=(ROLES[role], *path))
    return int(sequence.generate_state(1, np.uint32)[0] >> 1)
