"""Is a network better than what could be answered without one? Pure functions on answers.

A network is trained on several seeds and asked about steps that follow one another, so two things
are left to chance: the seed, and the stretch of data that it happens to be scored on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

if TYPE_CHECKING:
    import pandas as pd

BASELINE_PREFIX = "naive: "
"""What the columns of naive answers in a table of predictions begin with."""
WORST = -1.0
"""The skill of an error without end."""
STRETCHES = 10
"""Parts of equal length that the scored steps are cut into."""
FEWEST = 4
"""Stretches below which nothing is said."""
STEPS = 5
"""Steps that a stretch has at least."""

Floats = NDArray[np.float64]
SkillWord = Literal["better", "worse", "cannot tell"]


def baseline_names(predictions: pd.DataFrame) -> list[str]:
    """Returns the names of the naive answers in a table of predictions; empty if there are none."""
    return [
        str(c).removeprefix(BASELINE_PREFIX)
        for c in predictions.columns
        if str(c).startswith(BASELINE_PREFIX)
    ]


def absolute_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Returns the errors of the network and of each naive answer, a row an answer.

    Columns: seed, moment, `network`, and one a naive answer, by its name. Of numbers the absolute
    error, infinite where there is no answer; else 1 for a wrong answer. A `moment` orders the steps
    in time; steps of several sequences may share one.
    """
    named = {"network": "predicted"} | {n: BASELINE_PREFIX + n for n in baseline_names(predictions)}
    due = predictions["expected"]
    table = predictions[["seed", "moment"]].copy()
    for name, column in named.items():
        import pandas as pd  # takes a third of a second to import

        if pd.api.types.is_numeric_dtype(due):
            table[name] = (predictions[column] - due).abs().fillna(np.inf)
        else:
            table[name] = (predictions[column].astype(str) != due.astype(str)).astype(float)
    return table


def skill_score(error: float, naive: float) -> float:
    """Returns by which share of the larger one `error` is below that of a naive answer.

    Where the network is the better one, the skill score of forecasting, 1 - error / reference
    (Murphy 1988, Monthly Weather Review 116, eq. 4, there of squared errors): 1 is perfect, 0 as
    good as the naive answer. Where it is not, the same share with the two in each other's place, so
    that of two bad networks the better one scores more, and none less than `WORST`.

    >>> [skill_score(error, 2.0) for error in (0.5, 2.0, 8.0, 10.0)]
    [0.75, 0.0, -0.75, -0.8]
    """
    if not math.isfinite(error):
        return WORST
    if error == naive:
        return 0.0
    share = 1 - min(error, naive) / max(error, naive)  # 1 where there is no naive answer at all
    return share if error < naive else -share


@dataclass(frozen=True)
class BaselineComparison:
    """A network's errors beside those of one naive answer, over seeds and stretches of steps."""

    naive: str
    seeds: int
    steps: int
    network_error: float  # mean over seeds and steps
    naive_error: float
    difference: float  # the naive error minus the network's: above 0 the network is better
    low: float  # 95 % interval, NaN where there is too little to say
    high: float
    p: float

    @property
    def skill(self) -> float:
        """See `score`; of the mean errors."""
        return skill_score(self.network_error, self.naive_error)

    @property
    def word(self) -> SkillWord:
        """Better or worse where the whole interval lies on one side of 0."""
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "cannot tell"


def compare_with_baseline(table: pd.DataFrame, name: str, overlap: int = 1) -> BaselineComparison:
    """Returns how the network compares with the naive answer `name`; `table` is from `errors`.

    What series say at one moment is averaged first: they share what befalls them. The moments are
    cut into stretches of neighbours, up to `STRETCHES`, each longer than the `overlap` steps that
    one forecast shares with the next, and the mean difference of each is one observation
    (Ibragimov & Mueller 2010, Journal of Business & Economic Statistics 28, section 2: a t test
    over so few groups holds where neighbours are alike). The variance of their mean is not taken to
    be below that of an autoregression of first order, which matters where stretches are short. What
    the seed adds is added to it, with degrees of freedom after Satterthwaite (1946). Simulated,
    equal errors are told apart in 1 to 6 % of cases, with neighbouring steps correlated by up to
    0.5; by 0.8, in up to 11 %: `test_skill` measures it.
    """
    gained = table.assign(gain=table[name] - table["network"])
    by_step = gained.groupby("moment", sort=True)["gain"].mean().to_numpy()
    by_seed = gained.groupby("seed")["gain"].mean().to_numpy()
    seeds = len(by_seed)
    known = (
        name, seeds, len(table) // max(1, seeds), float(table["network"].mean()),
        float(table[name].mean()), float(gained["gain"].mean()) if len(table) else math.nan,
    )  # fmt: skip
    parts = stretches(by_step, max(STEPS, 2 * overlap))
    if len(parts) < FEWEST or not np.isfinite(by_step).all():
        return BaselineComparison(*known, math.nan, math.nan, math.nan)
    low, high, p = _interval(known[-1], parts, _drift(by_step), by_seed)
    return BaselineComparison(*known, low, high, p)


def stretches(values: Floats, least: int = STEPS) -> Floats:
    """Returns the means over stretches of neighbours: up to `STRETCHES`, none below `least` long.

    >>> stretches(np.arange(20.0)).tolist()
    [2.0, 7.0, 12.0, 17.0]
    """
    count = max(1, min(STRETCHES, len(values) // least))
    return np.array([part.mean() for part in np.array_split(values, count) if len(part)])


def _drift(values: Floats) -> float:
    """Returns the variance of the mean over steps, were they an autoregression of first order."""
    centred = values - values.mean()
    spread = float(centred @ centred)
    if not spread > 0:
        return 0.0
    tied = min(max(float(centred[1:] @ centred[:-1]) / spread, 0.0), 0.95)
    return spread / (len(values) - 1) * (1 + tied) / (1 - tied) / len(values)


def _interval(
    difference: float, parts: Floats, drift: float, by_seed: Floats
) -> tuple[float, float, float]:
    """Returns the ends of the 95 % interval of a mean over stretches and seeds, and p."""
    pieces = [(max(parts.var(ddof=1) / len(parts), drift), len(parts) - 1)]
    if len(by_seed) > 1:
        pieces.append((by_seed.var(ddof=1) / len(by_seed), len(by_seed) - 1))
    variance = sum(part for part, _ in pieces)
    if not variance > 0:
        return math.nan, math.nan, math.nan
    freedom = variance**2 / sum(part**2 / count for part, count in pieces)
    reach = float(stats.t.ppf(0.975, freedom)) * math.sqrt(variance)
    p = 2 * float(stats.t.sf(abs(difference) / math.sqrt(variance), freedom))
    return difference - reach, difference + reach, p


def best_baseline(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Returns which of `names` has the smallest mean error on the very steps that are scored.

    Chosen with hindsight, and so the hardest to beat.
    """
    return str(table[list(names)].mean().idxmin())
