"""Whether a published single run is reproduced by repeated seeds: pure rules, no thresholds hidden.

A published figure is one run, so if it was made as ours are it is one more draw from the same
distribution. Its rank among our seeds then says how surprising it is, whatever that distribution
looks like (conformal p value: Vovk, Gammerman and Shafer 2005, chapter 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_bench.statistics._estimates import Rate, solve_rate

Claim = Literal["solved", "never", "always"]
ReproductionWord = Literal["reproduced", "not reproduced", "cannot tell"]

TOLERANCE = 0.0006
"""Published figures are rounded: 86.96 % is 20 of 23."""
SURPRISE = 0.10
"""A published run at most this probable among ours is not reproduced."""
ENOUGH = 19
"""Seeds from which 2 / (n + 1) is at most `SURPRISE`: fewer can call no figure surprising."""


@dataclass(frozen=True)
class Spread:
    """A published figure among our seeds: their range, where it lies, and its rank p value."""

    low: float
    high: float
    place: Literal["inside", "below", "above"]
    p: float
    n: int


@dataclass(frozen=True)
class Verdict:
    """What our seeds say about a published result, with one plain sentence why."""

    word: ReproductionWord
    why: str


def spread(figure: float, values: Sequence[float] | np.ndarray) -> Spread:
    """Returns where `figure` lies among `values`, one a seed, and its two-sided rank p value.

    Diverged seeds (NaN) count as lower than any figure; they are not part of the range. Raises
    ValueError if no value is finite.

    >>> spread(0.8696, [20 / 23] * 3)
    Spread(low=0.8695..., high=0.8695..., place='inside', p=1.0, n=3)
    >>> spread(0.9, [0.5] * 19).p
    0.1
    """
    array = np.asarray(values, dtype=float)
    known = array[np.isfinite(array)]
    if not len(known):
        raise ValueError("a spread needs at least one finite value, but got none")
    low, high = float(known.min()), float(known.max())
    ranks = np.where(np.isfinite(array), array, -np.inf)
    below = int((ranks <= figure + TOLERANCE).sum())
    above = int((ranks >= figure - TOLERANCE).sum())
    p = min(1.0, 2 * min(1 + below, 1 + above) / (len(array) + 1))
    place: Literal["inside", "below", "above"] = "inside"
    if figure < low - TOLERANCE:
        place = "below"
    elif figure > high + TOLERANCE:
        place = "above"
    return Spread(low, high, place, p, len(array))


def figure_verdict(found: Spread) -> Verdict:
    """Returns whether a published figure can be one more draw like ours.

    >>> figure_verdict(spread(0.9, [0.5, 0.6])).word
    'cannot tell'
    """
    seeds = _seeds(found.n)
    if found.place == "inside" and found.p > SURPRISE:
        return Verdict("reproduced", f"The published figure lies within the spread of {seeds}.")
    if found.place == "inside":
        return Verdict(
            "cannot tell",
            f"The published figure lies within the spread of {seeds}, but at its very edge "
            f"(rank p = {found.p:.2f}).",
        )
    every = f"all {seeds}" if found.n > 1 else "our one seed"
    if found.p <= SURPRISE:
        return Verdict(
            "not reproduced",
            f"The published figure lies {found.place} {every}; a run like ours would do so with a "
            f"probability of at most {found.p:.2f}.",
        )
    return Verdict(
        "cannot tell",
        f"The published figure lies {found.place} {every}, but one run in {found.n + 1} lies there "
        f"by chance; {ENOUGH} seeds would do.",
    )


def claim_verdict(claim: Claim, solved: Sequence[bool] | np.ndarray) -> Verdict:
    """Returns whether seeds that `solved` it or did not bear out a claim about one run.

    `solved`: the published run solved it. `never`: it cannot. `always`: every run does. Raises
    ValueError for anything else.

    >>> claim_verdict("never", [False] * 19 + [True]).why
    '1 of 20 seeds did solve it.'
    """
    rate = solve_rate(solved)
    if rate.n == 0:
        return Verdict("cannot tell", "There is no seed to judge by.")
    if claim == "solved":
        return _solved(rate)
    if claim == "never":
        return _never(rate)
    if claim == "always":
        return _always(rate)
    raise ValueError(f"a claim is solved, never or always, but got {claim!r}")


def _solved(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k == n:
        which = f"All {n} seeds solve" if n > 1 else "Our one seed solves"
        return Verdict("reproduced", f"{which} it too.")
    if k and (1 + k) / (n + 1) > SURPRISE:
        if rate.low > 0.5:
            often = "a single run usually does"
        elif rate.high < 0.5:
            often = "a single run does so now and then"
        else:
            often = "whether a single run does is a coin toss"
        return Verdict("reproduced", f"{k} of {n} seeds {_do(k)} it: {often}.")
    if k:
        return Verdict(
            "cannot tell", f"Only {k} of {n} seeds {_do(k)} it, so a run that does is rare luck."
        )
    if n >= ENOUGH:
        return Verdict(
            "not reproduced",
            f"No seed of {n} solves it; the rate may still be up to {100 * rate.high:.0f} %.",
        )
    return Verdict("cannot tell", f"{_none(n)}; {ENOUGH} seeds would do.")


def _never(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k:
        return Verdict("not reproduced", f"{k} of {_seeds(n)} did solve it.")
    if n >= ENOUGH:
        return Verdict(
            "reproduced",
            f"No seed of {n} solves it; the rate may still be up to {100 * rate.high:.0f} %.",
        )
    return Verdict("cannot tell", f"{_none(n)}, but that takes {ENOUGH} seeds to say.")


def _always(rate: Rate) -> Verdict:
    k, n = rate.k, rate.n
    if k < n:
        return Verdict("not reproduced", f"{n - k} of {_seeds(n)} did not solve it.")
    if n >= ENOUGH:
        return Verdict(
            "reproduced",
            f"All {n} seeds solve it; the rate may still be down to {100 * rate.low:.0f} %.",
        )
    which = f"All {n} seeds solve" if n > 1 else "Our one seed solves"
    return Verdict("cannot tell", f"{which} it, but that takes {ENOUGH} seeds to say.")


def verdict(
    claim: Claim | None,
    figure: float | None,
    values: Sequence[float] | np.ndarray,
    solved: Sequence[bool] | np.ndarray,
) -> Verdict | None:
    """Returns the verdict on a published result, or None where nothing was said to be judged.

    Where both a claim and a figure were published the claim decides.
    """
    if claim:
        return _of_finite(claim, values, solved)
    if figure is None:
        return None
    if not np.isfinite(np.asarray(values, dtype=float)).any():
        return Verdict("cannot tell", "No seed has an accuracy.")
    return figure_verdict(spread(figure, values))


def _of_finite(
    claim: Claim, values: Sequence[float] | np.ndarray, solved: Sequence[bool] | np.ndarray
) -> Verdict:
    """Returns the verdict of the seeds that did not diverge: of the task the others say nothing."""
    finite = np.isfinite(np.asarray(values, dtype=float))
    told = claim_verdict(claim, np.asarray(solved, dtype=bool)[finite])
    lost = int((~finite).sum())
    return Verdict(told.word, f"{told.why} {lost} more diverged.") if lost else told


def _seeds(n: int) -> str:
    return f"{n} seeds" if n != 1 else "1 seed"


def _none(n: int) -> str:
    return f"No seed of {n} solves it" if n > 1 else "Our one seed does not solve it"


def _do(k: int) -> str:
    return "solves" if k == 1 else "solve"
