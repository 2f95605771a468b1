"""The search: proposes batches of recipes and takes their scores, in the order of the trials.

The state of the search is not stored, only the outcomes of the recipes. Each trial gets a new
sampler, made from the search's seed and the trial's number. Recipes are proposed in whole batches
of a fixed size. So the same outcomes always lead to the same proposals. An interrupted search is
replayed from the start, with the outcomes from the store.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import optuna

from lstm_bench.recipes import BUILT_IN_TASKS, Recipe, TaskRegistry
from lstm_bench.search._grid import Grid
from lstm_bench.search._optuna_trials import is_multi_objective, study_options
from lstm_bench.search._samplers import build_sampler
from lstm_bench.search._space import Space, build_space
from lstm_bench.seeds import integer_seed
from lstm_bench.sweeps import Search


class SearchStudy:
    """An Optuna study over recipes. Iterate `batches`, and `tell` each batch before the next."""

    def __init__(
        self, search: Search, fixed: Mapping[str, Any], tasks: TaskRegistry = BUILT_IN_TASKS
    ) -> None:
        """`fixed` are the settings that all recipes share; they name one of `tasks`.

        Raises `RecipeError` for a space that has faults.
        """
        self.search = search
        task = tasks.get(str(fixed.get("task")))
        overrides = task.search_overrides if task else {}
        self.space: Space = build_space(search, {**fixed, **overrides}, tasks)
        self._grid = Grid(self.space, search.seed) if search.sampler == "grid" else None
        self.multi_objective = is_multi_objective(search)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._study = optuna.create_study(**study_options(search))

    @property
    def trial_count(self) -> int:
        """The number of recipes that will be proposed; a grid may have fewer than `trials`."""
        trials = self.search.trials
        return trials if self._grid is None else min(trials, len(self._grid))

    @property
    def distinct_count(self) -> int:
        """The largest number of different recipes that can be proposed."""
        return int(min(self.trial_count, sum(self.space.sizes)))

    def is_random(self, number: int) -> bool:
        """Returns whether trial `number` is drawn at random from the whole space.

        The trials of a grid count as random if they cover all of it, but not if they cover a part.
        """
        if self._grid is not None:
            return self.trial_count == len(self._grid)
        return self.search.sampler in ("random", "qmc") or number < self.search.startup

    def sample(self, count: int) -> list[Recipe]:
        """Returns recipes drawn at random from the space, without any effect on the search.

        For a grid, returns the first ones that it will propose, at most as many as it has.
        """
        if self._grid is not None:
            return [self._grid[number] for number in range(min(count, len(self._grid)))]
        seed = integer_seed(self.search.seed, "simulation")
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        return [self.space.suggest(study.ask()) for _ in range(count)]

    def batches(self) -> Iterator[list[tuple[optuna.Trial, Recipe]]]:
        """Yields the proposed recipes with their trials, a batch at a time."""
        size = self.search.batch_size
        for first in range(0, self.trial_count, size):
            numbers = range(first, min(first + size, self.trial_count))
            yield [self._ask(number) for number in numbers]

    def _ask(self, number: int) -> tuple[optuna.Trial, Recipe]:
        """Returns the next trial, which has this `number`, and its recipe."""
        self._study.sampler = build_sampler(self.search, self.space, number)
        trial = self._study.ask()
        if self._grid is not None:
            return trial, self._grid[number]
        return trial, self.space.suggest(trial)

    def tell(self, trial: optuna.Trial, score: float | None, cost: float) -> None:
        """Records the result of a trial: its score, and its cost in parameters times updates.

        If the score is None or not finite, the trial counts as failed and the samplers ignore it.
        """
        if score is None or not math.isfinite(score):
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(trial, [score, cost] if self.multi_objective else score)

    @property
    def document(self) -> dict[str, Any]:
        """The options and the space of the search as plain JSON values."""
        return self.search.model_dump(mode="json", by_alias=True, exclude_none=True)
