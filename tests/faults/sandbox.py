"""A working folder with a home, a temporary folder and neighbours, and the changes in it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SECRET = "swordfish-7f3a9c"
"""A text in the environment and in a file outside the working folder; no command may print it."""

ASTRAY = Path("/lstm-bench-astray")
"""Where a command writes if it takes the name `/../../lstm-bench-astray` for a path."""

Snapshot = Mapping[str, tuple[object, ...]]
"""Path below the root -> properties of the file; the modification times of folders are left out."""


@dataclass(frozen=True)
class Sandbox:
    """Folders below `root`, deep enough that `../../..` of the working folder is below it too."""

    root: Path

    @property
    def folder(self) -> Path:
        """The working folder."""
        return self.root / "a" / "b" / "work"

    @property
    def temporary(self) -> Path:
        """The folder in TMPDIR, which must be empty before a command and after it."""
        return self.root / "temporary"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that are added to the environment of the tests."""
        home = str(self.root / "home")
        return {"HOME": home, "TMPDIR": str(self.temporary), "LSTM_BENCH_SECRET": SECRET}

    def snapshot(self) -> Snapshot:
        """Returns everything below the root: path -> kind, size, modification time, inode."""
        return dict(_entries(self.root, self.root))

    def remove(self) -> None:
        """Deletes the root and everything in it."""
        shutil.rmtree(self.root)


def new_sandbox(root: Path) -> Sandbox:
    """Returns a sandbox in a new folder, with files of the user in all of its folders."""
    sandbox = Sandbox(root)
    neighbour = sandbox.folder.parent / "neighbour"
    for folder in (sandbox.folder, sandbox.temporary, root / "home", neighbour):
        folder.mkdir(parents=True)
    secret = f"day,{SECRET}\n" + "".join(f"{day},{SECRET}\n" for day in range(40))
    (sandbox.folder.parent / "secret.csv").write_text(secret)
    for folder in (root, sandbox.folder.parent, neighbour, sandbox.folder):
        (folder / "precious.csv").write_text("day,value\n1,2\n")
        (folder / "index.html").write_text("<p>mine</p>\n")
    return sandbox


def changes(before: Snapshot, after: Snapshot) -> list[tuple[str, str]]:
    """Returns the changes as pairs ("written" | "changed" | "deleted", path), sorted by path."""
    pairs = [("written", path) for path in after.keys() - before.keys()]
    pairs += [("deleted", path) for path in before.keys() - after.keys()]
    both = before.keys() & after.keys()
    pairs += [("changed", path) for path in both if before[path] != after[path]]
    return sorted(pairs, key=lambda pair: pair[1])


def _entries(folder: Path, root: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yields the entries of a folder and of its subfolders; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            path = Path(entry.path)
            name = os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace")
            if stat.S_ISDIR(status.st_mode):
                yield name, ("folder",)
                yield from _entries(path, root)
            else:
                kind = stat.S_IFMT(status.st_mode)
                yield name, (kind, status.st_size, status.st_mtime_ns, status.st_ino)
