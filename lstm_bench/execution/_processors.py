"""Trains one seed of a sweep on each kind of processor that its workers have, and compares."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_bench.execution._executor import Executor, Job, JobFailed, SeedFinished
from lstm_bench.recipes import estimated_seconds, program_key, recipe_from_settings
from lstm_bench.results import Outcome, ProcessorCheck, Row, processor_check, unpack_outcome
from lstm_bench.sweeps import Sweep


def check_processors(
    sweep: Sweep, rows: Sequence[Row], pool: Executor, engine: str
) -> ProcessorCheck | None:
    """Returns the check of the recipe of the first row; None without a row.

    Its first seed is trained again on each kind, so that the results come from the current workers.
    With one kind, nothing is trained. The results are not stored with those of the sweep.
    """
    if not rows:
        return None
    row, kinds = rows[0], list(pool.kinds())
    seed = int(row.outcome.seeds["seed"].iloc[0])
    if len(kinds) < 2:
        return ProcessorCheck(row.id, seed, tuple(kinds))
    recipe = recipe_from_settings(row.outcome.settings, sweep.tasks)
    kind_of: dict[int, str] = {}
    for kind in kinds:
        job = Job(
            (recipe.settings,),
            (seed,),
            engine,
            sweep.time_limit,
            training=recipe.training,
            program=program_key(recipe, engine),
            work=estimated_seconds(recipe),
            processor=kind,
        )
        kind_of[pool.submit(job)] = kind
    outcomes: dict[str, Outcome] = {}
    failed: dict[str, str] = {}
    for ticket, event in pool.events():
        if isinstance(event, SeedFinished):
            outcomes[kind_of[ticket]] = unpack_outcome(event.outcomes[0])
        elif isinstance(event, JobFailed):
            failed[kind_of[ticket]] = event.reason
    return processor_check(row.id, seed, outcomes, failed)
