"""The functions that Dask calls in a worker of a cluster.

The scheduler imports this module too, to pass tasks on, so it imports little by itself.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_bench.execution._executor import Event
    from lstm_bench.execution._host import Host


async def set_up(
    setup: bytes,
    required: Mapping[str, str],
    files: Mapping[str, bytes],
    dask_worker: Any = None,
) -> dict[str, str]:
    """Returns the facts of a worker, which installs the setup if it meets `required`."""

    def take() -> dict[str, str]:
        from lstm_bench.execution._host import host_facts, version_faults

        facts = host_facts()
        if not version_faults(facts, required):
            _host(dask_worker).install(pickle.loads(setup), files)
        return facts

    return await asyncio.to_thread(take)  # the worker goes on answering meanwhile


def run_piece(setup: str, packed: bytes) -> tuple[Event, ...]:
    """Runs a job with a setup; ends early if its result is no longer wanted."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def unwanted() -> bool:
        task = worker.state.tasks.get(key)
        leaving = worker.status.name in ("closing", "closed", "failed")
        return leaving or task is None or task.state in ("cancelled", "released", "forgotten")

    return _host(worker).run(setup, pickle.loads(packed), unwanted)


async def release(setup: str, dask_worker: Any = None) -> None:
    """Ends the idle processes of a setup on a worker."""
    await asyncio.to_thread(_host(dask_worker).release, setup)


def _host(worker: Any) -> Host:
    """Returns the `Host` of a Dask worker, which ends with it."""
    host: Host | None = vars(worker).get("_lstm_bench")
    if host is None:
        from lstm_bench.execution._host import Host

        host = worker._lstm_bench = Host(Path(worker.local_directory))
    return host
