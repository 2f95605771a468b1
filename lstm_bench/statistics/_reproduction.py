"""Verdicts on whether repeated seeds reproduce a published single run.

A published figure comes from one run. If it was produced as ours are, it is one more draw from the
same distribution. Its rank among our seeds then says how surprising it is, whatever that
distribution looks like (conformal p value: Vovk, Gammerman and Shafer 2005, chapter 2). All
thresholds are constants of this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_bench.statistics._estimates import Rate, solve_rate

Claim = Literal["solved", "never", "always"]
ReproductionVerdict = Literal["reproduced", "not reproduced", "cannot tell"]

FIGURE_TOLERANCE = 0.0006
"""Published figures are rounded: 86.96 % is 20 of 23."""
REJECTION_LEVEL = 0.10
"""A published run with at most this probability among ours is not reproduced."""
MIN_VERDICT_SEEDS = 19
"""Fewest seeds with 2 / (n + 1) at most `REJECTION_LEVEL`: with fewer no figure is rejected."""


@dataclass(frozen=True)
class FigureRank:
    """A published figure among our seeds: their range, its position and its rank p value."""

    low: float
    high: float
    position: Literal["inside", "below", "above"]
    p: float
    n: int


@dataclass(frozen=True)
class Verdict:
    """The verdict of our seeds on a published result, with the reason in one sentence."""

    word: ReproductionVerdict
    reason: str


def figure_rank(figure: float, values: Sequence[float] | np.ndarray) -> FigureRank:
    """Returns the position of `figure` among `values`, one per seed, and its two-sided p value.

    Diverged seeds (NaN) count as lower than any figure; they are not part of the range. Raises
    ValueError if no value is finite.

    >>> figure_rank(0.8696, [20 / 23] * 3)
    FigureRank(low=0.8695..., high=0.8695..., position='inside', p=1.0, n=3)
    >>> figure_rank(0.9, [0.5] * 19).p
    0.1
    """
    array = np.asarray(values, dtype=float)
    finite = array[np.isfinite(array)]
    if not len(finite):
        raise ValueError("values must have at least one finite value, but got none")
    low, high = float(finite.min()), float(finite.max())
    ranked = np.where(np.isfinite(array), array, -np.inf)
    below = int((ranked <= figure + FIGURE_TOLERANCE).sum())
    above = int((ranked >= figure - FIGURE_TOLERANCE).sum())
    p = min(1.0, 2 * min(1 + below, 1 + above) / (len(array) + 1))
    position: Literal["inside", "below", "above"] = "inside"
    if figure < low - FIGURE_TOLERANCE:
        position = "below"
    elif figure > high + FIGURE_TOLERANCE:
        position = "above"
    return FigureRank(low, high, position, p, len(array))


def figure_verdict(rank: FigureRank) -> Verdict:
    """Returns whether a published figure can be one more draw from the distribution of our seeds.

    >>> figure_verdict(figure_rank(0.9, [0.5, 0.6])).word
    'cannot tell'
    """
    seeds = _seed_count(rank.n)
    if rank.position == "inside" and rank.p > REJECTION_LEVEL:
        return Verdict("reproduced", f"The published figure lies within the spread of {seeds}.")
    if rank.position == "inside":
        return Verdict(
            "cannot tell",
            f"The published figure lies within the spread of {seeds}, but at its very edge "
            f"(rank p = {rank.p:.2f}).",
        )
    all_seeds = f"all {seeds}" if rank.n > 1 else "our one seed"
    if rank.p <= REJECTION_LEVEL:
        return Verdict(
            "not reproduced",
            f"The published figure lies {rank.position} {all_seeds}; a run like ours would do so "
            f"with a probability of at most {rank.p:.2f}.",
        )
    return Verdict(
        "cannot tell",
        f"The published figure lies {rank.position} {all_seeds}, but one run in {rank.n + 1} lies "
        f"there by chance; {MIN_VERDICT_SEEDS} seeds would do.",
    )


def claim_verdict(claim: Claim, solved: Sequence[bool] | np.ndarray) -> Verdict:
    """Returns whether our seeds, which `solved` the task or not, support a published claim.

    `solved`: the published run solved it. `never`: no run can. `always`: every run does. Raises
    ValueError for any other claim.

    >>> claim_verdict("never", [False] * 19 + [True]).reason
    '1 of 20 seeds did solve it.'
    """
    rate = solve_rate(solved)
    if rate.n == 0:
        return Verdict("cannot tell", "There is no seed to judge by.")
    if claim == "solved":
        return _solved_verdict(rate)
    if claim == "never":
        return _never_verdict(rate)
    if claim == "always":
        return _always_verdict(rate)
    raise ValueError(f"a claim must be solved, never or always, but got {claim!r}")


def _solved_verdict(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k == n:
        return Verdict("reproduced", f"{_all_solve(n)} it too.")
    if k and (1 + k) / (n + 1) > REJECTION_LEVEL:
        if rate.low > 0.5:
            how_often = "a single run usually does"
        elif rate.high < 0.5:
            how_often = "a single run does so now and then"
        else:
            how_often = "whether a single run does is a coin toss"
        return Verdict("reproduced", f"{k} of {n} seeds {_solve(k)} it: {how_often}.")
    if k:
        return Verdict(
            "cannot tell",
            f"Only {k} of {n} seeds {_solve(k)} it, so a run that does is rare luck.",
        )
    if n >= MIN_VERDICT_SEEDS:
        return Verdict(
            "not reproduced",
            f"No seed of {n} solves it; the rate may still be up to {100 * rate.high:.0f} %.",
        )
    return Verdict("cannot tell", f"{_none_solves(n)}; {MIN_VERDICT_SEEDS} seeds would do.")


def _never_verdict(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k:
        return Verdict("not reproduced", f"{k} of {_seed_count(n)} did solve it.")
    if n >= MIN_VERDICT_SEEDS:
        return Verdict(
            "reproduced",
            f"No seed of {n} solves it; the rate may still be up to {100 * rate.high:.0f} %.",
        )
    return Verdict(
        "cannot tell", f"{_none_solves(n)}, but that takes {MIN_VERDICT_SEEDS} seeds to say."
    )


def _always_verdict(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k < n:
        return Verdict("not reproduced", f"{n - k} of {_seed_count(n)} did not solve it.")
    if n >= MIN_VERDICT_SEEDS:
        return Verdict(
            "reproduced",
            f"All {n} seeds solve it; the rate may still be down to {100 * rate.low:.0f} %.",
        )
    return Verdict(
        "cannot tell", f"{_all_solve(n)} it, but that takes {MIN_VERDICT_SEEDS} seeds to say."
    )


def reproduction_verdict(
    claim: Claim | None,
    figure: float | None,
    values: Sequence[float] | np.ndarray,
    solved: Sequence[bool] | np.ndarray,
) -> Verdict | None:
    """Returns the verdict on a published result, or None if no claim and no figure is given.

    If both a claim and a figure were published the claim decides.
    """
    if claim:
        return _claim_verdict_of_finite(claim, values, solved)
    if figure is None:
        return None
    if not np.isfinite(np.asarray(values, dtype=float)).any():
        return Verdict("cannot tell", "No seed has an accuracy.")
    return figure_verdict(figure_rank(figure, values))


def _claim_verdict_of_finite(
    claim: Claim, values: Sequence[float] | np.ndarray, solved: Sequence[bool] | np.ndarray
) -> Verdict:
    """Returns the verdict of the seeds that did not diverge: the others say nothing of the task."""
    finite = np.isfinite(np.asarray(values, dtype=float))
    verdict = claim_verdict(claim, np.asarray(solved, dtype=bool)[finite])
    diverged = int((~finite).sum())
    if not diverged:
        return verdict
    return Verdict(verdict.word, f"{verdict.reason} {diverged} more diverged.")


def _seed_count(n: int) -> str:
    return f"{n} seeds" if n != 1 else "1 seed"


def _all_solve(n: int) -> str:
    return f"All {n} seeds solve" if n > 1 else "Our one seed solves"


def _none_solves(n: int) -> str:
    return f"No seed of {n} solves it" if n > 1 else "Our one seed does not solve it"


def _solve(k: int) -> str:
    return "solves" if k == 1 else "solve"
