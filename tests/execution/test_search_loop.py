"""A search from its file to its report: its races, what follows from them, what fails."""

import json

import numpy as np
import pytest

from lstm_bench.analysis import _search as searched
from lstm_bench.errors import RecipeError, SweepError
from lstm_bench.execution._estimate import probe, stages
from lstm_bench.execution._sweep_run import estimate_sweep, run_sweep
from lstm_bench.execution._workers import WorkerPool
from lstm_bench.recipes._recipe import recipe
from lstm_bench.search._study import SearchStudy
from lstm_bench.seeds import uncrossed
from lstm_bench.sweeps._sweep import BLOCK, parse
from lstm_bench.tracking._store import Store
from lstm_bench.training._run import run

DOCUMENT = {
    "title": "A small search",
    "task": "memory",
    "seeds": 5,
    "units": 4,
    "recipes": {"A1": {"epochs": 20}},
    "search": {
        "trials": 10,
        "startup": 8,
        "confirm": 2,
        "ablate": "A1",
        "switches": ["stateful"],
        "contexts": 3,
        "split": 2,
        "space": {
            "epochs": {"int": [10, 40]},
            "learning_rate": {"float": [1e-3, 1e-1], "log": True},
            "stateful": [True, False],
            "shuffle": ["none", "samples"],
        },
    },
}


@pytest.fixture(scope="module")
def done(settings):
    return run_sweep(parse("search", DOCUMENT), settings)


def test_every_stage_has_its_rows_on_its_seeds(done):
    result, _, progress = done
    assert (result.unfinished, result.failed, progress.failed) == (0, (), [])
    assert len(result.trials) == 10
    roles = [row.role for row in result.rows]
    assert roles == sorted(roles, key=["fixed", "trial", "confirmed", "ablation", "effect",
                                       "split"].index)  # fmt: skip
    for row in result.rows:
        seeds = row.outcome.seeds["seed"].tolist()
        if row.role == "trial":
            assert seeds == list(range(len(seeds)))
            assert len(seeds) in (3, 5)
        elif row.role == "confirmed":
            assert seeds == list(range(BLOCK, BLOCK + 5))
        elif row.role in ("ablation", "effect"):  # on seeds that chose nothing
            assert seeds == list(range(2 * BLOCK, 2 * BLOCK + 5))
        elif row.role == "split":
            parts = [tuple(uncrossed(seed).values()) for seed in seeds]
            assert len(set(parts)) == 8
            assert {len({part[place] for part in parts}) for place in range(3)} == {2}


def test_what_follows_differs_from_what_it_follows_in_one_setting_alone(done):
    rows = {row.id: row for row in done[0].rows}
    flipped = [row for row in done[0].having("effect") if row.axis]
    assert flipped
    contexts = [row for row in done[0].having("effect") if not row.axis]
    assert {row.of for row in flipped} == {row.id for row in contexts}
    for row in contexts:
        assert row.outcome.digest == rows[row.of].outcome.digest
    for row in flipped:
        here, there = row.outcome.settings, rows[row.of].outcome.settings
        assert here["stateful"] is row.value is not there["stateful"]
        belonging = {"stateful", "layout", "reset"}
        assert {k: v for k, v in here.items() if k not in belonging} == {
            k: v for k, v in there.items() if k not in belonging
        }
    back = [row for row in done[0].having("ablation") if row.axis]
    assert back
    for row in back:
        base = rows[row.of].outcome.settings
        differing = {k for k in {**row.outcome.settings, **base}
                     if row.outcome.settings.get(k) != base.get(k)}  # fmt: skip
        assert row.axis in differing
        assert differing <= {row.axis, "layout", "reset"}


def test_a_confirmed_recipe_is_the_trial_on_other_seeds(done):
    rows = {row.id: row for row in done[0].rows}
    for row in done[0].having("confirmed"):
        assert row.outcome.digest == rows[row.of].outcome.digest
    first = done[0].having("confirmed")[0]
    alone = run(recipe(**first.outcome.settings), [BLOCK + 3])
    there = first.outcome.seeds.set_index("seed").loc[BLOCK + 3]
    assert alone.seeds["loss"].iloc[0] == there["loss"]


def test_the_store_gives_the_same_result_back(done, settings):
    result, _, _ = done
    again = Store(settings.store, settings.artifacts).load("search")
    assert searched.search_document(again) == searched.search_document(result)
    assert {"confirmation", "importance", "ablation"} <= searched.search_document(result).keys()


def test_the_same_command_again_runs_nothing(done, settings):
    result, page, _ = done
    before = page.read_bytes()
    _, _, progress = run_sweep(parse("search", DOCUMENT), settings)
    assert page.read_bytes() == before
    assert len(result.rows) == progress.done


def test_a_search_may_be_extended_but_not_changed(done, settings):
    longer = DOCUMENT | {"search": DOCUMENT["search"] | {"trials": 12}}
    result, _, _ = run_sweep(parse("search", longer), settings)
    first = [row.outcome.digest for row in done[0].trials]
    assert [row.outcome.digest for row in result.trials][:10] == first
    space = DOCUMENT["search"]["space"] | {"epochs": {"int": [10, 50]}}
    changed = DOCUMENT | {"search": DOCUMENT["search"] | {"space": space}, "units": 5}
    with pytest.raises(SweepError) as told:
        run_sweep(parse("search", changed), settings)
    said = str(told.value)
    assert "search.space.epochs.int was [10, 40], but is [10, 50]" in said
    assert "units was 4, but is 5" in said
    assert "--again" in said


UNSTABLE = {"optimizer": "sgd", "loss": "mean_squared_error", "output": "linear"}


def test_what_diverges_has_failed_and_counts_for_nothing(settings):
    space = {"learning_rate": [1e-3, 10.0], "epochs": [20, 21]}
    document = {
        "task": "memory",
        "seeds": 3,
        "recipes": {"wild": {"learning_rate": 10.0, "epochs": 20, **UNSTABLE}},
        "search": {"trials": 4, "sampler": "grid", "confirm": 1, "space": space},
        **UNSTABLE,
    }
    result, page, progress = run_sweep(parse("failing", document), settings)
    assert len(result.trials) == len(result.having("confirmed")) + 1 == 2
    assert len(result.failed) == 3  # two trials; and the fixed one, which keeps its row
    assert {each.reason.split(" (")[0] for each in result.failed} == {"it diverged on 3 of 3 seeds"}
    assert (len(result.fixed), result.unfinished, len(progress.failed)) == (1, 0, 2)
    assert "What failed" in page.read_text()
    again, _, _ = run_sweep(parse("failing", document), settings)  # and is not tried again
    assert again.failed == result.failed


@pytest.mark.slow
def test_what_takes_too_long_has_failed_and_the_others_go_on(settings):
    recipes = {"long": {"epochs": 1_000_000}, "short": {"epochs": 2}}
    document = {"task": "memory", "seeds": 3, "time_limit": 20, "recipes": recipes}
    result, _, _ = run_sweep(parse("limited", document), settings)
    assert [row.id for row in result.rows] == ["short"]
    (failed,) = result.failed
    assert (failed.id, failed.reason) == ("long", "it took longer than its time limit of 20 s")


def test_an_estimate_counts_what_a_sweep_runs(settings, done):
    found = estimate_sweep(parse("search", DOCUMENT), settings)
    told = {stage.name: stage for stage in found.stages}
    assert told["recipes"].runs == (5, 5)
    assert told["recipes"].updates == (5 * 20 * 8,) * 2
    assert told["search"].runs == (30, 50)
    assert told["confirmation"].recipes == (2, 2)  # 5 seeds are too few to tell that one solves
    assert told["split"].runs == (8, 8)
    assert 0 < found.seconds[0] < found.seconds[1] < 600
    made = {role: sum(len(r.outcome.seeds) for r in done[0].having(role))
            for role in ("trial", "confirmed", "ablation", "effect")}  # fmt: skip
    for role, stage in zip(made, ("search", "confirmation", "ablation", "switches"), strict=True):
        assert told[stage].runs[0] <= made[role] <= told[stage].runs[1], stage


def test_an_estimate_counts_no_more_recipes_than_there_are():
    part = {"trials": 4, "confirm": 99, "space": {"units": [3, 4], "epochs": [5]}}
    asked = parse("tiny", {"task": "memory", "seeds": 20, "search": part})
    study = SearchStudy(asked.search, asked.settings)
    told = {each.name: each for each in stages(asked, study, study.drawn(60), "compiled")}
    assert (told["search"].recipes, told["confirmation"].recipes) == ((2, 2), (2, 2))


@pytest.mark.parametrize(("sampler", "trials", "least"), [("tpe", 40, 11), ("grid", 12, 12)])
def test_an_estimate_counts_the_programs_of_a_search(sampler, trials, least):
    space = {"units": [3, 4, 5], "optimizer": ["adam", "sgd"], "epochs": [5, 6]}
    part = {"sampler": sampler, "trials": trials, "confirm": 0, "space": space}
    asked = parse("tiny", {"task": "memory", "seeds": 3, "search": part})
    study = SearchStudy(asked.search, asked.settings)
    (found,) = stages(asked, study, study.drawn(60), "compiled")
    assert (found.programs, found.recipes[1]) == ((6, 6), 12)  # epochs share a program
    assert least <= found.recipes[0]


def test_an_estimate_of_a_continuous_space_has_few_programs_for_many_recipes():
    part = {"trials": 40, "confirm": 0}
    part |= {"space": {"units": [3, 4], "learning_rate": {"float": [1e-3, 1e-2]}}}
    asked = parse("rates", {"task": "memory", "seeds": 3, "search": part})
    study = SearchStudy(asked.search, asked.settings)
    (found,) = stages(asked, study, study.drawn(60), "compiled")
    assert (found.recipes, found.programs) == ((40, 40), (2, 2))


def test_a_probe_times_what_was_compiled():
    rates = [recipe("memory", units=2, epochs=20, learning_rate=rate) for rate in (0.1, 0.2, 0.3)]
    with WorkerPool(1) as pool:
        found = probe(rates, pool, "compiled", 60.0)
    assert 0 < found.compile[0] == found.compile[1]  # of three recipes one program


@pytest.mark.parametrize(("engine", "programs"), [("compiled", 2), ("keras", 3)])
def test_an_estimate_counts_programs_that_recipes_share_once(engine, programs):
    recipes = {"short": {"epochs": 2}, "long": {"epochs": 3}, "small": {"units": 3, "epochs": 2}}
    document = {"task": "memory", "seeds": 2, "recipes": recipes}
    (stage,) = stages(parse("shared", document), None, [], engine)
    assert (stage.recipes, stage.programs) == ((3, 3), (programs, programs))


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"ablate": "A2"}, "search.ablate"),
        ({"switches": ["units"]}, "search.switches"),
        ({"switches": ["epochs"]}, "search.switches"),
        ({"sampler": "annealing"}, "search.sampler"),
    ],
)
def test_what_a_search_asks_for_must_be_there(part, message):
    with pytest.raises(RecipeError, match=message):
        parse("search", DOCUMENT | {"search": DOCUMENT["search"] | part})


def test_scores_are_of_the_objective(done):
    from lstm_bench.analysis._history import scores

    outcome = done[0].rows[0].outcome
    flags = scores(outcome, "solve_rate")
    assert flags.dtype == float
    assert np.array_equal(flags, outcome.seeds["solved"])
    assert np.array_equal(scores(outcome, "accuracy"), outcome.seeds["accuracy"])


@pytest.mark.parametrize(("more", "code"), [("", 1), ("\n  B: {epochs: 1}", 0)])
def test_a_sweep_of_which_nothing_succeeded_ends_with_1(tmp_path, monkeypatch, command, more, code):
    monkeypatch.chdir(tmp_path)
    astray = json.dumps({"learning_rate": 10.0, "epochs": 20, **UNSTABLE})
    text = f"task: memory\nseeds: 1\nrecipes:\n  A: {astray}{more}\n"
    (tmp_path / "astray.yaml").write_text(text)
    ended, out, err = command("sweep", "astray.yaml")
    assert (ended, "astray: every recipe has failed" in err) == (code, bool(code))
    assert "A failed: it diverged on 1 of 1 seeds" in out and "Report: " in out
