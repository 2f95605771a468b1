"""Commands that are run one by one, each in a process of its own, without seconds of imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .world import World


@dataclass(frozen=True)
class Ending:
    """How a command ended, and what it said."""

    code: int  # its exit code; -1 where a signal ended it
    signal: int  # that ended it, or 0
    hung: bool  # whether it was killed, for it did not end
    seconds: float  # of a processor
    mb: float  # of memory, at the most
    stdout: bytes
    stderr: bytes


class Runner:
    """Runs commands in forked children of one process. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where it keeps what commands print."""
        self._folder = folder

    def __enter__(self) -> Runner:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Fonts are looked for once, before anything is run.
        own = {"MPLCONFIGDIR": str(self._folder)}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forked.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **own},
        )
        assert self._answer() == {"ready": True}
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def run(self, words: Sequence[str], world: World) -> Ending:
        """Returns how `lstm-bench WORDS` ended in the working folder of a world."""
        out, err = self._folder / "stdout", self._folder / "stderr"
        asked = {
            "words": list(words),
            "folder": str(world.here),
            "environment": world.environment,
            "stdout": str(out),
            "stderr": str(err),
        }
        assert self._process.stdin
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        told = self._answer()
        return Ending(**told, stdout=out.read_bytes(), stderr=err.read_bytes())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the process that forks has ended; its last words are above"
        told: dict[str, Any] = json.loads(line)
        return told
