"""A search from its file to its report: its races, the stages after them, and failures."""

import json
import math
from pathlib import Path

import numpy as np
import optuna
import pytest

from lstm_bench.analysis._findings import sweep_findings
from lstm_bench.errors import RecipeError, StoreError, SweepError
from lstm_bench.execution._estimate import estimate_stages, probe
from lstm_bench.execution._sweep_run import estimate_sweep, run_sweep
from lstm_bench.execution._workers import WorkerPool
from lstm_bench.recipes import estimated_training_seconds
from lstm_bench.recipes._recipe import recipe
from lstm_bench.results import measure_values
from lstm_bench.search._optuna_trials import search_study
from lstm_bench.search._study import SearchStudy
from lstm_bench.seeds import source_seeds
from lstm_bench.sweeps._sweep import SEED_BLOCK, parse_sweep
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
    return run_sweep(parse_sweep("search", DOCUMENT), settings)


def stored_study(settings):
    return optuna.load_study(study_name="search", storage=settings.optuna)


def assert_is_of(study, result):
    """Fails unless Optuna's trials are those of the result, each once."""
    rows = {row.trial: row.outcome for row in result.trials}
    assert [trial.number for trial in study.trials] == list(rows)
    for trial in study.trials:
        outcome = rows[trial.number]
        assert trial.value == pytest.approx(outcome.seeds["accuracy"].mean())
        assert trial.params.items() <= outcome.settings.items()
        assert {"epochs", "learning_rate", "stateful"} <= trial.params.keys()
        assert trial.user_attrs["digest"] == outcome.digest
        stopped = len(outcome.seeds) < DOCUMENT["seeds"]
        assert trial.state.name == ("PRUNED" if stopped else "COMPLETE")
        assert max(trial.intermediate_values) == len(outcome.seeds)


@pytest.mark.long
def test_optuna_opens_the_search_and_it_is_written_anew_when_it_was_deleted(done, settings):
    assert_is_of(stored_study(settings), done[0])
    assert_is_of(search_study(done[0]), done[0])
    before = stored_study(settings).trials
    run_sweep(parse_sweep("search", DOCUMENT), settings)
    assert stored_study(settings).trials == before
    Path(settings.optuna.removeprefix("sqlite:///")).unlink()
    run_sweep(parse_sweep("search", DOCUMENT), settings)
    assert_is_of(stored_study(settings), done[0])


@pytest.mark.long
def test_no_study_is_written_where_there_is_to_be_none(done, settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_sweep(parse_sweep("search", DOCUMENT), settings.model_copy(update={"optuna": None}))
    assert list(tmp_path.iterdir()) == []


def test_mlflow_and_optuna_never_share_a_database(tmp_path, settings):
    address = f"sqlite:///{tmp_path}/both.db"
    places = settings.model_copy(update={"store": address, "optuna": address})
    with pytest.raises(StoreError, match="another database than the MLflow store"):
        run_sweep(parse_sweep("search", DOCUMENT), places)
    assert list(tmp_path.iterdir()) == []


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
            assert seeds == list(range(SEED_BLOCK, SEED_BLOCK + 5))
        elif row.role in ("ablation", "effect"):  # on seeds that had no part in the choice
            assert seeds == list(range(2 * SEED_BLOCK, 2 * SEED_BLOCK + 5))
        elif row.role == "split":
            parts = [tuple(source_seeds(seed).values()) for seed in seeds]
            assert len(set(parts)) == 8
            assert {len({part[place] for part in parts}) for place in range(3)} == {2}


def test_rows_after_the_search_differ_from_their_base_in_one_setting_alone(done):
    rows = {row.id: row for row in done[0].rows}
    switched = [row for row in done[0].having("effect") if row.axis]
    assert switched
    contexts = [row for row in done[0].having("effect") if not row.axis]
    assert {row.of for row in switched} == {row.id for row in contexts}
    for row in contexts:
        assert row.outcome.digest == rows[row.of].outcome.digest
    for row in switched:
        settings, base = row.outcome.settings, rows[row.of].outcome.settings
        assert settings["stateful"] is row.value is not base["stateful"]
        dependent = {"stateful", "layout", "reset"}
        assert {k: v for k, v in settings.items() if k not in dependent} == {
            k: v for k, v in base.items() if k not in dependent
        }
    ablated = [row for row in done[0].having("ablation") if row.axis]
    assert ablated
    for row in ablated:
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
    alone = run(recipe(**first.outcome.settings), [SEED_BLOCK + 3])
    in_sweep = first.outcome.seeds.set_index("seed").loc[SEED_BLOCK + 3]
    assert alone.seeds["loss"].iloc[0] == in_sweep["loss"]


def test_the_store_returns_the_same_result(done, settings):
    result, _, _ = done
    again = Store(settings.store, settings.artifacts).load("search")
    document = sweep_findings(result).document()
    assert sweep_findings(again).document() == document
    assert {"confirmation", "importance", "ablation"} <= document.keys()


@pytest.mark.long
def test_the_same_command_again_runs_nothing(done, settings):
    result, page, _ = done
    before = page.read_bytes()
    _, _, progress = run_sweep(parse_sweep("search", DOCUMENT), settings)
    assert page.read_bytes() == before
    assert len(result.rows) == progress.done


@pytest.mark.long
def test_a_search_may_be_extended_but_not_changed(done, settings):
    longer = DOCUMENT | {"search": DOCUMENT["search"] | {"trials": 12}}
    result, _, _ = run_sweep(parse_sweep("search", longer), settings)
    first = [row.outcome.digest for row in done[0].trials]
    assert [row.outcome.digest for row in result.trials][:10] == first
    space = DOCUMENT["search"]["space"] | {"epochs": {"int": [10, 50]}}
    changed = DOCUMENT | {"search": DOCUMENT["search"] | {"space": space}, "units": 5}
    with pytest.raises(SweepError) as caught:
        run_sweep(parse_sweep("search", changed), settings)
    message = str(caught.value)
    assert "search.space.epochs.int was [10, 40], but is [10, 50]" in message
    assert "units was 4, but is 5" in message
    assert "--again" in message


UNSTABLE = {"optimizer": "sgd", "loss": "mean_squared_error", "output": "linear"}


@pytest.mark.long
def test_a_diverged_recipe_has_failed_and_counts_for_nothing(settings):
    space = {"learning_rate": [1e-3, 10.0], "epochs": [20, 21]}
    document = {
        "task": "memory",
        "seeds": 3,
        "recipes": {"wild": {"learning_rate": 10.0, "epochs": 20, **UNSTABLE}},
        "search": {"trials": 4, "sampler": "grid", "confirm": 1, "space": space},
        **UNSTABLE,
    }
    result, page, progress = run_sweep(parse_sweep("failing", document), settings)
    assert len(result.trials) == len(result.having("confirmed")) + 1 == 2
    assert len(result.failed) == 3  # two trials; and the fixed one, which keeps its row
    assert {failed.reason.split(" (")[0] for failed in result.failed} == {
        "it diverged on 3 of 3 seeds"
    }
    assert (len(result.fixed), result.unfinished, len(progress.failed)) == (1, 0, 3)
    assert "Failed recipes" in page.read_text()
    again, _, _ = run_sweep(parse_sweep("failing", document), settings)  # not tried again
    assert again.failed == result.failed


@pytest.mark.slow
def test_a_recipe_over_its_time_limit_has_failed_and_the_others_go_on(settings):
    recipes = {"long": {"epochs": 1_000_000}, "short": {"epochs": 2}}
    document = {"task": "memory", "seeds": 3, "time_limit": 20, "recipes": recipes}
    result, _, _ = run_sweep(parse_sweep("limited", document), settings)
    assert [row.id for row in result.rows] == ["short"]
    (failed,) = result.failed
    assert (failed.id, failed.reason) == ("long", "it took longer than its time limit of 20 s")


@pytest.mark.long
def test_an_estimate_counts_what_a_sweep_runs(settings, done):
    estimate = estimate_sweep(parse_sweep("search", DOCUMENT), settings)
    stages = {stage.name: stage for stage in estimate.stages}
    assert stages["recipes"].runs == (5, 5)
    assert stages["recipes"].updates == (5 * 20 * 8,) * 2
    assert stages["search"].runs == (30, 50)
    assert stages["confirmation"].recipes == (
        2,
        2,
    )  # 5 seeds are too few for a recipe to count as solving
    assert stages["split"].runs == (8, 8)
    assert 0 < estimate.seconds[0] < estimate.seconds[1] < 600
    runs = {role: sum(len(r.outcome.seeds) for r in done[0].having(role))
            for role in ("trial", "confirmed", "ablation", "effect")}  # fmt: skip
    for role, stage in zip(runs, ("search", "confirmation", "ablation", "switches"), strict=True):
        assert stages[stage].runs[0] <= runs[role] <= stages[stage].runs[1], stage


def test_an_estimate_counts_no_more_recipes_than_there_are():
    part = {"trials": 4, "confirm": 99, "space": {"units": [3, 4], "epochs": [5]}}
    sweep = parse_sweep("tiny", {"task": "memory", "seeds": 20, "search": part})
    study = SearchStudy(sweep.search, sweep.settings)
    stages = {
        stage.name: stage for stage in estimate_stages(sweep, study, study.sample(60), "compiled")
    }
    assert (stages["search"].recipes, stages["confirmation"].recipes) == ((2, 2), (2, 2))


@pytest.mark.parametrize(("sampler", "trials", "least"), [("tpe", 40, 11), ("grid", 12, 12)])
def test_an_estimate_counts_the_programs_of_a_search(sampler, trials, least):
    space = {"units": [3, 4, 5], "optimizer": ["adam", "sgd"], "epochs": [5, 6]}
    part = {"sampler": sampler, "trials": trials, "confirm": 0, "space": space}
    sweep = parse_sweep("tiny", {"task": "memory", "seeds": 3, "search": part})
    study = SearchStudy(sweep.search, sweep.settings)
    (stage,) = estimate_stages(sweep, study, study.sample(60), "compiled")
    assert (stage.programs, stage.recipes[1]) == ((6, 6), 12)  # epochs share a program
    assert least <= stage.recipes[0]


def test_an_estimate_of_a_continuous_space_has_few_programs_for_many_recipes():
    part = {"trials": 40, "confirm": 0}
    part |= {"space": {"units": [3, 4], "learning_rate": {"float": [1e-3, 1e-2]}}}
    sweep = parse_sweep("rates", {"task": "memory", "seeds": 3, "search": part})
    study = SearchStudy(sweep.search, sweep.settings)
    (stage,) = estimate_stages(sweep, study, study.sample(60), "compiled")
    assert (stage.recipes, stage.programs) == ((40, 40), (2, 2))


def test_a_probe_times_programs_that_were_compiled():
    rates = [recipe("memory", units=2, epochs=20, learning_rate=rate) for rate in (0.1, 0.2, 0.3)]
    with WorkerPool(1) as pool:
        speed = probe(rates, pool, "compiled", 60.0)
    assert 0 < speed.compile[0] == speed.compile[1]  # three recipes, one program


class Collector:
    """An executor that keeps its jobs and finishes none."""

    def __init__(self):
        self.jobs = []

    def submit(self, job):
        self.jobs.append(job)
        return len(self.jobs)

    def events(self):
        return iter(())


@pytest.mark.parametrize("epochs", [1, 40, 100_000])
def test_a_probe_trains_for_a_tenth_of_a_second_or_less(epochs):
    chosen, pool = recipe("memory", lag=30, epochs=epochs), Collector()
    assert probe([chosen], pool, "compiled", 60.0) is None
    trained = pool.jobs[0].recipes[0]["epochs"]
    an_epoch = estimated_training_seconds(recipe("memory", lag=30, epochs=100_000)) / 100_000
    assert trained == pytest.approx(min(epochs, 0.1 / an_epoch), abs=1.0)
    keras = Collector()
    probe([chosen], keras, "keras", 60.0)
    assert keras.jobs[0].recipes[0]["epochs"] in range(1, math.ceil(0.1 / an_epoch / 300) + 2)


@pytest.mark.parametrize(("engine", "programs"), [("compiled", 2), ("keras", 3)])
def test_an_estimate_counts_programs_that_recipes_share_once(engine, programs):
    recipes = {"short": {"epochs": 2}, "long": {"epochs": 3}, "small": {"units": 3, "epochs": 2}}
    document = {"task": "memory", "seeds": 2, "recipes": recipes}
    (stage,) = estimate_stages(parse_sweep("shared", document), None, [], engine)
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
def test_what_a_search_refers_to_must_exist(part, message):
    with pytest.raises(RecipeError, match=message):
        parse_sweep("search", DOCUMENT | {"search": DOCUMENT["search"] | part})


def test_measure_values_are_those_of_the_objective(done):
    outcome = done[0].rows[0].outcome
    flags = measure_values(outcome, "solve_rate")
    assert flags.dtype == float
    assert np.array_equal(flags, outcome.seeds["solved"])
    assert np.array_equal(measure_values(outcome, "accuracy"), outcome.seeds["accuracy"])


@pytest.mark.long
@pytest.mark.parametrize(("more", "code"), [("", 1), ("\n  B: {epochs: 1}", 0)])
def test_a_sweep_in_which_every_recipe_failed_ends_with_1(
    tmp_path, monkeypatch, command, more, code
):
    monkeypatch.chdir(tmp_path)
    diverging = json.dumps({"learning_rate": 10.0, "epochs": 20, **UNSTABLE})
    text = f"task: memory\nseeds: 1\nrecipes:\n  A: {diverging}{more}\n"
    (tmp_path / "diverging.yaml").write_text(text)
    status, out, err = command("sweep", "diverging.yaml")
    assert (status, "diverging: every recipe has failed" in err) == (code, bool(code))
    assert "A failed: it diverged on 1 of 1 seeds" in out and "Report: " in out
