"""Racing: decides which recipes of a batch get more seeds. Pure: scores in, requests out.

All recipes of a batch run on the same first seeds, in rungs that double. After each rung, a recipe
is stopped if its scores leave it no fair chance of beating its rival: the best recipe that had all
its seeds before. No recipe waits for another recipe of its batch, except in the first batch, where
the first rival must finish.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FIRST_RUNG = 3
"""Seeds of the first rung."""
STOPPING_E_VALUE = 6.0
"""The e-value at which a candidate is stopped.

At most 1 race in 6 stops a recipe that is no worse than a given rival. This holds for any
distribution of scores above the floor of `e_value`, unless the two scores are negatively related
seed by seed. The bound is loose. In simulated searches of 40 recipes, where the rival is the
luckiest of many, 0 to 5 in 100 lose their best recipe: see LOG.md.
"""
STAKE_POINTS, MEAN_POINTS = 16, 64
"""The number of stakes and of means that are tried; more would change little."""

SeedRequest = dict[int, int]
"""For each candidate that needs seeds, the total number of first seeds that it should have."""
SeedScores = Mapping[int, Sequence[float] | np.ndarray | None]
"""The scores of each requested candidate, in the order of the seeds; None for a failed recipe."""


@dataclass(frozen=True)
class RacedRecipe:
    """A recipe that has all its seeds: its cost, and its scores, one per seed."""

    cost: float
    scores: np.ndarray  # (seeds,)


@dataclass(frozen=True)
class RaceResult:
    """The result of a race: candidates by index, in order, and the rivals for the next batch."""

    finished: tuple[int, ...]
    stopped: Mapping[int, int]  # candidate -> seeds that it had when it was stopped
    failed: tuple[int, ...]
    rivals: tuple[RacedRecipe, ...]


def rungs(seeds: int) -> tuple[int, ...]:
    """Returns the numbers of seeds after which candidates may be stopped: doubling, then all.

    >>> rungs(10), rungs(30), rungs(2)
    ((3, 6, 10), (3, 6, 12, 24, 30), (2,))
    """
    doubling = [FIRST_RUNG]
    while 2 * doubling[-1] < seeds:
        doubling.append(2 * doubling[-1])
    return (*(rung for rung in doubling if rung < seeds), seeds)


def e_value(
    candidate: Sequence[float] | np.ndarray,
    best: Sequence[float] | np.ndarray,
    floor: float | None = None,
) -> float:
    """Returns an e-value against "the candidate's true mean is at least the best's".

    Suppose a mean m that separates the two. If the candidate is no worse, there is an m at which
    neither a gambler who bets that the candidate scores below it, nor one who bets that the best
    scores above it, can expect to win. The e-value is the product of the capital of both, at the m
    where it is least, and 0 where the candidate's mean is no lower. If the candidate is no worse,
    the e-value ever reaches x, after whichever rung, with probability at most 1 / x (Ville's
    inequality). Nothing is assumed about the scores except their range, so scores of solved and
    unsolved seeds are as valid as smooth ones. The bets are those of Waudby-Smith and Ramdas
    (2024), J. R. Stat. Soc. B 86, 1-27, section 4, with stakes mixed as by Krichevsky and Trofimov
    (1981); the product is that of Vovk and Wang (2021), Ann. Stat. 49, 1736-1754.

    Scores are at most 1. The best is assumed to score at least `floor`, by default the lowest score
    of the two: one more assumption, without which 24 perfect seeds would be little evidence.

    >>> round(e_value([0, 0, 0], [1] * 24)), round(e_value([0, 1, 1], [1] * 24))
    (1551, 3)
    """
    low, high = np.asarray(candidate, dtype=float), np.asarray(best, dtype=float)
    if low.mean() >= high.mean():
        return 0.0
    least = float(min(low.min(), high.min())) if floor is None else floor
    means = least + (1 - least) * _arcsine_points(MEAN_POINTS)  # (means,)
    below = _log_capital((1 - low)[:, None] / (1 - means))
    above = _log_capital((high - least)[:, None] / (means - least))
    return float(np.exp(min(np.min(below + above), 700.0)))


def should_stop(
    candidate: Sequence[float] | np.ndarray, best: Sequence[float] | np.ndarray
) -> bool:
    """Returns whether the evidence that a candidate is worse reaches `STOPPING_E_VALUE`.

    >>> should_stop([0, 0, 0], [1] * 24), should_stop([0, 1, 1], [1] * 24)
    (True, False)
    >>> should_stop([1] * 3, [1] * 24)
    False
    """
    return e_value(candidate, best) >= STOPPING_E_VALUE


def _arcsine_points(count: int) -> np.ndarray:
    """Returns points of (0, 1), denser towards both ends: quantiles of Beta(1/2, 1/2)."""
    return np.asarray(np.sin(np.pi * (np.arange(count) + 0.5) / (2 * count)) ** 2)


def _log_capital(ratios: np.ndarray) -> np.ndarray:
    """Returns the log of the capital after betting on `ratios` `(seeds, means)` of expectation 1.

    The capital `(means,)` is the mean over all stakes.
    """
    stakes = _arcsine_points(STAKE_POINTS)[:, None, None]
    by_stake = np.log1p(stakes * (ratios - 1)).sum(axis=1)  # (stakes, means)
    top = by_stake.max(axis=0)
    return np.asarray(top + np.log(np.exp(by_stake - top).mean(axis=0)))


def race(
    count: int,
    seeds: int,
    rivals: Sequence[RacedRecipe] = (),
    costs: Sequence[float] | None = None,
    stopping: bool = True,
) -> Generator[SeedRequest, SeedScores, RaceResult]:
    """Yields which of `count` candidates need how many seeds, and is sent their scores.

    Scores may be sent as they come, those of some candidates first: what is yielded next is what
    follows from these, possibly nothing. The order in which they come has no effect on the result.
    A candidate is compared with the rival that has the highest mean among those that cost no more
    than it does: without `costs`, with the best so far. If there is no rival yet, the leader of the
    first rung, once all have reached that, gets all its seeds and becomes the first. Any candidate
    that has all its seeds is a rival of the next batch. Without `stopping` all candidates get all
    seeds at once.

    Raises ValueError if the scores that are sent do not fit the requests.
    """
    prices = [0.0] * count if costs is None else list(costs)
    if len(prices) != count:
        raise ValueError(f"there must be one cost a candidate ({count}), but got {len(prices)}")
    pool, scores = list(rivals), dict[int, np.ndarray]()
    running, stopped, failed = list(range(count)), dict[int, int](), list[int]()
    ladder = rungs(seeds) if stopping else (seeds,)
    request: SeedRequest = dict.fromkeys(running, ladder[0])
    open_requests = dict(request)
    leader: int | None = None
    while open_requests:
        answer = yield request
        _check_scores(open_requests, answer)
        for candidate, new_scores in answer.items():
            del open_requests[candidate]
            if new_scores is None:
                failed.append(candidate)
                running.remove(candidate)
            else:
                scores[candidate] = np.asarray(new_scores, dtype=float)
        request = {}
        waiting = sorted(answer)
        if not pool and len(ladder) > 1:
            if leader is not None and leader in running:
                pool.append(RacedRecipe(prices[leader], scores[leader]))
                waiting = list(running)
            elif open_requests or not running:
                continue
            else:
                leader = max(running, key=lambda number: (float(scores[number].mean()), -number))
                request = {leader: seeds}
                open_requests |= request
                continue
        for number in waiting:
            if number not in running or len(scores[number]) == seeds:
                continue
            rival = _best_rival(pool, prices[number])
            if rival is not None and should_stop(scores[number], rival):
                stopped[number] = len(scores[number])
                running.remove(number)
            else:
                request[number] = next(rung for rung in ladder if rung > len(scores[number]))
        open_requests |= request
    first = [leader] if leader is not None and leader in running else []
    order = [*first, *(number for number in running if number != leader)]
    new_rivals = [RacedRecipe(prices[number], scores[number]) for number in order]
    stopped = dict(sorted(stopped.items()))
    return RaceResult(tuple(running), stopped, tuple(sorted(failed)), (*rivals, *new_rivals))


def _best_rival(pool: Sequence[RacedRecipe], price: float) -> np.ndarray | None:
    """Returns the scores of the best rival that costs no more than `price`, or None.

    Of rivals with equal means, the first one.
    """
    affordable = [rival.scores for rival in pool if rival.cost <= price]
    return max(affordable, key=lambda scores: float(scores.mean()), default=None)


def _check_scores(requests: SeedRequest, answer: SeedScores) -> None:
    """Raises ValueError unless `answer` has as many valid scores as were requested."""
    if not answer or not set(answer) <= set(requests):
        raise ValueError(
            f"scores of some of {sorted(requests)} must be sent, but got {sorted(answer)}"
        )
    for number, scores in answer.items():
        if scores is None:
            continue
        if len(scores) != requests[number]:
            rule = f"candidate {number} needs {requests[number]} scores"
            raise ValueError(f"{rule}, but got {len(scores)}")
        if not all(math.isfinite(score) and score <= 1 for score in scores):
            raise ValueError(
                f"scores must be finite and at most 1, but candidate {number} has {scores}"
            )
