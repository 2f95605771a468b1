"""Provenance of a result: code, versions, kind of machine, command."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lstm_bench.config import XLA_FLAGS
from lstm_bench.safety import mask_address

VERSION = "0.2.0"
"""The version of this package; packaging tools read it here."""

PACKAGES = ("tensorflow", "keras", "numpy", "optuna", "mlflow", "pandas")


def provenance(command: list[str] | None = None) -> dict[str, str]:
    """Returns facts about this run by name, without paths and names of machines.

    `command` is the command line without the program name; `sys.argv` by default.
    """
    words = ["lstm-bench", *(sys.argv[1:] if command is None else command)]
    return {
        "lstm-bench": VERSION,
        "revision": _revision(),
        "command": shlex.join(map(mask_address, words)),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
        "numba": _numba(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "XLA": _xla_flags(),
        "oneDNN": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }


def processor_kind(facts: Mapping[str, str]) -> str:
    """Returns the kind of processor that a provenance names, without its number of cores.

    On one kind, the same versions give bit-identical numbers.

    >>> processor_kind({"processor": "AMD EPYC 7B13, 8 cores"})
    'AMD EPYC 7B13'
    """
    named = facts.get("processor", "unknown processor")
    return named.rpartition(", ")[0] or named


def _numba() -> str:
    """Returns the version of Numba, which compiles the kernels; it is only needed on Linux."""
    try:
        return importlib.metadata.version("numba")
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _xla_flags() -> str:
    """Returns the compiler's flags, which affect the last digits; `default` for this package's."""
    flags = os.environ.get("XLA_FLAGS", XLA_FLAGS)
    return "default" if flags == XLA_FLAGS else flags


@functools.cache
def _revision() -> str:
    """Returns the git revision of the source code, with `+` if files differ from it."""
    folder = Path(__file__).parent
    try:
        revision = _git(folder, "rev-parse", "--short=12", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return "none (not a git checkout)"
    return revision + ("+" if changes else "")


def full_commit(revision: str) -> str:
    """Returns the whole name of the commit of a `revision`, where that is the one in use here.

    A `revision` of other code is returned as it is.
    """
    try:
        commit = _commit()
    except (OSError, subprocess.SubprocessError):
        return revision
    return commit if commit.startswith(revision.rstrip("+")) else revision


@functools.cache
def _commit() -> str:
    return _git(Path(__file__).parent, "rev-parse", "HEAD")


def _git(folder: Path, *words: str) -> str:
    """Returns the output of a git command in `folder`; raises if there is no git or it fails."""
    command = ["git", "-C", str(folder), *words]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    return run.stdout.strip()


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"
