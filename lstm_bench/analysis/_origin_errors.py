"""The errors of a recipe and of its baselines at each of several origins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lstm_bench.statistics import ORIGIN, absolute_errors, baseline_names, skill_score

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class OriginErrors:
    """The mean errors on the stretch that follows one origin, as in the comparison over all."""

    origin: int  # from 1, in the order of time
    first: str  # the time of the first value that is scored
    last: str
    steps: int
    error: float  # of the network, over seeds and steps
    baselines: Mapping[str, float]  # the error of each, fitted anew at this origin

    @property
    def best_baseline(self) -> str:
        """The baseline with the smallest error here."""
        return min(self.baselines, key=lambda name: self.baselines[name])

    @property
    def skill(self) -> float:
        """The skill over the best baseline of this origin: see `skill_score`."""
        return skill_score(self.error, self.baselines[self.best_baseline])

    def records(self) -> list[dict[str, Any]]:
        """Returns a flat row for each baseline."""
        place = {"origin": self.origin, "first": self.first, "last": self.last, "steps": self.steps}
        return [
            {**place, "baseline": name, "network_error": self.error, "baseline_error": error}
            for name, error in self.baselines.items()
        ]


def origin_errors(predictions: pd.DataFrame) -> tuple[OriginErrors, ...]:
    """Returns the errors at each origin of a table of predictions; empty if there is only one."""
    if ORIGIN not in predictions:
        return ()
    names = baseline_names(predictions)
    errors = absolute_errors(predictions)
    seeds, results = predictions["seed"].nunique(), []
    for number, rows in errors.groupby(ORIGIN):
        here = predictions[predictions[ORIGIN] == number].sort_values("moment", kind="stable")
        means = rows[["network", *names]].mean()
        results.append(
            OriginErrors(
                int(str(number)),
                str(here["input"].iloc[0]),
                str(here["input"].iloc[-1]),
                len(rows) // seeds,
                float(means["network"]),
                {name: float(means[name]) for name in names},
            )
        )
    return tuple(results)
