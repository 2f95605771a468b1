"""Trains several seeds at a time, each in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from lstm_bench.training._engine import SeedRun


def in_threads(
    train_one: Callable[[int, Callable[[], bool]], SeedRun],
    seeds: Sequence[int],
    threads: int,
    stop: Callable[[], bool],
) -> tuple[SeedRun, ...]:
    """Returns what `train_one` returns for each seed; `threads` seeds are trained at a time.

    `train_one` gets the seed and a function that it calls regularly: whether to end. That is so if
    `stop` says so, and in all other threads after an exception in one of them.
    """
    halt = threading.Event()

    def stopped() -> bool:
        return halt.is_set() or stop()

    with ThreadPoolExecutor(max_workers=max(1, min(threads, len(seeds)))) as pool:
        futures = [pool.submit(train_one, seed, stopped) for seed in seeds]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            return tuple(future.result() for future in futures)
        finally:
            halt.set()
            for future in futures:
                future.cancel()
