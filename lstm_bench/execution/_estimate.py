"""What a sweep will cost, told before it starts: recipes, runs, updates, and time from a probe."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from lstm_bench.execution._workers import Job, SeedFinished, WorkerPool
from lstm_bench.recipes import MEMORY_PER_RECIPE, Recipe, estimated_memory, program_key, recipe
from lstm_bench.results import Outcome, unpack_outcome
from lstm_bench.search import COMPARED, SearchStudy, rungs
from lstm_bench.statistics import RELIABLE, solve_rate
from lstm_bench.sweeps import Search, Sweep

DRAWN = 60
"""Recipes drawn from a space at the least, to tell what one of it costs on average."""
PROBED = 20_000
"""Time steps that a probe trains on, about."""
LONGEST = 20.0
"""Seconds that a recipe may take in the probe, compiling included."""
LARGEST = 1e9
"""Bytes that a recipe may take in the probe, by `cost.memory`."""
DRAWN_AT_MOST = 500
"""Recipes drawn from a space at the most: a search of more trials is estimated from these."""
BESIDE = 0.4
"""Seconds a recipe takes besides compiling and training: its network saved, its run logged."""
SLACK = 1.3
"""What a slow machine, or another program on it, may add to the most."""

Range = tuple[float, float]
"""The least and the most."""


@dataclass(frozen=True)
class Stage:
    """A part of a sweep. `runs` are single seeds of a recipe; `updates` and `steps` are of all."""

    name: str
    recipes: Range
    programs: Range  # to be compiled for these
    runs: Range
    updates: Range
    steps: Range  # time steps trained on


@dataclass(frozen=True)
class Speed:
    """How long things took in the probe: the quickest and the slowest of its recipes."""

    compile: Range  # seconds a program
    step: Range  # seconds a time step


@dataclass(frozen=True)
class Estimate:
    """The stages of a sweep and, where it was probed, the seconds it will take in all."""

    stages: tuple[Stage, ...]
    workers: int
    seconds: Range | None  # None where nothing could be trained in the probe
    too_large: int = 0  # recipes that were not tried in the probe because of what they would take

    def document(self) -> dict[str, Any]:
        """Returns the estimate as plain JSON values, each range as [least, most]."""
        stages = [
            {key: list(value) if isinstance(value, tuple) else value for key, value in part.items()}
            for part in map(dataclasses.asdict, self.stages)
        ]
        spent = list(self.seconds) if self.seconds else None
        told = {"stages": stages, "workers": self.workers, "seconds": spent}
        return told | ({"too_large_to_probe": self.too_large} if self.too_large else {})


def estimate(sweep: Sweep, study: SearchStudy | None, pool: WorkerPool, engine: str) -> Estimate:
    """Returns what `sweep` will cost; trains a few of its recipes a little to tell the time."""
    drawn = study.drawn(min(max(DRAWN, study.trials), DRAWN_AT_MOST)) if study else []
    parts = tuple(stages(sweep, study, drawn, engine))
    fixed = [entry.recipe for entry in sweep.entries.values()]
    longest = min(LONGEST, sweep.time_limit or LONGEST)
    wanted = [*_extremes(fixed), *_extremes(drawn)]
    small = [each for each in wanted if estimated_memory(each) <= LARGEST]
    speed = probe(small, pool, engine, longest)
    spent = seconds(parts, speed, pool.size) if speed else None
    return Estimate(parts, pool.size, spent, len(wanted) - len(small))


def stages(
    sweep: Sweep, study: SearchStudy | None, drawn: Sequence[Recipe], engine: str
) -> Iterator[Stage]:
    """Yields the parts of `sweep`, of which `drawn` is a sample of what its search may propose.

    The least of a search is what chance would propose: of as many trials, some are the same. Where
    fewer are `drawn` than there are trials, that is told from how many of those are the same.
    """
    seeds = sweep.seeds
    fixed = {entry.recipe.training: entry.recipe for entry in sweep.entries.values()}
    if fixed:
        each = list(fixed.values())
        runs = float(seeds * len(each))
        updates, steps = (seeds * sum(map(of, each)) for of in (_updates, _steps))
        programs = _both(_programs(each, engine))
        yield Stage("recipes", _both(len(each)), programs, *map(_both, (runs, updates, steps)))
    if sweep.search is None or study is None:
        return
    search, proposed = sweep.search, drawn[: study.trials]
    least = _distinct(len(proposed), len({each.digest for each in proposed}), study.trials)
    trials = min(least, float(study.distinct)), float(study.distinct)
    fewest = rungs(seeds)[0] if search.race else seeds
    mean = tuple(float(np.mean([of(each) for each in drawn])) for of in (_updates, _steps))
    compared = min(seeds, COMPARED)
    crossed = search.split**3
    finalists = min(search.confirm, trials[0]), min(_finalists(search, seeds), trials[1])
    contexts = min(search.contexts, trials[1])
    for name, recipes, least, most in (
        ("search", trials, fewest, seeds),
        ("confirmation", finalists, seeds, seeds),
        ("ablation", (1, 1 + len(search.space)) if search.ablate else (0, 0), seeds, seeds),
        ("switches", (0, contexts * _switched(search)), compared, compared),
        ("split", _both(search.split > 0), crossed, crossed),
    ):
        runs_ = (recipes[0] * float(least), recipes[1] * float(most))
        ends = (float(recipes[0]), float(recipes[1]))
        # What comes after the search may do with the programs that the search has had compiled.
        programs = (0.0, ends[1])
        if name == "search":
            programs = _programs(proposed, engine), min(_programs(drawn, engine), ends[1])
        if recipes[1]:
            of_all = [(runs_[0] * each, runs_[1] * each) for each in mean]
            yield Stage(name, ends, programs, runs_, of_all[0], of_all[1])


def _distinct(drawn: int, distinct: int, trials: int) -> float:
    """Returns how many different recipes so many `trials` propose, told from a sample of them.

    As if the sample were drawn from N equally likely recipes, N being what makes `distinct` of
    `drawn` the mean: N (1 - exp(-drawn / N)).

    >>> _distinct(40, 38, 40), _distinct(2000, 2000, 100_000)
    (38.0, 100000.0)
    >>> round(_distinct(2000, 1213, 100_000))
    1818
    """
    if drawn >= trials:
        return float(distinct)
    if distinct == drawn:
        return float(trials)

    def over(size: float) -> float:
        return float(-size * np.expm1(-drawn / size)) - distinct

    size = float(optimize.brentq(over, distinct / 2, 1e9))
    return float(-size * np.expm1(-trials / size))


def _programs(recipes: Sequence[Recipe], engine: str) -> float:
    """Returns how many programs `recipes` need; with Keras each has its own."""
    return float(len({program_key(each, engine) or each.digest for each in recipes}))


def _finalists(search: Search, seeds: int) -> int:
    """Returns how many recipes are confirmed at the most: the best, and the cheapest that solve.

    With too few seeds none can be said to solve.
    """
    solving = solve_rate([True] * seeds).low >= RELIABLE
    return 2 * search.confirm if solving else search.confirm


def _switched(search: Search) -> int:
    """Returns how many values the switches of a search have, all together: each is run."""
    parts = [search.space.get(key) for key in search.switches]
    return sum(len(part) for part in parts if isinstance(part, tuple))


def seconds(parts: Sequence[Stage], speed: Speed, workers: int) -> Range:
    """Returns the least and the most seconds that `parts` take on so many workers."""
    ends = []
    for end, slack in ((0, 1.0), (1, SLACK)):
        work = sum(
            part.recipes[end] * BESIDE
            + part.programs[end] * speed.compile[end]
            + part.runs[end] * MEMORY_PER_RECIPE
            + part.steps[end] * speed.step[end]
            for part in parts
        )
        ends.append(slack * work / workers)
    return ends[0], ends[1]


def probe(chosen: Sequence[Recipe], pool: WorkerPool, engine: str, longest: float) -> Speed | None:
    """Trains each of `chosen` a little, on one seed, for so many seconds at the longest.

    Returns None if none could be trained.
    """
    jobs = {}
    for one in {short.digest: short for short in map(_shortened, chosen)}.values():
        parts = (engine, longest, one.training, program_key(one, engine))
        job = Job((one.settings,), (0,), *parts, lives=1)
        jobs[pool.submit(job)] = one
    compiling, stepping = [], []
    for ticket, event in pool.events():
        if isinstance(event, SeedFinished):
            outcome: Outcome = unpack_outcome(event.outcomes[0])
            if outcome.compile_seconds:  # it shares no program with one that was probed before
                compiling.append(outcome.compile_seconds)
            stepping.append(outcome.train_seconds / _steps(jobs[ticket]))
    if not stepping:
        return None
    compiling = compiling or [0.0]  # Keras
    return Speed((min(compiling), max(compiling)), (min(stepping), max(stepping)))


def _extremes(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Returns the recipe in the middle by work, and the one with the most."""
    ranked = sorted(recipes, key=_steps)
    return [ranked[len(ranked) // 2], ranked[-1]] if ranked else []


def _shortened(of: Recipe) -> Recipe:
    """Returns `of` with as many epochs as train on `PROBED` time steps: the same program."""
    once = of.schedule.samples * of.width
    epochs = max(1, min(of.epochs, -(-PROBED // once)))
    settings: Mapping[str, Any] = {**of.settings, "epochs": epochs}
    return recipe(**settings)


def _steps(of: Recipe) -> float:
    """Returns the time steps that a seed of a recipe trains on."""
    return float(of.epochs * of.schedule.samples * of.width)


def _updates(of: Recipe) -> float:
    return float(of.updates)


def _both(number: float) -> Range:
    return float(number), float(number)
