"""Named random streams that depend only on (seed, role, path).

No generator is shared. So neither the order of draws from different streams, nor the thread that
draws, nor other seeds that run at the same time can change a number.
"""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Iterable, Mapping

import numpy as np

from lstm_bench.errors import UserError

ROLES = {"data": 1, "init": 2, "shuffle": 3, "search": 4, "query": 5, "simulation": 6, "dropout": 7}

SOURCES = {"data": "data", "query": "data", "init": "init", "shuffle": "order", "dropout": "order"}
"""The source of each role: the data, the initial weights, or the order of training."""

MOST_SEEDS = 1_000_000
"""The most seeds that one call takes."""

FIRST_CROSSED_SEED = 2**45
"""Seeds from here on contain one seed of 15 bits per source: see `crossed_seed`."""


def crossed_seed(data: int, init: int, order: int) -> int:
    """Returns one seed whose sources have the streams of the seeds `data`, `init` and `order`.

    >>> a, b, both = stream(3, "data"), stream(8, "init"), crossed_seed(data=3, init=8, order=1)
    >>> bool((a.random(4) == stream(both, "data").random(4)).all())
    True
    >>> bool((b.random(4) == stream(both, "init").random(4)).all())
    True
    """
    parts = (data, init, order)
    if not all(0 <= part < 2**15 for part in parts):
        raise ValueError(f"crossed seeds must be from 0 to {2**15 - 1}, but got {parts}")
    return FIRST_CROSSED_SEED + data + (init << 15) + (order << 30)


def source_seeds(seed: int) -> dict[str, int]:
    """Returns the seed of each source: `seed` itself, unless it is a crossed seed.

    >>> source_seeds(crossed_seed(data=3, init=8, order=1))
    {'data': 3, 'init': 8, 'order': 1}
    """
    if not FIRST_CROSSED_SEED <= seed < 2 * FIRST_CROSSED_SEED:
        return {"data": seed, "init": seed, "order": seed}
    return {"data": seed & 0x7FFF, "init": seed >> 15 & 0x7FFF, "order": seed >> 30 & 0x7FFF}


def stream(seed: int, role: str, *path: int) -> np.random.Generator:
    """Returns a new generator for `role` (a key of `ROLES`) and `seed`.

    `path` identifies a sub-stream, e.g. the epoch of a shuffle. The construction is NumPy's
    `SeedSequence` with a spawn key, feeding a counter-based Philox generator.

    >>> a, b = stream(7, "shuffle", 0), stream(7, "shuffle", 0)
    >>> bool((a.permutation(9) == b.permutation(9)).all())
    True
    >>> bool((stream(7, "data").random(4) == stream(7, "init").random(4)).any())
    False
    """
    return np.random.Generator(np.random.Philox(_sequence(seed, role, path)))


def epoch_stream(seed: int, epoch: int) -> np.random.Generator:
    """Returns the generator for the sequences of one epoch, from 1; see `Task.epoch_sequences`.

    >>> first, second = epoch_stream(7, 1), epoch_stream(7, 2)
    >>> bool((first.random(4) == second.random(4)).any())
    False
    """
    return stream(seed, "data", 0, 0, epoch)


def integer_seed(seed: int, role: str, *path: int) -> int:
    """Returns an integer seed in [0, 2**31), for libraries that take one."""
    return int(_sequence(seed, role, path).generate_state(1, np.uint32)[0] >> 1)


def _sequence(seed: int, role: str, path: tuple[int, ...]) -> np.random.SeedSequence:
    entropy = source_seeds(seed)[SOURCES[role]] if role in SOURCES else seed
    return np.random.SeedSequence(entropy=entropy, spawn_key=(ROLES[role], *path))


def seed_list(seeds: int | Iterable[int]) -> list[int]:
    """Returns seeds as a list: so many from 0 on, or the given ones.

    Raises `UserError` where there is none, one twice, or one that is no whole number from 0 on.

    >>> seed_list(3), seed_list(range(5, 7))
    ([0, 1, 2], [5, 6])
    """
    if isinstance(seeds, numbers.Integral) and not isinstance(seeds, bool):
        count = int(seeds)
        if not 1 <= count <= MOST_SEEDS:
            raise UserError(
                f"seeds: must be at least 1, and at most {MOST_SEEDS:,}, but got {count}"
            )
        return list(range(count))
    if isinstance(seeds, str | bytes | Mapping) or not isinstance(seeds, Iterable):
        raise UserError(f"seeds: must be a number of seeds or a list of seeds, but got {seeds!r}")
    listed = list(itertools.islice(seeds, MOST_SEEDS + 1))
    if len(listed) > MOST_SEEDS:
        raise UserError(f"seeds: must be at most {MOST_SEEDS:,} seeds, but got more; name fewer")
    wrong = [seed for seed in listed if not _is_seed(seed)]
    if wrong:
        raise UserError(f"seeds: must be whole numbers from 0 to 2**31 - 1, but got {wrong[0]!r}")
    if not listed or len(set(listed)) < len(listed):
        rule = "at least one seed must be given" if not listed else "a seed must be named once"
        raise UserError(f"seeds: {rule}, but got {listed[:20]}")
    return [int(seed) for seed in listed]


def check_seed(seed: object) -> None:
    """Raises `UserError` unless `seed` is one seed: a whole number from 0 on."""
    if not _is_seed(seed):
        raise UserError(f"seed: must be a whole number from 0 to 2**31 - 1, but got {seed!r}")


def _is_seed(seed: object) -> bool:
    whole = isinstance(seed, numbers.Integral) and not isinstance(seed, bool)
    return whole and 0 <= int(seed) < 2**31  # type: ignore[call-overload]
