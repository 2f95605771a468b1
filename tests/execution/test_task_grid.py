"""A sweep over several tasks with real workers: run, read back from the store, reported."""

import json

import pandas as pd
import pytest

import lstm_bench as lb
from lstm_bench.errors import StoreError
from lstm_bench.tracking._listing import parse_listing

SWEEP = """
title: Three networks on three tasks
tasks: [memory, {task: echo, delay: 2, as: echo_2}, alphabet]
seeds: 2
epochs: 2
recipes:
  lstm: {units: 3}
  gru: {base: lstm, network: gru, per_task: {alphabet: {epochs: 3}}}
  rnn: {base: lstm, network: simple_rnn}
comparisons: {gates: {of: gru@memory, to: rnn@memory}}
"""
IDS = [f"{name}@{task}" for task in ("memory", "echo_2", "alphabet")
       for name in ("lstm", "gru", "rnn")]  # fmt: skip


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "grid.yaml").write_text(SWEEP)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield lb.sweep("grid", progress=False)


@pytest.mark.long
def test_a_sweep_over_tasks_ranks_its_recipes(swept):
    assert list(swept) == IDS
    assert [len(outcome.seeds) for outcome in swept.values()] == [2] * 9
    assert (swept["gru@alphabet"].settings["epochs"], swept["gru@memory"].settings["epochs"]) == (
        3,
        2,
    )
    ranking = swept.ranking
    assert ranking.tasks == ("memory", "echo_2", "alphabet")
    assert {recipe.name for recipe in ranking.recipes} == {"lstm", "gru", "rnn"}
    alone = lb.run("echo", delay=2, units=3, epochs=2, seeds=2)
    chance = lb.tasks().set_index("name").loc["echo", "chance"]
    score = (alone.seeds["accuracy"].mean() - chance) / (1 - chance)
    lstm = next(recipe for recipe in ranking.recipes if recipe.name == "lstm")
    assert lstm.task_means[1] == pytest.approx(score)


@pytest.mark.long
def test_the_store_alone_gives_the_same_ranking(swept):
    loaded = lb.load("grid")
    assert loaded == swept
    assert loaded.document()["ranking"] == swept.document()["ranking"]
    assert (swept.page.parent / "figures" / "profiles.svg").is_file()
    frame = pd.read_csv(swept.page.parent / "ranking.csv")
    assert sorted(frame["recipe"]) == ["gru", "lstm", "rnn"]
    assert lb.export("grid:gru@echo_2").count("keras.layers.GRU(3") == 1


@pytest.mark.long
def test_the_command_prints_the_ranking_and_takes_overrides(swept, command):
    code, out, _ = command("sweep", "grid")
    joined = " ".join(out.split())
    assert code == 0 and "Interquartile mean of the score across 3 tasks, 2 seeds each" in joined
    code, out, _ = command("sweep", "grid", "--json")
    assert json.loads(out)["ranking"]["tasks"] == ["memory", "echo_2", "alphabet"]
    code, out, _ = command("sweep", "grid", "tasks=[memory]", "--json")
    document = json.loads(out)
    assert code == 0 and list(document["recipes"]) == IDS[:3]
    assert "ranking" not in document


LISTING = {"name": "s", "title": "", "about": "", "search": None, "rows": [], "asked": 0,
           "provenance": {}}  # fmt: skip
TASK = {"name": "memory", "chance": 0.25, "ceiling": 1.0}


@pytest.mark.parametrize(
    "grid",
    [
        3,
        {"tasks": [TASK]},
        {"tasks": [{**TASK, "chance": 2}], "places": {}},
        {"tasks": [{**TASK, "chance": "x"}], "places": {}},
        {"tasks": [TASK], "places": {"A@memory": ["A"]}},
        {"tasks": [TASK], "places": {"A@memory": "A"}},
    ],
)
def test_a_damaged_grid_in_a_store_is_refused(grid):
    with pytest.raises(StoreError, match="is not whole"):
        parse_listing(json.dumps({**LISTING, "grid": grid}).encode())
    assert parse_listing(json.dumps(LISTING).encode())["grid"] is None
