"""What no input may make a command do."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .runner import Ending
from .world import ASTRAY, SECRET, Snapshot, World, changes

MOST_MB = 1024
TRACEBACK = b"Traceback (most recent call last)"
SCRIPT = b"<script>alert(1)"
"""Is in texts of the inputs, and would run in a page that shows them as they are."""


def faults(
    words: Sequence[str],
    ending: Ending,
    world: World,
    before: Snapshot,
    may_write: str = "",
) -> list[str]:
    """Returns what is wrong with how a command ended, each as `kind: what`; nothing if all is well.

    `may_write` is a pattern of the paths below the world's root that the command may write.
    """
    found = _endings(ending)
    if not found:
        found += _without_words(ending)
    found += _letters("stdout", ending.stdout) + _letters("stderr", ending.stderr)
    if "--json" in words and ending.code == 0 and not ending.hung:
        found += _json(ending.stdout)
    for what, path in changes(before, world.snapshot()):
        if not re.fullmatch(may_write, path):
            found.append(f"{what}: {path!r}")
        elif path.endswith(".html") and _runs(world.root / path):
            found.append(f"script: {path!r} would run what a stranger wrote")
    if ASTRAY.exists():
        shutil.rmtree(ASTRAY)  # for the next command to be judged by itself
        found.append(f"written: {ASTRAY}")
    return found


def _runs(page: Path) -> bool:
    return page.is_file() and SCRIPT in page.read_bytes()


def _endings(ending: Ending) -> list[str]:
    found = []
    if ending.hung:
        found.append(f"hang: {ending.seconds:.0f} s of a processor, {_last(ending.stderr)}")
    elif ending.signal:
        found.append(f"crash: signal {ending.signal}, {_last(ending.stderr)}")
    elif TRACEBACK in ending.stderr:
        found.append(f"traceback: {_last(ending.stderr)}")
    elif ending.code not in (0, 1, 2):
        found.append(f"exit: {ending.code}")
    if ending.mb > MOST_MB:
        found.append(f"memory: {ending.mb:.0f} MB")
    return found


def _without_words(ending: Ending) -> list[str]:
    """Returns that a command failed and did not say why."""
    silent = ending.code != 0 and not ending.stderr.strip()
    return [f"exit: {ending.code} without a word"] if silent else []


def _letters(name: str, said: bytes) -> list[str]:
    text = said.decode("utf-8", "surrogateescape")
    found = []
    raw = sorted({c for c in text if unicodedata.category(c) == "Cc" and c not in "\n\t\r"})
    if raw:
        found.append(f"control characters: {name} has {''.join(raw)!r}")
    if any(unicodedata.category(c) == "Cs" for c in text):
        found.append(f"control characters: {name} is not UTF-8")
    if SECRET in text:
        line = next(line for line in text.splitlines() if SECRET in line)
        found.append(f"leak: {name} tells the secret, {line[:160]!r}")
    return found


def _json(said: bytes) -> list[str]:
    def strict(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    try:
        json.loads(said, parse_constant=strict)
    except ValueError as error:
        return [f"json: stdout is no JSON document, {error}"]
    return []


def _last(said: bytes) -> str:
    """Returns the last line of what was said, and where in the package it came from."""
    text = said.decode("utf-8", "replace").strip()
    places = re.findall(r'File "[^"]*/(lstm_bench/[^"]+)", line (\d+)', text)
    where = " < ".join(f"{file}:{line}" for file, line in reversed(places[-3:]))
    lines = text.splitlines() or [""]
    return f"{lines[-1][:300]!r} at {where or 'unknown'}"
