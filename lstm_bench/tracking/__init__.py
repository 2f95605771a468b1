"""The MLflow store: writing, finding and reading the runs of sweeps."""

from lstm_bench.tracking._listing import (
    SeedRole,
    SweepRow,
    outcome_key,
    result_from_listing,
    sweep_listing,
)
from lstm_bench.tracking._lookup import find_baseline, find_recipe, finished_outcome, network_file
from lstm_bench.tracking._session import Session, begin_session
from lstm_bench.tracking._single_runs import log_single_run
from lstm_bench.tracking._store import Store
from lstm_bench.tracking._store_lock import StoreLock
from lstm_bench.tracking._sweep_states import SweepState, sweep_states

__all__ = [
    "SeedRole",
    "Session",
    "Store",
    "StoreLock",
    "SweepRow",
    "SweepState",
    "begin_session",
    "find_baseline",
    "find_recipe",
    "finished_outcome",
    "log_single_run",
    "network_file",
    "outcome_key",
    "result_from_listing",
    "sweep_listing",
    "sweep_states",
]
