"""Where a result came from: code, versions, machine, command."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path

import lstm_bench
from lstm_bench.config import XLA_FLAGS
from lstm_bench.safety import mask_address

VERSION = lstm_bench.__version__

PACKAGES = ("tensorflow", "keras", "numpy", "optuna", "mlflow", "pandas")


def provenance(command: list[str] | None = None) -> dict[str, str]:
    """Returns text facts by name; none of them is a path or the name of a machine."""
    words = ["lstm-bench", *(sys.argv[1:] if command is None else command)]
    return {
        "lstm-bench": VERSION,
        "revision": _revision(),
        "command": shlex.join(map(mask_address, words)),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "XLA": _xla(),
        "oneDNN": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }


def _xla() -> str:
    """Returns the compiler's flags, on which the last digits depend, where they are the user's."""
    flags = os.environ.get("XLA_FLAGS", XLA_FLAGS)
    return "default" if flags == XLA_FLAGS else flags


@functools.cache
def _revision() -> str:
    """Returns the git revision of the source, with `+` where files differ from it."""
    folder = Path(lstm_bench.__file__).parent
    try:
        asked = ["git", "-C", str(folder), "rev-parse", "--short=12", "HEAD"]
        revision = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=10)
        changed = subprocess.run(
            ["git", "-C", str(folder), "status", "--porcelain", "--", "."],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return "none (not a git checkout)"
    return revision.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"
