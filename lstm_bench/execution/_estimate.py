"""The estimated cost of a sweep before it starts: recipes, runs, updates, and time from a probe."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from lstm_bench.execution._executor import Executor, Job, SeedFinished
from lstm_bench.recipes import (
    Recipe,
    estimated_memory,
    estimated_seconds,
    estimated_training_seconds,
    program_key,
)
from lstm_bench.results import Outcome, unpack_outcome
from lstm_bench.search import MAX_SWITCH_SEEDS, SearchStudy, planned_contexts, rungs
from lstm_bench.statistics import RELIABLE_RATE, solve_rate
from lstm_bench.sweeps import Search, Sweep

MIN_SAMPLE, MAX_SAMPLE = 60, 500
"""The fewest and the most recipes that are drawn from a space to average their cost."""
PROBE_TRAINING = 0.1
"""About how long the probe trains a recipe, in seconds of `estimated_training_seconds`.

More than the few hundredths of a second that a seed takes before its first update."""
KERAS_SLOWER = 300.0
"""About how many times longer plain Keras trains a small network."""
PROBE_SECONDS = 5.0
"""Seconds that a recipe may take in the probe, including compiling, besides its baselines."""
PROBE_BYTES = 1e9
"""Bytes that a recipe may take in the probe, by `estimated_memory`."""
OVERHEAD_SECONDS = 0.4
"""Seconds per recipe for saving its network and logging its run."""
OWN_DATA = ("recipes", "search", "confirmation")
"""The stages of a sweep over a file whose training rows differ from those of earlier stages."""
SAFETY_FACTOR = 1.3
"""The factor by which a slow or busy machine may take longer."""

Range = tuple[float, float]
"""The lower and the upper end of an estimate."""


@dataclass(frozen=True)
class Stage:
    """A part of a sweep. A run is one seed of a recipe; `updates` and `steps` are those of all."""

    name: str
    recipes: Range
    programs: Range  # to compile for these recipes
    runs: Range
    updates: Range
    steps: Range  # time steps trained on
    work: Range  # seconds of its runs on a machine of reference: see `_work`


@dataclass(frozen=True)
class Speed:
    """The times measured in the probe: of its fastest and of its slowest recipe."""

    compile: Range  # seconds a program
    factor: Range  # seconds of training for each second of `estimated_training_seconds`


@dataclass(frozen=True)
class Estimate:
    """The stages of a sweep and, if the probe could train a recipe, its total time in seconds."""

    stages: tuple[Stage, ...]
    workers: int
    seconds: Range | None  # None if nothing could be trained in the probe
    too_large: int = 0  # recipes that the probe skipped because they need too much memory
    may_end_early: bool = False  # whether recipes end once solved: updates and time are the most

    def document(self) -> dict[str, Any]:
        """Returns the estimate as plain JSON values, each range as [lower, upper]."""
        stages = [
            {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in stage.items()
            }
            for stage in map(dataclasses.asdict, self.stages)
        ]
        seconds = list(self.seconds) if self.seconds else None
        document = {"stages": stages, "workers": self.workers, "seconds": seconds}
        document |= {"too_large_to_probe": self.too_large} if self.too_large else {}
        return document | ({"may_end_early": True} if self.may_end_early else {})


def estimate(sweep: Sweep, study: SearchStudy | None, pool: Executor, engine: str) -> Estimate:
    """Returns the estimated cost of `sweep`; trains some of its recipes briefly for the time."""
    sample = _sample(study)
    stages = tuple(estimate_stages(sweep, study, sample, engine))
    fixed = [entry.recipe for id_, entry in sweep.entries.items() if id_ not in sweep.left_out]
    last = [*fixed, *sample][-1:]  # recipes on one file differ little in what they prepare
    preparation = last[0].task.preparation_seconds if last else 0.0
    patience = PROBE_SECONDS + 3 * preparation
    time_limit = min(patience, sweep.time_limit or patience)
    candidates = [*_median_and_largest(fixed), *_median_and_largest(sample)]
    probed = [recipe for recipe in candidates if estimated_memory(recipe) <= PROBE_BYTES]
    speed = probe(probed, pool, engine, time_limit)
    seconds = _total_seconds(stages, speed, pool.size, preparation) if speed else None
    early = any(r.stop_after_solved is not None or r.stop is not None for r in [*fixed, *sample])
    return Estimate(stages, pool.size, seconds, len(candidates) - len(probed), early)


def expected_stages(sweep: Sweep, study: SearchStudy | None, engine: str) -> tuple[Stage, ...]:
    """Returns the stages of `sweep`, as far as they are known without training."""
    return tuple(estimate_stages(sweep, study, _sample(study), engine))


def _sample(study: SearchStudy | None) -> list[Recipe]:
    """Returns random recipes of a search, to average their cost; none without a search."""
    return study.sample(min(max(MIN_SAMPLE, study.trial_count), MAX_SAMPLE)) if study else []


def estimate_stages(
    sweep: Sweep, study: SearchStudy | None, sample: Sequence[Recipe], engine: str
) -> Iterator[Stage]:
    """Yields the stages of `sweep`; `sample` holds random recipes from the space of its search.

    The lower end of a search assumes that its sampler proposes at random, so that some trials
    repeat a recipe. If the `sample` is smaller than the number of trials, the repetitions among the
    trials are estimated from those in the sample.
    """
    seeds = sweep.seeds
    fixed = {
        entry.recipe.training: entry.recipe
        for id_, entry in sweep.entries.items()
        if id_ not in sweep.left_out
    }
    if fixed:
        trained = list(fixed.values())
        runs = float(seeds * len(trained))
        sums = [_exact(seeds * sum(map(count, trained))) for count in COUNTS]
        programs = _exact(_count_programs(trained, engine))
        yield Stage("recipes", _exact(len(trained)), programs, _exact(runs), *sums)
    if sweep.search is None or study is None:
        return
    search, proposed = sweep.search, sample[: study.trial_count]
    distinct = len({recipe.digest for recipe in proposed})
    expected = _expected_distinct(len(proposed), distinct, study.trial_count)
    trials = min(expected, float(study.distinct_count)), float(study.distinct_count)
    first_rung = rungs(seeds)[0] if search.race else seeds
    means = [float(np.mean([count(recipe) for recipe in sample])) for count in COUNTS]
    switch_seeds = min(seeds, MAX_SWITCH_SEEDS)
    crossed = search.split**3
    finalists = min(search.confirm, trials[0]), min(_max_finalists(search, seeds), trials[1])
    ablations = 1 + len(search.space) if search.ablate else 0
    switch_values = _count_switch_values(search)
    verdicts = len(sweep.comparisons) + ablations + switch_values
    contexts = min(planned_contexts(search.contexts, verdicts), trials[1])
    for name, recipes, min_seeds, max_seeds in (
        ("search", trials, first_rung, seeds),
        ("confirmation", finalists, seeds, seeds),
        ("ablation", (1, 1 + len(search.space)) if search.ablate else (0, 0), seeds, seeds),
        ("switches", (0, contexts * switch_values), switch_seeds, switch_seeds),
        ("split", _exact(search.split > 0), crossed, crossed),
    ):
        least, most = float(recipes[0]), float(recipes[1])
        # The stages after the search may find all their programs compiled by the search.
        low, high = 0.0, most
        if name == "search":
            low = _count_programs(proposed, engine)
            high = min(_count_programs(sample, engine), most)
        if most:
            stage_runs = (recipes[0] * float(min_seeds), recipes[1] * float(max_seeds))
            totals = ((stage_runs[0] * mean, stage_runs[1] * mean) for mean in means)
            yield Stage(name, (least, most), (low, high), stage_runs, *totals)


def _expected_distinct(drawn: int, distinct: int, trials: int) -> float:
    """Returns how many different recipes `trials` random trials propose, estimated from a sample.

    The sample has `drawn` recipes, `distinct` of them different. It is taken to be drawn from N
    equally likely recipes, where N makes `distinct` the expected number: N (1 - exp(-drawn / N)).

    >>> _expected_distinct(40, 38, 40), _expected_distinct(2000, 2000, 100_000)
    (38.0, 100000.0)
    >>> round(_expected_distinct(2000, 1213, 100_000))
    1818
    """
    if drawn >= trials:
        return float(distinct)
    if distinct == drawn:
        return float(trials)

    def excess(size: float) -> float:
        return float(-size * np.expm1(-drawn / size)) - distinct

    size = float(optimize.brentq(excess, distinct / 2, 1e9))
    return float(-size * np.expm1(-trials / size))


def _count_programs(recipes: Sequence[Recipe], engine: str) -> float:
    """Returns how many programs `recipes` need; with Keras each recipe has its own."""
    return float(len({program_key(recipe, engine) or recipe.digest for recipe in recipes}))


def _max_finalists(search: Search, seeds: int) -> int:
    """Returns the largest number of confirmed recipes: the best, and the cheapest that solve.

    With too few seeds no recipe can count as solving the task.
    """
    can_solve = solve_rate([True] * seeds).low >= RELIABLE_RATE
    return 2 * search.confirm if can_solve else search.confirm


def _count_switch_values(search: Search) -> int:
    """Returns the number of values of all switches of a search, each of which is run."""
    parts = [search.space.get(key) for key in search.switches]
    return sum(len(part) for part in parts if isinstance(part, tuple))


def _total_seconds(
    stages: Sequence[Stage], speed: Speed, workers: int, preparation: float = 0.0
) -> Range:
    """Returns the fewest and the most seconds that `stages` take on so many workers.

    One worker prepares the data of a stage with training rows of its own, for `preparation` seconds
    on a reference machine, while the others wait. The probe may have done so for the first stage.
    """
    ends = []
    for end, factor in ((0, 1.0), (1, SAFETY_FACTOR)):
        work = sum(
            stage.recipes[end] * OVERHEAD_SECONDS
            + stage.programs[end] * speed.compile[end]
            + stage.work[end] * speed.factor[end]
            for stage in stages
        )
        preparing = [stage for stage in stages if stage.name in OWN_DATA]
        times = len(preparing) - (1 if end == 0 and preparing else 0)
        ends.append(factor * (work / workers + preparation * speed.factor[end] * times))
    return ends[0], ends[1]


def probe(
    recipes: Sequence[Recipe], pool: Executor, engine: str, time_limit: float
) -> Speed | None:
    """Trains each of `recipes` briefly on one seed, for at most `time_limit` seconds each.

    Returns None if none could be trained.
    """
    jobs = {}
    shortened = [_shorten(recipe, engine) for recipe in recipes]
    for short in {short.digest: short for short in shortened}.values():
        options = (engine, time_limit, short.training, program_key(short, engine))
        job = Job((short.settings,), (0,), *options, attempts=1)
        jobs[pool.submit(job)] = short
    compiling, factors = [], []
    for ticket, event in pool.events():
        if isinstance(event, SeedFinished):
            outcome: Outcome = unpack_outcome(event.outcomes[0])
            if outcome.compile_seconds:  # zero if its program had already been compiled
                compiling.append(outcome.compile_seconds)
            expected = estimated_training_seconds(jobs[ticket])
            factors.append(outcome.train_seconds / expected)
    if not factors:
        return None
    compiling = compiling or [0.0]  # Keras compiles no program
    return Speed((min(compiling), max(compiling)), (min(factors), max(factors)))


def _median_and_largest(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Returns the recipe with the median of `_work`, and the one with the most."""
    ranked = sorted(recipes, key=_work)
    return [ranked[len(ranked) // 2], ranked[-1]] if ranked else []


def _shorten(full: Recipe, engine: str) -> Recipe:
    """Returns `full` with only enough epochs for `PROBE_TRAINING`; its program stays."""
    seconds = PROBE_TRAINING / (KERAS_SLOWER if engine == "keras" else 1.0)
    epochs = math.ceil(full.epochs * seconds / estimated_training_seconds(full))
    return full.with_settings({**full.settings, "epochs": min(max(epochs, 1), full.epochs)})


def _steps(recipe: Recipe) -> float:
    """Returns the number of time steps that a seed of a recipe trains on."""
    return float(recipe.epochs * recipe.schedule.samples * recipe.width)


def _updates(recipe: Recipe) -> float:
    """Returns the number of weight updates of a seed of a recipe."""
    return float(recipe.updates)


def _work(recipe: Recipe) -> float:
    """Returns about how many seconds a seed of a recipe takes on a reference machine.

    Recipes differ by their batch size and their units as much as by their time steps: a probe of
    two of them measures how much faster or slower this machine is.
    """
    return estimated_seconds(recipe)


COUNTS = (_updates, _steps, _work)


def _exact(number: float) -> Range:
    """Returns the range of a known number: both ends are equal."""
    return float(number), float(number)
