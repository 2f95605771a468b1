"""A search from its first batch to what is run because of it, on top of `gathering`.

::

    race            the proposals of a batch, rung by rung
    confirm         the finalists on seeds that the search never saw
    ablate          the simplest of them, a setting at a time put back to the tutorial's
    flip            random trials with one switch changed
    split           a recipe on seeds that cross data, initial weights and order
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lstm_bench.analysis import bounds, confirmations, scores, simplest
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._progress import SweepRecord
from lstm_bench.recipes import Recipe, search_cost
from lstm_bench.results import Role, Row
from lstm_bench.search import (
    COMPARED,
    FinishedTrial,
    RacedRecipe,
    SearchStudy,
    ablation_recipes,
    importance,
    race,
    select_finalists,
    switched_recipes,
)
from lstm_bench.seeds import crossed
from lstm_bench.sweeps import Range, Search, Sweep, settings_as_text
from lstm_bench.tracking import SweepRow

FRESH, FURTHER = 1, 2
"""Blocks of seeds: for confirmation, and for what is compared because of it."""
CROSSED_FROM = 30_000
"""Draws that are crossed are counted from here on, apart from the blocks of a sweep from seed 0."""


class SearchLoop:
    """Drives one search; its rows go into `book` as they are finished."""

    def __init__(
        self, sweep: Sweep, study: SearchStudy, gatherer: RecipeRunner, book: SweepRecord
    ) -> None:
        assert sweep.search is not None
        self.sweep = sweep
        self.search: Search = sweep.search
        self.study = study
        self.gatherer = gatherer
        self.book = book
        self._rivals: tuple[RacedRecipe, ...] = ()
        self._trials: list[FinishedTrial] = []

    def all(self) -> None:
        """Runs the search, and what follows from it."""
        self.race()
        self.confirm()
        self.ablate()
        self.flip()
        self.split()

    def race(self) -> None:
        """Runs every batch of proposals, each proposal on as many seeds as it deserves."""
        self.book.progress.expect("search")
        for batch in self.study.batches():
            self._race(batch)
            self.book.write()
        self.book.analysis = self._analysis()

    def _race(self, batch: Sequence[tuple[Any, Recipe]]) -> None:
        seeds = self.sweep.seed_list
        needs = [Request(f"trial-{t.number}", recipe, tuple(seeds)) for t, recipe in batch]
        racing = race(
            len(batch),
            len(seeds),
            self._rivals,
            [search_cost(need.recipe) for need in needs] if self.study.fronts else None,
            stopping=self.search.race,
        )
        reached = dict.fromkeys(range(len(batch)), 0)
        wanted = next(racing)
        while True:
            asked = {place: self._cut(needs[place], count) for place, count in wanted.items()}
            self.gatherer.gather(list(asked.values()))
            reached |= wanted
            answer = {place: self._scores(need) for place, need in asked.items()}
            try:
                wanted = racing.send(answer)
            except StopIteration as end:
                self._rivals = end.value.rivals
                break
        done = [self._cut(need, reached[place]) for place, need in enumerate(needs)]
        self.gatherer.settle(done)
        for (trial, _), need in zip(batch, done, strict=True):
            self._tell(trial, need)

    def _cut(self, need: Request, count: int) -> Request:
        return Request(need.id, need.recipe, need.seeds[:count], need.kind)

    def _scores(self, need: Request) -> np.ndarray | None:
        """Returns one score in [0, 1] a seed, in the order of the seeds; None if it has failed."""
        outcome = self.gatherer.outcome(need)
        if outcome is None or self.gatherer.reason(need):
            return None
        low, high = bounds(self.search.objective)
        return (scores(outcome, self.search.objective) - low) / (high - low)

    def _tell(self, trial: Any, need: Request) -> None:
        outcome, reason = self.gatherer.outcome(need), self.gatherer.reason(need)
        self.book.told(need, need.key not in self.gatherer.ran, reason)
        if outcome is None or reason:
            self.study.tell(trial, None, 0.0)
            self.book.fail(need, reason)
            return
        own = scores(outcome, self.search.objective)
        cost = float(outcome.cost)
        self.study.tell(trial, float(own.mean()), cost)
        solved = outcome.seeds["solved"].to_numpy(bool)
        self._trials.append(FinishedTrial(trial.number, need.recipe, own, solved, cost))
        self.book.rows.append(self._row(need, "trial", trial=trial.number))

    def confirm(self) -> None:
        """Runs the finalists again, on seeds that the search never saw."""
        chosen = select_finalists(self._trials, self.search.confirm, self.sweep.seeds)
        seeds = self.sweep.other_seeds(FRESH)
        needs = [
            Request(f"confirm-{each.number}", each.recipe.judged, seeds, "fresh") for each in chosen
        ]
        self._gather("confirmation", needs)
        for each, need in zip(chosen, needs, strict=True):
            self._finish(need, "confirmed", of=f"trial-{each.number}")

    def ablate(self) -> None:
        """Puts each setting of the simplest recipe back to the reference's; also all of them.

        On seeds that had no part in choosing it, or it would seem better than it is.
        """
        simplest = self._simplest()
        if not self.search.ablate or simplest is None:
            return
        reference = self.sweep.entries[self.search.ablate].recipe
        recipe = self._recipe(simplest.of)
        seeds = self.sweep.other_seeds(FURTHER)
        base = Request(f"{simplest.id}-again", recipe, seeds, "further")
        needs = [(Request(f"{self.search.ablate}-again", reference, seeds, "further"), "", None)]
        for key, value, back in ablation_recipes(recipe, reference):
            if isinstance(back, Recipe):
                needs.append((Request(f"{simplest.id}-{key}", back, seeds, "further"), key, value))
        self._gather("ablation", [base, *(need for need, _, _ in needs)])
        self._finish(base, "ablation", of=simplest.id)
        for need, key, value in needs:
            self._finish(need, "ablation", of=base.id, axis=key, value=value)

    def flip(self) -> None:
        """Changes each switch alone in random recipes, both on seeds that no race looked at.

        Each switch in the first `contexts` random recipes in which it can be changed.
        """
        random = [each for each in self._trials if self.study.random(each.number)]
        contexts = list({each.recipe.digest: each for each in random}.values())
        recipes = [each.recipe for each in contexts]
        flips = []
        for switch in self.search.switches:
            found = switched_recipes(recipes, [switch], self.study.space)
            places = list(dict.fromkeys(place for place, *_ in found))[: self.search.contexts]
            flips += [each for each in found if each[0] in places]
        seeds = self.sweep.other_seeds(FURTHER)[:COMPARED]
        made = []
        for place in sorted({place for place, *_ in flips}):
            each = contexts[place]
            need = Request(f"context-{each.number}", each.recipe, seeds, "further")
            made.append((need, f"trial-{each.number}", "", None))
        for place, key, value, recipe in flips:
            context = f"context-{contexts[place].number}"
            need = Request(f"{context}-{key}={settings_as_text(value)}", recipe, seeds, "further")
            made.append((need, context, key, value))
        self._gather("switches", [need for need, *_ in made])
        for need, of, key, value in made:
            self._finish(need, "effect", of=of, axis=key, value=value)

    def split(self) -> None:
        """Runs a recipe on all combinations of some draws of data, weights and order.

        It is the winner; or, where the winner's seeds all score the same, the reference recipe.
        """
        winner = self._winner()
        if not self.search.split or winner is None:
            return
        recipe, of = self._recipe(winner.of), winner.id
        if np.ptp(scores(winner.outcome, self.search.objective)) == 0 and self.search.ablate:
            of = self.search.ablate
            recipe = self.sweep.entries[of].recipe
        levels = range(CROSSED_FROM, CROSSED_FROM + self.search.split)
        seeds = tuple(crossed(*each) for each in itertools.product(levels, repeat=3))
        need = Request(f"split-{of}", recipe, seeds, "crossed")
        self._gather("split", [need])
        self._finish(need, "split", of=of)

    def _analysis(self) -> dict[str, Any]:
        """Returns what only the search can work out, as plain values for the report."""
        drawn = [
            (each.recipe.settings, float(each.scores.mean()))
            for each in self._trials
            if self.study.random(each.number)
        ]
        parts = self.search.space.items()
        choices = {key: part for key, part in parts if isinstance(part, Range) or len(part) > 1}
        numbers = [each.number for each in self._trials if self.study.random(each.number)]
        return {"importance": importance(drawn, choices), "random": numbers}

    def _gather(self, stage: str, needs: Sequence[Request]) -> None:
        if not needs:
            return
        self.book.progress.expect(stage, len(needs))
        self.gatherer.gather(needs, settle=True, told=self.book.told)

    def _winner(self) -> Row | None:
        """Returns the finalist that did best on fresh seeds."""
        finalists = confirmations(self.book.result()).finalists
        return finalists[0].row if finalists else None

    def _simplest(self) -> Row | None:
        """Returns the cheapest finalist that solves the task for sure; without one, the winner."""
        point = simplest(self.book.result()).point
        return point.row if point else self._winner()

    def _recipe(self, id_: str) -> Recipe:
        """Returns the recipe of a trial as its finalist was run."""
        return next(each.recipe for each in self._trials if f"trial-{each.number}" == id_).judged

    def _finish(
        self, need: Request, role: Role, of: str, axis: str = "", value: Any = None
    ) -> None:
        reason = self.gatherer.reason(need)
        if reason:
            self.book.fail(need, reason)
        else:
            self.book.rows.append(self._row(need, role, of=of, axis=axis, value=value))

    def _row(self, need: Request, role: Role, **facts: Any) -> SweepRow:
        return SweepRow(
            need.id, need.recipe.digest, role=role, seeds=need.seeds, kind=need.kind, **facts
        )
