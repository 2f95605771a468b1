"""The progress of sweeps in the store, including those of other terminals and hosts."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psutil

from lstm_bench.errors import StoreError, unknown
from lstm_bench.tracking._store import OVERRIDDEN_SWEEP, WHOLE_SWEEP, Store

PROGRESS_TAG = "progress"
"""The tag of a sweep's run with its progress in JSON: see `SweepProgress.document`."""
SILENT_SECONDS = 60.0
"""Seconds without a write of a sweep after which it no longer counts as running."""
MAX_TAG = 8000
MLFLOW_EXPERIMENT = "Default"
"""An experiment that MLflow makes itself in every store."""

State = Literal["running", "finished", "stopped", "silent"]
"""The states of a sweep.

`running`   its process writes to the store
`finished`  it is complete
`stopped`   it was interrupted, or it failed: the same command resumes it
`silent`    its process was killed, or cannot reach the store: the same command resumes it
"""


@dataclass(frozen=True)
class SweepState:
    """The progress of a sweep; `progress` is empty for sweeps of earlier versions."""

    name: str
    overrides: str
    state: State
    began: str
    """When it was first started: ISO 8601, in UTC."""
    silent: float
    """Seconds since its process last wrote to the store; NaN if that is unknown."""
    progress: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Returns the state as plain JSON values."""
        silent = None if self.silent != self.silent else round(self.silent, 1)
        facts = {"sweep": self.name, "overrides": self.overrides, "state": self.state}
        return {**self.progress, **facts, "began": self.began, "silent_seconds": silent}


def sweep_states(store: Store, name: str | None = None) -> list[SweepState]:
    """Returns the newest run of every sweep, or of the sweep `name`, as a state: oldest first.

    A sweep that was run whole and with overrides has several. Raises `StoreError` if there is no
    sweep of that name.
    """
    states, names = [], []
    with store.errors_reported():
        for experiment in store.client.search_experiments(order_by=["creation_time ASC"]):
            if experiment.name != MLFLOW_EXPERIMENT:
                names.append(experiment.name)
            if name not in (None, experiment.name):
                continue
            seen: set[str] = set()
            for kind in (WHOLE_SWEEP, OVERRIDDEN_SWEEP):
                for run in store.sweep_runs(experiment.experiment_id, kind):
                    overrides = run.data.tags.get("overrides", "")
                    if overrides not in seen:
                        seen.add(overrides)
                        states.append(_state(experiment.name, overrides, run))
    if name is not None and not states:
        raise StoreError(f"store: {unknown('sweep', name, names)}")
    return states


def _state(name: str, overrides: str, run: Any) -> SweepState:
    progress = parse_tag(run.data.tags.get(PROGRESS_TAG, ""))
    silent = _seconds_since(progress.get("updated"))
    began = datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="seconds")
    state: State = "stopped"
    if run.info.status == "FINISHED":
        state = "finished"
    elif run.info.status == "RUNNING":
        ended = has_ended(progress.get("host"), progress.get("process"))
        state = "silent" if ended or not silent < SILENT_SECONDS else "running"
    return SweepState(name, overrides, state, began, silent, progress)


def parse_tag(text: str) -> dict[str, Any]:
    """Returns the JSON mapping in a tag; an empty one if it holds none: others may write tags."""
    try:
        document = json.loads(text[:MAX_TAG], parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _seconds_since(moment: object) -> float:
    """Returns the seconds since a moment in ISO 8601; clocks of two hosts may differ a little."""
    try:
        return max((datetime.now(UTC) - datetime.fromisoformat(str(moment))).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return float("nan")


def has_ended(host: object, process: object) -> bool:
    """Returns whether a process is known to have ended, which is known only on its host."""
    if host != socket.gethostname() or not isinstance(process, int) or not 0 < process < 2**31:
        return False
    return not psutil.pid_exists(process)
