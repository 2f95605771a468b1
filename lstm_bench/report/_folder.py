"""The folder of a report: its files replace those of the report before.

`.report.json` lists the files that a report has written into the folder. No other file there is
ever overwritten or deleted, and no link is followed out of it.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from lstm_bench.errors import StoreError
from lstm_bench.safety import temporary_folder_in

MANIFEST = ".report.json"
"""The file in a report's folder that lists the report's files."""
REPORT_FILE = re.compile(r"index\.html|report\.md|[a-z_0-9]+\.csv|figures/[a-z_0-9-]+\.(?:svg|pdf)")
"""The paths that a report writes; others in a manifest are ignored, whoever wrote them."""
LINKED_FILE = re.compile(r"\]\(((?:figures/)?[a-z_0-9-]+\.(?:csv|svg|pdf))\)")
"""The links of a `report.md`: they name all other files of its report."""
REQUIRED_FILES = (
    "index.html", "report.md", "comparison.csv", "seeds.csv", "curves.csv", "predictions.csv",
)  # fmt: skip
"""The files that every report has."""


def check_report_folder(folder: Path) -> None:
    """Raises `StoreError` if a report cannot be written there, as far as that is known before."""
    try:
        _check(folder, dict.fromkeys(REQUIRED_FILES, b""), written_by_report(folder))
    except OSError as error:
        raise StoreError(
            f"report: {folder} must have no folders where it needs files, but {error.strerror}; "
            "move it away, or set another folder as `reports` in conf/default.yaml"
        ) from error


def replace_report(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes `files` (path below `folder` -> content) as the whole report in `folder`.

    They are first written to a temporary folder and then renamed over the old ones, so that an
    interruption leaves no incomplete file. A file that does not change is not touched; files that
    only the earlier report wrote are deleted. Raises `StoreError` if `folder` cannot be written, is
    a link, or has a file in the way that no report wrote.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = written_by_report(folder)
        _check(folder, files, before)
        changed = [name for name, new in files.items() if _differs(folder / name, new)]
        listed = _manifest(files)
        with temporary_folder_in(folder, ".partial-") as staging:
            for name in changed:
                (staging / name).parent.mkdir(exist_ok=True)
                (staging / name).write_bytes(files[name])
            if changed or _differs(folder / MANIFEST, listed):
                # Meanwhile the manifest lists the files of both reports: a kill in between must
                # leave no file that belongs to neither.
                _write_manifest(staging, folder, _manifest({*before, *files}))
                for name in changed:
                    (folder / name).parent.mkdir(exist_ok=True)
                    (staging / name).replace(folder / name)
                for name in before - files.keys():
                    (folder / name).unlink(missing_ok=True)
                _write_manifest(staging, folder, listed)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"report: its folder must be writable, but {str(folder)!r} is not ({reason}); "
            "choose another folder, or make this one writable"
        ) from error


def _write_manifest(staging: Path, folder: Path, manifest: bytes) -> None:
    (staging / MANIFEST).write_bytes(manifest)
    (staging / MANIFEST).replace(folder / MANIFEST)


def written_by_report(folder: Path) -> set[str]:
    """Returns the paths below `folder` that a report has written, if they still exist.

    If the manifest is damaged or missing (earlier versions wrote none), they are determined from
    the page and from `report.md`.
    """
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())["files"]
        names = {name for name in listed if isinstance(name, str) and REPORT_FILE.fullmatch(name)}
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        names = _without_manifest(folder)
    return {name for name in names if (folder / name).is_file()}


def _without_manifest(folder: Path) -> set[str]:
    """Returns the files of a report without a manifest; none if its page is not of a report."""
    names: set[str] = set()
    with contextlib.suppress(OSError, ValueError):
        if b'<p class="name">lstm-bench / ' in (folder / "index.html").read_bytes():
            names.add("index.html")
    with contextlib.suppress(OSError, ValueError):
        text = (folder / "report.md").read_text(encoding="utf-8")
        if names and "\nEvery number: [" in text:
            names |= {"report.md", *LINKED_FILE.findall(text)}
    return names


def _manifest(names: Mapping[str, bytes] | set[str]) -> bytes:
    about = "the files that a report has written here, and may replace or delete"
    return (json.dumps({"about": about, "files": sorted(names)}, indent=1) + "\n").encode()


def _check(folder: Path, files: Mapping[str, bytes], before: set[str]) -> None:
    """Raises an error if something that no report has written is in the way of `files`."""
    for place in (folder, folder / "figures"):
        if place.is_symlink():
            raise StoreError(
                f"report: {place} must be a folder, but is a link, and a report never writes "
                "through one; remove it, or set another folder as `reports` in conf/default.yaml"
            )
    for name in [*files, MANIFEST]:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            raise IsADirectoryError(0, f"{name} is a folder", name)
        if path.parent.exists() and not path.parent.is_dir():
            raise NotADirectoryError(0, f"{path.parent.name} is not a folder", name)
        if path.is_symlink() or (path.exists() and name not in before and name != MANIFEST):
            raise StoreError(
                f"report: {path} is in the way, and no report has written it; move it away, or "
                "set another folder as `reports` in conf/default.yaml"
            )


def _differs(path: Path, content: bytes) -> bool:
    return not path.is_file() or path.read_bytes() != content
