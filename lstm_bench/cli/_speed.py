"""The speed of both engines on this machine, in microseconds per training step.

Keras trains in this process as in the tutorials, with all cores and without an evaluation between
epochs. The compiled engine trains in worker processes of one core each, as in a sweep, and with all
it does there, such as an evaluation after every epoch. The engines take turns, and the medians of
the turns are compared, so that a moment of other load does not slow down only one of them.
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
"""Turns of each engine."""


def problems() -> dict[str, Recipe]:
    """Returns the recipes to measure, by the name that is printed."""
    stateful = {"units": 50, "stateful": True, "shuffle": "none", "epochs": 300}
    long = {"lag": 100, "framing": "prefixes", "stateful": False, "batch_size": 32}
    long |= {"units": 32, "epochs": 20}
    wide = {"lag": 50, "framing": "prefixes", "stateful": False, "batch_size": 50}
    wide |= {"units": 128, "epochs": 5}
    thousand = {"lag": 1000, "framing": "whole", "stateful": False, "batch_size": 2}
    thousand |= {"units": 20, "epochs": 100}
    return {
        "B1 LSTM(32), one step": recipe("alphabet"),
        "A1 stateful LSTM(20)": recipe("memory"),
        "B5 stateful LSTM(50)": recipe("alphabet", **stateful),
        "B3 LSTM(32), 3 steps": recipe("alphabet", framing="window"),
        "LSTM(32), 100 steps, batch 32": recipe("memory", **long),
        "LSTM(128), 50 steps, batch 50": recipe("memory", **wide),
        "LSTM(20), 1000 steps, batch 2": recipe("memory", **thousand),
    }


def measure(seconds: float, note: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """Returns one row for each problem; `note` is called with its name before it is measured.

    A row has `keras_us` and `compiled_us`, the microseconds per training step of one seed, the
    compiled one on one core; `time_step_us`, the latter per time step of the samples; `ratio`;
    `two_core_gain`, the speedup of seeds on two cores over one (None with one core); and
    `compile_s`, the compile time of a worker that has compiled another program before.
    Takes about `seconds` for each engine and problem, and as long again for the preparation.
    """
    rows = []
    with WorkerPool(min(2, available_cores())) as pool:
        pool.prepare()
        start_tensorflow(available_cores())
        # Starts TensorFlow in every worker.
        _compiled(recipe("ambiguous_pair", epochs=1), pool, seeds=1, workers=pool.size)
        for name, base in problems().items():
            note(name)
            rows.append({"problem": name, **_compare(base, seconds / ROUNDS, pool)})
    return rows


def _compare(base: Recipe, turn: float, pool: WorkerPool) -> dict[str, Any]:
    """Returns the row of one problem; each engine runs for `turn` seconds at a time."""
    keras_step = _keras_timer(base)
    first = _compiled(base, pool, seeds=1, workers=1)
    _compiled(base, pool, seeds=1, workers=pool.size)  # compiles in all other workers
    seeds = max(1, round(turn / 2 / (first[0] * base.updates)))
    keras, one_core, two_cores = [], [], []
    for _ in range(ROUNDS):
        keras.append(keras_step(turn))
        one_core.append(_compiled(base, pool, seeds, workers=1)[0])
        if pool.size > 1:
            two_cores.append(_compiled(base, pool, seeds, workers=2)[0])
    slow, fast = statistics.median(keras), statistics.median(one_core)
    return {
        "keras_us": slow * 1e6,
        "compiled_us": fast * 1e6,
        "time_step_us": fast * 1e6 / base.width,
        "ratio": slow / fast,
        "two_core_gain": 2 * fast / statistics.median(two_cores) if two_cores else None,
        "compile_s": first[1],
    }


def _keras_timer(base: Recipe) -> Callable[[float], float]:
    """Returns a function that trains for about a given time and returns seconds per step."""
    from lstm_bench.seeds import stream
    from lstm_bench.training import fit_epoch, prepared_model

    samples, rng = base.samples(0), stream(0, "shuffle")
    model = prepared_model(base, samples, 0)
    fit_epoch(base, model, samples, rng)  # not timed, because it traces

    def train(turn: float) -> float:
        start, epochs = time.perf_counter(), 0
        while time.perf_counter() - start < turn or epochs == 0:
            fit_epoch(base, model, samples, rng)
            epochs += 1
        return (time.perf_counter() - start) / (epochs * base.schedule.batches)

    return train


def _compiled(base: Recipe, pool: WorkerPool, seeds: int, workers: int) -> tuple[float, float]:
    """Returns seconds per step when all `workers` train `seeds` at once, and compile seconds."""
    job = Job((base.settings,), tuple(range(seeds)))
    parts: dict[int, list[bytes]] = {pool.submit(job): [] for _ in range(workers)}
    for ticket, event in pool.events():
        if isinstance(event, JobFailed):
            raise LstmBenchError(f"{base.name}: {event.reason}")
        if isinstance(event, SeedFinished):
            parts[ticket] += event.outcomes  # unpacked later, because that takes part of a core
    outcomes = [merge_outcomes(list(map(unpack_outcome, packed))) for packed in parts.values()]
    steps = [o.train_seconds / (seeds * o.updates) for o in outcomes]
    return statistics.mean(steps), max(o.compile_seconds for o in outcomes)
