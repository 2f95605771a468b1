"""The section of a report that ranks recipes across tasks, and its other forms."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from report_cases import EDGES, GRID
from report_seen import page_of, rendered, text_of
from scipy import stats

from lstm_bench.analysis import sweep_findings
from lstm_bench.report import SweepResult

FILES = {"ranking.csv", "ranking_scores.csv", "profiles.csv", "improvement.csv"}
NAMES = {"gru": "gru", "lstm": "lstm", "rnn": "rnn <b>"}


def scores_of(recipe: str) -> np.ndarray:
    """Returns the scores of a recipe of `GRID` by hand, shape (tasks, seeds)."""
    rows = [row for row in GRID.rows if row.id.startswith(f"{recipe}@")]
    return np.array([2 * row.outcome.seeds["accuracy"] - 1 for row in rows])


def table(name: str, case: str = "across tasks") -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(rendered(case)[f"{name}.csv"]))


@pytest.mark.long
def test_every_form_says_how_the_recipes_rank() -> None:
    says = "gru ranks higher than rnn <b> (critical difference 1.48; Friedman's test, p = 0.0067)"
    assert sweep_findings(GRID).ranking is not None
    for text in text_of("across tasks"):
        joined = " ".join(text.replace("\\", "").split())
        assert says in joined.replace("&lt;", "<").replace("&gt;", ">")
    page, markdown, _ = text_of("across tasks")
    for text in (page, markdown):
        for part in ("Across tasks", "Ranks on each task", "Performance profiles",
                     "Probability of improvement", "Which recipe scores highest on these 5 tasks",
                     "chance from the seeds", "chance from the choice of tasks"):  # fmt: skip
            assert part in " ".join(text.split()), part
    assert "<b>" not in page_of("across tasks")
    assert "figures/profiles.svg" in rendered("across tasks")


def test_the_tables_hold_what_scipy_computes() -> None:
    ranking = table("ranking").set_index("recipe")
    assert list(ranking.index) == ["gru", "lstm", "rnn <b>"]
    for recipe in NAMES.values():
        trimmed = stats.trim_mean(scores_of(recipe), 0.25, axis=None)
        assert ranking.loc[recipe, "iqm"] == pytest.approx(trimmed)
        solved = (scores_of(recipe) == 1).sum()
        assert ranking.loc[recipe, "solved_runs"] == solved
    means = np.array([scores_of(recipe).mean(axis=1) for recipe in NAMES.values()])
    ranks = stats.rankdata(-means, axis=0)
    assert ranking["mean_rank"].tolist() == pytest.approx(ranks.mean(axis=1).tolist())
    scores = table("ranking_scores").set_index("recipe")["score"]
    ours = np.array([scores[recipe].tolist() for recipe in NAMES.values()])
    assert ours == pytest.approx(means)
    profiles = table("profiles").set_index(["recipe", "threshold"])["share"]
    assert profiles["gru", 0.48] == (scores_of("gru") > 0.48).mean()
    assert profiles["gru", 1.0] == 0
    pairs = table("improvement").set_index(["of", "to"])["probability"]
    assert list(pairs.index) == [("gru", "lstm"), ("gru", "rnn <b>"), ("lstm", "rnn <b>")]
    wins = [
        stats.mannwhitneyu(*tasks, method="asymptotic").statistic / 16
        for tasks in zip(scores_of("gru"), scores_of("lstm"), strict=True)
    ]
    assert pairs["gru", "lstm"] == pytest.approx(np.mean(wins))


def test_the_json_document_and_python_read_the_same_records() -> None:
    result = SweepResult(GRID)
    document = result.document()["ranking"]
    ranking = result.ranking
    assert ranking is not None
    assert document["says"] == ranking.sentence
    assert document["different"] == [["gru", "rnn <b>"]]
    gru = table("ranking").set_index("recipe").loc["gru"]
    assert document["recipes"]["gru"]["iqm"]["estimate"] == gru["iqm"]
    assert document["recipes"]["gru"]["iqm"]["ci95"] == gru[["iqm_low", "iqm_high"]].tolist()
    assert document["friedman"]["p"] == pytest.approx(stats.chi2.sf(10, 2))
    assert "profiles" in result.plots
    assert result.best is None


@pytest.mark.long
def test_what_few_tasks_and_few_seeds_cannot_tell_is_said() -> None:
    page, markdown, terminal = (
        " ".join(text.split()) for text in text_of("across tasks, one seed")
    )
    for text in (page, markdown, terminal):
        assert "With 2 tasks no two mean ranks can be told apart" in text
        assert "4 tasks are the fewest that could" in text
    assert "One seed of each task gives no interval." in page
    page = " ".join(text_of("across tasks")[0].split())
    assert "4 seeds of each task make these intervals too narrow" in page
    equal = " ".join(text_of("across tasks, all equal")[0].split())
    assert "up to 66 in a hundred further ones could still differ" in equal
    assert "Tasks solved" in page and "0/5" not in page.partition("Ranks on each task")[0]


@pytest.mark.long
def test_recipes_without_a_score_on_every_task_are_left_out_and_named() -> None:
    page = " ".join(text_of("across tasks, one left out")[0].split())
    assert "lstm is left out: it has no score on task-2." in page
    assert table("ranking", "across tasks, one left out")["recipe"].tolist() == ["gru", "rnn <b>"]
    page = " ".join(text_of("across tasks, none left")[0].split())
    assert "Fewer than two recipes have a score on every task" in page
    assert not FILES & set(rendered("across tasks, none left"))


def test_recipes_that_tie_everywhere_are_not_ranked() -> None:
    page = " ".join(text_of("across tasks, all equal")[0].split())
    assert "no two mean ranks can be told apart" in page


@pytest.mark.long
def test_many_recipes_take_several_figures() -> None:
    files = rendered("across tasks, seven recipes")
    assert {"figures/profiles-1.svg", "figures/profiles-2.svg"} <= set(files)


@pytest.mark.long
def test_other_sweeps_have_no_part_of_it() -> None:
    for name in EDGES:
        if name.startswith("across tasks"):
            continue
        assert not FILES & set(rendered(name)), name
        assert "Across tasks" not in page_of(name), name
        assert "ranking" not in sweep_findings(EDGES[name]).document(), name
