"""What the commands share: options, settings in force, and the streams they print to."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import io
import re
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from lstm_bench.errors import Interrupted, UserError
from lstm_bench.provenance import VERSION
from lstm_bench.safety import mask_address, print_plain, shell_line

if TYPE_CHECKING:
    from lstm_bench.config import Settings
    from lstm_bench.recipes import TaskRegistry

_document: ContextVar[TextIO] = ContextVar("where a JSON document is printed")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Profile = Annotated[str | None, typer.Option(help="Use conf/PROFILE.yaml over conf/default.yaml.")]
StoreUri = Annotated[str | None, typer.Option("--store", help="MLflow tracking URI.")]
ClusterAddress = Annotated[
    str | None, typer.Option("--cluster", help="Run on a Dask scheduler, tcp://HOST:8786.")
]
EngineName = Annotated[str, typer.Option(help="The engine: compiled, or keras for plain Keras.")]
TaskFiles = Annotated[
    list[Path] | None,
    typer.Option("--tasks", metavar="FILE", help="A Python file with tasks of your own."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE", help="Settings over those of the recipe: units=20 stateful=true."
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE", help="Settings over those of the file: seeds=3 search.trials=20."
    ),
]


CsvFile = Annotated[Path | None, typer.Option("--csv", help="Search over this file of your own.")]
TextFile = Annotated[
    Path | None, typer.Option("--text", help="Search over the characters of this plain text.")
]
Target = Annotated[str | None, typer.Option(help="The column to forecast.")]
Time = Annotated[
    str | None,
    typer.Option(help="The column of times; a,b joins several; none: rows are in order."),
]
DateFormat = Annotated[
    str | None, typer.Option("--date-format", help="The pattern of times, such as %d/%m/%Y.")
]
DayFirst = Annotated[
    bool | None,
    typer.Option("--day-first/--month-first", help="Whether 1/2/2024 is in February."),
]
Aggregation = Annotated[
    str | None,
    typer.Option("--aggregate", help="Merge rows with the same time: mean, sum, first or last."),
]
Group = Annotated[str | None, typer.Option(help="The column that names series.")]
Columns = Annotated[str | None, typer.Option(help='Other columns as inputs: a,b, or "" for none.')]
Known = Annotated[str | None, typer.Option(help="Columns whose values are known in advance: a,b.")]
TargetKind = Annotated[
    str | None, typer.Option("--kind", help="The kind of target: real, binary or symbols.")
]
ForecastHorizon = Annotated[
    str | None,
    typer.Option("--horizon", help="Rows ahead to forecast; 1..12 for each of the next 12."),
]
Missing = Annotated[str | None, typer.Option(help="What to do with gaps: drop or interpolate.")]
Gaps = Annotated[
    list[str] | None,
    typer.Option("--na", help="A text that means a gap: -200 or COLUMN=TEXT; can be repeated."),
]
DecimalMark = Annotated[str | None, typer.Option("--decimal", help="The decimal mark: . or ,")]
ThousandsMark = Annotated[
    str | None, typer.Option("--thousands", help="The thousands separator: , or . or ' or a space.")
]
Wide = Annotated[bool, typer.Option("--wide", help="Read each column, or each row, as a series.")]
Sheet = Annotated[str | None, typer.Option(help="The sheet of an Excel workbook.")]
Shortest = Annotated[
    int | None, typer.Option(help="Leave out series with fewer steps than this in any set.")
]

Origins = Annotated[
    int | None, typer.Option(help="Train anew at this number of moments of the test set.")
]

LabelPerSequence = Annotated[
    bool,
    typer.Option(
        "--label-per-sequence", help="Classify each --group: the target labels all of its rows."
    ),
]


@dataclass(frozen=True)
class DataOptions:
    """What the command line says about a file of the user's data."""

    target: str | None
    time: str | None
    group: str | None
    columns: str | None
    kind: str | None
    horizon: str | None
    missing: str | None
    known: str | None
    date_format: str | None = None
    day_first: bool | None = None
    aggregate: str | None = None
    na: list[str] | None = None
    decimal: str | None = None
    thousands: str | None = None
    wide: str | None = None
    sheet: str | None = None
    shortest: int | None = None
    origins: int | None = None
    label_per_sequence: bool | None = None

    def settings(self) -> dict[str, Any]:
        """Returns the given options as settings of the task `csv`."""
        options = {
            "target": self.target,
            "time": self.time,
            "group": self.group,
            "target_kind": self.kind,
            "columns": _listed(self.columns),
            "known": _listed(self.known),
            "horizon": _whole_number(self.horizon),
            "missing": self.missing,
            "date_format": self.date_format,
            "day_first": self.day_first,
            "aggregate": self.aggregate,
            "na": self.na or None,
            "decimal": self.decimal,
            "thousands": self.thousands,
            "wide": self.wide,
            "sheet": self.sheet,
            "shortest": self.shortest,
            "origins": self.origins,
            "label_per_sequence": self.label_per_sequence,
        }
        return {key: value for key, value in options.items() if value is not None}

    def refuse_without_file(self) -> None:
        """Raises `UserError` if an option is about a file, but no file is given."""
        given = [name for name, value in vars(self).items() if value not in (None, [])]
        if given:
            raise UserError(
                f"--{given[0].replace('_', '-')}: says something about a file; give --csv FILE"
            )


def _whole_number(text: str | None) -> int | str | None:
    """Returns an option as a number, if it is one."""
    return int(text) if text is not None and re.fullmatch(r"[+-]?\d{1,9}", text) else text


def _listed(names: str | None) -> list[str] | None:
    """Returns the names in a text like `a,b`; none for an empty text."""
    listed = None if names is None else [name.strip() for name in names.split(",")]
    return [] if listed == [""] else listed


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lstm-bench {VERSION}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version),
]


def replace_unprintable() -> None:
    """Shows `?` in place of letters that the terminal does not have."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def refuse_setting_options(words: Sequence[str], command: Any) -> None:
    """Raises `UserError` for a setting that is given as an option: `--units 20`.

    `command` is the click command of the program, and `words` are its arguments. click checks the
    commands that take no settings.
    """
    called = getattr(command, "commands", {}).get(words[0] if words else "")
    if called is None or not any(part.metavar == "KEY=VALUE" for part in called.params):
        return
    options = [name for part in called.params for name in (*part.opts, *part.secondary_opts)]
    for place, word in enumerate(words[1:], 1):
        if word == "--":
            return
        name, equals, value = word.partition("=")
        if not re.fullmatch(r"--[a-z][a-z0-9_.-]*", name) or name in (*options, "--help"):
            continue
        close = difflib.get_close_matches(name, [o for o in options if o.startswith("--")], n=1)
        key = name.removeprefix("--").replace("-", "_")
        follows = words[place + 1] if place + 1 < len(words) else ""
        shown = value if equals else "" if follows.startswith("-") else follows
        hint = f"; did you mean {close[0]}?" if close else "."
        raise UserError(
            f"{name}: `{words[0]}` has no such option{hint} Settings are given as words without "
            f"dashes: {key}={shown or 'VALUE'}"
        )


def browse_command(store: str, page: str = "") -> str:
    """Returns how to see the runs: a command, and an address with `page` after its #.

    Passwords are masked: the reader fills them in. The address is needed because MLflow's first
    page is for language models, and shows no sweep.
    """
    shown = mask_address(store)
    command = shell_line("mlflow", "ui", "--backend-store-uri", shown)
    server = shown.rstrip("/") if store.startswith("http") else "http://127.0.0.1:5000"
    address = f"{server}/#{page or '/experiments?workflowType=machine_learning'}"
    return address if store.startswith("http") else f"{command}\n        {address}"


def dashboard_command(storage: str) -> str:
    """Returns the command that shows the studies of an Optuna storage; passwords are masked."""
    return shell_line("optuna-dashboard", mask_address(storage))


def interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Turns Ctrl-C in a command into `Interrupted`, before typer handles it.

    With --json, anything that a user's task prints goes to standard error, and only the document to
    standard output.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        aside = contextlib.redirect_stdout(sys.stderr if options.get("as_json") else sys.stdout)
        before = _document.set(sys.stdout)
        try:
            with aside:
                command(*args, **options)
        except KeyboardInterrupt:
            raise Interrupted from None
        finally:
            _document.reset(before)

    return wrapped


def load_context(
    profile: str | None = None,
    store: str | None = None,
    files: list[Path] | None = None,
    strict: bool = True,
) -> tuple[Settings, TaskRegistry]:
    """Returns the settings in force, and the tasks that may be named.

    Unless `strict`, task files that cannot be loaded are left out with a warning.
    """
    from lstm_bench.config import load_settings
    from lstm_bench.errors import TaskError
    from lstm_bench.recipes import BUILT_IN_TASKS
    from lstm_bench.sweeps import load_tasks

    context = load_settings(profile, Path("conf"))
    try:
        tasks = load_tasks([*context.tasks, *(files or [])])
    except TaskError as error:
        if strict:
            raise
        tasks = dataclasses.replace(BUILT_IN_TASKS, warnings=(str(error),))
    for warning in tasks.warnings:
        print_plain(f"warning: {warning}")
    return (context.model_copy(update={"store": store}) if store else context), tasks


def check_engine(name: str) -> None:
    """Raises `UserError` for an unknown engine."""
    from lstm_bench.errors import unknown
    from lstm_bench.training import ENGINES

    if name not in ENGINES:
        raise UserError(f"--engine: {unknown('engine', name, ENGINES)}")


def refuse_existing(output: Path | None, force: bool, option: str = "--output") -> None:
    """Raises `UserError` if the file exists, unless `force`."""
    if output is not None and not force and output.exists():
        raise UserError(f"{option}: {output} is there already; give another name, or --force")


def write_file(output: Path, content: str | bytes, option: str = "--output") -> None:
    """Writes a file that the user named; raises `UserError` if this fails."""
    try:
        output.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise UserError(f"{option}: {output} cannot be written ({error.strerror})") from error


def relative_path(path: Path) -> str:
    """Returns a path relative to the working folder, if it lies below that."""
    try:
        return str(path.resolve().relative_to(Path().resolve()))
    except (ValueError, OSError, RuntimeError):  # outside, or a link to itself
        return str(path)


def print_json(document: Any) -> None:
    """Prints the document of --json; all other output goes to standard error."""
    from lstm_bench.results import to_json

    print(to_json(document), file=_document.get(sys.stdout))
