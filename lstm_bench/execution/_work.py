"""The work of a sweep that is done, in weight updates, and the time for the rest.

Work is measured in seconds of one core on a reference machine (`estimated_seconds`), so that large
recipes count for more. While the sweep runs, the real time for one such second is measured. This
ratio includes compiling, racing and the number of workers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lstm_bench.execution._estimate import OVERHEAD_SECONDS, Estimate, Stage
from lstm_bench.execution._job_order import COMPILE_SECONDS
from lstm_bench.recipes import Recipe, estimated_seconds

FIRST_SHARE = 0.05
"""The share of a sweep's work at which measured time and estimate have equal weight."""
MOST_OF_A_SEED = 0.95
"""The largest part of a seed that counts as done while the seed is in training."""


@dataclass(frozen=True)
class Amount:
    """An amount of work: runs of a seed, their weight updates, and reference seconds."""

    runs: float = 0.0
    updates: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.runs + other.runs, self.updates + other.updates, self.seconds + other.seconds
        )

    def __sub__(self, other: Amount) -> Amount:
        return self + other * -1

    def __mul__(self, factor: float) -> Amount:
        return Amount(self.runs * factor, self.updates * factor, self.seconds * factor)

    @property
    def positive(self) -> Amount:
        """The amount, with 0 in place of negative numbers."""
        return Amount(max(self.runs, 0.0), max(self.updates, 0.0), max(self.seconds, 0.0))


NOTHING = Amount()


def work_of_recipe(recipe: Recipe, seeds: int, compiles: bool = False) -> Amount:
    """Returns the work of a recipe on so many seeds; with `compiles`, its program is new."""
    fixed = OVERHEAD_SECONDS + (COMPILE_SECONDS if compiles else 0.0)
    seconds = seeds * estimated_seconds(recipe) + fixed
    return Amount(float(seeds), float(seeds * recipe.updates), seconds)


def work_of_stage(stage: Stage) -> Amount:
    """Returns the work of an estimated stage: the geometric mean of its two ends."""
    ends = [
        stage.work[end]
        + stage.programs[end] * COMPILE_SECONDS
        + stage.recipes[end] * OVERHEAD_SECONDS
        for end in (0, 1)
    ]
    return Amount(_middle(stage.runs), _middle(stage.updates), _middle(ends))


def _middle(ends: Sequence[float]) -> float:
    """Returns a value that is off by the same factor from both ends, if both are positive."""
    low, high = ends
    return math.sqrt(low * high) if low > 0 else high / 2


def seeds_as_text(seeds: Sequence[int]) -> str:
    """Returns seeds in words.

    >>> seeds_as_text([3]), seeds_as_text([4, 6, 8]), seeds_as_text([])
    ('seed 3', 'seeds 4 to 8', '')
    """
    if len(seeds) < 2:
        return "".join(f"seed {seed}" for seed in seeds)
    return f"seeds {min(seeds)} to {max(seeds)}"


@dataclass
class WorkMeter:
    """Counts the work of a sweep. All times are those of `clock`, in seconds."""

    clock: Callable[[], float] = time.monotonic
    workers: int = 1
    reused: Amount = NOTHING  # found in the store or the checkpoint
    done: Amount = NOTHING
    submitted: Amount = NOTHING  # done or not
    ahead: dict[str, Amount] = field(default_factory=dict)
    """The expected work of stages and trials that have not been submitted."""
    _began: float | None = None
    _ratio: float | None = None  # expected real seconds for a second of work, before measuring
    _running: Amount = NOTHING  # the part that is done of the seeds that are being trained
    _longest: float = 0.0  # reference seconds of the job that has most left
    _trials: int = 0
    _trials_left: int = 0
    _before_trials: Amount = NOTHING
    _expected_trial: Amount = NOTHING

    def expect(self, stages: Sequence[Stage], estimate: Estimate | None = None) -> None:
        """Notes the expected work of the stages of a sweep, before it starts."""
        self.ahead = {stage.name: work_of_stage(stage) for stage in stages}
        if estimate is not None and estimate.seconds is not None:
            work = sum((amount.seconds for amount in self.ahead.values()), 0.0)
            self._ratio = _middle(estimate.seconds) / work if work else None

    def begin_stage(self, name: str, trials: int = 0) -> None:
        """Notes that the work of a stage is exact from now on; `trials` is the number of trials."""
        amount = self.ahead.get(name, NOTHING)
        if name in self.ahead:  # the stages before it are over, or were left out
            names = list(self.ahead)
            self.ahead = {other: self.ahead[other] for other in names[names.index(name) + 1 :]}
        self._trials, self._trials_left = 0, trials
        if trials:
            self.ahead = {name: amount, **self.ahead}
            self._expected_trial = amount * (1 / trials)
            self._before_trials = self.submitted + self.reused

    def trial_done(self, name: str) -> None:
        """Notes that a trial of a search is done: further trials are expected to take as long."""
        self._trials += 1
        self._trials_left -= 1
        spent = self.submitted + self.reused - self._before_trials
        # The estimate counts as two trials: the first ones may be repetitions, or take long.
        mean = (spent + self._expected_trial * 2) * (1 / (self._trials + 2))
        self.ahead[name] = (mean * self._trials_left).positive

    def end(self, finished: bool) -> None:
        """Notes that nothing is run any more; nothing is ahead of a sweep that is `finished`."""
        self._running, self._longest = NOTHING, 0.0
        if finished:
            self.ahead.clear()
            self.submitted = self.done

    def submit(self, amount: Amount) -> None:
        """Notes that work was given to the workers."""
        if self._began is None:
            self._began = self.clock()
        self.submitted += amount

    def finish(self, amount: Amount) -> None:
        """Notes that submitted work is done, or will not be done because it failed."""
        self.done += amount

    def reuse(self, amount: Amount) -> None:
        """Notes work that was done before this session."""
        self.reused += amount

    def watch(self, running: Sequence[tuple[float, Amount, Amount]]) -> None:
        """Notes the seeds in training: since when, their work, and the work of their job."""
        now, ratio = self.clock(), self._seconds_of_work() * self.workers
        self._running, self._longest = NOTHING, 0.0
        for began, amount, job in running:
            expected = max(ratio * amount.seconds, 1e-6)
            part = amount * min((now - began) / expected, MOST_OF_A_SEED)
            self._running += part
            self._longest = max(self._longest, (job - part).seconds)

    @property
    def total(self) -> Amount:
        """All work of the sweep, as far as it is known."""
        return sum(self.ahead.values(), self.submitted + self.reused)

    @property
    def finished(self) -> Amount:
        """All work that is done, also that of earlier sessions."""
        return self.done + self.reused

    @property
    def fraction(self) -> float:
        """The part of all updates that is done, with those of seeds that are being trained."""
        total = self.total.updates
        done = (self.finished + self._running).updates
        return min(done / total, 1.0) if total else 0.0

    def seconds_left(self) -> float:
        """Returns how many seconds the rest should take; infinity while nothing is known."""
        if self._began is None:
            return math.inf
        left = self.total.seconds - (self.finished + self._running).seconds
        # At the end some workers have nothing to do, and the longest job is waited for.
        return max(left, self._longest * self.workers, 0.0) * self._seconds_of_work()

    def _seconds_of_work(self) -> float:
        """Returns the real seconds for a second of work, from measurement and estimate."""
        expected = self._ratio if self._ratio is not None else 1 / self.workers
        if self._began is None:
            return expected
        elapsed = self.clock() - self._began
        done = (self.done + self._running).seconds
        prior = FIRST_SHARE * (self.total.seconds - self.reused.seconds)
        return (elapsed + expected * prior) / (done + prior) if done + prior > 0 else expected
