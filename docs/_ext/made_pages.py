"""Writes the parts of the reference that the code says itself: commands, settings, tasks, names.

They lie in `docs/reference/_made`, and the pages of `docs/reference` include them. A setting
without a sentence in `meanings.py`, or a sentence without a setting, ends the build.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import meanings
import typer
from pydantic import BaseModel, TypeAdapter
from types_in_words import default_in_words, field_in_words, type_in_words

import lstm_bench as lb
from lstm_bench.cli._app import app
from lstm_bench.config import Settings
from lstm_bench.data import CsvTask
from lstm_bench.recipes import BUILT_IN_TASKS, FRAMINGS, Recipe
from lstm_bench.statistics import METRICS, ComparisonQuestion
from lstm_bench.sweeps import Sweep
from lstm_bench.sweeps._entries import Entry
from lstm_bench.sweeps._search import Search

NOT_IN_FILES = {
    Sweep: {"name", "settings", "entries", "overrides", "planned_seeds", "full"},
    Entry: {"recipe", "family", "axis", "value", "place"},
}
"""Fields that are computed, and are no keys of a file."""

WIDER_TYPES = {
    (Sweep, "url"): "an address",
    (Sweep, "refused"): "a mapping of ids to settings",
    (Sweep, "comparisons"): "a mapping of names to questions",
    (Sweep, "search"): "a mapping",
    (Sweep, "tasks"): "a list of names, or of mappings with `task` and `as`",
    (Entry, "url"): "an address",
    (Entry, "full"): "yes or no, or a list of values of `over`",
    (Search, "space"): "a mapping of settings to what each may be",
    (CsvTask, "horizon"): "a whole number from 0 to 10,000, or `1..12`",
    (CsvTask, "target"): "a text, or a list of texts",
    (Recipe, "task"): "a name",
    (Recipe, "framing"): ", ".join(f"`{name}`" for name in FRAMINGS),
}
"""What a file may have where the type of the field is that of the value read from it."""

ADDED_KEYS = {
    Sweep: {"task": "a name", "recipes": "a mapping of ids to recipes"},
    Entry: {
        "base": "an id",
        "over": "a mapping of one setting to a list",
        "per_task": "a mapping of tasks to settings",
        "updates": "a whole number from 1 on",
    },
}
"""Keys of a file that become something else when it is read."""

BY_TASK = {
    (Recipe, "framing"): "that of the task",
    (Recipe, "output"): "that of the kind of target",
    (Recipe, "loss"): "that of the output",
    (Recipe, "learning_rate"): "that of the optimizer",
    (Recipe, "task"): "required",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(list(head))]
    for row in rows:
        lines.append("| " + " | ".join(cell.replace("|", "\\|") or "–" for cell in row) + " |")
    return "\n".join(lines) + "\n"


def keys(model: type[BaseModel], sentences: Mapping[str, str]) -> str:
    """Returns a table of the keys of a model: type, default and meaning."""
    fields = {
        name: field
        for name, field in model.model_fields.items()
        if name not in NOT_IN_FILES.get(model, ())
    }
    added = ADDED_KEYS.get(model, {})
    if fields.keys() | added.keys() != sentences.keys():
        raise ValueError(f"{model.__name__}: {(fields.keys() | added.keys()) ^ sentences.keys()}")
    rows = []
    for name, sentence in sentences.items():
        if name in added:
            rows.append([f"`{name}`", added[name], "–", sentence])
            continue
        field = fields[name]
        kind = WIDER_TYPES.get((model, name), field_in_words(field))
        default = BY_TASK.get((model, name)) or default_in_words(field)
        default = "–" if (model, name) == (Sweep, "tasks") else default
        rows.append([f"`{name}`", kind, default, sentence])
    return table(["Key", "Value", "Default", "What it does"], rows)


def comparison_keys() -> str:
    """Returns the table of the keys of a comparison, which is a dataclass."""
    TypeAdapter(ComparisonQuestion)  # it is read as one
    fields = {field.name: field for field in dataclasses.fields(ComparisonQuestion)}
    if fields.keys() != meanings.COMPARISON.keys():
        raise ValueError(f"comparisons: {fields.keys() ^ meanings.COMPARISON.keys()}")
    types = inspect.get_annotations(ComparisonQuestion, eval_str=True)
    rows = []
    for name, sentence in meanings.COMPARISON.items():
        default = fields[name].default
        shown = "required" if default is dataclasses.MISSING else f"`{default}`"
        shown = "–" if default in ("", None) else shown
        rows.append([f"`{name}`", type_in_words(types[name]), shown, sentence])
    return table(["Key", "Value", "Default", "What it does"], rows)


def commands() -> str:
    """Returns every command with its arguments and options, from the parsers."""
    group: Any = typer.main.get_command(app)
    parts = []
    for name, command in group.commands.items():
        usage, rows = ["lstm-bench", name], []
        for part in command.params:
            if part.name == "help":
                continue
            argument = part.param_type_name == "argument"
            annotation = getattr(part.type_descriptor, "annotation", str)
            spelled = " / ".join([*part.opts, *part.secondary_opts])
            if argument:
                shown = part.metavar or (part.name or "").upper()
                many = "..." if part.metavar == "KEY=VALUE" else ""
                usage.append(f"{shown}{many}" if part.required else f"[{shown}{many}]")
                spelled = shown
            default = part.default
            nothing = default is None or default in ("", False) or argument
            kind = part.metavar or ("" if annotation is bool else type_in_words(annotation))
            words = ["" if argument else kind, "" if nothing else f"`{default}`"]
            text = re.sub(r"(?<![`\w])(--?[a-z]+|[A-Z]{3,})(?![`\w])", r"\1", part.help or "")
            rows.append([f"`{spelled}`", *words, text])
        usage.append("[OPTIONS]")
        parts += [f"(command-{name})=\n## `{name}`\n", command.help + "\n"]
        parts += [f"```text\n{' '.join(usage)}\n```\n"]
        parts += [table(["Option", "Value", "Default", "What it does"], rows)]
    return "\n".join(parts)


def first_line(text: str | None) -> str:
    """Returns the first sentence of a docstring, as Markdown on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def framings() -> str:
    """Returns the framings with their settings, and the example of each docstring."""
    parts, used = [], set()
    for name, framing in FRAMINGS.items():
        whole = inspect.getdoc(framing) or ""
        parts.append(f"### `{name}`\n\n{first_line(whole)}\n")
        rows = []
        for key, field in framing.model_fields.items():
            used.add(key)
            row = [f"`{key}`", field_in_words(field), default_in_words(field)]
            rows.append([*row, meanings.FRAMING[key]])
        if rows:
            parts.append(table(["Key", "Value", "Default", "What it does"], rows))
        example = whole[whole.index(">>>") :].split("\n\n")[0] if ">>>" in whole else ""
        if example:
            parts.append(f"```python\n{example}\n```\n")
    if used != meanings.FRAMING.keys():
        raise ValueError(f"framings: {used ^ meanings.FRAMING.keys()}")
    return "\n".join(parts)


def with_default(field: Any) -> str:
    """Returns the default of a parameter as part of a line; "" if it has none."""
    default = default_in_words(field)
    return "" if default == "–" else f", default {default}"


def tasks() -> str:
    """Returns every task: what it is, its parameters, default recipe and source."""
    parts = []
    known = lb.tasks().set_index("name")
    for name, task in BUILT_IN_TASKS.items():
        whole = inspect.getdoc(task) or ""
        prose = re.split(r"\n\n(?=>>>|::)", whole)[0]
        parts.append(f"(task-{name})=\n## `{name}`\n\n{prose}\n")
        example = re.search(r"::\n\n((?:    .*\n|\n)+)", whole + "\n")
        if example and "::" in whole:
            parts.append(f"```text\n{inspect.cleandoc(example.group(1)).rstrip()}\n```\n")
        rest = re.split(r"::\n\n(?:    .*\n|\n)+", whole.split(">>>")[0] + "\n")
        parts += [rest[1].strip() + "\n"] if len(rest) > 1 and rest[1].strip() else []
        doc = known.loc[name]
        facts = [("Targets", str(doc["kind"])), ("Source", str(doc["source"]))]
        if name != "csv":
            params = {
                key: field_in_words(field) + with_default(field)
                for key, field in task.model_fields.items()
            }
            facts += [(f"`{key}`", text) for key, text in params.items()]
        defaults = ", ".join(f"`{key}={value}`" for key, value in task.defaults.items())
        facts.append(("Default recipe", defaults))
        parts.append(table(["", ""], facts))
    return "\n".join(parts)


def metrics() -> str:
    """Returns which metrics each kind of target has."""
    rows = [[kind, ", ".join(f"`{name}`" for name in names)] for kind, names in METRICS.items()]
    return table(["Kind of target", "Metrics"], rows)


def mlflow_names() -> str:
    """Returns the metrics of a run in MLflow, with what each is."""
    from lstm_bench.tracking._logging import outcome_metrics

    outcome = lb.run("memory", seeds=6, units=30, epochs=200)  # 5 of 6 seeds solve it
    named = {metric.key for metric in outcome_metrics(outcome)}
    missing = named ^ meanings.MLFLOW_METRICS.keys()
    if missing:
        raise ValueError(f"MLflow: {missing}")
    rows = [[f"`{name}`", sentence] for name, sentence in meanings.MLFLOW_METRICS.items()]
    return table(["Metric", "What it is"], rows)


def check_public_names(page: Path) -> None:
    """Raises `ValueError` unless the page lists the public face, `lstm_bench.__all__`."""
    listed = re.findall(r"^   (\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    if set(listed) != set(lb.__all__):
        raise ValueError(f"{page.name}: {set(listed) ^ set(lb.__all__)}")


def write_pages(docs: Path) -> None:
    """Writes every page that is made, where it has changed."""
    pages = {
        "commands": commands(),
        "recipe_keys": keys(Recipe, meanings.RECIPE),
        "framings": framings(),
        "sweep_keys": keys(Sweep, meanings.SWEEP),
        "entry_keys": keys(Entry, meanings.ENTRY),
        "comparison_keys": comparison_keys(),
        "search_keys": keys(Search, meanings.SEARCH),
        "csv_keys": keys(CsvTask, meanings.CSV),
        "conf_keys": keys(Settings, meanings.CONF),
        "tasks": tasks(),
        "metrics": metrics(),
        "mlflow_metrics": mlflow_names(),
    }
    check_public_names(docs / "reference" / "python.md")
    folder = docs / "reference" / "_made"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
