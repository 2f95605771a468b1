"""The ranking of recipes across tasks: which scores count, and what it says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from outcome_builder import build_outcome

from lstm_bench.analysis._ranking import ranking
from lstm_bench.results import GridTask, Row, SweepData, TaskGrid


def a_sweep(scores, chance=0.0, ceiling=1.0, seeds=None, columns=None):
    """Returns a sweep in which `scores` map recipes to the accuracies of seeds on each task."""
    names = [f"t{k}" for k, _ in enumerate(next(iter(scores.values())))]
    rows, places = [], {}
    for recipe, by_task in scores.items():
        for name, accuracy in zip(names, by_task, strict=True):
            id_ = f"{recipe}@{name}"
            extra = {
                key: np.asarray(value)[: len(accuracy)] for key, value in (columns or {}).items()
            }
            outcome = build_outcome(accuracy, seeds, extra, settings={"task": name})
            rows.append(Row(id_, outcome))
            places[id_] = (recipe, name)
    grid = TaskGrid(tuple(GridTask(name, chance, ceiling) for name in names), places)
    return SweepData("s", "", "", tuple(rows), None, {}, grid=grid)


def ordered(tasks, *values):
    """Returns recipes a, b, c, ... with the same two scores on every task."""
    return {name: [(v, v + 0.01)] * tasks for name, v in zip("abcdefgh", values, strict=False)}


def test_scores_are_0_at_chance_and_1_at_the_ceiling():
    result = a_sweep({"a": [(0.25, 0.75)] * 2, "b": [(0.5, 0.2)] * 2}, chance=0.25, ceiling=0.75)
    (a, b) = ranking(result).recipes
    assert a.scores == ((0, 1),) * 2
    assert b.scores == (pytest.approx((0.5, -0.1)),) * 2


def test_with_baselines_the_score_is_the_skill():
    result = a_sweep({"a": [(0.9, 0.8)] * 2, "b": [(0.7, 0.6)] * 2}, columns={"skill": (0.4, 0.2)})
    assert {recipe.scores for recipe in ranking(result).recipes} == {((0.4, 0.2),) * 2}


@pytest.mark.parametrize(
    ("values", "tasks", "parts"),
    [
        ((0.9, 0.5), 3, ["With 3 tasks no two", "1, is below the critical difference, 1.13; 4"]),
        ((0.9, 0.5), 4, ["a ranks higher than b (critical difference 0.98; Friedman's"]),
        ((0.9, 0.5, 0.1), 3, ["a ranks higher than c (critical", "no other two mean ranks"]),
        ((0.9, 0.5, 0.1), 20, ["a ranks higher than b and c and b ranks higher than c ("]),
        ((0.5, 0.5), 4, ["All recipes have equal mean scores on every task"]),
    ],
)
def test_the_statement_says_what_mean_ranks_tell(values, tasks, parts):
    statement = ranking(a_sweep(ordered(tasks, *values))).statement
    for part in parts:
        assert part in statement


@pytest.mark.long
def test_recipes_that_do_not_rank_alike_may_differ_in_no_pair():
    rng = np.random.default_rng(0)
    for _ in range(500):
        noise = rng.normal(np.array([[0.5], [0.53], [0.56], [0.6]]), 0.08, (4, 10))
        scores = {name: [(v,) for v in row] for name, row in zip("abcd", noise, strict=True)}
        found = ranking(a_sweep(scores))
        if found.friedman_p < 0.05 and not found.different:
            break
    assert "do not all rank alike" in found.statement
    equal = {name: [(rng.random(),) for _ in range(10)] for name in "abcd"}
    assert "cannot be told apart (Friedman's test, p = " in ranking(a_sweep(equal)).statement


def test_seeds_that_not_all_rows_have_do_not_count():
    result = a_sweep({"a": [(0.1, 0.9, 0.5)] * 2, "b": [(0.2, 0.8, 0.5)] * 2})
    short = dataclasses.replace(
        result.rows[0], outcome=build_outcome((0.9, 0.5), (1, 2), settings={"task": "t0"})
    )
    found = ranking(dataclasses.replace(result, rows=(short, *result.rows[1:])))
    assert found.seeds == 2
    assert {recipe.scores for recipe in found.recipes} == {((0.9, 0.5),) * 2, ((0.8, 0.5),) * 2}


def test_a_diverged_or_missing_row_leaves_its_recipe_out():
    result = a_sweep({"a": [(0.1, 0.9)] * 2, "b": [(0.2, np.nan)] * 2, "c": [(0.3, 0.4)] * 2})
    found = ranking(result)
    assert [recipe.name for recipe in found.recipes] == ["a", "c"]
    assert found.missing == {"b": ("t0", "t1")}
    missing = dataclasses.replace(result, rows=result.rows[1:])
    assert ranking(missing).missing == {"a": ("t0",), "b": ("t0", "t1")}
    assert "none can be ranked" in ranking(missing).sentence


def test_a_task_on_which_nothing_can_beat_chance_ranks_nobody():
    found = ranking(a_sweep({"a": [(1.0, 1.0)] * 2, "b": [(1.0, 0.9)] * 2}, chance=1.0))
    assert found.recipes == () and set(found.missing) == {"a", "b"}


def test_one_task_or_no_grid_has_no_ranking():
    result = a_sweep(ordered(1, 0.5, 0.6))
    assert ranking(result) is None
    assert ranking(dataclasses.replace(result, grid=None)) is None
    assert ranking(dataclasses.replace(a_sweep(ordered(2, 0.5, 0.6)), rows=())) is None


def test_a_task_is_solved_if_at_least_four_fifths_of_all_seeds_would():
    scores = {"a": [(1.0,) * 16, (1.0,) * 15 + (0.9,)], "b": [(0.5,) * 16] * 2}
    (a, b) = ranking(a_sweep(scores)).recipes
    assert (a.solved_tasks, a.solved_runs, b.solved_tasks) == (("t0",), 31, ())


def test_what_interquartile_means_hide_is_a_point():
    whole, half, none = (1.0, 1.0, 1.0, 1.0), (1.0, 0.95, 0.9, 1.0), (0.1, 0.1, 0.2, 0.1)
    found = ranking(
        a_sweep({"a": [whole, whole, none], "b": [half, none, none], "c": [none, half, none]})
    )
    solved = dict(zip("abc", (8, 2, 2), strict=True))
    counts = ", ".join(f"{recipe.name} {solved[recipe.name]}" for recipe in found.recipes)
    assert found.points == [
        "Most often solved, of 4 runs: t0 by a (4); t1 by a (4); t2 by none.",
        f"Runs that solve their task, of 12: {counts}.",
        "Scores below 50 where another recipe has more than 90: "
        + "; ".join(
            f"{recipe.name} on {'t1' if recipe.name == 'b' else 't0'}"
            for recipe in found.recipes
            if recipe.name != "a"
        )
        + ".",
    ]
    alike = ranking(a_sweep({"a": [whole] * 2, "b": [half] * 2}))
    assert len(alike.points) == 2  # no recipe fails where another does not
