"""A working folder to begin with: a task, its test, a sweep, settings."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from lstm_bench.errors import UserError

FILES = {
    "README.md": "README.md",
    "my_task.py": "my_task.py.txt",  # so called, it is no module of this package
    "tests/test_my_task.py": "tests/test_my_task.py.txt",
    "sweeps/highest.yaml": "sweeps/highest.yaml",
    "sweeps/season.yaml": "sweeps/season.yaml",
    "conf/default.yaml": "conf/default.yaml",
    "data/season.csv": "data/season.csv",
    "pytest.ini": "pytest.ini",
    ".gitignore": "gitignore.txt",
}
"""The files of a working folder, and where each lies in `template/`."""


def scaffold(folder: Path) -> list[Path]:
    """Makes `folder` a working folder and returns its files; writes all of them or none.

    Raises `UserError` where it is there and not empty, or cannot be written.
    """
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise UserError(f"init: {folder} must be a new or an empty folder, but has files in it")
        if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
            raise UserError(f"init: {folder} must be a new or an empty folder, but is a file")
        _made(folder)
    except OSError as error:
        raise UserError(
            f"init: {folder} must be in a folder that is there and can be written, but "
            f"{error.strerror or error}; give another one"
        ) from error
    return [folder / name for name in FILES]


def _made(folder: Path) -> None:
    """Writes into a folder beside, and moves that to its place once it is whole."""
    new = not folder.exists()
    place = folder.absolute().parent if new else folder
    with tempfile.TemporaryDirectory(dir=place, prefix=".init-") as scratch:
        draft = Path(scratch) / "made"
        for name, source in FILES.items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = resources.files("lstm_bench.cli").joinpath("template", *source.split("/"))
            path.write_bytes(text.read_bytes())
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
