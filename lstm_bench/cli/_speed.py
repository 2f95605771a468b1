"""Both engines side by side: microseconds a training step, in one run on one machine.

Keras trains in this process as the tutorials do, with all cores and without evaluating between
epochs. The compiled engine trains in worker processes of one core each, as in a sweep, and does all
that it always does, an evaluation after every epoch included. The engines take turns, and the
medians of the turns are compared, so that a busy moment of the machine does not fall on one alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from lstm_bench.errors import LstmBenchError
from lstm_bench.execution import Job, JobFailed, SeedFinished, WorkerPool
from lstm_bench.recipes import Recipe, recipe
from lstm_bench.results import merge_outcomes, unpack_outcome
from lstm_bench.training import available_cores, start_tensorflow

ROUNDS = 5


def problems() -> dict[str, Recipe]:
    """Returns what is measured, by name."""
    state = {"units": 50, "stateful": True, "shuffle": "none", "epochs": 300}
    long = {"lag": 100, "framing": "prefixes", "stateful": False, "batch_size": 32}
    long |= {"units": 32, "epochs": 20}
    return {
        "B1 LSTM(32), one step": recipe("alphabet"),
        "A1 stateful LSTM(20)": recipe("memory"),
        "B5 stateful LSTM(50)": recipe("alphabet", **state),
        "B3 LSTM(32), 3 steps": recipe("alphabet", framing="window"),
        "LSTM(32), 100 steps, batch 32": recipe("memory", **long),
    }


def measure(seconds: float, note: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """Returns one row a problem: `keras_us` and `compiled_us` a step, one seed on one core,

    their `ratio`, the `two_core_gain` of seeds on two cores over seeds on one (None with one core),
    and `compile_s`, of a worker that has compiled another program before. Takes about `seconds`
    for each engine and problem, and as long to start.
    """
    rows = []
    with WorkerPool(min(2, available_cores())) as pool:
        pool.prepare()
        start_tensorflow(available_cores())
        _compiled(recipe("ambiguous_pair", epochs=1), pool, seeds=1, workers=pool.size)  # wakes all
        for name, base in problems().items():
            note(name)
            rows.append({"problem": name, **_compare(base, seconds / ROUNDS, pool)})
    return rows


def _compare(base: Recipe, turn: float, pool: WorkerPool) -> dict[str, Any]:
    """Returns the row of one problem; each engine has `turn` seconds at a time."""
    keras_step = _keras(base)
    first = _compiled(base, pool, seeds=1, workers=1)
    _compiled(base, pool, seeds=1, workers=pool.size)  # compiles in all others too
    seeds = max(1, round(turn / 2 / (first[0] * base.updates)))
    plain, alone, together = [], [], []
    for _ in range(ROUNDS):
        plain.append(keras_step(turn))
        alone.append(_compiled(base, pool, seeds, workers=1)[0])
        if pool.size > 1:
            together.append(_compiled(base, pool, seeds, workers=2)[0])
    slow, fast = statistics.median(plain), statistics.median(alone)
    return {
        "keras_us": slow * 1e6,
        "compiled_us": fast * 1e6,
        "ratio": slow / fast,
        "two_core_gain": 2 * fast / statistics.median(together) if together else None,
        "compile_s": first[1],
    }


def _keras(base: Recipe) -> Callable[[float], float]:
    """Returns a function that trains for about a given time and returns seconds a step."""
    from lstm_bench.seeds import stream
    from lstm_bench.training import fit_epoch, prepared_samples

    samples, rng = base.samples(0), stream(0, "shuffle")
    model = prepared_samples(base, samples, 0)
    fit_epoch(base, model, samples, rng)  # traces, and so is not timed

    def train(turn: float) -> float:
        began, epochs = time.perf_counter(), 0
        while time.perf_counter() - began < turn or epochs == 0:
            fit_epoch(base, model, samples, rng)
            epochs += 1
        return (time.perf_counter() - began) / (epochs * base.schedule.batches)

    return train


def _compiled(base: Recipe, pool: WorkerPool, seeds: int, workers: int) -> tuple[float, float]:
    """Returns seconds a step, with so many workers at it at once, and seconds of compiling."""
    job = Job((base.settings,), tuple(range(seeds)))
    parts: dict[int, list[bytes]] = {pool.submit(job): [] for _ in range(workers)}
    for ticket, event in pool.events():
        if isinstance(event, JobFailed):
            raise LstmBenchError(f"{base.name}: {event.reason}")
        if isinstance(event, SeedFinished):
            parts[ticket] += event.outcomes  # unpacked later: that takes part of a core
    outcomes = [merge_outcomes([unpack_outcome(each) for each in part]) for part in parts.values()]
    each = [o.train_seconds / (seeds * o.updates) for o in outcomes]
    return statistics.mean(each), max(o.compile_seconds for o in outcomes)
