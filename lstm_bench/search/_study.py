"""The search itself: batches of proposals, each run over its seeds, then told in order.

Nothing of the search is stored but the outcomes. A sampler is made anew for every trial from (the
search's seed, the trial's number), and proposals are asked for in whole batches of a fixed size, so
that the same outcomes always lead to the same proposals: an interrupted search is taken up again by
going through it from the start, with every outcome that the store has already.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import optuna

from lstm_bench.recipes import TASKS, Recipe
from lstm_bench.search._grid import Grid
from lstm_bench.search._samplers import sampler
from lstm_bench.search._space import Space, space
from lstm_bench.seeds import integer
from lstm_bench.sweeps import Search

BATCH = 8
"""Proposals asked for at a time, whatever the number of cores: it is part of the result."""


class SearchStudy:
    """An Optuna study over recipes. Iterate `batches`, and `tell` each batch before the next."""

    def __init__(self, search: Search, fixed: Mapping[str, Any]) -> None:
        """Raises `RecipeError` where the space is not one."""
        self.search = search
        task = TASKS.get(str(fixed.get("task")))
        self.space: Space = space(search, {**fixed, **(task.in_search if task else {})})
        self._grid = Grid(self.space, search.seed) if search.sampler == "grid" else None
        self.fronts = search.sampler == "nsga2"  # score against cost, rather than score alone
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        most, least = optuna.study.StudyDirection.MAXIMIZE, optuna.study.StudyDirection.MINIMIZE
        self._study = optuna.create_study(directions=[most, least] if self.fronts else [most])

    @property
    def trials(self) -> int:
        """How many recipes will be proposed: a grid has no more than there are."""
        asked = self.search.trials
        return asked if self._grid is None else min(asked, len(self._grid))

    @property
    def distinct(self) -> int:
        """How many different recipes will be proposed at the most."""
        return int(min(self.trials, sum(self.space.sizes)))

    def random(self, number: int) -> bool:
        """Returns whether the recipe of that trial is drawn from the whole space, unguided.

        A grid is, once all of it is proposed: part of one is no sample that anyone asked for.
        """
        if self._grid is not None:
            return self.trials == len(self._grid)
        return self.search.sampler in ("random", "qmc") or number < self.search.startup

    def drawn(self, count: int) -> list[Recipe]:
        """Returns recipes drawn from the space at random, which the search knows nothing of.

        A grid's are the first that it will propose, as many as there are.
        """
        if self._grid is not None:
            return [self._grid[number] for number in range(min(count, len(self._grid)))]
        seed = integer(self.search.seed, "simulation")
        beside = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        return [self.space.suggest(beside.ask()) for _ in range(count)]

    def batches(self) -> Iterator[list[tuple[optuna.Trial, Recipe]]]:
        """Yields the proposals, a batch at a time."""
        for first in range(0, self.trials, BATCH):
            numbers = range(first, min(first + BATCH, self.trials))
            yield [self._ask(number) for number in numbers]

    def _ask(self, number: int) -> tuple[optuna.Trial, Recipe]:
        self._study.sampler = sampler(self.search, self.space, number)
        trial = self._study.ask()
        if self._grid is not None:
            return trial, self._grid[number]
        return trial, self.space.suggest(trial)

    def tell(self, trial: optuna.Trial, score: float | None, cost: float) -> None:
        """Records what a trial came to: its score, and its cost in parameters times updates.

        None, or a score that is no number, is a failed trial and counts for nothing.
        """
        if score is None or not math.isfinite(score):
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, [score, cost] if self.fronts else score)

    @property
    def facts(self) -> dict[str, Any]:
        """What was searched and how, as plain values for the report."""
        return self.search.model_dump(mode="json", by_alias=True, exclude_none=True)
