"""Seeds as fidelity: which recipes of a batch are worth more seeds. Pure: scores in, requests out.

A batch of proposals runs on the same first seeds, in rungs that double. After each rung a recipe
is stopped where its scores leave it no fair chance of beating the best recipe that has all seeds.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FIRST = 3
"""Seeds of the first rung."""
EVIDENCE = 6.0
"""At which a candidate is stopped. However scores are spread above the floor of `evidence`, and as
long as those of the two do not go against one another seed by seed, at most 1 race in 6 stops a
recipe that is no worse than the given rival; that bound is a loose one. In simulated searches of 40
recipes, where the rival is the luckiest of many, 0 to 5 in 100 lose their best: see LOG.md.
"""
BETS, MEANS = 16, 64
"""Points at which stakes and supposed means are tried: more of them change little."""

Request = dict[int, int]
"""Candidates that need seeds, and how many of the first seeds each is to have in all."""
Answer = Mapping[int, Sequence[float] | np.ndarray | None]
"""The scores of the candidates asked for, one a seed in order; None where a recipe failed."""


@dataclass(frozen=True)
class RacedRecipe:
    """A recipe that has all its seeds: what it costs, and its scores, one a seed."""

    cost: float
    scores: np.ndarray  # (seeds,)


@dataclass(frozen=True)
class Raced:
    """How a batch went: candidates by index, in order, and the rivals that the next batch meets."""

    finished: tuple[int, ...]
    stopped: Mapping[int, int]  # after how many seeds
    failed: tuple[int, ...]
    rivals: tuple[RacedRecipe, ...]


def rungs(seeds: int) -> tuple[int, ...]:
    """Returns after how many seeds a race pauses to look: doubling, and all of them at last.

    >>> rungs(10), rungs(30), rungs(2)
    ((3, 6, 10), (3, 6, 12, 24, 30), (2,))
    """
    found = [FIRST]
    while 2 * found[-1] < seeds:
        found.append(2 * found[-1])
    return (*(rung for rung in found if rung < seeds), seeds)


def evidence(
    candidate: Sequence[float] | np.ndarray,
    best: Sequence[float] | np.ndarray,
    floor: float | None = None,
) -> float:
    """Returns an e-value against "the candidate's true mean is at least the best's".

    Suppose a mean m that parts the two. If the candidate is no worse, there is an m at which
    neither a gambler who bets that the candidate scores below it, nor one who bets that the best
    scores above it, can expect to win. The e-value is the product of what both hold, at the m where
    it is least, and 0 where the candidate's mean is no lower. If the candidate is no worse, it ever
    reaches x, at whichever look, with a chance of at most 1 / x (Ville's inequality). Nothing is
    assumed of the scores but their range, so seeds that solve a task now and then are as welcome as
    smooth scores. The bets are those of Waudby-Smith and Ramdas (2024), J. R. Stat. Soc. B 86,
    1-27, section 4, with stakes mixed as by Krichevsky and Trofimov (1981); the product is that of
    Vovk and Wang (2021), Ann. Stat. 49, 1736-1754.

    Scores are at most 1. The best is taken to score at least `floor`, by default the lowest score
    of the two: one more assumption, without which 24 perfect seeds would say little.

    >>> round(evidence([0, 0, 0], [1] * 24)), round(evidence([0, 1, 1], [1] * 24))
    (1551, 3)
    """
    low, high = np.asarray(candidate, dtype=float), np.asarray(best, dtype=float)
    if low.mean() >= high.mean():
        return 0.0
    least = float(min(low.min(), high.min())) if floor is None else floor
    means = least + (1 - least) * _between(MEANS)  # (means,)
    below = _capital((1 - low)[:, None] / (1 - means))
    above = _capital((high - least)[:, None] / (means - least))
    return float(np.exp(min(np.min(below + above), 700.0)))


def hopeless(candidate: Sequence[float] | np.ndarray, best: Sequence[float] | np.ndarray) -> bool:
    """Tells whether a candidate's chance of beating the best has gone, by `EVIDENCE`.

    >>> hopeless([0, 0, 0], [1] * 24), hopeless([0, 1, 1], [1] * 24), hopeless([1] * 3, [1] * 24)
    (True, False, False)
    """
    return evidence(candidate, best) >= EVIDENCE


def _between(count: int) -> np.ndarray:
    """Returns points of (0, 1), denser towards both ends: equal shares of Beta(1/2, 1/2)."""
    return np.asarray(np.sin(np.pi * (np.arange(count) + 0.5) / (2 * count)) ** 2)


def _capital(ratios: np.ndarray) -> np.ndarray:
    """Returns the logarithm of what bets on `ratios` `(seeds, means)` of expectation 1 come to."""
    stakes = _between(BETS)[:, None, None]
    held = np.log1p(stakes * (ratios - 1)).sum(axis=1)  # (stakes, means)
    top = held.max(axis=0)
    return np.asarray(top + np.log(np.exp(held - top).mean(axis=0)))


def race(
    count: int,
    seeds: int,
    rivals: Sequence[RacedRecipe] = (),
    costs: Sequence[float] | None = None,
    stopping: bool = True,
) -> Generator[Request, Answer, Raced]:
    """Yields which of `count` candidates need how many seeds, and is sent their scores.

    The same scores always lead to the same requests. A candidate meets the rival with the highest
    mean among those that cost no more than it does: without `costs`, the best so far. Where there
    is no rival yet, the leader of the first rung gets all its seeds and is the first. A candidate
    that has all seeds is a rival of those left. Without `stopping` all get all seeds at once.

    Raises ValueError if an answer does not fit its request.
    """
    prices = [0.0] * count if costs is None else list(costs)
    if len(prices) != count:
        raise ValueError(f"there must be one cost a candidate ({count}), but got {len(prices)}")
    pool, scores = list(rivals), dict[int, np.ndarray]()
    alive, stopped, failed = list(range(count)), dict[int, int](), list[int]()
    ladder = rungs(seeds) if stopping else (seeds,)

    def run(wanted: Request) -> Generator[Request, Answer, None]:
        answer = yield wanted
        _check(wanted, answer)
        for one in wanted:
            own = answer[one]
            if own is None:
                failed.append(one)
                alive.remove(one)
                continue
            scores[one] = np.asarray(own, dtype=float)
            if wanted[one] == seeds:
                pool.append(RacedRecipe(prices[one], scores[one]))

    for rung in ladder:
        wanted = {one: rung for one in alive if len(scores.get(one, ())) < rung}
        if wanted:
            yield from run(wanted)
        while not pool and alive:
            leader = max(alive, key=lambda one: (float(scores[one].mean()), -one))
            yield from run({leader: seeds})
        for one in tuple(alive):
            rival = _rival(pool, prices[one])
            if rival is not None and len(scores[one]) < seeds and hopeless(scores[one], rival):
                stopped[one] = rung
                alive.remove(one)
    return Raced(tuple(alive), stopped, tuple(sorted(failed)), tuple(pool))


def _rival(pool: Sequence[RacedRecipe], price: float) -> np.ndarray | None:
    """Returns the highest scores among the rivals that cost no more; of equals, the first's."""
    near = [rival.scores for rival in pool if rival.cost <= price]
    return max(near, key=lambda own: float(own.mean()), default=None)


def _check(wanted: Request, answer: Answer) -> None:
    if set(answer) != set(wanted):
        raise ValueError(f"scores of {sorted(wanted)} must be sent, but got {sorted(answer)}")
    for one, own in answer.items():
        if own is None:
            continue
        if len(own) != wanted[one]:
            raise ValueError(f"candidate {one} needs {wanted[one]} scores, but got {len(own)}")
        if not all(math.isfinite(score) and score <= 1 for score in own):
            raise ValueError(f"scores must be finite and at most 1, but candidate {one} has {own}")
