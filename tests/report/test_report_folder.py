"""The folder of a report: it is written as a whole, and other files in it are never touched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_cases import RESULT
from report_seen import rendered

from lstm_bench.errors import StoreError
from lstm_bench.report._folder import (
    MANIFEST,
    REPORT_FILE,
    REQUIRED_FILES,
    check_report_folder,
    replace_report,
)
from lstm_bench.report._write import write_report


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.mark.long
def test_writes_every_file_and_the_same_bytes_twice(tmp_path: Path) -> None:
    files = rendered("all sorts")
    written = write_report(RESULT, tmp_path / "reports" / "quickstart")
    assert written == tmp_path / "reports" / "quickstart" / "index.html"
    on_disk = contents(written.parent)
    assert json.loads(on_disk.pop(MANIFEST))["files"] == sorted(files)
    assert on_disk == files
    tables = ("comparison", "seeds", "curves", "predictions", "published")
    names = {f"{table}.csv" for table in tables}
    names |= {"index.html", "report.md", "history.csv", "front.csv"}
    stems = ("accuracy", "curves", "history", "front")
    names |= {f"figures/{stem}.{kind}" for stem in stems for kind in ("svg", "pdf")}
    assert set(files) == names
    before = {path: path.stat().st_mtime_ns for path in written.parent.rglob("*.*")}
    replace_report(written.parent, files)
    assert {path: path.stat().st_mtime_ns for path in written.parent.rglob("*.*")} == before


def test_files_of_an_earlier_report_are_deleted_and_other_files_stay(tmp_path: Path) -> None:
    replace_report(
        tmp_path, {"index.html": b"old", "figures/curves-2.svg": b"old", "old.csv": b"old"}
    )
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "figures" / "photo.png").write_text("mine")
    replace_report(tmp_path, {"index.html": b"new", "figures/accuracy.svg": b"new"})
    report, others = {"index.html", "figures/accuracy.svg"}, {"notes.txt", "figures/photo.png"}
    assert set(contents(tmp_path)) == report | others | {MANIFEST}
    assert contents(tmp_path)["index.html"] == b"new"


def test_failure_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_report(tmp_path, {"index.html": b"old"})
    before = contents(tmp_path)

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        replace_report(tmp_path, {"index.html": b"new", "report.md": b"new"})
    assert contents(tmp_path) == before


def test_unwritable_folder_is_a_store_error(tmp_path: Path) -> None:
    files = rendered("all sorts")
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(StoreError, match=r"report: its folder must be writable.*choose"):
            replace_report(folder, files)
    (tmp_path / "report" / "index.html").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"index\.html is a folder"):
        replace_report(tmp_path / "report", files)
    assert not (tmp_path / "report" / "report.md").exists()


# ---- A report may only touch files that a report has written

USER_FILES = ("comparison.csv", "index.html", "figures/accuracy.svg", "report.md")


@pytest.mark.parametrize("name", USER_FILES)
def test_a_file_of_the_user_is_neither_overwritten_nor_deleted(tmp_path: Path, name: str) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / name).write_text("mine")
    with pytest.raises(StoreError, match=rf"{name} is in the way, and no report has written it"):
        replace_report(tmp_path, {name: b"a report's", "seeds.csv": b"a"})
    assert contents(tmp_path) == {name: b"mine"}
    (tmp_path / name).rename(tmp_path / "moved")
    replace_report(tmp_path, {name: b"a report's"})
    (tmp_path / "precious.csv").write_text("mine")
    replace_report(tmp_path, {"seeds.csv": b"a"})
    assert contents(tmp_path).keys() == {"moved", "precious.csv", "seeds.csv", MANIFEST}


@pytest.mark.parametrize(
    "listed",
    ["../precious.csv", "/etc/x.csv", "notes.txt", "figures/../x.csv", "Figures/a.svg", "a/b.csv",
     ".hidden.csv", "x.csv\n", 3, None, {"a": 1}],
)  # fmt: skip
def test_a_manifest_cannot_claim_other_files(tmp_path: Path, listed: object) -> None:
    folder = tmp_path / "report"
    (folder / "figures").mkdir(parents=True)
    for path in (tmp_path / "precious.csv", folder / "notes.txt", folder / "x.csv",
                 folder / ".hidden.csv"):  # fmt: skip
        path.write_text("mine")
    (folder / MANIFEST).write_text(json.dumps({"files": [listed]}))
    before = {**contents(tmp_path)}
    replace_report(folder, {"seeds.csv": b"a"})
    del before[f"report/{MANIFEST}"]
    assert before.items() <= contents(tmp_path).items()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"files": 3}', "\x00", "[" * 100_000])
def test_a_damaged_manifest_claims_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    (tmp_path / "old.csv").write_text("mine")
    replace_report(tmp_path, {"seeds.csv": b"a"})
    assert contents(tmp_path).keys() == {"old.csv", "seeds.csv", MANIFEST}


def test_a_report_of_an_earlier_version_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Those wrote no manifest, and their `report.md` names every file."""
    files = rendered("all sorts")
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "mine.csv").write_text("mine")
    replace_report(tmp_path, {"index.html": b"new"})
    assert contents(tmp_path).keys() == {"index.html", "mine.csv", MANIFEST}


@pytest.mark.parametrize("link", ["", "figures", "index.html", "seeds.csv"])
def test_no_link_is_followed(tmp_path: Path, link: str) -> None:
    folder, other = tmp_path / "reports" / "mine", tmp_path / "other"
    other.mkdir()
    (other / "index.html").write_text("precious")
    (other / "accuracy.svg").write_text("precious")
    folder.parent.mkdir()
    if link:
        folder.mkdir()
    (folder / link).symlink_to(other if link in ("", "figures") else other / "index.html")
    files = {"index.html": b"a", "seeds.csv": b"b", "figures/accuracy.svg": b"c"}
    with pytest.raises(StoreError, match=r"link|in the way"):
        replace_report(folder, files)
    assert contents(other) == {"index.html": b"precious", "accuracy.svg": b"precious"}


def test_after_a_kill_the_next_report_deletes_the_files_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_report(tmp_path, {"index.html": b"old", "old.csv": b"old"})
    replace, calls_left = Path.replace, [3]

    def killed(self: Path, target: Path) -> Path:
        calls_left[0] -= 1
        if calls_left[0] < 0:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        replace_report(tmp_path, {"index.html": b"new", "new.csv": b"new", "newer.csv": b"new"})
    monkeypatch.undo()
    assert len(contents(tmp_path)) > 3  # files of both reports
    replace_report(tmp_path, {"index.html": b"last"})
    assert contents(tmp_path).keys() == {"index.html", MANIFEST}


def test_every_file_of_a_report_may_be_listed() -> None:
    for name in rendered("all sorts"):
        assert REPORT_FILE.fullmatch(name)


def test_a_report_with_a_damaged_manifest_is_recognised_by_its_page(tmp_path: Path) -> None:
    files = rendered("all sorts")
    replace_report(tmp_path, files)
    (tmp_path / MANIFEST).write_text("{")
    (tmp_path / "mine.csv").write_text("mine")
    replace_report(tmp_path, {"index.html": files["index.html"]})
    assert contents(tmp_path).keys() == {"index.html", "mine.csv", MANIFEST}
    (tmp_path / MANIFEST).unlink()  # an earlier version that was killed may leave only a page
    replace_report(tmp_path, {"index.html": b"new"})
    assert contents(tmp_path)["index.html"] == b"new"


@pytest.mark.parametrize("name", REQUIRED_FILES)
def test_a_file_in_the_way_is_reported_before_the_work(tmp_path: Path, name: str) -> None:
    check_report_folder(tmp_path / "none")
    (tmp_path / name).write_text("mine")
    with pytest.raises(StoreError, match="in the way"):
        check_report_folder(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    with pytest.raises(StoreError, match="folder"):
        check_report_folder(tmp_path)


def test_every_report_has_the_required_files() -> None:
    assert set(REQUIRED_FILES) <= set(rendered("all sorts"))
