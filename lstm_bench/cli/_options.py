"""What the commands have in common: options, where things are, and what is printed where."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from lstm_bench import __version__
from lstm_bench.errors import Interrupted, UserError
from lstm_bench.safety import mask_address, print_plain, shell_line

_document: ContextVar[TextIO] = ContextVar("where a JSON document is printed")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Profile = Annotated[str | None, typer.Option(help="Lay conf/PROFILE.yaml over conf/default.yaml.")]
StoreUri = Annotated[str | None, typer.Option("--store", help="MLflow tracking URI.")]
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


def _print_version(asked: bool) -> None:
    if asked:
        print(f"lstm-bench {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version),
]


def on_any_terminal() -> None:
    """Lets a terminal that has not all of our letters show `?` in their place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def browsed(store: str) -> str:
    """Returns how the runs of a store are looked at: by a command, or at a server's address.

    Passwords are left for the reader to fill in.
    MLflow's page begins with what it has for language models, where no sweep is to be seen.
    """
    shown = mask_address(store)
    command = shell_line("mlflow", "ui", "--backend-store-uri", shown)
    where = shown if store.startswith("http") else command
    return f"{where}\n        (on its page: Model training, at the top left)"


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


def where_to(
    profile: str | None = None,
    store: str | None = None,
    files: list[Path] | None = None,
    strict: bool = True,
) -> Any:
    """Returns the settings in force, and loads the tasks of the user's own.

    Unless `strict`, files of tasks that cannot be loaded are warned of and left out.
    """
    from lstm_bench.config import settings
    from lstm_bench.errors import TaskError
    from lstm_bench.sweeps import load_tasks

    found = settings(profile, Path("conf"))
    try:
        warnings = load_tasks([*found.tasks, *(files or [])])
    except TaskError as error:
        if strict:
            raise
        warnings = [str(error)]
    for warning in warnings:
        print_plain(f"warning: {warning}")
    return found.model_copy(update={"store": store}) if store else found


def unclaimed(output: Path | None, force: bool, option: str = "--output") -> None:
    """Raises `UserError` where a file is in the way."""
    if output is not None and not force and output.exists():
        raise UserError(f"{option}: {output} is there already; give another name, or --force")


def write(output: Path, content: str | bytes, option: str = "--output") -> None:
    """Writes a file that the user named; raises `UserError` where that cannot be."""
    try:
        output.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise UserError(f"{option}: {output} cannot be written ({error.strerror})") from error


def from_here(path: Path) -> str:
    """Returns a path as seen from the working folder, where it lies in there."""
    try:
        return str(path.resolve().relative_to(Path().resolve()))
    except (ValueError, OSError, RuntimeError):  # outside, or a link to itself
        return str(path)


def print_json(document: Any) -> None:
    """Prints the one document of --json, whatever else goes to standard error.

    What JSON has no number for, NaN and infinities, is null.
    """
    text = json.dumps(_finite(document), indent=1, allow_nan=False)
    print(text, file=_document.get(sys.stdout))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value
