"""What the commands have in common: options, where things are, and what is printed where."""

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
Profile = Annotated[str | None, typer.Option(help="Lay conf/PROFILE.yaml over conf/default.yaml.")]
StoreUri = Annotated[str | None, typer.Option("--store", help="MLflow tracking URI.")]
ClusterAddress = Annotated[
    str | None, typer.Option("--cluster", help="A Dask scheduler, tcp://HOST:8786, runs it.")
]
EngineName = Annotated[str, typer.Option(help="compiled, or keras for plain Keras.")]
TaskFiles = Annotated[
    list[Path] | None,
    typer.Option("--tasks", metavar="FILE", help="A Python file with tasks of your own."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY=VALUE", help="Settings over the recipe's own: units=20 stateful=true."
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
Target = Annotated[str | None, typer.Option(help="Its column to forecast.")]
Time = Annotated[
    str | None,
    typer.Option(help="Its column of times; several are joined: a,b; none: rows in order."),
]
DateFormat = Annotated[
    str | None, typer.Option("--date-format", help="How times are written, as %d/%m/%Y.")
]
DayFirst = Annotated[
    bool | None,
    typer.Option("--day-first/--month-first", help="Whether 1/2/2024 is in February."),
]
Aggregation = Annotated[
    str | None,
    typer.Option("--aggregate", help="Merge rows of one time: mean, sum, first or last."),
]
Group = Annotated[str | None, typer.Option(help="Its column that names series.")]
Columns = Annotated[str | None, typer.Option(help='Its other columns that go in: a,b, or "".')]
Known = Annotated[str | None, typer.Option(help="Its columns that are known in advance: a,b.")]
TargetKind = Annotated[str | None, typer.Option("--kind", help="real, binary or symbols.")]
ForecastHorizon = Annotated[
    str | None,
    typer.Option("--horizon", help="How many rows ahead; 1..12 for each of the next 12 rows."),
]
Missing = Annotated[str | None, typer.Option(help="drop or interpolate.")]
Gaps = Annotated[
    list[str] | None,
    typer.Option("--na", help="A text for a gap, such as -200, or COLUMN=TEXT; may be repeated."),
]
DecimalMark = Annotated[str | None, typer.Option("--decimal", help="Its decimal mark: . or ,")]
ThousandsMark = Annotated[
    str | None, typer.Option("--thousands", help="Its thousands separator: , or . or ' or a space.")
]
Wide = Annotated[bool, typer.Option("--wide", help="Each column, or each row, of it is a series.")]
Sheet = Annotated[str | None, typer.Option(help="Its sheet, if it is an Excel workbook.")]
Shortest = Annotated[
    int | None, typer.Option(help="Leave out series with fewer steps than this in a part.")
]

Origins = Annotated[
    int | None, typer.Option(help="Train anew at so many moments of the part that is scored.")
]

LabelPerSequence = Annotated[
    bool,
    typer.Option(
        "--label-per-sequence", help="The target labels all rows of each --group: classify these."
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
        """Returns what was given, as settings of the task `csv`."""
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
        """Raises `UserError` where something was said about a file, but no file was named."""
        given = [name for name, value in vars(self).items() if value not in (None, [])]
        if given:
            raise UserError(
                f"--{given[0].replace('_', '-')}: says something about a file; give --csv FILE"
            )


def _whole_number(text: str | None) -> int | str | None:
    """Returns an option as a number if it is one."""
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
    """Lets a terminal that has not all of our letters show `?` in their place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def refuse_setting_options(words: Sequence[str], command: Any) -> None:
    """Raises `UserError` for a setting that is given as an option: `--units 20`.

    `command` is the click command of the program, `words` are its arguments. Commands that take no
    settings are left to click.
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
    """Returns how runs are looked at: by a command, and at an address with `page` after its #.

    Passwords are left for the reader to fill in.
    MLflow's first page is that for language models, where no sweep is to be seen.
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
    """Lets Ctrl-C out of a command as our own exception, before typer makes it its own.

    With --json, what a task of the user's prints goes to standard error: stdout is the document's.
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
    """Raises `UserError` for an engine that there is not."""
    from lstm_bench.errors import unknown
    from lstm_bench.training import ENGINES

    if name not in ENGINES:
        raise UserError(f"--engine: {unknown('engine', name, ENGINES)}")


def refuse_existing(output: Path | None, force: bool, option: str = "--output") -> None:
    """Raises `UserError` where a file is in the way."""
    if output is not None and not force and output.exists():
        raise UserError(f"{option}: {output} is there already; give another name, or --force")


def write_file(output: Path, content: str | bytes, option: str = "--output") -> None:
    """Writes a file that the user named; raises `UserError` where that cannot be."""
    try:
        output.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise UserError(f"{option}: {output} cannot be written ({error.strerror})") from error


def relative_path(path: Path) -> str:
    """Returns a path as seen from the working folder, where it lies in there."""
    try:
        return str(path.resolve().relative_to(Path().resolve()))
    except (ValueError, OSError, RuntimeError):  # outside, or a link to itself
        return str(path)


def print_json(document: Any) -> None:
    """Prints the one document of --json; whatever else is printed goes to standard error."""
    from lstm_bench.results import to_json

    print(to_json(document), file=_document.get(sys.stdout))
