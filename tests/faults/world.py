"""A working folder with a home, a temporary folder and neighbours, and what changed in it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

SECRET = "swordfish-7f3a9c"
"""Is in the environment and in a file outside the working folder; no command may tell it."""

ASTRAY = Path("/lstm-bench-astray")
"""Where a command would write that takes the name `/../../lstm-bench-astray` for a path."""

Snapshot = Mapping[str, tuple[object, ...]]
"""Path below the root -> what the system says of it; a folder's own time of change left out."""


@dataclass(frozen=True)
class World:
    """Folders below `root`, deep enough that `../../..` of a working folder stays below it."""

    root: Path

    @property
    def here(self) -> Path:
        """The working folder."""
        return self.root / "a" / "b" / "here"

    @property
    def temporary(self) -> Path:
        """What TMPDIR names: empty before a command and after it."""
        return self.root / "temporary"

    @property
    def environment(self) -> dict[str, str]:
        """What a command's environment has besides that of the tests."""
        home = str(self.root / "home")
        return {"HOME": home, "TMPDIR": str(self.temporary), "LSTM_BENCH_SECRET": SECRET}

    def snapshot(self) -> Snapshot:
        """Returns everything below the root: path -> kind, size, time of change, inode."""
        return dict(_entries(self.root, self.root))

    def remove(self) -> None:
        """Deletes the root with all that is in it."""
        shutil.rmtree(self.root)


def new_world(root: Path) -> World:
    """Returns a world in a folder that is made, with files of the user's in all of its corners."""
    world = World(root)
    neighbour = world.here.parent / "neighbour"
    for folder in (world.here, world.temporary, root / "home", neighbour):
        folder.mkdir(parents=True)
    secret = f"day,{SECRET}\n" + "".join(f"{day},{SECRET}\n" for day in range(40))
    (world.here.parent / "secret.csv").write_text(secret)
    for folder in (root, world.here.parent, neighbour, world.here):
        (folder / "precious.csv").write_text("day,value\n1,2\n")
        (folder / "index.html").write_text("<p>mine</p>\n")
    return world


def changes(before: Snapshot, after: Snapshot) -> list[tuple[str, str]]:
    """Returns what became of files, each as ("written" | "changed" | "deleted", path)."""
    found = [("written", path) for path in after.keys() - before.keys()]
    found += [("deleted", path) for path in before.keys() - after.keys()]
    both = before.keys() & after.keys()
    found += [("changed", path) for path in both if before[path] != after[path]]
    return sorted(found, key=lambda each: each[1])


def _entries(folder: Path, root: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yields the entries of a folder and of those in it; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            known = entry.stat(follow_symlinks=False)
            path = Path(entry.path)
            name = os.fsencode(path.relative_to(root)).decode("utf-8", "backslashreplace")
            if stat.S_ISDIR(known.st_mode):
                yield name, ("folder",)
                yield from _entries(path, root)
            else:
                kind = stat.S_IFMT(known.st_mode)
                yield name, (kind, known.st_size, known.st_mtime_ns, known.st_ino)
