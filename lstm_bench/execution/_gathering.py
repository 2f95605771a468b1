"""Recipes on seeds: from the workers, or from what is known of them already.

What is known comes from three places: this process's memory, the store, which has the recipes that
were finished, and the ledger, which has the finished seeds of those that were not. Every seed that
a worker reports goes into the ledger before anything else happens to it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_bench.errors import DamagedError
from lstm_bench.execution._checkpoint import Checkpoint
from lstm_bench.execution._workers import (
    Event,
    Job,
    JobFailed,
    JobFinished,
    Seal,
    SeedFinished,
    WorkerPool,
)
from lstm_bench.provenance import provenance
from lstm_bench.recipes import Recipe, estimated_seconds, program_key
from lstm_bench.results import Failed, Outcome, merge_outcomes, select_seeds, unpack_outcome
from lstm_bench.tracking import SeedRole, Session, outcome_key

LATE = "it took longer than its time limit"
TRIES = 3
"""Times that the file of a network is tried to be made."""
SAME_NUMBERS = ("tensorflow", "keras", "numpy", "system", "processor", "XLA", "oneDNN")
"""Facts of a result's provenance under which a seed gives the same numbers to the last bit."""


@dataclass(frozen=True)
class Request:
    """A recipe that is wanted on some seeds, under the id that its row will have."""

    id: str
    recipe: Recipe
    seeds: tuple[int, ...]
    kind: SeedRole = "search"

    @property
    def key(self) -> str:
        """The name of the outcome that holds these seeds, and maybe others."""
        return outcome_key(self.recipe.digest, self.kind)


Told = Callable[[Request, bool], None]
"""Is told that a need is met, or has failed; and whether nothing had to be run for it."""


class RecipeRunner:
    """Gets needs met. `outcomes` are by `Need.key`, over all seeds known; `ran` is what was run."""

    def __init__(
        self,
        session: Session,
        ledger: Checkpoint,
        pool: WorkerPool,
        engine: str,
        seconds: float | None = None,
        seeds: int = 1,
    ) -> None:
        """`seconds` is how long a recipe may compile and train on so many `seeds`.

        On more seeds it may take so many times longer.
        """
        self.outcomes: dict[str, Outcome] = {}
        self.ran: set[str] = set()
        self.unsaved: dict[str, str] = {}  # recipes whose network could not be kept, and why
        self._failures: dict[str, str] = {}
        self._session = session
        self._ledger = ledger
        self._pool = pool
        self._engine = engine
        self._seconds = seconds
        self._seeds = seeds
        self._recalled: set[str] = set()
        self._logged: dict[str, set[int]] = {}
        self._heard: dict[int, Callable[[Event], None]] = {}

    def gather(
        self,
        needs: Sequence[Request],
        settle: bool = False,
        retry: bool = False,
        told: Told = lambda *_: None,
    ) -> None:
        """Meets `needs`, as far as they can be: see `outcome` and `reason`.

        With `settle` each is written to the store as soon as it is met; with `retry` what failed in
        an earlier session is tried again.
        """
        wanted: dict[str, list[Request]] = {}
        for need in needs:
            wanted.setdefault(need.key, []).append(need)
        waiting: dict[tuple[str, tuple[int, ...]], list[Request]] = {}
        for same in wanted.values():
            seeds = tuple(sorted({seed for need in same for seed in need.seeds}))
            whole = dataclasses.replace(same[0], seeds=seeds)  # the same recipe is run once
            missing = self._missing(whole, retry)
            if missing:
                waiting.setdefault((whole.recipe.training, missing), []).append(whole)
            else:
                if settle and self.outcome(whole) is not None:  # a kill may have come before that
                    self._settle(whole)
                for need in same:
                    told(need, True)

        def met(whole: Request) -> None:
            for place, need in enumerate(wanted[whole.key]):
                told(need, place > 0)

        for (_, seeds), group in sorted(waiting.items(), key=lambda item: -_work(item[1][0])):
            self._submit(group, seeds, len(waiting), settle, met)
        self._listen()

    def settle(self, needs: Sequence[Request]) -> None:
        """Writes what is known of each of `needs` to the store, with its best seed's network."""
        for need in {need.key: need for need in needs}.values():
            if self.outcome(need) is not None:
                self._settle(need)
        self._listen()

    def outcome(self, need: Request) -> Outcome | None:
        """Returns the outcome of `need` over its own seeds; None if one of them failed."""
        known = self.outcomes.get(need.key)
        if known is None or not set(need.seeds) <= set(known.seeds["seed"]):
            return None
        return select_seeds(known, need.seeds)

    def reason(self, need: Request) -> str:
        """Returns why `need` came to no score: it failed, or diverged; nothing if it did not."""
        outcome = self.outcome(need)
        return self._failures[need.key] if outcome is None else diverged(outcome)

    def _missing(self, need: Request, retry: bool) -> tuple[int, ...]:
        """Returns the seeds of `need` that are still to be run; none if that has failed."""
        if need.key not in self._recalled:
            self._recall(need.key)
        known = self.outcomes.get(need.key)
        have = set(known.seeds["seed"]) if known else set()
        missing = tuple(seed for seed in need.seeds if seed not in have)
        before = None if retry else self._session.failure(need.key)
        if missing and before is not None and self._stands(before):
            self._failures[need.key] = before
        return () if need.key in self._failures else missing

    def _stands(self, reason: str) -> bool:
        """Returns whether a recipe that failed so would fail so again: not with more time."""
        return not reason.startswith(LATE) or reason == self._late

    @property
    def _late(self) -> str:
        """What is written of a recipe that runs out of the time there is now; nothing without."""
        return f"{LATE} of {self._seconds:g} s" if self._seconds else ""

    def _recall(self, key: str) -> None:
        """Takes what the store and the ledger have of a recipe."""
        self._recalled.add(key)
        finished = self._session.finished(key)
        if finished is not None and not finished.model:
            finished = _without_network(finished)
        parts = [finished] if finished else []
        self._logged[key] = set(finished.seeds["seed"]) if finished else set()
        kept = self._ledger.kept(key)
        if kept.keys() - self._logged[key]:
            for seed, packed in kept.items():
                try:
                    parts.append(unpack_outcome(packed))
                except DamagedError:
                    self._ledger.drop(key, seed)
        elif kept:  # a kill came before they were forgotten
            self._ledger.forget(key)
        if parts:
            self.outcomes[key] = merge_outcomes(parts)

    def _submit(
        self,
        group: list[Request],
        seeds: tuple[int, ...],
        groups: int,
        settle: bool,
        met: Callable[[Request], None],
    ) -> None:
        """Sends recipes that share their training to the workers."""
        first = group[0]
        # A recipe whose time is limited stays with one worker, so that their number is no matter.
        shares = max(1, min(len(seeds), self._pool.size // groups)) if not self._seconds else 1
        open_ = shares
        parts: dict[str, list[Outcome]] = {need.key: [] for need in group}
        self.ran.update(parts)

        def heard(event: Event) -> None:
            nonlocal open_
            if isinstance(event, SeedFinished):
                for need, outcome in zip(group, event.outcomes, strict=True):
                    self._ledger.keep(need.key, event.seed, outcome)
                    parts[need.key].append(unpack_outcome(outcome))
                return
            open_ -= 1
            if isinstance(event, JobFailed):
                for need in group:
                    self._fail(need, event)
            if open_ == 0:
                for need in group:
                    self._join(need, parts[need.key])
                    if settle and self.outcome(need) is not None:
                        self._settle(need)
                    met(need)

        for share in range(shares):
            own = seeds[share::shares]
            job = Job(
                tuple(need.recipe.settings for need in group),
                own,
                self._engine,
                self._left(first),
                training=first.recipe.training,
                program=program_key(first.recipe, self._engine),
                work=len(own) * estimated_seconds(first.recipe),
            )
            self._heard[self._pool.submit(job)] = heard

    def _left(self, need: Request) -> float | None:
        """Returns the seconds that a recipe may still take."""
        if self._seconds is None:
            return None
        known = self.outcomes.get(need.key)
        spent = known.compile_seconds + known.train_seconds if known else 0.0
        return max(self._seconds * max(1.0, len(need.seeds) / self._seeds) - spent, 0.0)

    def _fail(self, need: Request, event: JobFailed) -> None:
        """Writes down why seeds of `need` are missing; what would not fail again is forgotten."""
        reason = self._late if event.kind == "late" else event.reason
        self._failures[need.key] = reason
        if event.kind != "died":
            failed = Failed(need.id, need.recipe.name, reason)
            self._session.fail(need.key, failed, self._engine)

    def _join(self, need: Request, parts: list[Outcome]) -> None:
        known = self.outcomes.get(need.key)
        if parts:
            self.outcomes[need.key] = merge_outcomes([known, *parts] if known else parts)

    def _settle(self, need: Request) -> None:
        outcome = self.outcomes[need.key]
        if set(outcome.seeds["seed"]) <= self._logged.get(need.key, set()):
            return
        if outcome.model:
            self._log(need, outcome)
        else:
            self._seal(need, outcome, TRIES)

    def _seal(self, need: Request, outcome: Outcome, tries: int) -> None:
        """Has the network of `outcome` made a file and writes both to the store.

        Where that fails `tries` times nothing is written: the ledger keeps the weights, and the
        next session tries again.
        """

        def heard(event: Event) -> None:
            if isinstance(event, JobFinished):
                self.outcomes[need.key] = dataclasses.replace(
                    outcome, weights=(), model=event.model
                )
                self._log(need, self.outcomes[need.key])
            elif isinstance(event, JobFailed) and event.kind == "error" and tries > 1:
                self._seal(need, outcome, tries - 1)
            elif isinstance(event, JobFailed):
                self.unsaved[need.key] = event.reason

        seal = Seal(outcome.settings, outcome.best_seed, outcome.weights)
        self._heard[self._pool.submit(seal)] = heard

    def _log(self, need: Request, outcome: Outcome) -> None:
        self._session.log(need.id, outcome, need.kind)
        self._logged[need.key] = set(outcome.seeds["seed"])
        self._ledger.forget(need.key)

    def _listen(self) -> None:
        for ticket, event in self._pool.events():
            self._heard[ticket](event)
            if not isinstance(event, SeedFinished):
                del self._heard[ticket]


def _without_network(outcome: Outcome) -> Outcome | None:
    """Returns what is to be kept of an outcome whose network is lost: all but its best seed.

    That is trained again, to the same weights. None where other numbers would come out here, so
    that all seeds must be run again.
    """
    now = provenance()
    others = [seed for seed in outcome.seeds["seed"].tolist() if seed != outcome.best_seed]
    same = all(outcome.provenance.get(fact) == now[fact] for fact in SAME_NUMBERS)
    return select_seeds(outcome, others) if same and others else None


def diverged(outcome: Outcome) -> str:
    """Returns in words that seeds of `outcome` diverged; nothing if none did."""
    lost = outcome.seeds.loc[~np.isfinite(outcome.seeds["loss"]), "seed"].tolist()
    if not lost:
        return ""
    which = "seed" if len(lost) == 1 else "seeds"
    shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
    return f"it diverged on {len(lost)} of {len(outcome.seeds)} seeds ({which} {shown})"


def _work(need: Request) -> float:
    """Returns about how many seconds `need` takes: what to start first."""
    return estimated_seconds(need.recipe) * len(need.seeds)
