"""Results of sweeps of every kind, as input of a report."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from outcome_builder import build_outcome

from lstm_bench.results import Failed, GridTask, NotRun, Outcome, Row, SweepData, TaskGrid
from lstm_bench.results._columns import TABLES
from lstm_bench.seeds import crossed_seed
from lstm_bench.statistics import ComparisonQuestion


def an_outcome(
    digest: str = "0" * 12, right: tuple[int, ...] = (4, 3, 4), **changed: Any
) -> Outcome:
    """Returns an outcome whose seeds had `right` of four steps right, the last ones wrong."""
    epochs = [(seed, epoch, k) for seed, k in enumerate(right) for epoch in (1, 10, 30)]
    curves = [(seed, epoch, (seed + 1) / epoch, k / 4) for seed, epoch, k in epochs]
    steps = [(seed, step, step < k) for seed, k in enumerate(right) for step in range(4)]
    predictions = [
        (seed, 0, step, "ABCD"[step], "BCDA"[step], "BCDA"[step] if correct else "no", correct)
        for seed, step, correct in steps
    ]
    fields: dict[str, Any] = {
        "columns": {"solved_epoch": [20.0 + n if k == 4 else np.nan for n, k in enumerate(right)]},
        "curves": curves,
        "predictions": predictions,
        "settings": {"task": "memory", "units": 20, "epochs": 30, "stateful": True},
        "digest": digest,
        "name": "lstm(20) pairs",
    }
    return build_outcome(np.array(right) / 4, **fields | changed)


def a_trial(number: int, right: tuple[int, ...], units: int) -> Row:
    settings = {"task": "memory", "units": units, "epochs": 30, "stateful": units % 2 == 0}
    outcome = an_outcome(f"digest-{units}", right, settings=settings, name=f"lstm({units}) pairs")
    return Row(f"trial-{number}", outcome, trial=number, role="trial")


SEARCH = {
    "trials": 4,
    "sampler": "tpe",
    "objective": "accuracy",
    "seed": 1,
    "space": {"units": {"int": [4, 32], "log": True}, "stateful": [True, False]},
}


FIXED = (
    Row("A1", an_outcome("a" * 12), "all right", None, "as published"),
    Row("A2", an_outcome("b" * 12, (2, 2, 2)), "50 %", 0.5),
    Row("A3", an_outcome("c" * 12, (4, 4, 4), name="gru(20) pairs"), "", 1.0),
)


TRIALS = (
    a_trial(0, (3, 3, 3), 4),
    a_trial(1, (4, 4, 3), 8),
    a_trial(2, (3, 3, 3), 4),  # the same recipe as trial-0
)


def a_result(*rows: Row, **changed: Any) -> SweepData:
    fields: dict[str, Any] = {
        "name": "quickstart",
        "title": "A title",
        "about": "What it is about.\n\nAnd more.",
        "rows": rows,
        "search": None,
        "provenance": {"git revision": "abc", "command": "lstm-bench sweep quickstart"},
    }
    return SweepData(**fields | changed)


RESULT = a_result(*FIXED, *TRIALS, search=SEARCH)


def alone(**changed: Any) -> SweepData:
    return a_result(Row("A1", an_outcome(**changed)))


def a_family(name: str, *solved: int, axis: str = "lag") -> list[Row]:
    """Returns rows for 4, 8, 16, ...; `solved` is how many of the six seeds of each solve it."""
    rows = []
    for place, count in enumerate(solved):
        right = tuple(4 if seed < count else 2 for seed in range(6))
        parts = f"lstm(20), pairs, lag {4 * 2**place}"
        outcome = an_outcome(f"{name}-{place:08}", right, name=parts)
        place_in_family = {"family": name, "axis": axis, "value": 4 * 2**place}
        rows.append(Row(f"{name}/{4 * 2**place}", outcome, **place_in_family))
    return rows


QUESTIONS = {
    "A1 against A2": ComparisonQuestion("A1", "A2", claim="is better | <b>"),
    "by rate": ComparisonQuestion("A3", "A2", "solve_rate"),
    "by loss": ComparisonQuestion("A3", "A2", "loss"),
    "missing": ComparisonQuestion("A3", "Z"),
}


CLAIMED = (
    dataclasses.replace(FIXED[0], claim="solved"),
    dataclasses.replace(FIXED[1], claim="never", published_accuracy=0.25),
    dataclasses.replace(FIXED[2], published="said to equal A1", published_accuracy=None),
)


def trials_of(row: Row, *sequences: float, **published: Any) -> Row:
    """Returns `row` with training sequences of its seeds, and published trials."""
    seeds = row.outcome.seeds.assign(sequences=list(sequences))
    outcome = dataclasses.replace(row.outcome, seeds=seeds)
    return dataclasses.replace(row, outcome=outcome, published_accuracy=None, **published)


TRIED = a_result(
    trials_of(FIXED[0], 120, 90, np.nan, published_success=(2, 3), published_sequences=50.0),
    trials_of(FIXED[1], *[np.nan] * 3, published_success=(30, 30), published_sequences=8440.0),
    dataclasses.replace(FIXED[2], published_success=(97, 100), claim="always"),
    not_run=(
        NotRun("T | 1", "lstm(4) <b>", "so <i>", 0.5, "never", (10, 10), 853_000.0),
        NotRun("T2", "lstm(5)"),
    ),
)


FAMILIES = (*a_family("F", 6, 6, 2, 0), *a_family("G", 6, 6, 6, 6), *a_family("H", 0, 0, 6))


def changed(row: Row, *of: int, **more: Any) -> Row:
    """Returns a row with the settings of `row` and other seeds, with `of` steps right each."""
    fields = {key: more.pop(key) for key in ("id", "role", "of", "axis", "value") if key in more}
    seeds = more.pop("seeds", range(900, 900 + len(of)))
    digest = more.pop("digest", row.outcome.digest)
    settings = {**row.outcome.settings, **more.pop("settings", {})}
    outcome = an_outcome(digest, of, **{"name": row.outcome.name, "settings": settings, **more})
    outcome = dataclasses.replace(outcome, seeds=outcome.seeds.assign(seed=list(seeds)))
    return dataclasses.replace(row, outcome=outcome, **fields)


def a_search(objective: str = "accuracy") -> SweepData:
    """Returns a result in which no part of a search is empty."""
    trials = [
        a_trial(0, (3, 3, 4, 2), 4),
        a_trial(1, (4, 4, 4, 4), 9),
        a_trial(2, (2, 2), 6),  # stopped
        a_trial(3, (4, 4, 4, 3), 20),
        a_trial(4, (4, 4, 4, 3), 20),  # the same again
    ]
    one, three = trials[1], trials[3]
    finalists = [
        changed(three, *[4] * 20, id="confirmed-3", role="confirmed", of="trial-3"),
        changed(one, *[4] * 12, *[3] * 8, id="confirmed-1", role="confirmed", of="trial-1"),
    ]
    of_base = {"role": "ablation", "of": "confirmed-3-again"}
    ablations = [
        changed(three, *[4] * 20, id="confirmed-3-again", role="ablation", of="confirmed-3"),
        changed(three, *[2] * 20, id="back-epochs", axis="epochs", value=5, digest="e", **of_base),
        changed(three, *[4] * 20, id="back-units", axis="units", value=np.int64(4), **of_base),
        changed(three, *[4] * 19, 2, id="tutorial", digest="t", **of_base),
    ]
    effects = [
        dataclasses.replace(row, id=f"context-{k}", role="effect", of=row.id, trial=None)
        for k, row in enumerate(trials[:4])
    ]
    effects += [
        changed(
            row,
            2,
            k % 3 + 1,
            id=f"effect-{k}",
            role="effect",
            of=f"context-{k}",
            axis="stateful",
            value=not row.outcome.settings["stateful"],
            seeds=[0, 1],
            digest=f"effect-{k}",
        )
        for k, row in enumerate(trials[:4])
    ]
    keys = [(data, init, order) for data in range(2) for init in range(3) for order in range(2)]
    split = changed(
        three,
        *[init + 1 + (data + order) // 2 for data, init, order in keys],
        id="split",
        role="split",
        of="confirmed-3",
        seeds=[crossed_seed(*key) for key in keys],
    )
    weights = [
        {"key": "units", "fanova": 0.75, "ped_anova": 0.5, "low": 0.4, "high": 0.9, "p": 0.01},
        {"key": "batch_size", "fanova": 0.25, "ped_anova": 0.5, "low": 0.0, "high": 0.3, "p": 0.6},
    ]
    rows = (*FIXED[:2], *trials, *finalists, *ablations, *effects, split)
    search = SEARCH | {"objective": objective, "startup": 3, "switches": ["stateful"]}
    failed = (Failed("trial-5", "lstm(6) pairs", "out of memory <b>"),)
    analysis = {"importance": {"trials": 3, "settings": weights}, "random": [0, 1, 2]}
    return a_result(*rows, search=search, seeds=4, failed=failed, analysis=analysis)


SEARCHED = a_search()


def only(*roles: str, **more: Any) -> SweepData:
    rows = tuple(row for row in SEARCHED.rows if row.role in roles)
    return dataclasses.replace(SEARCHED, rows=rows, **more)


def diverged(result: SweepData) -> SweepData:
    """Returns `result` with a seed of every row whose accuracy is not a number."""
    rows = []
    for row in result.rows:
        seeds = row.outcome.seeds.copy()
        seeds.loc[0, ["accuracy", "loss"]] = np.nan
        rows.append(dataclasses.replace(row, outcome=dataclasses.replace(row.outcome, seeds=seeds)))
    return dataclasses.replace(result, rows=tuple(rows))


SEEDS, CURVES, PREDICTIONS = (getattr(FIXED[0].outcome, table) for table in TABLES)


NEVER = {"loss": np.nan, "solved": False, "solved_epoch": np.nan}


def with_baselines(row: Row, real_valued: bool, noise: float, count: int = 40) -> Row:
    """Returns `row` with predictions for `count` steps by two seeds and by two baselines."""
    rng = np.random.default_rng(1)
    expected = rng.normal(size=count).cumsum() if real_valued else rng.integers(0, 3, count)
    last = np.concatenate([[0], expected[:-1]])
    tables = []
    for seed in range(2):
        error = rng.normal(0, noise, count)
        predicted = expected + (error if real_valued else np.abs(error).astype(int))
        table = pd.DataFrame({"seed": seed, "sequence": 0, "step": range(count)})
        table["input"] = [f"2024-03-{step % 28 + 1:02}" for step in range(count)]
        table = table.assign(expected=expected, predicted=predicted, moment=range(count))
        table["correct"] = (table["predicted"] - table["expected"]).abs() < 0.5
        table["naive: last value"] = last
        table["naive: median"] = np.median(expected).astype(expected.dtype)
        answers = [name for name in table if name in ("expected", "predicted") or ":" in name]
        tables.append(table if real_valued else table.astype(dict.fromkeys(answers, str)))
    seeds = row.outcome.seeds.head(2).assign(skill=[0.5, -0.25])
    seeds = seeds.assign(mae=0.5) if real_valued else seeds
    predictions = pd.concat(tables, ignore_index=True)
    outcome = dataclasses.replace(row.outcome, seeds=seeds, predictions=predictions)
    return dataclasses.replace(row, outcome=outcome)


def baseline_rows(real_valued: bool) -> tuple[Row, Row]:
    """Returns a fixed recipe that is better than its baselines, and one that is worse."""
    good, bad = (0.1, 9.0) if real_valued else (0.1, 5.0)
    return (
        with_baselines(FIXED[0], real_valued, good),
        with_baselines(FIXED[1], real_valued, bad),
    )


def with_intervals(half_widths: dict[str, float | None]) -> Row:
    """Returns a confirmed recipe with forecast intervals, scored on 40 steps of two series."""
    row = with_baselines(FIXED[0], True, 0.5)
    table = row.outcome.predictions
    table = table.assign(sequence=1 + (table["step"] >= 20))
    data = {"intervals": {"rows": 30, "seeds": 3, "half_widths": half_widths}}
    outcome = dataclasses.replace(row.outcome, predictions=table, data=data)
    return dataclasses.replace(row, outcome=outcome, id="confirm-1", role="confirmed", of="trial-1")


def a_grid(scores: dict[str, list[tuple[int, ...]]], **more: Any) -> SweepData:
    """Returns a sweep over tasks `task-1`, ... in which seeds had so many of four steps right.

    The chance of every task is 1/2, so that 2 steps are a score of 0 and 4 one of 1.
    """
    names = [f"task-{k}" for k, _ in enumerate(next(iter(scores.values())), 1)]
    rows, places = [], {}
    for k, task in enumerate(names):
        for recipe, right in scores.items():
            id_ = f"{recipe}@{task}"
            settings = {"task": task, "units": 20, "epochs": 30}
            digest = f"{recipe}-{k:04}".rjust(12, "0")
            rows.append(Row(id_, an_outcome(digest, right[k], settings=settings, name=recipe)))
            places[id_] = (recipe, task)
    grid = TaskGrid(tuple(GridTask(name, 0.5, 1.0) for name in names), places)
    return a_result(*rows, grid=grid, **more)


GRID = a_grid({
    "rnn <b>": [(2, 2, 3, 2), (3, 2, 2, 3), (2, 1, 2, 2), (2, 3, 2, 2), (0, 2, 1, 2)],
    "gru": [(4, 4, 4, 3), (4, 4, 3, 4), (4, 4, 4, 4), (4, 3, 4, 4), (3, 4, 3, 4)],
    "lstm": [(3, 4, 3, 3), (3, 3, 4, 3), (3, 3, 3, 3), (4, 3, 3, 3), (2, 3, 3, 3)],
})  # fmt: skip
ONE_SEED = a_grid({"gru": [(4,), (3,)], "lstm": [(4,), (2,)]})
SEVEN = a_grid({f"net-{k}": [(4, k % 4, 2), (k % 5, 3, 3), (3, 3, 1)] for k in range(7)})


def without(result: SweepData, *ids: str) -> SweepData:
    """Returns `result` without some of its rows, as if they had failed."""
    return dataclasses.replace(result, rows=tuple(r for r in result.rows if r.id not in ids))


EDGES = {
    "all sorts": RESULT,
    "fixed only": a_result(*FIXED),
    "search only": a_result(*TRIALS, search=SEARCH),
    "only duplicates": a_result(TRIALS[0], TRIALS[2]),
    "nothing finished": a_result(unfinished=3, search=SEARCH),
    "one seed": alone(right=(4,)),
    "one unsolved seed": a_result(Row("A1", an_outcome(right=(0,)), published_accuracy=0.0)),
    "unfinished": a_result(*FIXED, unfinished=2),
    "no title": a_result(*FIXED, title="", about="", provenance={}),
    "many fixed": a_result(*(Row(f"X{i}", an_outcome(f"{i:012}")) for i in range(25))),
    "many trials": a_result(*(a_trial(i, (3, 3, 4), i + 1) for i in range(45)), search=SEARCH),
    "different seeds": a_result(FIXED[0], Row("B", an_outcome("d", (4, 4, 4, 4, 4)))),
    "no predictions": alone(predictions=PREDICTIONS.head(0)),
    "long": alone(predictions=pd.concat([PREDICTIONS.assign(sequence=k) for k in range(20)])),
    "no curves": alone(curves=CURVES.head(0)),
    "diverged": alone(
        seeds=SEEDS.assign(**NEVER), curves=CURVES.assign(loss=[0.5, np.nan, np.inf] * 3)
    ),
    "claims": a_result(*CLAIMED, comparisons=QUESTIONS),
    "published trials": TRIED,
    "nothing but recipes that were not run": a_result(not_run=TRIED.not_run),
    "families": a_result(*CLAIMED, *FAMILIES, comparisons=QUESTIONS),
    "two axes": a_result(*a_family("F", 6, 2), *a_family("G", 6, 2, axis="units")),
    "many families": a_result(*(r for k in range(8) for r in a_family(f"F{k}", 6, k % 6))),
    "searched": SEARCHED,
    "searched by solve rate": a_search("solve_rate"),
    "search diverged": diverged(a_search("sequence_accuracy")),
    "trials only": only("trial", failed=(), analysis={}),
    "confirmed alone": only("confirmed"),
    "one trial": dataclasses.replace(SEARCHED, rows=SEARCHED.rows[2:3]),
    "nothing but failures": only("nothing"),
    "importance unknown": only("trial", analysis={"importance": {"trials": 1, "why": "Too few."}}),
    "one context": dataclasses.replace(SEARCHED, rows=(*SEARCHED.trials, SEARCHED.rows[-2])),
    "baselines": a_result(*baseline_rows(True)),
    "baselines of symbols": a_result(*baseline_rows(False)),
    "baselines on few steps": a_result(with_baselines(FIXED[0], True, 0.1, count=9)),
    "intervals": a_result(with_intervals({"80": 0.6, "95": 0.4})),
    "intervals of one level": a_result(with_intervals({"80": 0.6, "95": None})),
    "across tasks": GRID,
    "across tasks, one seed": ONE_SEED,
    "across tasks, seven recipes": SEVEN,
    "across tasks, one left out": without(GRID, "lstm@task-2"),
    "across tasks, none left": without(GRID, "lstm@task-2", "gru@task-1"),
    "across tasks, all equal": a_grid({"a": [(4, 4), (2, 2)], "b": [(4, 4), (2, 2)]}),
    "all diverged": a_result(
        Row("A1", an_outcome(curves=CURVES.assign(loss=np.nan))),
        Row("A2", an_outcome("b", seeds=SEEDS.assign(accuracy=np.nan))),
    ),
}
