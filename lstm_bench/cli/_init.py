"""The working folder that `lstm-bench init` writes: a task, its test, sweeps and settings."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from lstm_bench.errors import UserError

FILES = {
    "README.md": "README.md",
    "my_task.py": "my_task.py.txt",  # .txt, so that it is not a module of this package
    "tests/test_my_task.py": "tests/test_my_task.py.txt",
    "sweeps/highest.yaml": "sweeps/highest.yaml",
    "sweeps/season.yaml": "sweeps/season.yaml",
    "sweeps/quickstart.yaml": "sweeps/quickstart.yaml",
    "conf/default.yaml": "conf/default.yaml",
    "data/season.csv": "data/season.csv",
    "pytest.ini": "pytest.ini",
    ".gitignore": "gitignore.txt",
}
"""The files of a working folder, and the path of each in `template/`."""
SCHEMA, TASK_FILE = "sweeps/sweep.schema.json", "my_task.py"
"""The schema of sweep files, made on writing, and the file of the task that it includes."""


def scaffold(folder: Path) -> list[Path]:
    """Writes the files of a working folder into `folder`, all or none, and returns their paths.

    Raises `UserError` if `folder` exists and is not empty, or cannot be written.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise UserError(f"init: {folder} must be a new or empty folder, but has files in it")
        if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
            raise UserError(f"init: {folder} must be a new or empty folder, but is a file")
        _write_files(folder)
    except OSError as error:
        raise UserError(
            f"init: {folder} must be in an existing folder that can be written, but got: "
            f"{error.strerror or error}; choose another folder"
        ) from error
    return [folder / name for name in (*FILES, SCHEMA)]


def _write_files(folder: Path) -> None:
    """Writes all files into a temporary folder, and moves them to `folder` when it is complete."""
    from lstm_bench.results import to_json
    from lstm_bench.sweeps import load_tasks, sweep_schema

    new = not folder.exists()
    parent = folder.absolute().parent if new else folder
    with tempfile.TemporaryDirectory(dir=parent, prefix=".init-") as temporary:
        draft = Path(temporary) / "draft"
        for name, source in FILES.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            template = resources.files("lstm_bench.cli").joinpath("template", *source.split("/"))
            path.write_bytes(template.read_bytes())
        schema = sweep_schema(load_tasks([draft / TASK_FILE]))
        (draft / SCHEMA).write_text(f"{to_json(schema)}\n", encoding="utf-8")
        if new:
            draft.rename(folder)
            return
        moved: list[Path] = []
        try:
            for part in sorted(draft.iterdir()):
                part.rename(folder / part.name)
                moved.append(folder / part.name)
        except OSError:
            for path in moved:
                with contextlib.suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            raise
