"""The examples run, and the notebook is that of the script."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
SPEC = importlib.util.spec_from_file_location("to_notebook", EXAMPLES / "to_notebook.py")
to_notebook = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(to_notebook)


def sources(notebook):
    return [(cell["cell_type"], cell["source"]) for cell in notebook.cells]


def kinds(notebook):
    """Returns the kinds of output of every code cell, in order."""
    cells = [cell for cell in notebook.cells if cell["cell_type"] == "code"]
    return [{kind for output in cell.outputs for kind in output.get("data", {})} for cell in cells]


def test_the_notebook_is_that_of_the_script_and_was_executed():
    committed = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    assert sources(committed) == sources(to_notebook.notebook())
    assert all(cell.outputs for cell in committed.cells if cell["cell_type"] == "code")
    assert "/tmp" not in nbformat.writes(committed)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_notebook_runs(tmp_path, monkeypatch):
    """In a kernel of its own; numbers are the same everywhere, so outputs are of the same kinds."""
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    made = to_notebook.executed(str(tmp_path))
    committed = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    assert kinds(made) == kinds(committed)
    assert sum("image/svg+xml" in kind for kind in kinds(made)) == 3
    assert (tmp_path / "reports" / "first-steps" / "index.html").is_file()
    assert (tmp_path / "reports" / "my-first-steps" / "index.html").is_file()


@pytest.mark.slow
def test_the_script_runs(tmp_path):
    """Also where worker processes import the script again, which has no guard."""
    env = os.environ | {"PYTHONPATH": str(EXAMPLES.parent)}
    words = [sys.executable, str(EXAMPLES / "first_steps.py")]
    ended = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "reports" / "first-steps" / "index.html").is_file()
