"""Single outcomes in MLflow, outside of sweeps: the experiment `runs`."""

from __future__ import annotations

from lstm_bench.results import Outcome
from lstm_bench.tracking._logging import log_outcome, seeds_tag, source_tags, training_times
from lstm_bench.tracking._store import Store

EXPERIMENT = "runs"


def log_single_run(store: Store, outcome: Outcome) -> str:
    """Writes an outcome as a run of the experiment `runs`; returns the id of the run.

    `export` and `predict` find it by its digest. Raises `StoreError` if the store cannot be
    written, or if a sweep is called `runs`.
    """
    client = store.client
    with store.errors_reported():
        experiment = store.ensure_experiment(EXPERIMENT)
        tags = {
            "kind": "recipe",
            "outcome": outcome.digest,
            "digest": outcome.digest,
            "recipe": outcome.name,
            "engine": outcome.engine,
            "seeds": seeds_tag(outcome),
            "seed_count": str(len(outcome.seeds)),
            **source_tags(outcome.provenance),
        }
        began, ended = training_times(outcome)
        name = f"{outcome.settings['task']}-{outcome.digest[:6]}"
        run = client.create_run(experiment, began, tags, name)
        run_id = str(run.info.run_id)
        log_outcome(client, experiment, run_id, outcome, ended)
    return run_id
