"""Outcomes of one recipe over different seeds: joined, and over some of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from lstm_bench.results._columns import PLACE_COLUMNS, TABLES
from lstm_bench.results._outcome import Outcome
from lstm_bench.results._shared_columns import share_columns


def merge_outcomes(parts: Sequence[Outcome]) -> Outcome:
    """Returns one outcome from outcomes of one recipe over different seeds, in ascending order.

    A seed that several of them have is taken from the first.
    """
    assert len({part.digest for part in parts}) == 1
    seen: set[int] = set()
    disjoint = []
    for part in parts:
        new = [seed for seed in part.seeds["seed"].tolist() if seed not in seen]
        seen.update(new)
        disjoint += [select_seeds(part, new)] if new else []
    if len(disjoint) == 1:
        return disjoint[0]
    disjoint.sort(key=lambda part: int(part.seeds["seed"].min()))
    joined = {name: pd.concat([getattr(part, name) for part in disjoint]) for name in TABLES}
    for column in set(PLACE_COLUMNS) & set(joined["seeds"].columns):
        joined["seeds"][column] = joined["seeds"][column].fillna("")  # of seeds that ran here
    tables = {name: joined[name].sort_values("seed", kind="stable", ignore_index=True)
              for name in TABLES}  # fmt: skip
    tables["predictions"] = share_columns(tables["predictions"])
    spent = sum(part.compile_seconds for part in disjoint)
    merged = dataclasses.replace(
        disjoint[0], **tables, compile_seconds=spent, weights=(), model=b""
    )
    best = next(part for part in disjoint if merged.best_seed in set(part.seeds["seed"]))
    return dataclasses.replace(merged, weights=best.weights, model=best.model)


def select_seeds(outcome: Outcome, seeds: Sequence[int]) -> Outcome:
    """Returns the outcome for some of the seeds; the network stays if its seed is the best."""
    if set(seeds) == set(outcome.seeds["seed"]):
        return outcome
    tables = {}
    for name in TABLES:
        table = getattr(outcome, name)
        tables[name] = table[table["seed"].isin(seeds)].reset_index(drop=True)
    part = dataclasses.replace(outcome, **tables)
    if part.best_seed == outcome.best_seed:
        return part
    return dataclasses.replace(part, weights=(), model=b"")
