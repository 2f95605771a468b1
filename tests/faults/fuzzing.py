"""Runs commands on mutated inputs, counts them, and keeps those that fail."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .runner import Runner
from .sandbox import Sandbox, new_sandbox
from .violations import violations

MAX_SHOWN = 12
"""Failures that a message shows."""


@dataclass(frozen=True)
class Case:
    """A command on an input in a sandbox; `kind` is the kind of mutation."""

    kind: str
    arguments: tuple[str, ...]
    may_write: str = ""  # pattern of the paths below the root of the sandbox
    lost: Callable[[], list[str]] = list  # returns messages about other losses


Make = Callable[[Sandbox, random.Random], Case]


@dataclass
class Summary:
    """The number of inputs by kind, exit code and failure."""

    name: str
    seconds: float = 0.0
    slowest: float = 0.0
    largest: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    messages: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """The counts in one line."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds.most_common())
        codes = ", ".join(f"exit {code}: {count}" for code, count in sorted(self.codes.items()))
        failed = ", ".join(f"{kind} {count}" for kind, count in self.failed.most_common())
        return (
            f"{self.name}: {self.kinds.total()} inputs in {self.seconds:.0f} s ({kinds}); {codes}; "
            f"slowest {self.slowest:.1f} s, largest {self.largest:.0f} MB; "
            f"failed: {failed or 'none'}"
        )

    def check(self) -> None:
        """Prints the counts; fails if an input failed, and names those that did."""
        print(f"\n{self}")
        more = len(self.messages) - MAX_SHOWN
        shown = self.messages[:MAX_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        assert not self.messages, "\n".join([str(self), *shown])
        assert len(self.codes) > 1, f"{self}: all exit codes are equal, so it tests only one thing"


def fuzz(name: str, count: int, make: Make, runner: Runner, folder: Path) -> Summary:
    """Runs `count` cases, each in its own sandbox below `folder`; keeps the sandbox if it fails."""
    summary = Summary(name)
    start = time.monotonic()
    for number in range(count):
        sandbox = new_sandbox(folder / f"{name}-{number}")
        case = make(sandbox, random.Random(f"{name} {number}"))
        before = sandbox.snapshot()
        completed = runner.run(case.arguments, sandbox)
        problems = violations(case.arguments, completed, sandbox, before, case.may_write)
        problems += case.lost()
        summary.kinds[case.kind] += 1
        summary.codes[completed.code] += 1
        summary.slowest = max(summary.slowest, completed.seconds)
        summary.largest = max(summary.largest, completed.mb)
        if not problems:
            sandbox.remove()
            continue
        summary.failed.update({problem.partition(":")[0] for problem in problems})
        (sandbox.root / "stdout").write_bytes(completed.stdout)
        (sandbox.root / "stderr").write_bytes(completed.stderr)
        document = {"kind": case.kind, "arguments": case.arguments, "problems": problems}
        (sandbox.root / "case.json").write_text(json.dumps(document, indent=1))
        summary.messages.append(f"{sandbox.root} ({case.kind}): " + "; ".join(problems)[:700])
    summary.seconds = time.monotonic() - start
    return summary
