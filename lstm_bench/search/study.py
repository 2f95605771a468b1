"""The search itself: batches of proposals, each run over all its seeds, then told in order.

Nothing of the search is stored but the outcomes. A sampler is made anew for every trial from (the
search's seed, the trial's number), and proposals are asked for in whole batches of a fixed size, so
that the same outcomes always lead to the same proposals: an interrupted search is taken up again by
going through it from the start, with every outcome that the store has already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import optuna

from lstm_bench.recipe import Recipe
from lstm_bench.results import Outcome
from lstm_bench.search.space import Space, space
from lstm_bench.seeds import integer
from lstm_bench.sweep import Search

BATCH = 8
"""Proposals asked for at a time, whatever the number of cores: it is part of the result."""

STARTUP = 16
"""Trials drawn at random before TPE takes over; they cover what TPE would settle on too soon."""


class Study:
    """An Optuna study over recipes. Iterate `batches`, and `tell` each batch before the next."""

    def __init__(self, search: Search, fixed: Mapping[str, Any]) -> None:
        """Raises `RecipeError` where the space is not one."""
        self.search = search
        self.space: Space = space(search, fixed)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = optuna.create_study(direction="maximize")

    def batches(self) -> Iterator[list[tuple[optuna.Trial, Recipe]]]:
        """Yields the proposals, a batch at a time."""
        for first in range(0, self.search.trials, BATCH):
            batch = []
            for number in range(first, min(first + BATCH, self.search.trials)):
                self._study.sampler = self._sampler(number)
                trial = self._study.ask()
                batch.append((trial, self.space.suggest(trial)))
            yield batch

    def tell(self, trial: optuna.Trial, outcome: Outcome | None) -> None:
        """Records what a trial came to; None is a failed one, which counts for nothing."""
        if outcome is None:
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, score(outcome, self.search.objective))

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        seed = integer(self.search.seed, "search", number)
        if self.search.sampler == "random":
            return optuna.samplers.RandomSampler(seed=seed)
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)

    @property
    def facts(self) -> dict[str, Any]:
        """What was searched and how, as plain values for the report."""
        return self.search.model_dump(mode="json", by_alias=True, exclude_none=True)


def score(outcome: Outcome, objective: str) -> float:
    """Returns the value that the search maximises."""
    if objective == "solve_rate":
        return outcome.solve_rate.rate
    return float(outcome.seeds[objective].mean())
