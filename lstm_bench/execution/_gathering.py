"""Runs recipes on seeds: seeds that are already known are not run again.

Known seeds come from three places: the memory of this process; the store, which has finished
recipes; and the checkpoint, which has the finished seeds of unfinished recipes. Every seed that a
worker reports is written to the checkpoint before anything else is done with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lstm_bench.errors import DamagedError
from lstm_bench.execution._checkpoint import Checkpoint
from lstm_bench.execution._executor import (
    Event,
    Executor,
    Job,
    JobFailed,
    JobFinished,
    NetworkJob,
    SeedFinished,
)
from lstm_bench.execution._job_order import jobs_of_recipe
from lstm_bench.execution._outcome_seeds import divergence_reason, without_best_seed
from lstm_bench.execution._work import Amount, WorkMeter, seeds_as_text, work_of_recipe
from lstm_bench.recipes import Recipe, estimated_seconds, program_key
from lstm_bench.results import (
    Failed,
    Outcome,
    merge_outcomes,
    select_seeds,
    unpack_outcome,
    unpack_outcomes,
)
from lstm_bench.tracking import SeedRole, Session, outcome_key

OVER_TIME = "it took longer than its time limit"
SAVE_ATTEMPTS = 3
"""How often the workers try to make the file of a network."""


@dataclass(frozen=True)
class Request:
    """A recipe to run on some seeds, and the id of its row in the sweep."""

    id: str
    recipe: Recipe
    seeds: tuple[int, ...]
    kind: SeedRole = "search"
    data: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """Facts from other recipes, which are stored in the outcome's `data`."""

    @property
    def key(self) -> str:
        """The name of the outcome that holds these seeds, and possibly others."""
        return outcome_key(self.recipe.digest, self.kind)


Follow = Callable[[Sequence[Request]], Sequence[Request]]
"""Called with requests that are done at the same moment; returns the requests that follow."""
OnDone = Callable[[Request, bool], None]
"""Called when a request is done or has failed, with whether it needed no run."""


class RecipeRunner:
    """Runs requests. `outcomes` are by `Request.key`, over all known seeds.

    `ran` has the keys for which a run was needed.
    """

    def __init__(
        self,
        session: Session,
        checkpoint: Checkpoint,
        pool: Executor,
        engine: str,
        seconds: float | None = None,
        seeds: int = 1,
        work: WorkMeter | None = None,
    ) -> None:
        """`seconds` is the limit for compiling and training a recipe on `seeds` seeds.

        With more seeds the limit is proportionally longer. `work` counts the work.
        """
        self.outcomes: dict[str, Outcome] = {}
        self.ran: set[str] = set()
        self.unsaved: dict[str, str] = {}  # key -> why the recipe's network could not be saved
        self._failures: dict[str, str] = {}
        self._session = session
        self._checkpoint = checkpoint
        self.pool = pool
        self._engine = engine
        self._seconds = seconds
        self._seeds = seeds
        self._loaded: set[str] = set()
        self._stored: dict[str, set[int]] = {}  # the seeds of each key that are in the store
        self._running = 0  # groups of requests that were sent together
        self._handlers: dict[int, Callable[[Event], None]] = {}
        self._work = work or WorkMeter()
        self._sent: dict[int, tuple[str, Amount]] = {}  # ticket -> what it runs, work of a seed
        self._counted: dict[str, set[int]] = {}  # key -> seeds that are counted in `_work`
        self._programs: set[str] = set()

    def run(
        self,
        requests: Sequence[Request],
        store: bool = False,
        retry: bool = False,
        on_done: OnDone = lambda *_: None,
        follow: Follow = lambda _: (),
    ) -> None:
        """Runs the missing seeds of `requests`; then `outcome` or `failure` has the result of each.

        With `store`, each outcome is written to the store as soon as it is complete. With `retry`,
        recipes that failed in an earlier session are run again. What `follow` returns is run too,
        without waiting for other requests.
        """
        self._begin(requests, store, retry, on_done, follow)
        self._handle_events()

    def _begin(
        self,
        requests: Sequence[Request],
        store: bool,
        retry: bool,
        on_done: OnDone,
        follow: Follow,
    ) -> None:
        """Sends the missing seeds of `requests` to the workers; see `run`."""
        if not requests:
            return
        known: list[Request] = []
        by_key: dict[str, list[Request]] = {}
        for request in requests:
            by_key.setdefault(request.key, []).append(request)
        waiting: dict[tuple[str, tuple[int, ...]], list[Request]] = {}
        for same in by_key.values():
            seeds = tuple(sorted({seed for request in same for seed in request.seeds}))
            union = dataclasses.replace(same[0], seeds=seeds)  # the same recipe is run once
            missing = self._missing_seeds(union, retry)
            self._count_known(union, missing)
            if missing:
                waiting.setdefault((union.recipe.training, missing), []).append(union)
            else:
                # An earlier session may have been killed before it stored the outcome.
                if store and self.outcome(union) is not None:
                    self._store(union)
                for request in same:
                    on_done(request, True)
                known += same

        def report(group: Sequence[Request]) -> None:
            for union in group:
                for i, request in enumerate(by_key[union.key]):
                    on_done(request, i > 0)
            done = [request for union in group for request in by_key[union.key]]
            self._begin(follow(done), store, retry, on_done, follow)

        longest_first = sorted(waiting.items(), key=lambda item: -_estimated_seconds(item[1][0]))
        for (_, seeds), group in longest_first:
            self._submit(group, seeds, len(waiting), store, report)
        if known:
            self._begin(follow(known), store, retry, on_done, follow)

    def _count_known(self, request: Request, missing: Sequence[int]) -> None:
        """Counts the seeds of a request that were run in an earlier session."""
        counted = self._counted.setdefault(request.key, set())
        if request.key not in self._failures:
            known = len(set(request.seeds) - set(missing) - counted)
            self._work.reuse(work_of_recipe(request.recipe, known) if known else Amount())
        counted |= set(request.seeds)

    def running(self) -> list[str]:
        """Returns the recipes in training with their seeds, and notes them in the work."""
        now = self.pool.running()
        sent = [(part, *self._sent[part.ticket]) for part in now if part.ticket in self._sent]
        self._work.watch([(p.began, seed * len(p.seeds), seed * p.left) for p, _, seed in sent])
        return [f"{label} {seeds_as_text(part.seeds)}".rstrip() for part, label, _ in sent]

    def is_finished(self, request: Request) -> bool:
        """Returns whether the store or the checkpoint has every seed of `request`."""
        if request.key not in self._loaded:
            self._load(request.key)
        return self.outcome(request) is not None

    def store(self, requests: Sequence[Request]) -> None:
        """Writes the outcomes of `requests` to the store, with the networks of their best seeds."""
        for request in {request.key: request for request in requests}.values():
            if self.outcome(request) is not None:
                self._store(request)
        self._handle_events()

    def outcome(self, request: Request) -> Outcome | None:
        """Returns the outcome of `request` over its seeds; None if one of them failed."""
        outcome = self.outcomes.get(request.key)
        if outcome is None or not set(request.seeds) <= set(outcome.seeds["seed"]):
            return None
        return select_seeds(outcome, request.seeds)

    def failure(self, request: Request) -> str:
        """Returns why `request` failed or diverged, and so has no score; empty if it has one."""
        outcome = self.outcome(request)
        return self._failures[request.key] if outcome is None else divergence_reason(outcome)

    def _missing_seeds(self, request: Request, retry: bool) -> tuple[int, ...]:
        """Returns the seeds of `request` that are still to be run; none if it has failed."""
        if request.key not in self._loaded:
            self._load(request.key)
        outcome = self.outcomes.get(request.key)
        finished = set(outcome.seeds["seed"]) if outcome else set()
        missing = tuple(seed for seed in request.seeds if seed not in finished)
        reason = None if retry else self._session.failure(request.key)
        if missing and reason is not None and self._would_fail_again(reason):
            self._failures[request.key] = reason
        return () if request.key in self._failures else missing

    def _would_fail_again(self, reason: str) -> bool:
        """Returns whether a recipe would fail again: not if it now has more time."""
        return not reason.startswith(OVER_TIME) or reason == self._over_time

    @property
    def _over_time(self) -> str:
        """The failure of a recipe that exceeds the current time limit; empty without a limit."""
        return f"{OVER_TIME} of {self._seconds:g} s" if self._seconds else ""

    def _load(self, key: str) -> None:
        """Loads the seeds of a recipe from the store and from the checkpoint."""
        self._loaded.add(key)
        finished = self._session.finished(key)
        if finished is not None and not finished.model:
            finished = without_best_seed(finished)
        parts = [finished] if finished else []
        self._stored[key] = set(finished.seeds["seed"]) if finished else set()
        saved = self._checkpoint.load(key)
        if saved.keys() - self._stored[key]:
            for seed, packed in saved.items():
                try:
                    parts.append(unpack_outcome(packed))
                except DamagedError:
                    self._checkpoint.drop_damaged(key, seed)
        elif saved:  # an earlier session was killed before it removed them
            self._checkpoint.remove(key)
        if parts:
            self.outcomes[key] = merge_outcomes(parts)

    def _submit(
        self,
        group: list[Request],
        seeds: tuple[int, ...],
        groups: int,
        store: bool,
        report: Callable[[Sequence[Request]], None],
    ) -> None:
        """Sends recipes that share their training to the workers."""
        first = group[0]
        # With a time limit all seeds go to one worker, so that the number of workers has no effect.
        busy = max(groups, self._running)
        total = estimated_seconds(first.recipe) * len(seeds)
        at_once = 1 if self._seconds else max(1, min(len(seeds), self.pool.size // busy))
        jobs = 1 if self._seconds else jobs_of_recipe(len(seeds), total, at_once)
        later = list(range(at_once, jobs))  # sent after the first seed: a recipe may fail at once
        self._running += 1
        parts: dict[str, list[bytes]] = {request.key: [] for request in group}
        self.ran.update(parts)
        program = program_key(first.recipe, self._engine)
        work = work_of_recipe(first.recipe, len(seeds), program not in self._programs)
        self._programs.add(program)
        share, finished, running = work * (1 / len(seeds)), 0, jobs
        self._work.submit(work)

        def handle(event: Event) -> None:
            nonlocal running, finished
            if isinstance(event, SeedFinished):
                finished += 1
                self._work.finish(share)
                send(later)
                later.clear()
                for request, outcome in zip(group, event.outcomes, strict=True):
                    self._checkpoint.save(request.key, event.seed, outcome)
                    parts[request.key].append(outcome)
                return
            running -= 1 + len(later)
            later.clear()
            if isinstance(event, JobFailed):
                for request in group:
                    self._record_failure(request, event)
            if running == 0:
                self._running -= 1
                self._work.finish(share * (len(seeds) - finished))  # those that failed
                for request in group:
                    self._merge(request, parts[request.key])
                    if store and self.outcome(request) is not None:
                        self._store(request)
                report(group)

        def send(numbers: Iterable[int]) -> None:
            for number in numbers:
                job_seeds = seeds[number::jobs]
                job = Job(
                    tuple(request.recipe.settings for request in group),
                    job_seeds,
                    self._engine,
                    self._remaining_seconds(first),
                    training=first.recipe.training,
                    program=program,
                    work=total * len(job_seeds) / len(seeds),
                )
                ticket = self.pool.submit(job)
                self._handlers[ticket] = handle
                self._sent[ticket] = first.id, share

        send(range(at_once))

    def _remaining_seconds(self, request: Request) -> float | None:
        """Returns the seconds that a recipe may still take; None without a time limit."""
        if self._seconds is None:
            return None
        outcome = self.outcomes.get(request.key)
        spent = outcome.compile_seconds + outcome.train_seconds if outcome else 0.0
        return max(self._seconds * max(1.0, len(request.seeds) / self._seeds) - spent, 0.0)

    def _record_failure(self, request: Request, event: JobFailed) -> None:
        """Records why seeds of `request` are missing.

        The store gets the reason, unless the processes died. This may not happen again, so the next
        session runs the recipe again.
        """
        reason = self._over_time if event.kind == "timeout" else event.reason
        self._failures[request.key] = reason
        if event.kind != "died":
            failed = Failed(request.id, request.recipe.name, reason)
            self._session.fail(request.key, failed, self._engine)

    def _merge(self, request: Request, parts: list[bytes]) -> None:
        """Adds the newly finished seeds of `request` to its outcome."""
        outcome = self.outcomes.get(request.key)
        if parts:
            new = unpack_outcomes(parts)
            self.outcomes[request.key] = merge_outcomes([outcome, new]) if outcome else new

    def _store(self, request: Request) -> None:
        """Writes an outcome to the store, unless all its seeds are there."""
        outcome = self.outcomes[request.key]
        if set(outcome.seeds["seed"]) <= self._stored.get(request.key, set()):
            return
        if outcome.model:
            self._log(request, outcome)
        else:
            self._save_network(request, outcome, SAVE_ATTEMPTS)

    def _save_network(self, request: Request, outcome: Outcome, attempts: int) -> None:
        """Has a worker make the network file of `outcome`, then writes both to the store.

        If this fails `attempts` times, nothing is written. The checkpoint keeps the weights, and
        the next session tries again.
        """

        def handle(event: Event) -> None:
            if isinstance(event, JobFinished):
                complete = dataclasses.replace(outcome, weights=(), model=event.model)
                self.outcomes[request.key] = complete
                self._log(request, complete)
            elif isinstance(event, JobFailed) and event.kind == "error" and attempts > 1:
                self._save_network(request, outcome, attempts - 1)
            elif isinstance(event, JobFailed):
                self.unsaved[request.key] = event.reason

        job = NetworkJob(request.recipe.settings, outcome.best_seed, outcome.weights)
        self._handlers[self.pool.submit(job)] = handle

    def _log(self, request: Request, outcome: Outcome) -> None:
        if request.data:
            outcome = dataclasses.replace(outcome, data={**outcome.data, **request.data})
            self.outcomes[request.key] = outcome
        self._stored[request.key] = set(outcome.seeds["seed"])

        def written() -> None:
            self._checkpoint.remove(request.key, outcome.seeds["seed"].tolist())

        self._session.log(request.id, outcome, request.kind, written)

    def _handle_events(self) -> None:
        """Handles the events of all jobs, until none is left."""
        for ticket, event in self.pool.events():
            self._handlers[ticket](event)
            if not isinstance(event, SeedFinished):
                del self._handlers[ticket]
                self._sent.pop(ticket, None)


def _estimated_seconds(request: Request) -> float:
    """Returns about how many seconds `request` takes; the longest is started first."""
    return estimated_seconds(request.recipe) * len(request.seeds)
