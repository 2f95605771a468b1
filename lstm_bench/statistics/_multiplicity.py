"""P values corrected for the number of questions that are answered together."""

from __future__ import annotations

import math
from collections.abc import Sequence


def holm_correction(p_values: Sequence[float]) -> list[float]:
    """Returns p values corrected for multiple comparisons (Holm 1979).

    NaN stays NaN and does not count as a comparison.

    >>> holm_correction([0.01, 0.04, float("nan"), 0.03])
    [0.03, 0.06, nan, 0.06]
    """
    ordered = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - rank) * p))
        corrected[index] = largest
    return corrected


def holm_chains(chains: Sequence[Sequence[float]]) -> list[list[float]]:
    """Returns p values corrected for all chains: a later one counts once those before are real.

    Each chain holds the p values of one question in an order that is fixed beforehand, such as its
    score and its solve rate. Holm's correction then counts questions, not p values (the graphical
    procedure of Bretz, Maurer, Brannath and Posch 2009, Statistics in Medicine 28, 586-604, with
    all weight passed on within a chain, and then to the others). NaN stays NaN.

    >>> holm_chains([[0.01, 0.02], [0.04]])
    [[0.02, 0.04], [0.04]]
    >>> holm_chains([[0.2, 0.001], [0.04]])
    [[0.2, 0.2], [0.08]]
    """
    corrected = [[math.nan] * len(chain) for chain in chains]
    waiting = {
        place: [index for index, p in enumerate(chain) if not math.isnan(p)]
        for place, chain in enumerate(chains)
    }
    waiting = {place: indices for place, indices in waiting.items() if indices}
    largest = 0.0
    while waiting:
        place = min(waiting, key=lambda place: chains[place][waiting[place][0]])
        index = waiting[place].pop(0)
        largest = max(largest, min(1.0, len(waiting) * chains[place][index]))
        corrected[place][index] = largest
        if not waiting[place]:
            del waiting[place]
    return corrected
