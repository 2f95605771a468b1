"""The working folder that `init` writes: its files, refusals, and its use by a new user."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_bench.cli._init import FILES, scaffold
from lstm_bench.config import Settings, load_settings
from lstm_bench.errors import UserError

ROOT = Path(__file__).parents[2]


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_all_files_are_written_and_listed(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command("init", "mine", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["files"] == [str(Path("mine", name)) for name in FILES]
    assert files(Path("mine")) == set(FILES)
    # Every file of the template is written, and every file that is written is in the template.
    assert files(ROOT / "lstm_bench" / "cli" / "template") == set(FILES.values())
    Path("other").mkdir()
    assert Path("mine").stat().st_mode == Path("other").stat().st_mode


def test_an_empty_folder_is_filled(tmp_path):
    scaffold(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {name.split("/")[0] for name in FILES}


def test_its_settings_are_the_defaults_except_for_the_task(tmp_path, monkeypatch):
    scaffold(tmp_path / "mine")
    loaded = load_settings(None, tmp_path / "mine" / "conf")
    assert loaded == Settings(tasks=(Path("my_task.py"),))


def test_its_quickstart_is_that_of_the_repository():
    template = ROOT / "lstm_bench" / "cli" / "template" / "sweeps" / "quickstart.yaml"
    assert template.read_bytes() == (ROOT / "sweeps" / "quickstart.yaml").read_bytes()


def test_its_series_follows_the_stated_formula(tmp_path):
    scaffold(tmp_path / "mine")
    table = np.genfromtxt(tmp_path / "mine" / "data" / "season.csv", delimiter=",", names=True)
    assert len(table) == 360
    x = 0.4
    for t, value in table.tolist():
        expected = 10 + 8 * math.sin(2 * math.pi * t / 24) + t / 100 + 4 * x
        assert value == pytest.approx(expected, abs=0.0006)
        x = 3.8 * x * (1 - x)


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("full", "has files in it"),
        ("a_file", "but is a file"),
        ("a_file/mine", "must be in an existing folder"),
        ("nowhere/mine", "must be in an existing folder"),
        ("/proc/mine", "must be in an existing folder"),
    ],
)
def test_other_places_are_refused(command, tmp_path, monkeypatch, folder, message):
    monkeypatch.chdir(tmp_path)
    Path("full").mkdir()
    Path("full/notes.txt").write_text("mine")
    Path("a_file").write_text("mine")
    code, out, err = command("init", folder)
    assert (code, out) == (2, "")
    assert message in err and "Traceback" not in err
    assert sorted(map(str, Path().rglob("*"))) == ["a_file", "full", "full/notes.txt"]


@pytest.mark.parametrize("new", [True, False])
def test_all_or_nothing_is_written(tmp_path, monkeypatch, new):
    folder = tmp_path / "mine"
    if not new:
        folder.mkdir()
    real_rename, calls = Path.rename, []

    def rename(path, target):
        calls.append(target)
        if len(calls) == (1 if new else 3):
            raise OSError(28, "No space left on device")
        return real_rename(path, target)

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
    from lstm_bench.sweeps._task_files import load_tasks

    loaded = load_sweep(find_sweep("highest"), tasks=load_tasks(["my_task.py"]))
    assert loaded.entries.keys() == {"default", "small", "no memory"}
    assert loaded.search is not None
    season = load_sweep(find_sweep("season"))
    assert "season of 24 rows" in season.about and 24 in season.search.space["window"]


# As a new user would.


def run_python(arguments, folder, path):
    """Runs Python in `folder` with the package from `path`; returns what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_use(folder, path):
    """Runs the tests of a working folder, its sweep, and a prediction with a trained network."""
    output = run_python(["-m", "pytest", "-q", "-p", "no:cacheprovider"], folder, path)
    assert " passed" in output
    output = run_python(["-m", "lstm_bench", "sweep", "highest", "--json"], folder, path)
    sweep = json.loads(output)
    assert set(sweep["recipes"]) == {"default", "small", "no memory"} and not sweep["failed"]
    assert (folder / "reports" / "highest" / "index.html").is_file()
    predict = ("predict", "highest:default", "1 0 3 2", "--json")
    prediction = json.loads(run_python(["-m", "lstm_bench", *predict], folder, path))
    assert prediction["answer"] in "0123"


@pytest.mark.slow
def test_the_folder_works_as_written(tmp_path):
    scaffold(tmp_path / "mine")
    check_use(tmp_path / "mine", ROOT)


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
    file = run_python(["-c", "import lstm_bench; print(lstm_bench.__file__)"], tmp_path, site)
    assert file.startswith(str(site))
    run_python(["-m", "lstm_bench", "init", "mine"], tmp_path, site)
    check_use(tmp_path / "mine", site)
