"""What a command must not do, whatever its input."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .runner import CompletedCommand
from .sandbox import ASTRAY, SECRET, Sandbox, Snapshot, changes

MOST_MB = 1024
TRACEBACK = b"Traceback (most recent call last)"
SCRIPT = b"<script>alert(1)"
"""A text in the inputs that would run in a page that contains it unescaped."""


def violations(
    arguments: Sequence[str],
    completed: CompletedCommand,
    sandbox: Sandbox,
    before: Snapshot,
    may_write: str = "",
) -> list[str]:
    """Returns the rules that a command broke, each as `kind: details`.

    `may_write` is the pattern of the paths below the root of the sandbox that it may write.
    """
    problems = _bad_ending(completed)
    if not problems:
        problems += _silent_failure(completed)
    problems += _bad_output("stdout", completed.stdout) + _bad_output("stderr", completed.stderr)
    if "--json" in arguments and completed.code == 0 and not completed.hung:
        problems += _bad_json(completed.stdout)
    for change, path in changes(before, sandbox.snapshot()):
        if not re.fullmatch(may_write, path):
            problems.append(f"{change}: {path!r}")
        elif path.endswith(".html") and _has_script(sandbox.root / path):
            problems.append(f"script: {path!r} would run a script from the input")
    if ASTRAY.exists():
        shutil.rmtree(ASTRAY)  # so that it is not blamed on the next command
        problems.append(f"written: {ASTRAY}")
    return problems


def _has_script(page: Path) -> bool:
    return page.is_file() and SCRIPT in page.read_bytes()


def _bad_ending(completed: CompletedCommand) -> list[str]:
    """Returns whether a command hung, crashed, or used too much memory."""
    problems = []
    if completed.hung:
        problems.append(
            f"hang: {completed.seconds:.0f} s of a processor, {_last_line(completed.stderr)}"
        )
    elif completed.signal:
        problems.append(f"crash: signal {completed.signal}, {_last_line(completed.stderr)}")
    elif TRACEBACK in completed.stderr:
        problems.append(f"traceback: {_last_line(completed.stderr)}")
    elif completed.code not in (0, 1, 2):
        problems.append(f"exit: {completed.code}")
    if completed.mb > MOST_MB:
        problems.append(f"memory: {completed.mb:.0f} MB")
    return problems


def _silent_failure(completed: CompletedCommand) -> list[str]:
    """Returns whether a command failed without a message."""
    silent = completed.code != 0 and not completed.stderr.strip()
    return [f"exit: {completed.code} without a message"] if silent else []


def _bad_output(name: str, output: bytes) -> list[str]:
    """Returns whether the output has control characters, or contains the secret."""
    text = output.decode("utf-8", "surrogateescape")
    problems = []
    raw = sorted({c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t\r"})
    if raw:
        problems.append(f"control characters: {name} has {''.join(raw)!r}")
    if any(unicodedata.category(c) == "Cs" for c in text):
        problems.append(f"control characters: {name} is not UTF-8")
    if SECRET in text:
        line = next(line for line in text.splitlines() if SECRET in line)
        problems.append(f"leak: {name} contains the secret, {line[:160]!r}")
    return problems


def _bad_json(output: bytes) -> list[str]:
    """Returns whether the output is not one JSON document."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not valid in JSON")

    try:
        json.loads(output, parse_constant=refuse)
    except ValueError as error:
        return [f"json: stdout is not a JSON document, {error}"]
    return []


def _last_line(output: bytes) -> str:
    """Returns the last line of the output, and where in the package a traceback points to."""
    text = output.decode("utf-8", "replace").strip()
    origins = re.findall(r'File "[^"]*/(lstm_bench/[^"]+)", line (\d+)', text)
    origin = " < ".join(f"{file}:{line}" for file, line in reversed(origins[-3:]))
    lines = text.splitlines() or [""]
    return f"{lines[-1][:300]!r} at {origin or 'unknown'}"
