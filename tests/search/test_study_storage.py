"""The Optuna storage of a search, read with Optuna alone: complete, without duplicates."""

import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import optuna
import pytest
from outcome_builder import build_outcome

from lstm_bench.errors import StoreError
from lstm_bench.search._optuna_trials import optuna_trial
from lstm_bench.search._study_storage import StudyStorage, check_separate
from lstm_bench.sweeps._search import Search

SEARCH = Search.model_validate({"space": {"units": {"int": [2, 64]}, "batch_size": [1, 2]}})


@pytest.fixture(scope="module", name="tables")
def _tables(tmp_path_factory):
    """A database with Optuna's tables, which take a second to make."""
    path = tmp_path_factory.mktemp("optuna") / "empty.db"
    optuna.storages.RDBStorage(f"sqlite:///{path}").engine.dispose()
    return path


@pytest.fixture(name="address")
def _address(tables, tmp_path):
    shutil.copy(tables, tmp_path / "optuna.db")
    return f"sqlite:///{tmp_path}/optuna.db"


def a_trial(number, scores=(1.0, 0.5, 0.75), seeds=3):
    settings = {"task": "memory", "units": 2 + number, "batch_size": 1}
    outcome = build_outcome(scores, settings=settings) if scores else None
    attributes = {"id": f"trial-{number}", "digest": f"{number:012}"}
    return optuna_trial(SEARCH, settings, outcome, seeds, attributes=attributes)


def write(address, trials, finish=True, search=SEARCH):
    notices = []
    storage = StudyStorage(address, "small", search, notices.append)
    for trial in trials:
        storage.add(trial)
    if finish:
        storage.finish()
    return notices


def read(address):
    return optuna.load_study(study_name="small", storage=address)


TRIALS = [a_trial(0), a_trial(1, None), a_trial(2, (0.5, 0.25, 0.0), 6), a_trial(3)]


def test_optuna_reads_what_was_written(address):
    assert write(address, TRIALS) == []
    study = read(address)
    for number, (stored, given) in enumerate(zip(study.trials, TRIALS, strict=True)):
        assert stored.number == number
        for part in ("state", "values", "params", "distributions", "intermediate_values",
                     "user_attrs", "datetime_start", "datetime_complete"):  # fmt: skip
            assert getattr(stored, part) == getattr(given, part), part
    assert study.metric_names == ["accuracy"]


def test_a_search_that_is_gone_through_again_adds_only_what_is_missing(address):
    write(address, TRIALS[:2], finish=False)  # as if it had been killed
    began = read(address).trials[0].datetime_start
    ids = [trial._trial_id for trial in read(address).trials]
    write(address, [a_trial(0), *TRIALS[1:]])
    trials = read(address).trials
    assert [trial.number for trial in trials] == [0, 1, 2, 3]
    assert [trial._trial_id for trial in trials][:2] == ids
    assert trials[0].datetime_start == began


@pytest.mark.parametrize("change", ["more seeds", "fewer trials", "deleted", "a running trial"])
def test_a_study_that_does_not_agree_is_written_anew(address, change):
    write(address, TRIALS)
    trials = TRIALS
    if change == "more seeds":
        trials = [TRIALS[0], TRIALS[1], a_trial(2, (0.5, 0.25, 0.0, 0.5, 0.5, 1.0), 6), TRIALS[3]]
    elif change == "fewer trials":
        trials = TRIALS[:2]
    elif change == "deleted":
        optuna.delete_study(study_name="small", storage=address)
    else:
        read(address).ask()
    assert write(address, trials) == []
    study = read(address)
    assert [trial.values for trial in study.trials] == [trial.values for trial in trials]
    assert [trial.state for trial in study.trials] == [trial.state for trial in trials]


@pytest.mark.long
def test_a_search_by_another_sampler_may_have_other_directions(address):
    write(address, TRIALS)
    write(address, [], search=SEARCH.model_copy(update={"sampler": "nsga2"}))
    assert len(read(address).directions) == 2
    assert read(address).trials == []


def test_a_study_of_somebody_else_is_left_alone(address):
    other = optuna.create_study(study_name="small", storage=address)
    other.tell(other.ask(), 1.0)
    with pytest.raises(StoreError, match="'small' that lstm-bench has not written"):
        write(address, TRIALS)
    assert len(read(address).trials) == 1


def test_the_database_of_mlflow_is_refused(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for other in ("sqlite:///optuna.db", f"sqlite:///{tmp_path}/./optuna.db", address):
        with pytest.raises(StoreError, match=r"another database than the MLflow store.*or null"):
            check_separate(address, other)
    check_separate(address, "sqlite:///mlflow.db")
    check_separate(address, "http://127.0.0.1:5000")
    server = "postgresql://ann:secret@host/runs"
    with pytest.raises(StoreError) as refused:
        check_separate(server, "postgresql+psycopg2://bob:other@host/runs")
    assert "secret" not in str(refused.value)
    check_separate(server, "postgresql://ann:secret@host/studies")
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as database:
        database.execute("create table experiments (id)")
    before = (tmp_path / "store.db").read_bytes()
    with pytest.raises(StoreError, match="holds MLflow's tables"):
        write("sqlite:///store.db", TRIALS)
    assert (tmp_path / "store.db").read_bytes() == before


def test_what_cannot_be_used_is_refused_before_the_work(tmp_path):
    (tmp_path / "text.db").write_text("this is not a database\n" * 100)
    for address, reason in {
        f"sqlite:///{tmp_path}/text.db": "file is not a database",
        "sqlite://": "must be kept on disk",
        "nowhere": "cannot be used",
        "oracle+nothing://ann:secret@host/x": "cannot be used",
    }.items():
        with pytest.raises(StoreError, match=reason) as refused:
            write(address, TRIALS)
        assert "null for none" in str(refused.value)
        assert "secret" not in str(refused.value)


def test_an_error_while_writing_ends_the_writing_with_notice(address):
    notices = []
    storage = StudyStorage(address, "small", SEARCH, notices.append)
    storage.add(TRIALS[0])
    optuna.delete_study(study_name="small", storage=address)
    for trial in TRIALS[1:]:
        storage.add(trial)
    storage.finish()
    assert len(notices) == 1
    assert "the sweep goes on without it" in notices[0]


def test_a_locked_database_is_waited_for(address, tmp_path):
    storage = StudyStorage(address, "small", SEARCH, print)
    lock = "import sqlite3,sys,time; d = sqlite3.connect(sys.argv[1], isolation_level=None);"
    lock += "d.execute('begin exclusive'); print('locked', flush=True); time.sleep(1)"
    words = [sys.executable, "-c", lock, str(tmp_path / "optuna.db")]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        storage.add(TRIALS[0])
    assert len(read(address).trials) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_every_plot_of_optuna_draws_the_study(address):
    visualization = pytest.importorskip("optuna.visualization")
    pytest.importorskip("plotly")
    write(address, [a_trial(n, (0.1 * n, 0.2, 0.3)) for n in range(9)])
    study = read(address)
    for name in ("optimization_history", "intermediate_values", "parallel_coordinate", "slice",
                 "edf", "timeline", "rank", "param_importances"):  # fmt: skip
        assert getattr(visualization, f"plot_{name}")(study).data, name


@pytest.mark.slow
def test_a_browser_shows_the_study_in_the_dashboard(address, tmp_path):
    pytest.importorskip("optuna_dashboard")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs chromium")
    write(address, TRIALS)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    command = Path(sys.executable).with_name("optuna-dashboard")
    words = [command, address, "--port", str(port), "--server", "wsgiref"]
    server = subprocess.Popen(words, cwd=tmp_path, start_new_session=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        page = f"http://127.0.0.1:{port}/dashboard/studies/1"
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(page, timeout=5).close()
                break
            assert time.monotonic() < deadline
            time.sleep(0.5)
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run(
                [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
                 "--no-first-run", "--disable-background-networking", "--window-size=1400,1400",
                 f"--user-data-dir={profile}", "--virtual-time-budget=15000", "--dump-dom", page],
                capture_output=True, text=True, timeout=180,
            )  # fmt: skip
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    text = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", done.stdout, flags=re.S)
    for words in ("small", "Best Trial", "Hyperparameter Importance", "accuracy"):
        assert words in text, text[-2000:]
