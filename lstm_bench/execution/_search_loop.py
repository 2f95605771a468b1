"""Runs a search, and then the recipes that follow from it, in this order.

::

    race            the proposals of each batch, rung by rung
    confirm         the finalists, on seeds that the search never saw
    ablate          the simplest finalist, with one setting at a time replaced by the reference's
    switch          random trials, with one switch changed
    cross_seeds     one recipe, on seeds that cross data, initial weights and sample order
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstm_bench.analysis import confirmations, forecast_intervals, simplest_recipe
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._progress import SweepLog
from lstm_bench.recipes import Recipe, search_cost
from lstm_bench.results import Outcome, Role, Row, measure_bounds, measure_values
from lstm_bench.search import (
    FAILED_TRIALS,
    MAX_SWITCH_SEEDS,
    FinishedTrial,
    RacedRecipe,
    SearchStudy,
    StudyStorage,
    ablation_recipes,
    importance,
    optuna_trial,
    planned_contexts,
    race,
    select_finalists,
    switched_recipes,
    trial_attributes,
)
from lstm_bench.seeds import crossed_seed
from lstm_bench.sweeps import Range, Search, Sweep, value_as_text
from lstm_bench.tracking import SweepRow

CONFIRMATION_BLOCK, COMPARISON_BLOCK = 1, 2
"""Blocks of seeds: for the confirmation, and for the comparisons that follow it."""
FIRST_CROSSED_DRAW = 30_000
"""The first draw of crossed seeds, which is above the blocks of a sweep from seed 0."""


class SearchLoop:
    """Runs one search; adds its rows to `log` as they finish."""

    def __init__(
        self,
        sweep: Sweep,
        study: SearchStudy,
        runner: RecipeRunner,
        log: SweepLog,
        storage: StudyStorage | None = None,
    ) -> None:
        """With a `storage`, every finished trial is written to it as well."""
        assert sweep.search is not None
        self.sweep = sweep
        self.search: Search = sweep.search
        self.study = study
        self.runner = runner
        self.log = log
        self.storage = storage
        self._rivals: tuple[RacedRecipe, ...] = ()
        self._trials: list[FinishedTrial] = []

    def run(self) -> None:
        """Runs the search and everything that follows it."""
        self.race()
        self.confirm()
        self.ablate()
        self.switch()
        self.cross_seeds()

    def race(self) -> None:
        """Runs all batches; a proposal that has no chance left is stopped after some seeds."""
        self.log.progress.begin_stage("search", trials=self.study.trial_count)
        for batch in self.study.batches():
            self._race_batch(batch)
            self.log.write()
        self.log.analysis = {**self.log.analysis, **self._analysis()}
        if self.storage is not None:
            self.storage.finish()

    def _race_batch(self, batch: Sequence[tuple[Any, Recipe]]) -> None:
        seeds = self.sweep.seed_list
        requests = [
            Request(f"trial-{trial.number}", recipe, tuple(seeds)) for trial, recipe in batch
        ]
        costs = None
        if self.study.multi_objective:
            costs = [search_cost(request.recipe) for request in requests]
        racing = race(len(batch), len(seeds), self._rivals, costs, stopping=self.search.race)
        seed_counts = dict.fromkeys(range(len(batch)), 0)  # of each candidate, by index
        number_of = {request.id: i for i, request in enumerate(requests)}

        def rung(wanted: Mapping[int, int]) -> list[Request]:
            seed_counts.update(wanted)
            return [self._first_seeds(requests[i], count) for i, count in wanted.items()]

        def next_rung(done: Sequence[Request]) -> list[Request]:
            try:
                scores = {number_of[request.id]: self._scores(request) for request in done}
                return rung(racing.send(scores))
            except StopIteration as end:
                self._rivals = end.value.rivals
                return []

        self.runner.run(rung(next(racing)), follow=next_rung)
        raced = [self._first_seeds(request, seed_counts[i]) for i, request in enumerate(requests)]
        self.runner.store(raced)
        for (trial, _), request in zip(batch, raced, strict=True):
            self._finish_trial(trial, request)

    def _first_seeds(self, request: Request, count: int) -> Request:
        return Request(request.id, request.recipe, request.seeds[:count], request.kind)

    def _scores(self, request: Request) -> np.ndarray | None:
        """Returns the scores, scaled to [0, 1], in the order of the seeds; None if it failed."""
        outcome = self.runner.outcome(request)
        if outcome is None or self.runner.failure(request):
            return None
        low, high = measure_bounds(self.search.objective)
        return (measure_values(outcome, self.search.objective) - low) / (high - low)

    def _finish_trial(self, trial: Any, request: Request) -> None:
        """Reports the result of a trial to the study and to the log."""
        outcome, reason = self.runner.outcome(request), self.runner.failure(request)
        self.log.count(request, request.key not in self.runner.ran, reason)
        self._write_trial(request, None if reason else outcome, reason)
        if outcome is None or reason:
            self._note_failed_trial(trial.number, request)
            self.study.tell(trial, None, 0.0)
            self.log.add_failure(request, reason)
            return
        scores = measure_values(outcome, self.search.objective)
        cost = float(outcome.cost)
        self.study.tell(trial, float(scores.mean()), cost)
        solved = outcome.seeds["solved"].to_numpy(bool)
        self._trials.append(FinishedTrial(trial.number, request.recipe, scores, solved, cost))
        self.log.rows.append(self._row(request, "trial", trial=trial.number))

    def _write_trial(self, request: Request, outcome: Outcome | None, reason: str) -> None:
        """Writes a finished trial to the Optuna storage, if there is one."""
        if self.storage is None:
            return
        recipe, tasks = request.recipe, self.sweep.tasks
        facts = trial_attributes(request.id, recipe.digest, recipe.name)
        facts |= {"reason": reason} if reason else {}
        self.storage.add(
            optuna_trial(self.search, recipe.settings, outcome, self.sweep.seeds, tasks, facts)
        )

    def _note_failed_trial(self, number: int, request: Request) -> None:
        """Keeps the searched settings of a failed trial, which has no outcome to keep them."""
        facts = {"digest": request.recipe.digest, "settings": request.recipe.settings}
        failed = {**self.log.analysis.get(FAILED_TRIALS, {}), str(number): facts}
        self.log.analysis = {**self.log.analysis, FAILED_TRIALS: failed}

    def confirm(self) -> None:
        """Runs the finalists again, on seeds that the search never saw."""
        finalists = select_finalists(self._trials, self.search.confirm, self.sweep.seeds)
        seeds = self.sweep.seed_block(CONFIRMATION_BLOCK)
        requests = [
            Request(
                f"confirm-{trial.number}",
                trial.recipe.outside_search,
                seeds,
                "fresh",
                self._intervals(trial),
            )
            for trial in finalists
        ]
        if any(trial.recipe.digest != trial.recipe.outside_search.digest for trial in finalists):
            self.runner.pool.release()  # finalists need programs and baselines of their own
        self._run("confirmation", requests)
        for trial, request in zip(finalists, requests, strict=True):
            self._finish(request, "confirmed", of=f"trial-{trial.number}")

    def _intervals(self, trial: FinishedTrial) -> dict[str, Any]:
        """Returns the forecast intervals of a finalist, from the errors of its trial."""
        seeds = tuple(self.sweep.seed_list)
        outcome = self.runner.outcome(Request(f"trial-{trial.number}", trial.recipe, seeds))
        held_back = trial.recipe.digest != trial.recipe.outside_search.digest
        intervals = forecast_intervals(outcome) if outcome and held_back else {}
        return {"intervals": intervals} if intervals else {}

    def ablate(self) -> None:
        """Runs the simplest recipe with each setting replaced by the reference's, and with all.

        The seeds had no part in choosing the recipe, which would otherwise seem better than it is.
        """
        simplest = self._simplest()
        if not self.search.ablate or simplest is None:
            return
        reference = self.sweep.entries[self.search.ablate].recipe
        recipe = self._confirmed_recipe(simplest.of)
        seeds = self.sweep.seed_block(COMPARISON_BLOCK)
        base = Request(f"{simplest.id}-again", recipe, seeds, "further")
        all_replaced = Request(f"{self.search.ablate}-again", reference, seeds, "further")
        ablations = [(all_replaced, "", None)]
        for key, value, ablated in ablation_recipes(recipe, reference):
            if isinstance(ablated, Recipe):
                request = Request(f"{simplest.id}-{key}", ablated, seeds, "further")
                ablations.append((request, key, value))
        self._run("ablation", [base, *(request for request, _, _ in ablations)])
        self._finish(base, "ablation", of=simplest.id)
        for request, key, value in ablations:
            self._finish(request, "ablation", of=base.id, axis=key, value=value)

    def switch(self) -> None:
        """Runs random recipes as they are and with one switch changed, on seeds of no race.

        Each switch is changed in the first random recipes in which it can be changed: see
        `planned_contexts`. The search stores the number of these recipes.
        """
        planned = planned_contexts(self.search.contexts, self._count_verdicts())
        if self.search.switches:
            self.log.analysis = {**self.log.analysis, "contexts": planned}
        random = [trial for trial in self._trials if self.study.is_random(trial.number)]
        contexts = list({trial.recipe.digest: trial for trial in random}.values())
        recipes = [trial.recipe for trial in contexts]
        chosen = []
        for key in self.search.switches:
            switched = switched_recipes(recipes, [key], self.study.space)
            indices = list(dict.fromkeys(index for index, *_ in switched))[:planned]
            chosen += [item for item in switched if item[0] in indices]
        seeds = self.sweep.seed_block(COMPARISON_BLOCK)[:MAX_SWITCH_SEEDS]
        effects = []
        for index in sorted({index for index, *_ in chosen}):
            trial = contexts[index]
            request = Request(f"context-{trial.number}", trial.recipe, seeds, "further")
            effects.append((request, f"trial-{trial.number}", "", None))
        for index, key, value, recipe in chosen:
            context = f"context-{contexts[index].number}"
            id_ = f"{context}-{key}={value_as_text(value)}"
            effects.append((Request(id_, recipe, seeds, "further"), context, key, value))
        self._run("switches", [request for request, *_ in effects])
        for request, of, key, value in effects:
            self._finish(request, "effect", of=of, axis=key, value=value)

    def _count_verdicts(self) -> int:
        """Returns the number of differences that the report will judge together."""
        ablations = [row for row in self.log.rows if row.role == "ablation"]
        values = sum(len(self.study.space.values(key)) - 1 for key in self.search.switches)
        return len(self.sweep.comparisons) + max(len(ablations) - 1, 0) + values

    def cross_seeds(self) -> None:
        """Runs a recipe on all combinations of some draws of data, initial weights and order.

        It is the winner; or, if the winner's seeds all have the same score, the reference recipe.
        """
        winner = self._winner()
        if not self.search.split or winner is None:
            return
        recipe, of = self._confirmed_recipe(winner.of), winner.id
        scores = measure_values(winner.outcome, self.search.objective)
        if np.ptp(scores) == 0 and self.search.ablate:
            of = self.search.ablate
            recipe = self.sweep.entries[of].recipe
        draws = range(FIRST_CROSSED_DRAW, FIRST_CROSSED_DRAW + self.search.split)
        seeds = tuple(crossed_seed(*levels) for levels in itertools.product(draws, repeat=3))
        request = Request(f"split-{of}", recipe, seeds, "crossed")
        self._run("split", [request])
        self._finish(request, "split", of=of)

    def _analysis(self) -> dict[str, Any]:
        """Returns the importances of the settings and the random trials, for the report."""
        random = [trial for trial in self._trials if self.study.is_random(trial.number)]
        scored = [(trial.recipe.settings, float(trial.scores.mean())) for trial in random]
        parts = self.search.space.items()
        choices = {key: part for key, part in parts if isinstance(part, Range) or len(part) > 1}
        numbers = [trial.number for trial in random]
        importances = importance(scored, choices, tasks=self.sweep.tasks)
        return {"importance": importances, "random": numbers}

    def _run(self, stage: str, requests: Sequence[Request]) -> None:
        """Runs the requests of a stage, and stores their outcomes."""
        if not requests:
            return
        self.log.progress.begin_stage(stage, len(requests))
        self.runner.run(requests, store=True, on_done=self.log.count)

    def _winner(self) -> Row | None:
        """Returns the finalist that did best on fresh seeds."""
        finalists = confirmations(self.log.result()).finalists
        return finalists[0].row if finalists else None

    def _simplest(self) -> Row | None:
        """Returns the cheapest finalist that reliably solves the task; else the winner."""
        point = simplest_recipe(self.log.result()).point
        return point.row if point else self._winner()

    def _confirmed_recipe(self, trial_id: str) -> Recipe:
        """Returns the recipe of a trial in the form in which it was confirmed."""
        trial = next(trial for trial in self._trials if f"trial-{trial.number}" == trial_id)
        return trial.recipe.outside_search

    def _finish(
        self, request: Request, role: Role, of: str, axis: str = "", value: Any = None
    ) -> None:
        """Adds the row of a request to the log, or its failure."""
        reason = self.runner.failure(request)
        if reason:
            self.log.add_failure(request, reason)
        else:
            self.log.rows.append(self._row(request, role, of=of, axis=axis, value=value))

    def _row(self, request: Request, role: Role, **fields: Any) -> SweepRow:
        digest = request.recipe.digest
        return SweepRow(
            request.id, digest, role=role, seeds=request.seeds, kind=request.kind, **fields
        )
