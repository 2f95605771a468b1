"""Mutated inputs through a command, counted; those that fail are kept."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .runner import Runner
from .verdict import faults
from .world import World, new_world

SHOWN = 12
"""Failures that a message tells of in full."""


@dataclass(frozen=True)
class Case:
    """A command on an input that lies in a world; `kind` says how that was made."""

    kind: str
    words: tuple[str, ...]
    may_write: str = ""  # a pattern of paths below the world's root
    lost: Callable[[], list[str]] = list  # returns what else the command did away with


Make = Callable[[World, random.Random], Case]


@dataclass
class Tally:
    """How many inputs of each kind there were, how they ended, and what failed."""

    name: str
    seconds: float = 0.0
    slowest: float = 0.0
    largest: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """A line of counts."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds.most_common())
        codes = ", ".join(f"exit {code}: {count}" for code, count in sorted(self.codes.items()))
        failed = ", ".join(f"{kind} {count}" for kind, count in self.failed.most_common())
        return (
            f"{self.name}: {self.kinds.total()} inputs in {self.seconds:.0f} s ({kinds}); {codes}; "
            f"slowest {self.slowest:.1f} s, largest {self.largest:.0f} MB; "
            f"failed: {failed or 'none'}"
        )

    def check(self) -> None:
        """Prints the counts; fails where something failed, and names the inputs."""
        print(f"\n{self}")
        more = len(self.told) - SHOWN
        shown = "\n".join(self.told[:SHOWN] + ([f"and {more} more"] if more > 0 else []))
        assert not self.told, f"{self}\n{shown}"
        assert len(self.codes) > 1, f"{self}: all ended alike, so it tries only one thing"


def fuzz(name: str, count: int, make: Make, runner: Runner, folder: Path) -> Tally:
    """Runs `count` cases, each in a world of its own below `folder`; keeps what fails."""
    tally = Tally(name)
    began = time.monotonic()
    for number in range(count):
        world = new_world(folder / f"{name}-{number}")
        case = make(world, random.Random(f"{name} {number}"))
        before = world.snapshot()
        ending = runner.run(case.words, world)
        found = faults(case.words, ending, world, before, case.may_write)
        found += case.lost()
        tally.kinds[case.kind] += 1
        tally.codes[ending.code] += 1
        tally.slowest = max(tally.slowest, ending.seconds)
        tally.largest = max(tally.largest, ending.mb)
        if not found:
            world.remove()
            continue
        tally.failed.update({each.partition(":")[0] for each in found})
        (world.root / "stdout").write_bytes(ending.stdout)
        (world.root / "stderr").write_bytes(ending.stderr)
        told = {"kind": case.kind, "words": case.words, "found": found}
        (world.root / "case.json").write_text(json.dumps(told, indent=1))
        tally.told.append(f"{world.root} ({case.kind}): " + "; ".join(found)[:700])
    tally.seconds = time.monotonic() - began
    return tally
