"""Runs in MLflow: how they are written, found and read."""

from lstm_bench.tracking._listing import (
    SeedRole,
    SweepRow,
    outcome_key,
    result_of_record,
    sweep_record,
)
from lstm_bench.tracking._lookup import find_recipe, finished_outcome, network_file
from lstm_bench.tracking._session import Session, begin_session
from lstm_bench.tracking._store import Store

__all__ = [
    "SeedRole",
    "Session",
    "Store",
    "SweepRow",
    "begin_session",
    "find_recipe",
    "finished_outcome",
    "network_file",
    "outcome_key",
    "result_of_record",
    "sweep_record",
]
