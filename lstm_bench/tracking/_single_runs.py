"""Single outcomes in MLflow, that no sweep asked for: the experiment `runs`."""

from __future__ import annotations

from lstm_bench.results import Outcome
from lstm_bench.tracking._logging import log_outcome, seeds_tag, source_tags
from lstm_bench.tracking._store import Store

EXPERIMENT = "runs"


def log_single_run(store: Store, outcome: Outcome) -> str:
    """Writes an outcome as a run of the experiment `runs`; returns the id of the run.

    `export` and `predict` find it by its digest. Raises `StoreError` where the store cannot be
    written, or where a sweep is called `runs`.
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
        name = f"{outcome.settings['task']} · {outcome.name}"
        run = client.create_run(experiment, tags=tags, run_name=name[:250])
        run_id = str(run.info.run_id)
        log_outcome(client, run_id, outcome)
    return run_id
