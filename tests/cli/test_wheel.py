"""What would be published: a wheel and an archive of sources, in an empty environment."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lstm_bench.provenance import VERSION

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


def called(*words, cwd=None, env=None):
    """Runs a command without the paths of this process; returns what it prints."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= env or {}
    command = list(map(str, words))
    ended = subprocess.run(command, text=True, capture_output=True, env=environment, cwd=cwd)
    assert ended.returncode == 0, f"{words}:\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"
    return ended.stdout


@pytest.fixture(scope="module", name="built")
def _built(tmp_path_factory):
    """The wheel and the archive that `uv build` makes from a clean copy of the repository.

    The wheel is made from the archive, as an installer would that has no wheel.
    """
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    called("git", "clone", "-q", ROOT, source)
    called(sys.executable, "-m", "uv", "build", "-q", "--out-dir", folder / "dist", cwd=source)
    return folder / "dist"


def test_the_wheel_has_the_package_and_its_data_alone(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"lstm_bench-{VERSION}-py3-none-any.whl"
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "lstm_bench"
    tracked = called("git", "ls-files", "lstm_bench", cwd=ROOT).split()
    assert {name for name in names if ".dist-info/" not in name} == set(tracked)
    assert f"{package.name}/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_archive_of_sources_has_tests_sweeps_and_documents(built):
    (archive,) = built.glob("*.tar.gz")
    listed = called("tar", "-tzf", archive).split()
    names = {name.partition("/")[2] for name in listed}
    assert {"pyproject.toml", "LICENSE", "CHANGELOG.md", "tests/conftest.py"} <= names
    assert {"sweeps/quickstart.yaml", "conf/default.yaml"} <= names


@pytest.fixture(scope="module", name="tools")
def _tools(built, tmp_path_factory):
    """The folder of programs of an empty environment with the wheel."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    (wheel,) = built.glob("*.whl")
    called(sys.executable, "-m", "uv", "venv", "-q", "--python", sys.executable, environment)
    tools = environment / "bin"
    called(sys.executable, "-m", "uv", "pip", "install", "-q", "--python", tools / "python", wheel)
    return tools


def test_the_program_works_where_there_is_no_repository(tools, tmp_path):
    program = tools / "lstm-bench"
    assert called(program, "--version", cwd=tmp_path) == f"lstm-bench {VERSION}\n"
    called(program, "init", "mine", cwd=tmp_path)
    folder = tmp_path / "mine"
    words = ("seeds=2", "search.trials=2", "search.startup=2", "search.confirm=1")
    output = called(program, "sweep", "quickstart", *words, "--json", cwd=folder)
    document = json.loads(output)
    here = [
        sys.executable,
        "-m",
        "lstm_bench",
        "run",
        "memory",
        "--seeds",
        "2",
        "--no-log",
        "--json",
    ]
    expected = json.loads(called(*here, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}))["summary"]
    assert document["recipes"]["A1"]["accuracy"] == expected["accuracy"]  # as in the repository
    assert (folder / document["report"]).is_file()
    called(program, "sweep", "highest", "seeds=2", "search.trials=2", cwd=folder)
    assert json.loads(called(program, "schema", cwd=folder))["title"]
    where = called(
        tools / "python", "-c", "import lstm_bench; print(lstm_bench.__file__)", cwd=folder
    )
    assert str(tools.parent) in where


def test_a_tool_runner_starts_it_from_the_wheel_alone(built, tmp_path):
    """`uvx lstm-bench`, with the wheel in place of a registry for this package."""
    (wheel,) = built.glob("*.whl")
    words = [sys.executable, "-m", "uv", "tool", "run", "--from", wheel, "lstm-bench", "--version"]
    assert called(*words, cwd=tmp_path) == f"lstm-bench {VERSION}\n"
