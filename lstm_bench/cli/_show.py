"""What people see on the terminal: tables, pages and the progress bar of a sweep."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
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

from lstm_bench.errors import UserError
from lstm_bench.recipes import TASKS, recipe, unknown_task_message
from lstm_bench.safety import printable_text, shell_line, terminal_console
from lstm_bench.sweeps import task_place

if TYPE_CHECKING:
    from lstm_bench.execution import Estimate, SweepProgress
    from lstm_bench.results import Outcome, SweepResult
    from lstm_bench.training import AnswerStep


def task_document(name: str | None) -> dict[str, Any]:
    """Returns all tasks, or the one called `name`, as plain values."""
    chosen = [_known(name)] if name else sorted(TASKS)
    return {"tasks": [_facts(each) for each in chosen]}


def _known(name: str) -> str:
    if name not in TASKS:
        raise UserError(f"tasks: {unknown_task_message(name)}")
    return name


def _facts(name: str) -> dict[str, Any]:
    task = TASKS[name]
    first = recipe(name)
    return {
        "name": name,
        "about": (inspect.getdoc(task) or "").splitlines()[0],
        "kind": task.kind,
        "chance": first.task.chance,
        "ceiling": first.task.ceiling,
        "solved_at": first.task.bar,
        "parameters": {key: field.default for key, field in task.model_fields.items()},
        "default": first.settings,
        "source": task.source,
        "defined_in": task_place(name),
    }


def task_table() -> Table:
    """Returns one line a task."""
    table = Table(title="Tasks", title_justify="left")
    for heading in ("task", "what it asks", "kind", "chance", "first published recipe"):
        table.add_column(heading)
    for name in sorted(TASKS):
        facts = _facts(name)
        chance = f"{facts['chance']:.1%}"
        table.add_row(name, facts["about"], facts["kind"], chance, recipe(name).name)
    return table


def task_page(name: str) -> RenderableType:
    """Returns all that is known of one task."""
    facts = _facts(_known(name))
    told = _flowing((inspect.getdoc(TASKS[name]) or "").split(">>>")[0])
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for key, value in (
        ("chance", f"{facts['chance']:.1%} of steps by the best constant answer"),
        ("solved at", f"{facts['solved_at']:.1%} of scored steps"),
        ("source", facts["source"]),
        *([("defined in", facts["defined_in"])] if facts["defined_in"] else []),
        ("parameters", _pairs(facts["parameters"]) or "none"),
        ("default recipe", _pairs(facts["default"])),
    ):
        table.add_row(Text(key, style="bold"), Text(str(value)))
    return Group(Text(name, style="bold"), Text(""), Text(told), Text(""), table)


def _flowing(text: str) -> str:
    """Returns a docstring whose paragraphs fill the line; what is indented stays as it is."""
    blocks = [block for block in text.split("\n\n") if block.strip() not in ("", "::")]
    joined = [b if b.startswith(" ") else " ".join(b.split()) for b in blocks]
    return "\n\n".join(joined)


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in values.items())


def outcome_page(
    outcome: Outcome, predictions: bool, metrics: Sequence[str] = ()
) -> RenderableType:
    """Returns the scores of one recipe, seed by seed, and what they come to.

    `metrics` are names of further columns; one that this evaluation has not is left empty.
    """
    table = Table(title=outcome.name, title_justify="left")
    for heading in ("seed", "loss", "accuracy", "sequences right", "solved", "from epoch"):
        table.add_column(heading, justify="right")
    for row in outcome.seeds.to_dict("records"):
        epoch = row["solved_epoch"]
        table.add_row(
            str(row["seed"]),
            f"{row['loss']:.4g}",
            f"{row['accuracy']:.1%}",
            f"{row['sequence_accuracy']:.1%}",
            "yes" if row["solved"] else "no",
            "–" if epoch != epoch else f"{epoch:.0f}",
        )
    mean, rate = outcome.accuracy, outcome.solve_rate
    spread = "" if mean.n < 2 else f" ± {mean.std:.1%}"
    if mean.low == mean.low:
        spread += f" (95 % CI {mean.low:.1%} to {mean.high:.1%})"
    elif spread:
        spread += " (no interval: the seeds are too few, or all equal)"
    lines = [
        f"accuracy   {mean.mean:.1%}{spread}",
        f"solved     {rate.k} of {rate.n} seeds (95 % CI {rate.low:.1%} to {rate.high:.1%})",
        f"cost       {outcome.parameters:,} parameters; a seed takes {outcome.updates:,} updates, "
        f"{outcome.multiply_adds:.2g} multiply-adds",
        f"time       {outcome.compile_seconds:.2f} s compiling, "
        f"{outcome.train_seconds:.2f} s training ({outcome.engine})",
    ]
    beside = ("seen_accuracy", "unseen_accuracy", "skill")
    unseen = [key for key in beside if key in outcome.seeds]
    parts: list[RenderableType] = [table]
    parts += [_measures(outcome, [*unseen, *metrics])] if unseen or metrics else []
    parts += map(Text, lines)
    if predictions:
        parts.append(_answers(outcome))
    return Group(*parts)


def _measures(outcome: Outcome, names: Sequence[str]) -> Table:
    table = Table(title="Metrics", title_justify="left")
    table.add_column("seed", justify="right")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for row in outcome.seeds.to_dict("records"):
        told = (f"{row[name]:.4g}" if name in row else "–" for name in names)
        table.add_row(str(row["seed"]), *told)
    return table


def _answers(outcome: Outcome) -> Table:
    table = Table(title="Every step", title_justify="left")
    for heading in ("seed", "sequence", "step", "input", "expected", "predicted", ""):
        table.add_column(heading, justify="right")
    for row in outcome.predictions.to_dict("records"):
        right = "" if row["correct"] else "wrong"
        place = (str(row["seed"]), str(row["sequence"]), str(row["step"]))
        words = (Text(str(row[key])) for key in ("input", "expected", "predicted"))
        table.add_row(*place, *words, right, style=None if row["correct"] else "red")
    return table


def prediction_page(steps: list[AnswerStep], output: str) -> RenderableType:
    """Returns one line a step: input, answer, and its `output`, e.g. "softmax"; then the answer."""
    table = Table(show_header=False, box=None, padding=(0, 1, 0, 0))
    for step in steps:
        figure = f"{step.output:.1%}" if output == "softmax" else f"{output} {step.output:.3f}"
        own = "its own answer, fed back" if step.generated else ""
        table.add_row(Text(step.input), "->", Text(step.predicted), Text(figure), own)
    return Group(table, Text(f"answer: {steps[-1].predicted}"))


def speed_table(rows: list[dict[str, Any]]) -> Table:
    """Returns the measurements of `speed.measure`."""
    table = Table(
        title="Microseconds a training step, both engines in one run",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("problem")
    for heading in (
        "plain\nKeras",
        "compiled",
        "times\nfaster",
        "on two\ncores",
        "compile",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        double = row["two_core_gain"]
        table.add_row(
            row["problem"],
            f"{row['keras_us']:,.0f}",
            f"{row['compiled_us']:,.1f}",
            f"{row['ratio']:,.0f} x",
            "–" if double is None else f"{double:.2f} x",
            f"{row['compile_s']:.2f} s",
        )
    return table


def next_step(result: SweepResult, file: str) -> str:
    """Returns the command that forecasts from `file` by the best recipe of the report.

    Empty without a recipe that was judged on the part kept from the search.
    """
    if result.best is None or result.best.role == "trial":
        return ""
    words = ["lstm-bench", "predict", f"{result.name}:{result.best.id}", "--csv", file]
    return shell_line(*words, "--output", "forecast.csv")


def estimate_table(name: str, found: Estimate) -> Table:
    """Returns what a sweep will cost, a stage a line; below it, how long it should take."""
    table = Table(title=Text(f"What {name} will cost"), title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("stage")
    for heading in ("recipes", "runs of a seed", "weight updates"):
        table.add_column(heading, justify="right")
    for stage in found.stages:
        table.add_row(stage.name, *map(_range, (stage.recipes, stage.runs, stage.updates)))
    cores = "1 worker" if found.workers == 1 else f"{found.workers} workers"
    reason = "no recipe that was tried could be trained in time"
    if found.too_large:
        reason = "its recipes take too much memory to be tried first"
    table.caption = f"how long on {cores} cannot be told: {reason}"
    if found.seconds:
        low, high = map(_duration, found.seconds)
        table.caption = f"about {low if low == high else f'{low} to {high}'} on {cores}"
    table.caption_justify = "left"
    return table


def _range(ends: tuple[float, float]) -> str:
    low, high = (f"{end:,.0f}" if end < 1e6 else f"{end:.2g}" for end in ends)
    return low if low == high else f"{low} to {high}"


def _duration(seconds: float) -> str:
    """Returns seconds to about one digit, in the unit that people would use.

    >>> [_duration(s) for s in (4.2, 48, 260, 8000)]
    ['5 s', '50 s', '5 min', '2.3 h']
    """
    if seconds < 90:
        return f"{max(5, 5 * math.ceil(seconds / 5))} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600 + 0.05:.1f} h"


SHOWN = 12
"""Characters of a sweep's name before its bar: the line is to fit a terminal of 80 columns."""


class _TimeLeft(ProgressColumn):
    """The time left, from how long the recipes that were run have taken; at the end, all of it."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Returns it as hours, minutes and seconds."""
        left = task.fields["end"] - (task.elapsed or 0)
        seconds = task.finished_time if task.finished else max(left, 0)
        if seconds is None or math.isinf(seconds):
            return Text("-:--:--", style="progress.remaining")
        return Text(str(timedelta(seconds=round(seconds))), style="progress.remaining")


class SweepBar:
    """A progress bar: recipes done, the best so far, time left. A context manager."""

    def __init__(self, name: str, quiet: bool) -> None:
        console = terminal_console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=20 if console.width >= 100 else 10),
            MofNCompleteColumn(),
            _TimeLeft(),
            TextColumn("{task.fields[best]}", markup=False),
            console=console,
            disable=quiet,
        )
        self._name = name
        self._failures = 0

    def __enter__(self) -> SweepBar:
        self._progress.start()
        name = self._name if len(self._name) <= SHOWN else f"{self._name[: SHOWN - 1]}…"
        self._task = self._progress.add_task(
            printable_text(name), total=None, best="starting", end=math.inf
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def weighed(self, found: Estimate) -> None:
        """Says what the sweep will cost."""
        self._progress.console.print(estimate_table(self._name, found))

    def changed(self, state: SweepProgress) -> None:
        """Shows where the sweep is now."""
        best = state.stage
        if state.best is not None and state.score == state.score:
            skill = "skill " if state.measure == "skill" else ""  # below 0 it is no share of right
            best += f"; best {state.best_id}, {skill}{100 * state.score:.0f} %"
        for failure in state.failed[self._failures :]:
            self._progress.console.print(f"failed: {failure}", style="red")
        self._failures = len(state.failed)
        if state.failed:
            best += f"; {len(state.failed)} failed"
        task = self._progress.tasks[self._task]
        end, ran = task.fields["end"], state.done - state.reused
        if ran and (state.done, state.total) != (task.completed, task.total):
            end = (task.elapsed or 0) * (1 + (state.total - state.done) / ran)
        self._progress.update(
            self._task, completed=state.done, total=state.total, best=printable_text(best), end=end
        )
