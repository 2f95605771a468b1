"""How busy a cluster is kept, in simulated time, and how many seeds the driving process handles.

    .venv/bin/python benchmarks/cluster.py

Workers only let a clock run: a seed takes its estimated seconds, times a random factor that differs
from recipe to recipe, and the first use of a program on a worker 1.5 s more. Placing, races and
batches are those of a sweep; nothing is trained.
"""

from __future__ import annotations

import argparse
import functools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path += [str(Path(__file__).parents[1] / "tests" / name) for name in ("execution", "")]

from outcome_builder import build_outcome
from simulated_cluster import SimulatedCluster

from lstm_bench.execution._checkpoint import Checkpoint
from lstm_bench.execution._cluster import ClusterExecutor
from lstm_bench.execution._executor import Job, JobFailed, JobFinished, SeedFinished
from lstm_bench.execution._gathering import RecipeRunner, Request
from lstm_bench.execution._job_order import COMPILE_SECONDS
from lstm_bench.recipes import Recipe, estimated_seconds, program_key
from lstm_bench.recipes._recipe import recipe
from lstm_bench.results import pack_outcome
from lstm_bench.search import SearchStudy, race
from lstm_bench.sweeps import Sweep, find_sweep, load_sweep

WORKERS = (8, 64, 256)
SWEEPS = Path(__file__).parents[1] / "sweeps"


class Simulation:
    """Runs recipes on a simulated cluster, as `RecipeRunner` does, without results."""

    def __init__(self, workers: int) -> None:
        self.seconds: dict[str, float] = {}
        self.cluster = SimulatedCluster(workers, self._duration, COMPILE_SECONDS)
        self.executor = ClusterExecutor(self.cluster, clock=lambda: self.cluster.now)
        self.workers, self._running, self._done = workers, 0, dict[int, Callable[[], None]]()

    def _duration(self, job: Job, seed: int) -> float:
        return self.seconds[job.training]

    def begin(self, chosen: Recipe, seeds: Sequence[int], groups: int, done: Any) -> None:
        """Sends a recipe on some seeds; `done` is called at its end."""
        spread = random.Random(chosen.training).lognormvariate(0, 0.3)
        self.seconds[chosen.training] = spread * estimated_seconds(chosen)
        count = max(1, min(len(seeds), self.executor.size // max(groups, self._running)))
        self._running += 1
        left = [count]

        def end() -> None:
            left[0] -= 1
            if not left[0]:
                self._running -= 1
                done()

        for part in range(count):
            some = tuple(seeds[part::count])
            work, key = len(some) * estimated_seconds(chosen), program_key(chosen)
            job = Job(({},), some, training=chosen.training, program=key, work=work)
            self._done[self.executor.submit(job)] = end

    def finish(self) -> None:
        """Runs until nothing is left."""
        for ticket, event in self.executor.events():
            if isinstance(event, JobFinished | JobFailed):
                self._done.pop(ticket)()

    @property
    def busy(self) -> float:
        """The share of the workers' time in which they compiled or trained."""
        return self.cluster.busy / (self.workers * self.cluster.now)


def fixed(sweep: Sweep, workers: int) -> Simulation:
    """Returns the simulation of the fixed recipes of a sweep, the longest first."""
    simulation = Simulation(workers)
    recipes = [entry.recipe for id_, entry in sweep.entries.items() if id_ not in sweep.left_out]
    different = {one.training: one for one in recipes}.values()
    with simulation.executor:
        for one in sorted(different, key=lambda one: -estimated_seconds(one)):
            simulation.begin(one, sweep.seed_list, len(different), lambda: None)
        simulation.finish()
    return simulation


def searched(sweep: Sweep, workers: int, trials: int, batch: int) -> Simulation:
    """Returns the simulation of a search; scores of seeds are drawn, by recipe."""
    assert sweep.search is not None
    search = sweep.search.model_copy(update={"trials": trials, "batch": batch})
    study = SearchStudy(search, sweep.settings, sweep.tasks)
    simulation, rivals, seeds = Simulation(workers), (), sweep.seed_list
    known: dict[str, int] = {}
    with simulation.executor:
        for proposals in study.batches():
            recipes = [chosen for _, chosen in proposals]
            rivals = _raced(simulation, recipes, seeds, rivals, known)
            for trial, chosen in proposals:
                study.tell(trial, float(scores(chosen).mean()), 1.0)
    return simulation


def _raced(
    simulation: Simulation, recipes: Sequence[Recipe], seeds: Sequence[int], rivals: Any, known: Any
) -> Any:
    """Races one batch; returns the rivals of the next. `known` counts the seeds of each recipe."""
    racing = race(len(recipes), len(seeds), rivals)
    result: list[Any] = []
    finished: list[tuple[int, int]] = []  # candidates whose seeds are known already

    def run(wanted: dict[int, int]) -> None:
        for number, count in wanted.items():
            name = recipes[number].training
            missing = seeds[known.get(name, 0) : count]
            known[name] = max(count, known.get(name, 0))
            if missing:
                simulation.begin(
                    recipes[number], missing, len(wanted), functools.partial(done, number, count)
                )
            else:
                finished.append((number, count))

    def done(number: int, count: int) -> None:
        try:
            run(racing.send({number: scores(recipes[number])[:count]}))
        except StopIteration as end:
            result.append(end.value.rivals)

    run(next(racing))
    while not result:
        while finished and not result:
            done(*finished.pop())
        simulation.finish()
    return result[0]


def scores(chosen: Recipe) -> np.ndarray:
    """Returns 30 scores of a recipe, each 0 or 1."""
    rng = np.random.default_rng(int(chosen.digest, 16))
    return (rng.random(30) < rng.beta(1, 2)).astype(float)


class NoSession:
    """A session that stores nothing."""

    def finished(self, key: str) -> None: ...

    def failure(self, key: str) -> None: ...


def seeds_a_second(count: int = 1500) -> float:
    """Returns how many finished seeds a second are checked, saved on disk and merged."""
    chosen = recipe("memory", units=20, epochs=250)
    size = 4 * 20 * (5 + 20 + 1) + 21 * 5
    packed = []
    for seed in range(count):
        curves = [(seed, epoch, 0.1, 0.5) for epoch in range(1, 201)]
        predictions = [(seed, 0, step, "A", "B", "C", False) for step in range(8)]
        weights = (np.zeros(size, np.float32),)
        packed.append(pack_outcome(build_outcome([0.5], [seed], curves=curves, weights=weights,
                      predictions=predictions, settings=chosen.settings,
                      digest=chosen.digest)))  # fmt: skip

    class Finished:
        """An executor whose jobs have finished already."""

        size = 1

        def submit(self, job: Job) -> int:
            return 0

        def events(self) -> Any:
            yield from ((0, SeedFinished(seed, (one,))) for seed, one in enumerate(packed))
            yield 0, JobFinished()

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "seeds.db", "s")
        session, executor = NoSession(), Finished()
        runner = RecipeRunner(session, checkpoint, executor, "compiled")  # type: ignore[arg-type]
        start = time.perf_counter()
        runner.run([Request("x", chosen, tuple(range(count)))])
        return count / (time.perf_counter() - start)


def main() -> None:
    """Prints what the module says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=WORKERS)
    options = parser.parse_args()
    trials = options.trials
    published = load_sweep(find_sweep("published", SWEEPS))
    memory = load_sweep(find_sweep("memory", SWEEPS))
    for workers in options.workers:
        simulation = fixed(published, workers)
        print(f"published, {workers} workers: {100 * simulation.busy:.0f} % busy, "
              f"{simulation.cluster.now:.0f} s", flush=True)  # fmt: skip
    for workers in options.workers:
        for batch in (8, 4 * workers, 8 * workers):
            began = time.perf_counter()
            simulation = searched(memory, workers, trials, batch)
            print(f"search of {trials}, batch {batch}, {workers} workers: "
                  f"{100 * simulation.busy:.0f} % busy, {simulation.cluster.now:.0f} s; "
                  f"simulated in {time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip
    print(f"{seeds_a_second():.0f} finished seeds a second")


if __name__ == "__main__":
    main()
