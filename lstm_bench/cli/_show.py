"""Tables and pages for the terminal."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lstm_bench.recipes import TaskRegistry, recipe
from lstm_bench.safety import printable_line, shell_line
from lstm_bench.sweeps import task_documents

if TYPE_CHECKING:
    from lstm_bench.analysis import BaselineResult
    from lstm_bench.results import Outcome, SweepData
    from lstm_bench.training import AnswerStep


def task_table(tasks: TaskRegistry) -> Table:
    """Returns a table with one line per task."""
    table = Table(title="Tasks", title_justify="left")
    for heading in ("task", "what it asks", "kind", "chance", "default recipe"):
        table.add_column(heading)
    for facts in task_documents(tasks):
        name, chance = facts["name"], f"{facts['chance']:.1%}"
        table.add_row(name, facts["about"], facts["kind"], chance, recipe(tasks[name]).name)
    return table


def task_page(tasks: TaskRegistry, name: str) -> RenderableType:
    """Returns the full page of one task; raises `UserError` if there is no such task."""
    (facts,) = task_documents(tasks, name)
    about = _flowing((inspect.getdoc(tasks[name]) or "").split(">>>")[0])
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
    return Group(Text(name, style="bold"), Text(""), Text(about), Text(""), table)


def _flowing(text: str) -> str:
    """Returns a docstring with paragraphs that fill the line; indented text stays as it is."""
    blocks = [block for block in text.split("\n\n") if block.strip() not in ("", "::")]
    joined = [b if b.startswith(" ") else " ".join(b.split()) for b in blocks]
    return "\n\n".join(joined)


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in values.items())


def outcome_page(
    outcome: Outcome, predictions: bool, metrics: Sequence[str] = ()
) -> RenderableType:
    """Returns the scores of one recipe, seed by seed, with their mean and rate.

    `metrics` are names of further columns; those that were not recorded are left empty.
    """
    table = Table(title=outcome.name, title_justify="left")
    on_stretch = outcome.score == "skill"
    solved = "skill > 0" if on_stretch else "solved"
    for heading in ("seed", "loss", "accuracy", "sequences right", solved, "from epoch"):
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
        spread += f" (no interval: {mean.why or 'the seeds are too few, or all equal'})"
    interval = f" (95 % CI {rate.low:.1%} to {rate.high:.1%})" if rate.low == rate.low else ""
    lines = [
        f"accuracy   {mean.mean:.1%}{spread}",
        f"{'skill > 0 ' if on_stretch else 'solved    '} {rate.k} of {rate.n} seeds{interval}",
        f"cost       {outcome.parameters:,} parameters; a seed takes {outcome.updates:,} updates, "
        f"{outcome.multiply_adds:.2g} multiply-adds",
        f"time       {outcome.compile_seconds:.2f} s compiling, "
        f"{outcome.train_seconds:.2f} s training ({outcome.engine})",
    ]
    from lstm_bench.results import PARTIAL_ACCURACIES

    further = (*PARTIAL_ACCURACIES, "skill")
    recorded = [key for key in further if key in outcome.seeds]
    parts: list[RenderableType] = [table]
    parts += [_metric_table(outcome, [*recorded, *metrics])] if recorded or metrics else []
    parts += map(Text, lines)
    if predictions:
        from lstm_bench.report import prediction_table

        parts.append(prediction_table(outcome))
    return Group(*parts)


def _metric_table(outcome: Outcome, names: Sequence[str]) -> Table:
    table = Table(title="Metrics", title_justify="left")
    table.add_column("seed", justify="right")
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    for row in outcome.seeds.to_dict("records"):
        values = (f"{row[name]:.4g}" if name in row else "–" for name in names)
        table.add_row(str(row["seed"]), *values)
    return table


def prediction_page(steps: list[AnswerStep], output: str) -> RenderableType:
    """Returns one line per step, with the value of its `output`, e.g. "softmax", and the answer."""
    table = Table(show_header=False, box=None, padding=(0, 1, 0, 0))
    for step in steps:
        figure = f"{step.output:.1%}" if output == "softmax" else f"{output} {step.output:.3f}"
        note = "its own answer, fed back" if step.generated else ""
        shown = (Text(printable_line(symbol)) for symbol in (step.input, step.predicted))
        table.add_row(next(shown), "->", next(shown), Text(figure), note)
    return Group(table, Text(f"answer: {printable_line(steps[-1].predicted)}"))


def speed_table(rows: list[dict[str, Any]]) -> Table:
    """Returns the measurements of `speed.measure` as a table."""
    table = Table(
        title="Microseconds per training step, both engines in one run",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("problem")
    for heading in (
        "plain\nKeras",
        "compiled",
        "a time\nstep",
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
            f"{row['time_step_us']:,.1f}",
            f"{row['ratio']:,.1f} x" if row["ratio"] < 10 else f"{row['ratio']:,.0f} x",
            "–" if double is None else f"{double:.2f} x",
            f"{row['compile_s']:.2f} s",
        )
    return table


def next_step(result: SweepData, file: str, baselines: Sequence[BaselineResult] = ()) -> str:
    """Returns the command that forecasts from `file` by the best recipe of the report.

    If no network has a smaller error than the best baseline, by that baseline. Empty without a
    recipe that was scored on data that the search did not use.
    """
    if result.best is None or result.best.role == "trial":
        return ""
    chosen, reason = result.best.id, ""
    settings = result.best.outcome.settings
    forecasts = not settings.get("text") and not any(baseline.outputs for baseline in baselines)
    lost = all(
        baseline.best.network_error >= baseline.best.baseline_error for baseline in baselines
    )
    if baselines and lost and forecasts:  # baselines forecast one value of a table
        chosen, reason = baselines[0].best.baseline, "   (no network has a smaller error)"
    words = ["lstm-bench", "predict", f"{result.name}:{chosen}", "--csv", file]
    return shell_line(*words, "--output", "forecast.csv") + reason


def after_run(
    outcome: Outcome,
    logged: bool,
    words: Sequence[str] = (),
    tasks: Sequence[str] = (),
    seeds: Sequence[str] = (),
) -> str:
    """Returns what can be done next with the recipe of a run, which `words` have changed.

    `tasks` and `seeds` are the words that gave the task's files and the number of seeds.
    """
    task = str(outcome.settings["task"])
    named = [outcome.digest] if logged else [task, *words]
    export = shell_line("lstm-bench", "export", *named, *tasks)
    lines = [f"Next:   {export}   (this recipe as a script)"]
    example = "learning_rate=0.01"
    key = example.partition("=")[0]
    others = [word for word in words if word.partition("=")[0] != key]
    again = shell_line("lstm-bench", "run", task, *others, example, *tasks, *seeds)
    lines.append(
        f"        {again}   (another recipe; `comparisons` in a sweep file say which is better)"
    )
    return "\n".join(lines)
