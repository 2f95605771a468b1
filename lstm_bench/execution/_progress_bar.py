"""The progress bar of a sweep, in a terminal or a notebook, and the table of its estimated cost."""

from __future__ import annotations

import html
import math
import sys
import time
from datetime import timedelta

from rich import box
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
)
from rich.table import Column, Table
from rich.text import Text

from lstm_bench.execution._estimate import Estimate
from lstm_bench.execution._progress import SweepProgress
from lstm_bench.safety import printable_text, terminal_console


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
    reason = "no recipe could be trained in the time of the probe"
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


class _TimeLeft(ProgressColumn):
    """The remaining time, estimated from the recipes run so far; at the end, the total time."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Returns the time as hours, minutes and seconds."""
        remaining = task.fields["end"] - (task.elapsed or 0)
        seconds = task.finished_time if task.finished else max(remaining, 0)
        if seconds is None or math.isinf(seconds):
            return Text("-:--:--", style="progress.remaining")
        return Text(str(timedelta(seconds=round(seconds))), style="progress.remaining")


class SweepBar:
    """A progress bar: recipes done, the best so far, time left. Use it as a context manager."""

    def __init__(self, name: str, quiet: bool) -> None:
        console = terminal_console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=20 if console.width >= 100 else 10),
            MofNCompleteColumn(),
            _TimeLeft(),
            TextColumn("{task.fields[status]}", markup=False),
            console=console,
            disable=quiet,
        )
        self._name = name
        self._failures = 0

    def __enter__(self) -> SweepBar:
        self._progress.start()
        name = self._name if len(self._name) <= NAME_WIDTH else f"{self._name[: NAME_WIDTH - 1]}…"
        self._task = self._progress.add_task(
            printable_text(name), total=None, status="starting", end=math.inf
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def estimated(self, estimate: Estimate) -> None:
        """Prints the estimated cost of the sweep."""
        self._progress.console.print(estimate_table(self._name, estimate))

    def changed(self, state: SweepProgress) -> None:
        """Updates the bar, and prints new failures."""
        status = _status(state)
        for failure in state.failed[self._failures :]:
            self._progress.console.print(f"failed: {failure}", style="red")
        self._failures = len(state.failed)
        task = self._progress.tasks[self._task]
        end, ran = task.fields["end"], state.done - state.reused
        if ran and (state.done, state.total) != (task.completed, task.total):
            end = (task.elapsed or 0) * (1 + (state.total - state.done) / ran)
        self._progress.update(
            self._task,
            completed=state.done,
            total=state.total,
            status=printable_text(status),
            end=end,
        )


def _status(state: SweepProgress) -> str:
    """Returns what the bar says: the stage, the best recipe so far, and how many have failed."""
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
            text = html.escape(f"{self._name}: {state.done} of {state.total} {_status(state)}")
            bar = f"<progress value='{state.done}' max='{max(state.total, 1)}'></progress>"
            self._show(f"{bar} {text}")

    def _show(self, text: str) -> None:
        self._handle.update({"text/html": text}, raw=True)


def sweep_bar(name: str, quiet: bool = False) -> SweepBar | NotebookBar:
    """Returns a progress bar for where this process runs: a terminal or a notebook."""
    in_notebook = not quiet and terminal_console(stderr=True).is_jupyter
    return NotebookBar(name) if in_notebook else SweepBar(name, quiet)
