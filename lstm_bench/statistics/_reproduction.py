"""Verdicts on whether repeated seeds reproduce a published single run.

A published figure comes from one run. If it was produced as ours are, it is one more draw from the
same distribution. Its rank among our seeds then says how surprising it is, whatever that
distribution looks like (conformal p value: Vovk, Gammerman and Shafer 2005, chapter 2). Between the
ranks of scores without ties it is interpolated (Beran and Hall 1993, J. R. Stat. Soc. B 55,
643-652), so that more seeds never make a figure harder to reject. All thresholds are constants of
this module.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_bench.statistics._estimates import Rate, solve_rate

Claim = Literal["solved", "never", "always"]
ReproductionVerdict = Literal["reproduced", "not reproduced", "cannot tell"]

FIGURE_TOLERANCE = 0.0006
"""How far a figure may be from the exact one if the words published do not have it."""
REJECTION_LEVEL = 0.10
"""A published run with at most this probability among ours is not reproduced."""
MIN_VERDICT_SEEDS = 19
"""Fewest seeds with 2 / (n + 1) at most `REJECTION_LEVEL`: with fewer no figure is rejected."""


@dataclass(frozen=True)
class FigureRank:
    """A published figure among our seeds: their range, its position and its rank p value.

    `further_low` and `further_high` are the ends of the prediction interval of one further run, at
    the level 1 - `REJECTION_LEVEL`; NaN with fewer than `MIN_VERDICT_SEEDS`. `chance` is the
    probability that a further run is called not reproduced, at most. `low` and `high` are the range
    of the seeds, which `position` refers to.
    """

    low: float
    high: float
    position: Literal["inside", "below", "above"]
    p: float
    n: int
    further_low: float = math.nan
    further_high: float = math.nan
    chance: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The verdict of our seeds on a published result, with the reason, in a few words."""

    word: ReproductionVerdict
    reason: str


def printed_tolerance(published: str, figure: float) -> float:
    """Returns by how much a figure, printed in the words `published`, may have been rounded.

    Half a unit of its last decimal; `FIGURE_TOLERANCE` if the words do not have the figure.

    >>> printed_tolerance("84 %", 0.84), printed_tolerance("84.00 % of all", 0.84)
    (0.005, 5e-05)
    """
    for whole, decimals in re.findall(r"(\d+)(?:\.(\d+))? ?%", published[:1000]):
        half = 0.5 * 10.0 ** -len(decimals)
        if abs(float(f"{whole}.{decimals or 0}") - 100 * figure) <= half + 1e-9:
            return half / 100
    return FIGURE_TOLERANCE


def figure_rank(
    figure: float,
    values: Sequence[float] | np.ndarray,
    tolerance: float = FIGURE_TOLERANCE,
) -> FigureRank:
    """Returns the position of `figure` among `values`, one per seed, and its two-sided p value.

    Values within `tolerance` of the figure are equal to it. Diverged seeds (NaN) count as lower
    than any figure; they are not part of the range. With ties the p value is that of whole ranks,
    so that its error is kept for discrete scores and for seeds that solve the task or do not.
    Raises ValueError if no value is finite.

    >>> figure_rank(0.8696, [20 / 23] * 3)
    FigureRank(low=0.8695..., high=0.8695..., position='inside', p=1.0, n=3, ...)
    >>> figure_rank(0.9, [0.5] * 19).p
    0.1
    """
    array = np.asarray(values, dtype=float)
    finite = array[np.isfinite(array)]
    if not len(finite):
        raise ValueError("values must have at least one finite value, but got none")
    low, high, slack = float(finite.min()), float(finite.max()), tolerance + 1e-9
    ranked = np.sort(np.where(np.isfinite(array), array, -np.inf))
    equal = np.abs(ranked - figure) <= slack
    tied = bool(equal.any() or (np.diff(finite[np.argsort(finite)]) < 1e-9).any())
    tied = tied or len(finite) < len(array)
    below = _rank(figure + slack, ranked, tied)
    above = _rank(-(figure - slack), -ranked[::-1], tied)
    p = min(1.0, 2 * min(below, above) / (len(array) + 1))
    position: Literal["inside", "below", "above"] = "inside"
    if figure < low - slack:
        position = "below"
    elif figure > high + slack:
        position = "above"
    lowest, highest, chance = _further_run(ranked, tied)
    return FigureRank(low, high, position, p, len(array), lowest, highest, chance)


def _rank(figure: float, ascending: np.ndarray, tied: bool) -> float:
    """Returns 1 + how many values are at most `figure`, interpolated if no values are tied."""
    count = int(np.searchsorted(ascending, figure, side="right"))
    if tied or count in (0, len(ascending)):
        return 1.0 + count
    step = float(ascending[count] - ascending[count - 1])
    return count + float(figure - ascending[count - 1]) / step


def _further_run(ascending: np.ndarray, tied: bool) -> tuple[float, float, float]:
    """Returns the prediction interval of a further run, and the chance to be outside of it."""
    n = len(ascending)
    rank = (n + 1) * REJECTION_LEVEL / 2 + 1e-9
    if n < MIN_VERDICT_SEEDS:
        return math.nan, math.nan, 0.0
    whole = int(rank)
    part = 0.0 if tied else rank - whole
    ends = []
    for values in (ascending, -ascending[::-1]):
        step = values[whole] - values[whole - 1] if part else 0.0
        ends.append(float(values[whole - 1] + part * step))
    return ends[0], -ends[1], 2 * (whole + part) / (n + 1)


def figure_verdict(rank: FigureRank) -> Verdict:
    """Returns whether a published figure can be one more draw from the distribution of our seeds.

    >>> figure_verdict(figure_rank(0.9, [0.5, 0.6])).word
    'cannot tell'
    """
    seeds = _seed_count(rank.n)
    all_seeds = f"all {seeds}" if rank.n > 1 else "our one seed"
    low, high = (round(100 * end, 1) + 0.0 for end in (rank.further_low, rank.further_high))
    ends = f"{low:.1f}" if low == high else f"{low:.1f} to {high:.1f}"  # no minus before 0
    further = f"Prediction interval (90 %): {ends} %"
    if rank.position == "inside" and rank.n < MIN_VERDICT_SEEDS:
        return Verdict("reproduced", f"It lies within the range of {seeds}.")
    if rank.p > REJECTION_LEVEL and rank.position == "inside":
        return Verdict("reproduced", f"{further}.")
    if rank.position == "inside":
        return Verdict("not reproduced", f"{further}.")
    where = f"It lies {rank.position} {all_seeds}"
    if rank.p <= REJECTION_LEVEL:
        return Verdict("not reproduced", f"{where} (p at most {rank.p:.2f}).")
    return Verdict("cannot tell", f"{where}; {MIN_VERDICT_SEEDS} would decide.")


def chance_of_as_many(chances: Sequence[float], count: int) -> float:
    """Returns the probability that at least `count` of independent events happen by chance.

    >>> chance_of_as_many([0.1] * 21, 1)
    0.8905...
    """
    distribution = np.array([1.0])
    for chance in chances:
        distribution = np.convolve(distribution, [1 - chance, chance])
    return float(distribution[count:].sum())


def claim_verdict(claim: Claim, solved: Sequence[bool] | np.ndarray) -> Verdict:
    """Returns whether our seeds, which `solved` the task or not, support a published claim.

    `solved`: the published run solved it. `never`: no run can. `always`: every run does. Raises
    ValueError for any other claim.

    >>> claim_verdict("never", [False] * 19 + [True]).reason
    'The source says never; 1 of 20 seeds solves it.'
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
            how_often = "one run usually does"
        elif rate.high < 0.5:
            how_often = "one run sometimes does"
        else:
            how_often = "one run often does"
        return Verdict("reproduced", f"{k} of {n} seeds {_solve(k)} it: {how_often}.")
    if k:
        return Verdict(
            "cannot tell",
            f"Only {k} of {n} seeds {_solve(k)} it: rare luck.",
        )
    if n >= MIN_VERDICT_SEEDS:
        return Verdict("not reproduced", _none_of_many(rate))
    return Verdict("cannot tell", f"{_none_solves(n)}; {MIN_VERDICT_SEEDS} would decide.")


def _never_verdict(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k:
        reason = f"The source says never; {k} of {_seed_count(n)} {_solve(k)} it."
        return Verdict("not reproduced", reason)
    if n >= MIN_VERDICT_SEEDS:
        return Verdict("reproduced", _none_of_many(rate))
    return Verdict("cannot tell", f"{_none_solves(n)}; {MIN_VERDICT_SEEDS} would decide.")


def _always_verdict(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k < n:
        do = "does" if n - k == 1 else "do"
        reason = f"The source says always; {n - k} of {_seed_count(n)} {do} not."
        return Verdict("not reproduced", reason)
    if n >= MIN_VERDICT_SEEDS:
        reason = f"All {n} seeds solve it; as few as {100 * rate.low:.0f} % may."
        return Verdict("reproduced", reason)
    return Verdict("cannot tell", f"{_all_solve(n)} it; {MIN_VERDICT_SEEDS} would decide.")


def reproduction_verdict(
    claim: Claim | None,
    figure: float | None,
    values: Sequence[float] | np.ndarray,
    solved: Sequence[bool] | np.ndarray,
    tolerance: float = FIGURE_TOLERANCE,
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
    return figure_verdict(figure_rank(figure, values, tolerance))


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


def _none_of_many(rate: Rate) -> str:
    """Returns that no seed solves it, with the upper end of the interval of the rate."""
    return f"No seed of {rate.n} solves it; up to {100 * rate.high:.0f} % may."


def _solve(k: int) -> str:
    return "solves" if k == 1 else "solve"
