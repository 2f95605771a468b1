"""A real sweep with real workers and a real store: complete, repeated, extended, interrupted."""

import contextlib
import json
import multiprocessing.forkserver
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from rich.text import Text

from lstm_bench.analysis._findings import sweep_findings
from lstm_bench.config import Settings
from lstm_bench.errors import StoreError
from lstm_bench.execution._progress import SweepProgress
from lstm_bench.execution._progress_bar import SweepBar
from lstm_bench.execution._sweep_run import run_sweep
from lstm_bench.execution._workers import (
    MAX_ATTEMPTS,
    Job,
    JobFailed,
    JobFinished,
    SeedFinished,
    WorkerPool,
)
from lstm_bench.recipes._recipe import recipe
from lstm_bench.report._write import write_report
from lstm_bench.results._merging import merge_outcomes, select_seeds
from lstm_bench.results._outcome import measure_values
from lstm_bench.results._storage import pack_outcome, read_outcome, unpack_outcome, write_outcome
from lstm_bench.sweeps._sweep import parse_sweep
from lstm_bench.tracking._store import Store
from lstm_bench.training._run import run

DOCUMENT = {
    "title": "A small sweep",
    "task": "memory",
    "seeds": 3,
    "recipes": {
        "A1": {"published": "all 8 steps right", "accuracy": 1.0, "epochs": 4, "claim": "solved"},
        "A6": {"framing": "whole", "stateful": False, "epochs": 4},
    },
    "comparisons": {"A6 against A1": {"of": "A6", "to": "A1", "claim": "none"}},
    "search": {
        "trials": 3,
        "confirm": 0,
        "space": {"units": [2, 3], "epochs": [2, 3], "stateful": [True, False]},
    },
}


@pytest.fixture(scope="module")
def done(settings):
    return run_sweep(parse_sweep("small", DOCUMENT), settings)


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_recipe_has_its_row(done):
    result, page, progress = done
    assert [row.id for row in result.rows] == ["A1", "A6", "trial-0", "trial-1", "trial-2"]
    assert (progress.done, progress.failed, result.unfinished) == (5, [], 0)
    assert progress.stage == "search"  # a stage without recipes is not shown
    assert page.is_file()


@pytest.mark.parametrize("objective", ["accuracy", "solve_rate"])
def test_the_progress_line_fits_80_columns_and_shows_the_score_of_the_search(
    done, capsys, monkeypatch, objective
):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    state = SweepProgress(measure=objective, stage="confirmation", total=9)
    for row in done[0].rows:
        state.count(row.id, row.outcome)
    state.count("x", None, failure="it diverged")
    best = max(measure_values(row.outcome, objective).mean() for row in done[0].rows)
    with SweepBar("a-sweep-whose-name-is-much-too-long", quiet=False) as bar:
        bar.changed(state)
    lines = [Text.from_ansi(line).plain for line in capsys.readouterr().err.splitlines()]
    line = next(line for line in lines if "6/9" in line)
    assert "━" * 5 in line and len(line) <= 80
    assert f"confirmation; best {state.best_id}, {100 * best:.0f} %; 1 failed" in line


def test_workers_give_the_same_numbers_as_this_process(done):
    result, _, _ = done
    local = run(recipe("memory", epochs=4), range(3))
    stored = result.rows[0].outcome
    left, right = (o.seeds.drop(columns="seconds") for o in (local, stored))
    pd.testing.assert_frame_equal(left, right, check_exact=True)
    pd.testing.assert_frame_equal(local.predictions, stored.predictions, check_exact=True)


@pytest.mark.long
def test_the_report_is_rebuilt_from_the_store_to_the_same_bytes(done, settings, tmp_path):
    _, page, _ = done
    result = Store(settings.store, settings.artifacts).load("small")
    write_report(result, tmp_path / "small")
    assert tree(tmp_path / "small") == tree(page.parent)


@pytest.mark.long
def test_the_store_returns_claims_comparisons_and_families(settings, tmp_path):
    family = {"units": 2, "epochs": 2, "over": {"alphabet": [4, 5]}}
    comparisons = {"x": {"of": "A", "to": "F/4", "measure": "loss", "margin": 0.5}}
    recipes = {"F": family, "A": {"epochs": 2, "units": 2, "claim": "never", "published": "no"}}
    small = {"task": "memory", "seeds": 2, "recipes": recipes, "comparisons": comparisons}
    result, page, _ = run_sweep(parse_sweep("claims", small), settings)
    again = Store(settings.store, settings.artifacts).load("claims")
    document = sweep_findings(result).document()
    assert sweep_findings(again).document() == document
    of_any_sweep = {"sweep", "overrides", "recipes", "search", "unfinished", "failed"}
    assert document.keys() - of_any_sweep == {"verdicts", "comparisons", "horizon"}
    assert (page.parent / "figures" / "horizon.svg").is_file()
    write_report(again, tmp_path / "claims")
    assert tree(tmp_path / "claims") == tree(page.parent)


@pytest.mark.long
def test_a_store_of_an_earlier_version_still_loads(settings):
    small = {"task": "memory", "seeds": 1, "recipes": {"A": {"epochs": 1, "units": 2}}}
    run_sweep(parse_sweep("earlier", small), settings)
    (listing,) = (settings.artifacts / "earlier").rglob("sweep.json")
    document = json.loads(listing.read_text())
    del document["comparisons"]
    for row in document["rows"]:
        for key in ("claim", "family", "axis", "value"):
            del row[key]
    listing.write_text(json.dumps(document))
    (row,) = Store(settings.store, settings.artifacts).load("earlier").rows
    assert (row.claim, row.family, row.value) == (None, "", None)


def test_the_store_reads_well_in_mlflow(done, settings):
    client = mlflow.MlflowClient(tracking_uri=settings.store)
    experiment = client.get_experiment_by_name("small")
    runs = client.search_runs([experiment.experiment_id])
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    children = [r for r in runs if "mlflow.parentRunId" in r.data.tags]
    assert len(parents) == 1
    assert {r.data.tags["mlflow.parentRunId"] for r in children} == {parents[0].info.run_id}
    assert {r.info.status for r in runs} == {"FINISHED"}
    first = next(r for r in children if r.info.run_name == "A1")
    assert first.data.params["units"] == "20"
    assert {"accuracy", "accuracy_std", "solve_rate", "solve_rate_low"} <= set(first.data.metrics)
    by_seed = client.get_metric_history(first.info.run_id, "by_seed/loss")
    expected = done[0].rows[0].outcome.seeds
    assert [(m.step, m.value) for m in sorted(by_seed, key=lambda m: m.step)] == [
        (row["seed"], row["loss"]) for row in expected.to_dict("records")
    ]
    curve = client.get_metric_history(first.info.run_id, "curve/loss")
    assert sorted(m.step for m in curve) == [1, 2, 3, 4]
    files = {f.path for f in client.list_artifacts(first.info.run_id, "outcome")}
    assert {"outcome/outcome.json", "outcome/model.keras"} <= files


def ended(settings):
    """Returns when the run of the sweep "small" ended, in milliseconds, as MLflow has it."""
    store = Store(settings.store, settings.artifacts)
    return store.sweep_runs(store.ensure_experiment("small"))[0].info.end_time


@pytest.mark.long
def test_the_same_command_again_runs_nothing_and_changes_nothing(done, settings):
    _, page, _ = done
    before, end = tree(page.parent), ended(settings)
    _, page, progress = run_sweep(parse_sweep("small", DOCUMENT), settings)
    assert progress.reused == progress.done == 5
    assert tree(page.parent) == before
    assert ended(settings) == end  # its duration did not change


@pytest.mark.long
def test_more_trials_go_on_from_where_it_was(done, settings):
    longer = DOCUMENT | {"search": DOCUMENT["search"] | {"trials": 5}}
    end, began = ended(settings), time.time()
    result, _, progress = run_sweep(parse_sweep("small", longer), settings)
    assert progress.reused >= 5
    assert (
        0 < ended(settings) - end <= 1000 * (time.time() - began)
    )  # without the time between the two
    first = [row.outcome.digest for row in done[0].rows]
    assert [row.outcome.digest for row in result.rows][:5] == first


@pytest.mark.long
def test_another_engine_is_another_session(done, settings):
    small = {"task": "memory", "seeds": 2, "recipes": {"A": {"epochs": 2, "units": 2}}}
    first, _, _ = run_sweep(parse_sweep("engines", small), settings)
    second, _, progress = run_sweep(parse_sweep("engines", small), settings, engine="keras")
    assert progress.reused == 0
    assert [r.rows[0].outcome.engine for r in (first, second)] == ["compiled", "keras"]


@pytest.mark.long
def test_a_damaged_outcome_is_run_again(done, settings):
    small = {"task": "memory", "seeds": 1, "recipes": {"A": {"epochs": 1, "units": 2}}}
    run_sweep(parse_sweep("damaged", small), settings)
    for path in (settings.artifacts / "damaged").rglob("outcome.json"):
        path.unlink()
    result, _, progress = run_sweep(parse_sweep("damaged", small), settings)
    assert (progress.reused, len(result.rows)) == (0, 1)


def run_jobs(pool, jobs):
    """Runs `jobs`; returns for each its outcomes, one a recipe, or its `JobFailed`."""
    results = {pool.submit(job): [[] for _ in job.recipes] for job in jobs}
    for ticket, event in pool.events():
        if isinstance(event, SeedFinished):
            for parts, outcome in zip(results[ticket], event.outcomes, strict=True):
                parts.append(unpack_outcome(outcome))
        elif isinstance(event, JobFailed):
            results[ticket] = event
    return [result if isinstance(result, JobFailed) else [merge_outcomes(p) for p in result]
            for result in results.values()]  # fmt: skip


@pytest.mark.long
def test_a_worker_that_died_while_idle_is_replaced():
    job = Job((recipe("memory", epochs=1, units=2).settings,), (0,))
    with WorkerPool(1) as pool:
        run_jobs(pool, [job])
        pool._workers[0].process.kill()
        pool._workers[0].process.join()
        ((outcome,),) = run_jobs(pool, [job])
        assert outcome.seeds["seed"].tolist() == [0]


@pytest.fixture
def interruptible():
    """Enables Ctrl-C, which a shell disables in the processes that it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_is_not_lost_where_python_cannot_raise_it():
    class RaisesInFinalizer:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), WorkerPool(1) as pool:
        RaisesInFinalizer()  # Python prints its KeyboardInterrupt and drops it
        pool.submit(Job((recipe("memory", epochs=1, units=2).settings,), (0,)))
        next(pool.events())
    assert signal.getsignal(signal.SIGINT) is before


def start_killing(pool, times, wait=1.0):
    """Starts a thread that kills `times` workers of `pool`, each `wait` seconds after its start."""

    def kill():
        killed = set()
        while len(killed) < times:
            time.sleep(0.05)
            running = [w.process for w in pool._workers if w.process.pid not in killed]
            if running:
                time.sleep(wait)
                running[0].kill()
                killed.add(running[0].pid)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


SMALL = Job((recipe("memory", epochs=1, units=2).settings,), (0,))


@pytest.mark.long
def test_a_recipe_that_kills_every_worker_is_a_failure_and_the_others_go_on():
    long = Job((recipe("memory", epochs=900_000).settings,), (0,))
    with WorkerPool(1) as pool:
        thread = start_killing(pool, MAX_ATTEMPTS)
        first, second = run_jobs(pool, [long, SMALL])
        thread.join()
    assert isinstance(first, JobFailed)
    assert first.kind == "died" and "killed each time" in first.reason
    assert len(second) == 1


@pytest.mark.long
def test_a_job_whose_worker_is_killed_once_goes_on_from_its_finished_seeds():
    job = Job((recipe("memory", epochs=4000, units=2).settings,), tuple(range(40)))
    with WorkerPool(1) as pool:
        ticket = pool.submit(job)
        events = []
        for number, (reported, event) in enumerate(pool.events()):
            assert reported == ticket
            events.append(event)
            if number in (2, 9):
                pool._workers[0].process.kill()
    assert isinstance(events[-1], JobFinished)
    assert [event.seed for event in events[:-1]] == list(range(40))  # each seed once


@pytest.mark.long
def test_a_fork_server_that_is_killed_is_started_again():
    with WorkerPool(1) as pool:
        run_jobs(pool, [SMALL])
        os.kill(multiprocessing.forkserver._forkserver._forkserver_pid, signal.SIGKILL)
        for worker in pool._workers:
            worker.process.kill()
        ((outcome,),) = run_jobs(pool, [SMALL])
    assert outcome.seeds["seed"].tolist() == [0]


def test_a_job_with_one_attempt_is_not_tried_again():
    long = Job((recipe("memory", epochs=900_000).settings,), (0,), attempts=1)
    with WorkerPool(1) as pool:
        thread = start_killing(pool, 1)
        (failure,) = run_jobs(pool, [long])
        thread.join()
    assert failure.kind == "died"


@pytest.mark.slow
def test_a_job_over_its_time_limit_is_stopped_and_its_finished_seeds_are_kept():
    long = Job((recipe("memory", epochs=9_000).settings,), tuple(range(2000)), seconds=12)
    with WorkerPool(1) as pool:
        pool.submit(long)
        events = [event for _, event in pool.events()]
    assert isinstance(events[-1], JobFailed)
    assert events[-1].kind == "timeout"
    assert len(events) > 1
    assert all(isinstance(event, SeedFinished) for event in events[:-1])


@pytest.mark.long
def test_recipes_that_differ_only_in_evaluation_are_trained_once_with_the_same_results():
    shared = {"letters": 6, "units": 8, "epochs": 30, "stateful": True, "shuffle": "none"}
    evaluations = ({}, {"evaluation": "free_running"}, {"evaluation": "cold_start", "start": "C"})
    recipes = [recipe("alphabet", **shared, **more) for more in evaluations]
    with WorkerPool(1) as pool:
        (together,) = run_jobs(pool, [Job(tuple(r.settings for r in recipes), (0, 1))])
        for chosen, outcome in zip(recipes, together, strict=True):
            ((alone,),) = run_jobs(pool, [Job((chosen.settings,), (0, 1))])
            assert outcome.digest == alone.digest == chosen.digest
            assert outcome.predictions.equals(alone.predictions)
            assert outcome.seeds.drop(columns="seconds").equals(alone.seeds.drop(columns="seconds"))
        assert len(set(together[0].seeds["seconds"]) | set(together[1].seeds["seconds"])) == 2


@pytest.mark.slow
def test_two_sweeps_may_start_in_an_empty_folder_at_once(tmp_path):
    (tmp_path / "one.yaml").write_text("task: memory\nseeds: 1\nrecipes: {A: {epochs: 1}}\n")
    words = [sys.executable, "-m", "lstm_bench", "sweep", "one.yaml", "--json"]
    processes = [
        subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=180)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors


def test_an_outcome_is_read_back_as_it_was_written(done, tmp_path):
    outcome = done[0].rows[1].outcome
    write_outcome(outcome, tmp_path / "outcome")
    again = read_outcome(tmp_path / "outcome")
    for table in ("seeds", "curves", "predictions"):
        pd.testing.assert_frame_equal(getattr(again, table), getattr(outcome, table))
    assert (again.settings, again.digest, again.model) == (
        outcome.settings,
        outcome.digest,
        outcome.model,
    )
    (tmp_path / "outcome" / "curves.parquet").write_bytes(b"half")
    with pytest.raises(StoreError, match="not a complete outcome"):
        read_outcome(tmp_path / "outcome")


def test_the_saved_model_gives_the_recorded_predictions(done, tmp_path):
    """Plain Keras opens the file and, fed the samples, gives the recorded predictions."""
    import keras

    outcome = done[0].rows[1].outcome
    path = tmp_path / "model.keras"
    path.write_bytes(outcome.model)
    model = keras.models.load_model(path)
    samples = recipe(**outcome.settings).samples(outcome.best_seed)
    answers = model.predict(samples.x, verbose=0).argmax(axis=-1).ravel()
    recorded = outcome.predictions[outcome.predictions["seed"] == outcome.best_seed]
    assert [str(a) for a in answers] == recorded["predicted"].tolist()


def test_an_outcome_can_be_split_by_seed_and_merged_again(done):
    whole = done[0].rows[0].outcome
    parts = [select_seeds(whole, [seed]) for seed in (2, 0, 1)]
    again = merge_outcomes([unpack_outcome(pack_outcome(part)) for part in parts] + parts[:1])
    for table in ("seeds", "curves", "predictions"):
        pd.testing.assert_frame_equal(getattr(again, table), getattr(whole, table))
    assert merge_outcomes(parts).model == whole.model
    assert select_seeds(whole, [seed for seed in range(3) if seed != whole.best_seed]).model == b""


LONG = "task: memory\nseeds: 2\nrecipes:\n" + "".join(
    f"  R{n}: {{units: {n}, epochs: 2}}\n" for n in range(1, 9)
)


@pytest.mark.long
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_keeps_what_is_finished_and_the_same_command_resumes(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    Path("long.yaml").write_text(LONG)
    database = tmp_path / "mlflow.db"

    def press():
        wait_for_two(database)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    code, _, err = command("sweep", "long.yaml")
    assert code == 1
    assert "what had finished is kept" in err and "Traceback" not in err
    assert_resumes(database, command)


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_in_a_terminal_does_the_same(tmp_path, monkeypatch, command):
    (tmp_path / "long.yaml").write_text(LONG)
    words = [sys.executable, "-m", "lstm_bench", "sweep", "long.yaml"]
    first = subprocess.Popen(
        words, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for_two(tmp_path / "mlflow.db")
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    err = ""
    for line in first.stderr:  # until it ends, if it does not print that
        err += line
        if "what had finished is kept" in line:
            break
    for _ in range(5):  # an impatient user, after the message
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.killpg(first.pid, signal.SIGINT)
        time.sleep(0.05)
    err += first.communicate(timeout=60)[1]
    assert first.returncode == 1, err
    assert "Traceback" not in err
    monkeypatch.chdir(tmp_path)
    assert_resumes(tmp_path / "mlflow.db", command)


def wait_for_two(database):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and finished(database) < 2:
        time.sleep(0.1)


def assert_resumes(database, command):
    """Runs the sweep `long` once more; asserts that only the missing recipes are run."""
    before = finished(database)
    assert 2 <= before < 8
    code, out, err = command("sweep", "long.yaml")
    assert code == 0, err
    assert f"{before} of 8 recipes needed no new run" in " ".join(out.split())
    assert len(pd.read_csv("reports/long/comparison.csv")) == 8


def finished(database):
    """Counts the finished children of the sweep in `database`."""
    if not database.exists():
        return 0
    import sqlite3

    query = """select count(*) from runs r join tags t on t.run_uuid = r.run_uuid
               where r.status = 'FINISHED' and t.key = 'mlflow.parentRunId'"""
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute(query).fetchone()[0]
    except sqlite3.Error:
        return 0


@pytest.mark.slow
def test_a_long_sweep_stays_under_two_gigabytes():
    """500 recipes of distinct shapes, each a program of its own; the workers are replaced."""
    import os as system

    import psutil

    jobs = [
        Job((recipe("memory", units=units, layers=layers, epochs=2).settings,), (0, 1))
        for layers in (1, 2)
        for units in range(1, 251)
    ]
    peak, workers = 0.0, set()
    me = psutil.Process(system.getpid())
    with WorkerPool(2, Settings().worker_memory_mb) as pool:
        for job in jobs:
            pool.submit(job)
        for number, _ in enumerate(
            event for _, event in pool.events() if isinstance(event, JobFinished)
        ):
            workers |= {worker.process.pid for worker in pool._workers}
            if number % 10 == 0:
                family = [p for p in me.children(recursive=True) if p.is_running()]
                peak = max(peak, sum(p.memory_full_info().pss for p in family) / 2**20)
    assert len(workers) > 4
    assert peak < 2000
