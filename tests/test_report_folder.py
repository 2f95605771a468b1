"""A report's folder: all of it is written, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_cases import RESULT
from report_seen import rendered

from lstm_bench.errors import StoreError
from lstm_bench.report import write_report
from lstm_bench.report.folder import replace


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_writes_every_file_and_the_same_bytes_twice(tmp_path: Path) -> None:
    files = rendered("all sorts")
    written = write_report(RESULT, tmp_path / "reports" / "quickstart")
    assert written == tmp_path / "reports" / "quickstart" / "index.html"
    assert contents(written.parent) == files
    tables = ("comparison", "seeds", "curves", "predictions", "published")
    names = {f"{table}.csv" for table in tables}
    names |= {"index.html", "report.md", "figures/accuracy.svg", "figures/curves.svg"}
    names |= {"history.csv", "front.csv", "figures/history.svg", "figures/front.svg"}
    assert set(files) == names
    before = {path: path.stat().st_mtime_ns for path in written.parent.rglob("*.*")}
    replace(written.parent, files)
    assert {path: path.stat().st_mtime_ns for path in written.parent.rglob("*.*")} == before


def test_stale_files_go_and_foreign_files_stay(tmp_path: Path) -> None:
    replace(tmp_path, {"index.html": b"old", "figures/curves-2.svg": b"old", "old.csv": b"old"})
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "figures" / "photo.png").write_text("mine")
    replace(tmp_path, {"index.html": b"new", "figures/accuracy.svg": b"new"})
    ours, theirs = {"index.html", "figures/accuracy.svg"}, {"notes.txt", "figures/photo.png"}
    assert set(contents(tmp_path)) == ours | theirs
    assert contents(tmp_path)["index.html"] == b"new"


def test_failure_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace(tmp_path, {"index.html": b"old"})
    before = contents(tmp_path)

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace(tmp_path, {"index.html": b"new", "report.md": b"new"})
    assert contents(tmp_path) == before


def test_unwritable_folder_is_a_store_error(tmp_path: Path) -> None:
    files = rendered("all sorts")
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(StoreError, match=r"report: its folder must be writable.*choose"):
            replace(folder, files)
    (tmp_path / "report" / "index.html").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"index\.html is a folder"):
        replace(tmp_path / "report", files)
    assert not (tmp_path / "report" / "report.md").exists()
