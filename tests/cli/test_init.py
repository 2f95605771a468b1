"""The working folder that `init` makes: complete, refused, and used as a newcomer would."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_bench.cli._init import FILES, scaffold
from lstm_bench.config import Settings, settings
from lstm_bench.errors import UserError
from lstm_bench.sweeps import _task_files as loading

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _only_ours():
    yield
    loading.use_sources(())


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_all_files_are_there_and_listed(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("init", "mine", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["files"] == [str(Path("mine", name)) for name in FILES]
    assert files(Path("mine")) == set(FILES)
    # What is in the template is what is written: nothing is forgotten on either side.
    assert files(ROOT / "lstm_bench" / "cli" / "template") == set(FILES.values())
    Path("other").mkdir()
    assert Path("mine").stat().st_mode == Path("other").stat().st_mode


def test_an_empty_folder_is_filled(tmp_path):
    scaffold(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {name.split("/")[0] for name in FILES}


def test_its_settings_are_the_defaults_but_for_the_task(tmp_path, monkeypatch):
    scaffold(tmp_path / "mine")
    found = settings(None, tmp_path / "mine" / "conf")
    assert found == Settings(tasks=(Path("my_task.py"),))


def test_its_series_is_the_stated_one(tmp_path):
    scaffold(tmp_path / "mine")
    told = np.genfromtxt(tmp_path / "mine" / "data" / "season.csv", delimiter=",", names=True)
    assert len(told) == 360
    x = 0.4
    for t, value in told.tolist():
        expected = 10 + 8 * math.sin(2 * math.pi * t / 24) + t / 100 + 4 * x
        assert value == pytest.approx(expected, abs=0.0006)
        x = 3.8 * x * (1 - x)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("full", "has files in it"),
        ("a_file", "but is a file"),
        ("a_file/mine", "must be in a folder that is there"),
        ("nowhere/mine", "must be in a folder that is there"),
        ("/proc/mine", "must be in a folder that is there"),
    ],
)
def test_what_cannot_be_a_working_folder_is_refused(command, tmp_path, monkeypatch, where, said):
    monkeypatch.chdir(tmp_path)
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine")
    Path("a_file").write_text("mine")
    code, out, err = command("init", where)
    assert (code, out) == (2, "")
    assert said in err and "Traceback" not in err
    assert sorted(map(str, Path().rglob("*"))) == ["a_file", "full", "full/notes.txt"]


@pytest.mark.parametrize("new", [True, False])
def test_all_or_nothing_is_written(tmp_path, monkeypatch, new):
    folder = tmp_path / "mine"
    if not new:
        folder.mkdir()
    real, calls = Path.rename, []

    def rename(path, target):
        calls.append(target)
        if len(calls) == (1 if new else 3):
            raise OSError(28, "No space left on device")
        return real(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(UserError, match="No space left on device"):
        scaffold(folder)
    assert list(tmp_path.rglob("*")) == ([] if new else [folder])


def test_its_task_and_its_sweep_can_be_read(command, tmp_path, monkeypatch):
    scaffold(tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    code, out, _ = command("tasks", "highest", "--json")
    assert code == 0
    assert json.loads(out)["tasks"][0]["defined_in"].startswith("my_task.py, line ")
    from lstm_bench.sweeps._sweep import find_sweep, load_sweep

    loaded = load_sweep(find_sweep("highest"))
    assert loaded.entries.keys() == {"default", "small", "no memory"}
    assert loaded.search is not None
    season = load_sweep(find_sweep("season"))
    assert "season of 24 rows" in season.about and 24 in season.search.space["window"]


# As a newcomer would.


def outcome(command, folder, path):
    """Runs a command in a folder, with the package from `path`."""
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def used(folder, path):
    """Uses a working folder: its tests, its sweep, and what came of it."""
    told = outcome(["-m", "pytest", "-q", "-p", "no:cacheprovider"], folder, path)
    assert " passed" in told
    words = ("seeds=2", "search.trials=2", "--json")
    found = json.loads(outcome(["-m", "lstm_bench", "sweep", "highest", *words], folder, path))
    assert set(found["recipes"]) == {"default", "small", "no memory"} and not found["failed"]
    assert (folder / "reports" / "highest" / "index.html").is_file()
    asked = ("predict", "highest:default", "1 0 3 2", "--json")
    assert json.loads(outcome(["-m", "lstm_bench", *asked], folder, path))["answer"] in "0123"


@pytest.mark.slow
def test_the_folder_works_as_it_is_made(tmp_path):
    scaffold(tmp_path / "mine")
    used(tmp_path / "mine", ROOT)


@pytest.mark.slow
def test_the_folder_works_from_a_built_wheel(tmp_path):
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    built = subprocess.run(
        [*pip, "wheel", "--no-deps", "-w", tmp_path, ROOT], capture_output=True, text=True
    )
    if built.returncode:
        pytest.skip(f"no wheel can be built here: {built.stderr.strip().splitlines()[-1]}")
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], check=True)
    told = outcome(["-c", "import lstm_bench; print(lstm_bench.__file__)"], tmp_path, site)
    assert told.startswith(str(site))
    outcome(["-m", "lstm_bench", "init", "mine"], tmp_path, site)
    used(tmp_path / "mine", site)
