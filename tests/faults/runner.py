"""Runs commands one by one, each in its own process but without the seconds for imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .sandbox import Sandbox


@dataclass(frozen=True)
class CompletedCommand:
    """How a command ended, and what it printed."""

    code: int  # exit code; -1 if a signal ended it
    signal: int  # the signal that ended it, or 0
    hung: bool  # whether it was killed because it did not end
    seconds: float  # processor time
    mb: float  # peak memory
    stdout: bytes
    stderr: bytes


class Runner:
    """Runs commands in forked children of one process. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where the output of the commands is written."""
        self._folder = folder

    def __enter__(self) -> Runner:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Matplotlib searches for fonts once, before any command runs.
        variables = {"MPLCONFIGDIR": str(self._folder)}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forked.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )
        assert self._read() == {"ready": True}
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()

    def run(self, arguments: Sequence[str], sandbox: Sandbox) -> CompletedCommand:
        """Runs `lstm-bench ARGUMENTS` in the working folder of a sandbox."""
        out, err = self._folder / "stdout", self._folder / "stderr"
        request = {
            "arguments": list(arguments),
            "folder": str(sandbox.folder),
            "environment": sandbox.environment,
            "stdout": str(out),
            "stderr": str(err),
        }
        assert self._process.stdin
        print(json.dumps(request), file=self._process.stdin, flush=True)
        ending = self._read()
        return CompletedCommand(**ending, stdout=out.read_bytes(), stderr=err.read_bytes())

    def _read(self) -> dict[str, Any]:
        """Returns the next line of JSON from the process."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the process that forks has ended; its last output is above"
        document: dict[str, Any] = json.loads(line)
        return document
