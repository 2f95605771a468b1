"""Rare seeds, with results far from all others, which the seeds that were run cannot exclude.

If an event has the probability q, none of n seeds shows it with the probability (1 - q)^n. So n
seeds without it leave every q up to 1 - 0.05^(1/n) possible at the 5 % level (the exact bound of
Clopper and Pearson 1934 for 0 of n; "rule of three"). A difference of means is as small as the
share of such seeds times how far one of them can fall.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

RARE_LEVEL = 0.05
"""Shares of seeds are possible if the seeds that were run miss them at least this often."""
FAR = 0.5
"""A seed is seen to come out otherwise if it is this fraction of what is possible from the mean."""


@dataclass(frozen=True)
class Side:
    """How rare seeds can change a difference of means in one direction.

    `reach` is by how much a single seed at a bound changes it, infinite for values without bounds.
    `seen` counts the seeds at least `FAR` of the reach from the mean, and `without` is the
    difference of the other ones.
    """

    reach: float
    seen: int
    without: float


@dataclass(frozen=True)
class Room:
    """How rare seeds can lower and raise a difference of means."""

    down: Side
    up: Side


@dataclass(frozen=True)
class Proviso:
    """A verdict holds unless more than `undoing` of all seeds come out as `seen` of `n` did.

    `possible` is the share of such seeds that `n` seeds do not exclude.
    """

    n: int
    seen: int
    undoing: float
    possible: float

    def sentence(self, noun: str = "seed") -> str:
        """Returns the condition, as the end of a sentence.

        >>> Proviso(10, 0, 0.044, unseen_share(10)).sentence()
        'unless more than 4 seeds in 100 come out as none of these 10 did
        (after 10, up to 26 in 100 are possible)'
        """
        share, possible = math.floor(100 * self.undoing), math.ceil(100 * self.possible)
        some = f"more than {share} {noun}s in 100 come" if share > 1 else ""
        some = some or (f"more than 1 {noun} in 100 comes" if share else f"a rare {noun} comes")
        as_these = f"{self.seen} of these {self.n}" if self.seen else f"none of these {self.n} did"
        as_these += " did" * bool(self.seen)
        left = f"after {self.n}, up to {possible} in 100 are possible"
        return f"unless {some} out as {as_these} ({left})"


def unseen_share(n: int, seen: int = 0) -> float:
    """Returns the upper end of the one-sided 95 % interval of a share of which n seeds show `seen`.

    >>> [round(unseen_share(n), 3) for n in (5, 10, 29)]
    [0.451, 0.259, 0.098]
    """
    return float(special.betaincinv(seen + 1, n - seen, 1 - RARE_LEVEL)) if seen < n else 1.0


def paired_room(
    of: np.ndarray, to: np.ndarray, bounds: tuple[float, float], differences: np.ndarray
) -> Room:
    """Returns the room of the mean of `differences`, `of - to`, whose values lie in `bounds`."""
    down, up = _reaches(of, to, bounds)
    mean = float(differences.mean())
    low, high = differences <= mean - FAR * down, differences >= mean + FAR * up

    def side(reach: float, far: np.ndarray) -> Side:
        rest = differences[~far]
        return Side(reach, int(far.sum()), float(rest.mean()) if len(rest) else mean)

    return Room(side(down, low), side(up, high))


def unpaired_room(of: np.ndarray, to: np.ndarray, bounds: tuple[float, float]) -> Room:
    """Returns the room of the difference of the means of `of` and `to`, with values in `bounds`."""
    down, up = _reaches(of, to, bounds)
    first, second = of - of.mean(), to - to.mean()

    def side(reach: float, far: np.ndarray, other: np.ndarray) -> Side:
        means = [
            values[~where] if not where.all() else values
            for values, where in ((of, far), (to, other))
        ]
        without = float(means[0].mean() - means[1].mean())
        return Side(reach, int(far.sum() + other.sum()), without)

    return Room(
        side(down, first <= -FAR * down, second >= FAR * down),
        side(up, first >= FAR * up, second <= -FAR * up),
    )


def _reaches(of: np.ndarray, to: np.ndarray, bounds: tuple[float, float]) -> tuple[float, float]:
    """Returns by how much a seed of either recipe, at a bound, lowers and raises the difference."""
    first, second = float(of.mean()), float(to.mean())
    low, high = bounds
    return max(first - low, high - second, 0.0), max(high - first, second - low, 0.0)


def proviso_of_real(difference: float, room: Room, n: int) -> Proviso | None:
    """Returns what the sign of a mean difference over n seeds rests on, or None if on nothing.

    It rests on nothing if seeds that would undo it had to be more frequent than n seeds leave
    possible. If some were seen, they are taken to go as far as those did, otherwise to a bound.
    """
    side = room.down if difference > 0 else room.up
    if side.seen >= n:
        return None
    jump = abs(side.without - difference) * n / side.seen if side.seen else side.reach
    undoing = abs(side.without) / jump if jump else math.inf
    possible = unseen_share(n, side.seen)
    return None if undoing >= possible else Proviso(n, side.seen, undoing, possible)


def proviso_of_equal(difference: float, margin: float, room: Room, n: int) -> Proviso | None:
    """Returns what a mean difference within the margin rests on, or None if on nothing."""
    reach = max(room.down.reach, room.up.reach)
    undoing = (margin - abs(difference)) / reach if reach else math.inf
    possible = unseen_share(n)
    return None if undoing >= possible else Proviso(n, 0, undoing, possible)
