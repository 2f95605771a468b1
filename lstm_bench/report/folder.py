"""The files of a report, put in the place of an earlier one: all rendered before any is touched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from lstm_bench.errors import StoreError

OWNED = ("index.html", "report.md", "*.csv", "figures/*.svg")
"""What a report consists of. Anything else in its folder belongs to somebody else."""


def replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes `files` (path below `folder` -> content) the whole report in `folder`.

    They are first written beside the old ones and then renamed over them, so that an interruption
    leaves no file cut short. A file that would not change is not touched.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check(folder, files)
        staging = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
        try:
            changed = [name for name, content in files.items() if _differs(folder / name, content)]
            for name in changed:
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                (staging / name).write_bytes(files[name])
            for name in changed:
                (folder / name).parent.mkdir(exist_ok=True)
                (staging / name).replace(folder / name)
            for path in sorted(owned(folder)):
                if path.relative_to(folder).as_posix() not in files:
                    path.unlink()
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"report: its folder must be writable, but {str(folder)!r} is not ({reason}); "
            "choose another folder, or make this one writable"
        ) from error


def owned(folder: Path) -> Iterator[Path]:
    """Yields the files in `folder` that a report has written."""
    for pattern in OWNED:
        yield from (path for path in folder.glob(pattern) if path.is_file())


def _check(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raises `OSError` where a folder stands in a file's place, before anything is replaced."""
    for name in files:
        if (folder / name).is_dir():
            raise IsADirectoryError(0, f"{name} is a folder", name)
        parent = (folder / name).parent
        if parent.exists() and not parent.is_dir():
            raise NotADirectoryError(0, f"{parent.name} is not a folder", name)


def _differs(path: Path, content: bytes) -> bool:
    return not path.is_file() or path.read_bytes() != content
