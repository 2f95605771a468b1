"""The output of `status`: the progress of each sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from lstm_bench.safety import printable_line
from lstm_bench.tracking import SweepState

NEXT = {
    "stopped": "the same command goes on from there",
    "silent": "its process was killed or cannot reach the store; the same command goes on",
}


def status_page(states: Sequence[SweepState]) -> RenderableType:
    """Returns a few lines for each sweep: state, counts, time left, failures, best so far."""
    if not states:
        return Text("no sweep has been run")
    return Group(*(Text(printable_line(line)) for state in states for line in _lines(state)))


def _lines(state: SweepState) -> list[str]:
    progress = state.progress
    title = f"{state.name} {state.overrides}".rstrip()
    lines = [f"{title}: {state.state}{_details(state)}"]
    counts = [_count(progress, key, key) for key in ("recipes", "seeds", "updates")]
    lines += [f"  done      {', '.join(filter(None, counts))}"] if any(counts) else []
    running = progress.get("running")
    if state.state == "running" and isinstance(running, list) and running:
        lines.append(f"  training  {', '.join(map(str, running))}")
    best = progress.get("best")
    if isinstance(best, dict):
        measured = {k.replace("_", " "): v for k, v in best.items() if isinstance(v, int | float)}
        scores = ", ".join(f"{key} {100 * value:.1f} %" for key, value in measured.items())
        lines.append(f"  best      {best.get('id')}, {scores}: {best.get('name')}")
    failed, failures = progress.get("failed"), progress.get("failures")
    if failed and isinstance(failures, list):
        lines.append(f"  failed    {failed} of the recipes")
        lines += [f"            {failure}" for failure in failures]
    return [*lines, *([f"  next      {NEXT[state.state]}"] if state.state in NEXT else [])]


def _details(state: SweepState) -> str:
    """Returns the stage, the part that is done, the time left, and where it runs."""
    progress, parts = state.progress, []
    if state.state == "running":
        parts = [str(progress.get("stage"))]
        fraction, left = progress.get("fraction"), progress.get("seconds_left")
        parts += [f"{fraction:.0%}"] if isinstance(fraction, float) else []
        if isinstance(left, int | float) and 0 <= left < 1e9:
            left = max(left - state.silent, 0.0)
            parts.append(f"about {timedelta(seconds=round(left))} left")
        parts.append(f"process {progress.get('process')} on {progress.get('host')}")
    if state.state in ("running", "silent") and state.silent == state.silent:
        parts.append(f"last heard of {timedelta(seconds=round(state.silent))} ago")
    return f" ({', '.join(parts)})" if parts else ""


def _count(progress: Mapping[str, Any], key: str, noun: str) -> str:
    """Returns how many of something are done, as `3 of 45 recipes`; empty if that is unknown."""
    counts = progress.get(key)
    if not isinstance(counts, dict):
        return ""
    done, total = counts.get("done"), counts.get("total")
    numbers = isinstance(done, int | float) and isinstance(total, int | float)
    return f"{done:,} of {total:,} {noun}" if numbers else ""
