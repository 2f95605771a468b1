"""The files of a report, put in the place of an earlier one: all rendered before any is touched.

`.report.json` lists what a report has written into its folder. Nothing else there is ever
overwritten or deleted, and no link is followed out of it.
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
OURS = re.compile(r"index\.html|report\.md|[a-z_0-9]+\.csv|figures/[a-z_0-9-]+\.svg")
"""What a file of a report may be called: a manifest that lists others is somebody else's."""
POINTED_TO = re.compile(r"\]\(((?:figures/)?[a-z_0-9-]+\.(?:csv|svg))\)")
"""The files that a `report.md` points to: all others of its report."""
EVERY = ("index.html", "report.md", "comparison.csv", "seeds.csv", "curves.csv", "predictions.csv")
"""Files that every report has."""


def check(folder: Path) -> None:
    """Raises `StoreError` where a report could not be written, as far as that is known before."""
    try:
        _check(folder, dict.fromkeys(EVERY, b""), written_by_report(folder))
    except OSError as error:
        raise StoreError(
            f"report: {folder} must have no folders in the place of files, but {error.strerror}; "
            "move it away, or set another folder as `reports` in conf/default.yaml"
        ) from error


def replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes `files` (path below `folder` -> content) the whole report in `folder`.

    They are first written beside the old ones and then renamed over them, so that an interruption
    leaves no file cut short. A file that would not change is not touched; what the earlier report
    wrote and this one does not is deleted. Raises `StoreError` where `folder` cannot be written,
    is a link, or has a file in the way that no report wrote.
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
                # Until all is there, the manifest lists the files of both reports: a kill in
                # between must leave no file that belongs to neither.
                _put(staging, folder, _manifest({*before, *files}))
                for name in changed:
                    (folder / name).parent.mkdir(exist_ok=True)
                    (staging / name).replace(folder / name)
                for name in before - files.keys():
                    (folder / name).unlink(missing_ok=True)
                _put(staging, folder, listed)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"report: its folder must be writable, but {str(folder)!r} is not ({reason}); "
            "choose another folder, or make this one writable"
        ) from error


def _put(staging: Path, folder: Path, manifest: bytes) -> None:
    (staging / MANIFEST).write_bytes(manifest)
    (staging / MANIFEST).replace(folder / MANIFEST)


def written_by_report(folder: Path) -> set[str]:
    """Returns the paths below `folder` that a report has written, as far as they are still there.

    Where the manifest is damaged, or there is none, as of an earlier version, they are known by
    what is in the page and in `report.md`.
    """
    try:
        listed = json.loads((folder / MANIFEST).read_bytes())["files"]
        found = {name for name in listed if isinstance(name, str) and OURS.fullmatch(name)}
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        found = _without_manifest(folder)
    return {name for name in found if (folder / name).is_file()}


def _without_manifest(folder: Path) -> set[str]:
    found = set()
    with contextlib.suppress(OSError, ValueError):
        if b'<p class="name">lstm-bench / ' in (folder / "index.html").read_bytes():
            found.add("index.html")
    with contextlib.suppress(OSError, ValueError):
        text = (folder / "report.md").read_text(encoding="utf-8")
        if found and "\nEvery number: [" in text:
            found |= {"report.md", *POINTED_TO.findall(text)}
    return found


def _manifest(names: Mapping[str, bytes] | set[str]) -> bytes:
    about = "what a report has written here, and may replace or delete"
    return (json.dumps({"about": about, "files": sorted(names)}, indent=1) + "\n").encode()


def _check(folder: Path, files: Mapping[str, bytes], before: set[str]) -> None:
    """Raises an error where something that is not of a report is in the way of `files`."""
    for place in (folder, folder / "figures"):
        if place.is_symlink():
            raise StoreError(
                f"report: {place} must be a folder and no link, for a report never writes through "
                "one; remove the link, or set another folder as `reports` in conf/default.yaml"
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
