"""Levels of tests that are repeated with more seeds, so that their errors add up to 5 % at most.

Somebody who adds seeds until a difference is called real gets a wrong verdict more often than the
level of a single test says. So the level is spent over the looks (Lan and DeMets 1983, Biometrika
70, 659-663): nearly all of it at the planned number of seeds, next to nothing before, and the rest
over all looks after it. What is spent depends on the numbers of seeds alone, not on how many looks
follow. The levels are added (Bonferroni), so that the sum holds for any tests.
"""

from __future__ import annotations

from collections.abc import Sequence

FIRST_LEVEL = 0.048
"""Spent by the planned number of seeds: a test at this level has at least 0.96 of the power."""
ALL_LEVEL = 0.05


def spent_level(seeds: int, planned: int) -> float:
    """Returns the level that is spent up to a number of seeds.

    >>> [round(spent_level(n, 30), 4) for n in (5, 30, 60, 300)]
    [0.0002, 0.048, 0.049, 0.0498]
    """
    if seeds <= planned:
        return FIRST_LEVEL * (seeds / planned) ** 3
    return FIRST_LEVEL + (ALL_LEVEL - FIRST_LEVEL) * (1 - planned / seeds)


def look_level(seeds: int, looks: Sequence[int] = (), planned: int = 0) -> float:
    """Returns the level of the tests with so many seeds, after `looks` with fewer seeds.

    `planned` is the number of seeds at first; 0 if this is the first look.

    >>> look_level(10), round(look_level(40, [10], 10), 5), round(look_level(80, [10, 40], 10), 5)
    (0.048, 0.0015, 0.00025)
    """
    if not planned or seeds <= 0:
        return FIRST_LEVEL
    before = max((look for look in looks if 0 < look < seeds), default=0)
    return spent_level(seeds, planned) - (spent_level(before, planned) if before else 0.0)


def next_level(seeds: int, planned: int = 0) -> float:
    """Returns the level of a next look with twice the seeds, for which advice is given.

    >>> next_level(10, 10)
    0.001...
    """
    if seeds <= 0:
        return ALL_LEVEL - FIRST_LEVEL
    first = planned or seeds
    return spent_level(2 * seeds, first) - spent_level(seeds, first)
