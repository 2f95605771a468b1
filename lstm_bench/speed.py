"""Both engines side by side: microseconds a training step, in one run on one machine.

Keras trains as the tutorials do, without evaluating between epochs; the compiled engine does all
that it always does, an evaluation after every epoch included. The engines take turns, and the
medians of the turns are compared, so that a busy moment of the machine does not fall on one alone.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lstm_bench import backend
from lstm_bench.recipe import Recipe, recipe

ROUNDS = 5


def problems() -> dict[str, Recipe]:
    """Returns what is measured, by name."""
    state = {"units": 50, "stateful": True, "shuffle": "none", "epochs": 300}
    long = {"lag": 100, "framing": "prefixes", "stateful": False, "batch_size": 32, "units": 32}
    return {
        "B1 alphabet, one letter, LSTM(32)": recipe("alphabet"),
        "A1 memory, stateful LSTM(20)": recipe("memory"),
        "B5 alphabet, stateful LSTM(50)": recipe("alphabet", **state),
        "B3 alphabet, 3 time steps, LSTM(32)": recipe("alphabet", framing="window"),
        "100 steps, batch 32, LSTM(32)": recipe("memory", **long),
    }


def measure(seconds: float, note: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """Returns one row a problem: `keras_us` and `compiled_us` a training step on one core,

    their `ratio`, the `two_core_gain` of two seeds on two cores over one after the other (None
    with one core), and `compile_s`. Takes about `seconds` for each engine and problem.
    """
    backend.start(min(2, backend.cores()))
    rows = []
    for name, base in problems().items():
        note(name)
        rows.append({"problem": name, **_compare(base, seconds)})
    return rows


def _compare(base: Recipe, seconds: float) -> dict[str, Any]:
    keras_step, compiled_step = _keras(base), _Compiled(base)
    turn = seconds / ROUNDS
    times: list[tuple[float, float, float]] = []
    for _ in range(ROUNDS):
        plain = keras_step(turn)
        with _one_core():
            alone = compiled_step(turn / 2, 1)
        times.append((plain, alone, compiled_step(turn / 2, 2)))
    plain, alone, together = (statistics.median(each) for each in zip(*times, strict=True))
    return {
        "keras_us": plain * 1e6,
        "compiled_us": alone * 1e6,
        "ratio": plain / alone,
        "two_core_gain": alone / together if backend.cores() > 1 else None,
        "compile_s": compiled_step.compile_seconds,
    }


def _keras(base: Recipe) -> Callable[[float], float]:
    """Returns a function that trains for about a given time and returns seconds a step."""
    from lstm_bench.engine.keras_loop import fit_epoch, prepared
    from lstm_bench.seeds import stream

    samples, rng = base.samples(0), stream(0, "shuffle")
    model = prepared(base, samples, 0)
    fit_epoch(base, model, samples, rng)  # traces, and so is not timed

    def train(turn: float) -> float:
        began, epochs = time.perf_counter(), 0
        while time.perf_counter() - began < turn or epochs == 0:
            fit_epoch(base, model, samples, rng)
            epochs += 1
        return (time.perf_counter() - began) / (epochs * base.schedule.batches)

    return train


class _Compiled:
    """Trains whole runs for about a given time and returns seconds a step."""

    def __init__(self, base: Recipe) -> None:
        from lstm_bench.engine import compiled

        self._train = compiled.train
        self._base = base
        training = self._train(base, [0])
        self.compile_seconds = training.compile_seconds
        self._seconds = training.runs[0].seconds

    def __call__(self, turn: float, threads: int) -> float:
        seeds = list(range(threads * max(2, round(turn / self._seconds))))
        began = time.perf_counter()
        self._train(self._base, seeds, threads=threads)
        return (time.perf_counter() - began) / (len(seeds) * self._base.updates)


@contextlib.contextmanager
def _one_core() -> Iterator[None]:
    """Holds every thread of this process on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    try:
        _pin({min(allowed)})
        yield
    finally:
        _pin(allowed)


def _pin(cores: set[int]) -> None:
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(int(thread.name), cores)
