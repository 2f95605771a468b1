"""The progress bar of a sweep, in a terminal or a notebook, and the table of its estimated cost."""

from __future__ import annotations

import html
import math
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.table import Column, Table
from rich.text import Text

from lstm_bench.execution._estimate import Estimate
from lstm_bench.execution._progress import SweepProgress
from lstm_bench.safety import print_plain, printable_text, terminal_console


def is_interactive() -> bool:
    """Returns whether a progress bar is visible: in a terminal or in a notebook."""
    return sys.stderr.isatty() or terminal_console(stderr=True).is_jupyter


def estimate_table(name: str, estimate: Estimate) -> Table:
    """Returns the estimated cost of a sweep, one row a stage, with its total time as caption."""
    table = Table(title=Text(f"What {name} will cost"), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("stage")
    for heading in ("recipes", "runs of a seed", "weight updates"):
        table.add_column(heading, justify="right")
    for stage in estimate.stages:
        table.add_row(stage.name, *map(_range, (stage.recipes, stage.runs, stage.updates)))
    workers = "1 worker" if estimate.workers == 1 else f"{estimate.workers} workers"
    reason = (
        "no recipe could be trained in the time of the probe; a first run with few seeds "
        "(seeds=3) shows it"
    )
    if estimate.too_large:
        reason = "its recipes need too much memory for a probe"
    table.caption = f"time on {workers} is unknown: {reason}"
    if estimate.seconds:
        low, high = map(_duration, estimate.seconds)
        table.caption = f"about {low if low == high else f'{low} to {high}'} on {workers}"
    if estimate.seconds and estimate.may_end_early:
        table.caption += "; less where training ends early"
    table.caption_justify = "left"
    return table


def _range(ends: tuple[float, float]) -> str:
    low, high = (f"{end:,.0f}" if end < 1e6 else f"{end:.2g}" for end in ends)
    return low if low == high else f"{low} to {high}"


def _duration(seconds: float) -> str:
    """Returns a duration with about one significant digit, in a suitable unit.

    >>> [_duration(s) for s in (4.2, 48, 260, 8000)]
    ['5 s', '50 s', '5 min', '2.3 h']
    """
    if seconds < 90:
        return f"{max(5, 5 * math.ceil(seconds / 5))} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600 + 0.05:.1f} h"


NAME_WIDTH = 12
"""Characters of a sweep's name before its bar, so that the line fits a terminal of 80 columns."""


class _Times(ProgressColumn):
    """The time that has passed, and the time that is left; at the end, the total time."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Returns both as hours, minutes and seconds."""
        elapsed = _clock(task.elapsed or 0.0)
        if task.fields["ended"]:
            return Text(elapsed, style="progress.elapsed")
        left = max(task.fields["end"] - (task.elapsed or 0.0), 0.0)
        shown = "-:--:--" if math.isinf(left) else _clock(left)
        return Text(f"{elapsed} < {shown}", style="progress.remaining")


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


class _TwoLines(Progress):
    """A progress bar with a line below it, of what is being trained."""

    below = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yields the bar and the line."""
        yield self.make_tasks_table(self.tasks)
        if self.below:
            yield Text(printable_text(self.below), style="dim", no_wrap=True, overflow="ellipsis")


class SweepBar:
    """A progress bar: updates and recipes done, times, the best so far. It is a context manager."""

    def __init__(self, name: str, quiet: bool) -> None:
        console = terminal_console(stderr=True)
        self._progress = _TwoLines(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=20 if console.width >= 100 else 10),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[recipes]}", table_column=Column(no_wrap=True)),
            _Times(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[status]}", markup=False),
            console=console,
            disable=quiet,
        )
        self._name = name
        self._failures = 0

    def __enter__(self) -> SweepBar:
        self._progress.start()
        name = self._name if len(self._name) <= NAME_WIDTH else f"{self._name[: NAME_WIDTH - 1]}…"
        facts: dict[str, Any] = {"recipes": "", "status": "", "end": math.inf, "ended": False}
        self._task = self._progress.add_task(printable_text(name), total=1.0, **facts)
        return self

    def __exit__(self, error: object, *_: object) -> None:
        self._progress.below = ""
        self._progress.update(self._task, ended=True)
        if error is None:
            self._progress.update(self._task, completed=1.0)
        self._progress.stop()

    def estimated(self, estimate: Estimate) -> None:
        """Prints the estimated cost of the sweep."""
        self._progress.console.print(estimate_table(self._name, estimate))

    def changed(self, state: SweepProgress) -> None:
        """Updates the bar, and prints new failures."""
        for failure in state.failed[self._failures :]:
            self._progress.console.print(f"failed: {failure}", style="red")
        self._failures = len(state.failed)
        task = self._progress.tasks[self._task]
        self._progress.below = running_line(state)
        self._progress.update(
            self._task,
            completed=state.work.fraction,
            recipes=f"{state.done}/{state.total}",
            status=printable_text(status_line(state)),
            end=(task.elapsed or 0.0) + state.work.seconds_left(),
        )


def running_line(state: SweepProgress) -> str:
    """Returns what is being trained, and how many seeds and weight updates are done."""
    done, total = state.work.finished, state.work.total
    parts = [f"training {', '.join(state.running)}"] if state.running else []
    if state.unwritten > 1:
        parts.append(f"{state.unwritten} writes to the store are waiting")
    if total.runs:
        counts = (done.runs, total.runs, done.updates, total.updates)
        seeds, all_seeds, updates, all_updates = (f"{count:,.0f}" for count in counts)
        parts.append(f"{seeds} of {all_seeds} seeds, {updates} of {all_updates} updates")
    return "; ".join(parts)


def status_line(state: SweepProgress) -> str:
    """Returns the stage, the best recipe so far, and how many have failed."""
    status = state.stage
    if state.best is not None and state.score == state.score:
        # A skill can be below 0, unlike the fraction of correct answers.
        skill = "skill " if state.measure == "skill" else ""
        status += f"; best {state.best_id}, {skill}{100 * state.score:.0f} %"
    if state.failed:
        status += f"; {len(state.failed)} failed"
    return status


class NotebookBar:
    """The same in a notebook, as one HTML line that is updated; it needs no widgets."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._updated = -math.inf

    def __enter__(self) -> NotebookBar:
        from IPython.display import display

        self._handle = display({"text/html": ""}, raw=True, display_id=True)
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is None:
            self._show(f"<progress value='1' max='1'></progress> {html.escape(self._name)}: done")
        else:
            self._show(f"{html.escape(self._name)}: stopped; the same call goes on from here")

    def estimated(self, estimate: Estimate) -> None:
        """Prints how long the sweep should take."""
        print(f"{self._name}: {estimate_table(self._name, estimate).caption}")

    def changed(self, state: SweepProgress) -> None:
        """Updates the bar, at most ten times a second, and prints new failures."""
        for failure in state.failed[self._failures :]:
            print(f"failed: {failure}")
        self._failures = len(state.failed)
        if time.monotonic() - self._updated > 0.1:
            self._updated = time.monotonic()
            parts = (f"{state.done} of {state.total} recipes", _left(state))
            counts = ", ".join(filter(None, parts))
            text = html.escape(f"{self._name}: {counts}; {status_line(state)}")
            bar = f"<progress value='{state.work.fraction:.3f}' max='1'></progress>"
            self._show(f"{bar} {text}")

    def _show(self, text: str) -> None:
        self._handle.update({"text/html": text}, raw=True)


class PlainProgress:
    """The same as plain lines, where standard error is no terminal: a file, or a pipe."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0
        self._stage = ""
        self._began = self._printed = time.monotonic()

    def __enter__(self) -> PlainProgress:
        self._print("starts")
        return self

    def __exit__(self, error: object, *_: object) -> None:
        took = _clock(time.monotonic() - self._began)
        self._print(f"ended after {took}" if error is None else f"stopped after {took}")

    def estimated(self, estimate: Estimate) -> None:
        """Prints how long the sweep should take."""
        self._print(str(estimate_table(self._name, estimate).caption))

    def changed(self, state: SweepProgress) -> None:
        """Prints new failures, and the progress at new stages and every half minute."""
        for failure in state.failed[self._failures :]:
            self._print(f"failed: {failure}")
        self._failures = len(state.failed)
        if state.stage == self._stage and time.monotonic() - self._printed < LINE_SECONDS:
            return
        new, self._stage = state.stage != self._stage, state.stage
        if new or not state.total:
            self._print(f"{state.stage} begins" if state.total else state.stage or "starting")
            return
        counts = f"{state.work.fraction:.0%}, {state.done} of {state.total} recipes"
        line = "; ".join(filter(None, [counts, _left(state), status_line(state)]))
        self._print("; ".join(filter(None, [line, running_line(state)])))

    def _print(self, text: str) -> None:
        self._printed = time.monotonic()
        print_plain(f"{self._name}: {text}")


LINE_SECONDS = 30.0
"""Seconds between two lines of `PlainProgress`."""


def _left(state: SweepProgress) -> str:
    """Returns the time for the rest, in words; empty while it is unknown."""
    left = state.work.seconds_left()
    return "" if math.isinf(left) else f"about {_clock(left)} left"


def sweep_bar(name: str, quiet: bool = False) -> SweepBar | NotebookBar | PlainProgress:
    """Returns the progress display for a terminal, a notebook or a pipe."""
    console = terminal_console(stderr=True)
    if not quiet and console.is_jupyter:
        return NotebookBar(name)
    return SweepBar(name, quiet) if quiet or console.is_terminal else PlainProgress(name)
