"""The command line: `tasks`, `run`, `sweep`, `report`, `export`, `predict`, `speed`, `init`.

Heavy packages are imported by the commands that need them, so that `--help` and `tasks` are quick
and `report` never waits for TensorFlow.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.text import Text

from lstm_bench.cli._options import (
    Assignments,
    EngineName,
    Json,
    Overrides,
    Profile,
    StoreUri,
    TaskFiles,
    Version,
    from_here,
    interruptible,
    on_any_terminal,
    print_json,
    unclaimed,
    where_to,
    write,
)
from lstm_bench.errors import Interrupted, RecipeError, StoreError, SweepError, UserError
from lstm_bench.safety import (
    mask_passwords,
    print_plain,
    printable_text,
    shell_line,
    terminal_console,
)

app = typer.Typer(
    name="lstm-bench",
    help="Which LSTM set-up really learns your sequences, and how sure can you be?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.callback()
def _common(version: Version = False) -> None:
    """Takes what stands before any command."""


def main() -> None:
    """Runs the command line; exit 0 success, 2 wrong input, 1 anything else."""
    try:
        on_any_terminal()
        app()
    except UserError as error:
        print_plain(mask_passwords(f"error: {error}"))
        sys.exit(2)
    except (KeyboardInterrupt, Interrupted):
        _interrupted()
    except SystemExit as end:
        if end.code == BEFORE_COMMAND:
            _interrupted()
        raise


BEFORE_COMMAND = 130
"""What typer exits with on a Ctrl-C that comes before the command has begun."""


def _interrupted() -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it has been heard
    print_plain("interrupted; what had finished is kept, and the same command goes on")
    sys.exit(1)


@app.command()
@interruptible
def tasks(
    name: Annotated[str | None, typer.Argument(help="Show this task in full.")] = None,
    files: TaskFiles = None,
    as_json: Json = False,
) -> None:
    """List the sequence problems, or show one."""
    from lstm_bench.cli._show import task_document, task_page, task_table

    where_to(files=files)
    if as_json:
        print_json(task_document(name))
    else:
        terminal_console().print(task_page(name) if name else task_table())


@app.command()
@interruptible
def run(
    task: Annotated[str, typer.Argument(help="A task: see `lstm-bench tasks`.")],
    settings: Assignments = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds, from 0 on.")] = 10,
    engine: EngineName = "compiled",
    threads: Annotated[int, typer.Option(min=0, help="Seeds side by side; 0: one a core.")] = 0,
    predictions: Annotated[bool, typer.Option(help="Print every step's answer.")] = False,
    metrics: Annotated[str, typer.Option(help="More columns: names, or all.")] = "",
    files: TaskFiles = None,
    as_json: Json = False,
) -> None:
    """Train one recipe on several seeds, e.g. `run memory units=20 stateful=true`."""
    from lstm_bench.errors import unknown
    from lstm_bench.recipes import recipe
    from lstm_bench.statistics import select_metrics as chosen_metrics
    from lstm_bench.sweeps import parse_assignments
    from lstm_bench.training import ENGINES

    if engine not in ENGINES:
        raise UserError(f"--engine: {unknown('engine', engine, ENGINES)}")
    chosen = parse_assignments(settings or [])
    if "task" in chosen:
        raise UserError(f"task: is given by the first word, {task!r}; leave out task=")
    where_to(files=files)
    built = recipe(task, **chosen)
    named = chosen_metrics(metrics, built.task.kind)
    console = terminal_console(stderr=True)
    with console.status(Text(printable_text(f"{built.name}, {seeds} seeds"))):
        from lstm_bench.training import run as train

        outcome = train(built, range(seeds), engine, threads or None)
    if as_json:
        rows = {"predictions": outcome.predictions.to_dict("records")} if predictions else {}
        print_json(outcome.document() | rows)
        return
    from lstm_bench.cli._show import outcome_page

    terminal_console().print(outcome_page(outcome, predictions, named))


@app.command()
@interruptible
def sweep(
    name: Annotated[
        str | None, typer.Argument(help="A sweep in sweeps/, or a YAML file.", show_default=False)
    ] = None,
    settings: Overrides = None,
    csv: Annotated[Path | None, typer.Option(help="Search over this file of your own.")] = None,
    target: Annotated[str | None, typer.Option(help="Its column to forecast.")] = None,
    time: Annotated[str | None, typer.Option(help="Its column of times.")] = None,
    group: Annotated[str | None, typer.Option(help="Its column that names series.")] = None,
    columns: Annotated[str | None, typer.Option(help="Its other columns that go in: a,b.")] = None,
    kind: Annotated[str | None, typer.Option(help="real, binary or symbols.")] = None,
    horizon: Annotated[int | None, typer.Option(help="How many rows ahead.")] = None,
    missing: Annotated[str | None, typer.Option(help="drop or interpolate.")] = None,
    engine: EngineName = "compiled",
    again: Annotated[bool, typer.Option(help="Run everything anew.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what it would cost, and stop.")] = False,
    files: TaskFiles = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Run the recipes and the search of a sweep; log them; report them.

    A sweep by its name, `sweep published`, or over a file of yours,
    `sweep --csv sales.csv --target units search.trials=20`.
    """
    from lstm_bench.errors import unknown
    from lstm_bench.sweeps import find_sweep, load_sweep, sweep_over_file
    from lstm_bench.training import ENGINES

    where = where_to(profile, store, files)
    if engine not in ENGINES:
        raise UserError(f"--engine: {unknown('engine', engine, ENGINES)}")
    listed = [name.strip() for name in columns.split(",")] if columns is not None else None
    told: dict[str, Any] = {"target": target, "time": time, "group": group, "target_kind": kind}
    told |= {"columns": listed, "horizon": horizon, "missing": missing}
    given = {key: value for key, value in told.items() if value is not None}
    if csv is None:
        if given:
            raise UserError(f"--{next(iter(given))}: says something about a file; give --csv FILE")
        if name is None:
            raise UserError("sweep: give the name of a sweep, a YAML file, or --csv FILE")
        path = find_sweep(name, where.sweeps)
        loaded = load_sweep(path, settings or [])
    else:
        path = csv
        words = [*([name] if name else []), *(settings or [])]
        loaded = sweep_over_file({"file": from_here(csv), **given}, words)
        if not as_json:
            terminal_console(stderr=True).print(loaded.about, highlight=False)
    from lstm_bench.cli._show import SweepBar, estimate_table
    from lstm_bench.cli._sweep_output import print_sweep, sweep_json, warn
    from lstm_bench.execution import estimate_sweep, run_sweep

    try:
        if dry_run:
            weighed = estimate_sweep(loaded, where, engine)
            if as_json:
                print_json({"sweep": loaded.name, **weighed.document()})
            else:
                terminal_console().print(estimate_table(loaded.name, weighed))
            return
        with SweepBar(loaded.name, quiet=as_json) as bar:
            result, page, progress = run_sweep(
                loaded, where, engine, again, None if as_json else bar
            )
    except RecipeError as error:
        raise SweepError(f"{path}:\n  {error}") from error
    if as_json:
        print_json(sweep_json(result, page, progress))
    else:
        print_sweep(result, page, progress, where.store, from_here(csv) if csv else "")
    if warn(result, progress):
        raise typer.Exit(1)


@app.command()
@interruptible
def report(
    names: Annotated[list[str] | None, typer.Argument(help="Sweeps; all of them if none.")] = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Rebuild reports from the run store alone."""
    from lstm_bench.cli._sweep_output import write_reports
    from lstm_bench.tracking import Store

    where = where_to(profile, store, strict=False)
    runs = Store(where.store, where.artifacts, create=False)
    chosen = names or runs.names()
    if not chosen:
        raise UserError(f"report: there are no sweeps in {runs.uri}; run `lstm-bench sweep` first")
    pages, faults = write_reports(runs, chosen, where.reports)
    if pages and as_json:
        print_json({"reports": {name: str(page) for name, page in pages.items()}})
    elif pages:
        print_plain("\n".join(map(str, pages.values())), sys.stdout)
    if faults:
        raise StoreError("\n".join(faults))


@app.command()
@interruptible
def export(
    what: Annotated[str, typer.Argument(help="A task, SWEEP:ID, FILE.yaml:ID, or a digest.")],
    settings: Assignments = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="Write a finished run's network here, as FILE.keras.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Default: the best of a run, or 0.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it is there.")] = False,
    files: TaskFiles = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Write a recipe as a Keras script, e.g. `export memory` or `export published:A1`."""
    from lstm_bench.sweeps import parse_assignments
    from lstm_bench.tracking import find_recipe, network_file
    from lstm_bench.training import start_tensorflow

    unclaimed(output, force)
    unclaimed(model, force, "--model")
    told = where_to(profile, store, files)
    if model is not None:
        if seed is not None:
            raise UserError(
                "--seed: of a run the network of its best seed alone is kept, so --model takes no "
                f"other, but got {seed}; leave out --seed, or leave out --model for a script that "
                "trains that seed"
            )
        if output is not None or settings:
            other = "--output" if output is not None else " ".join(settings or [])
            raise UserError(
                "--model: writes the network of a finished run as it is, and nothing else; leave "
                f"out {other}"
            )
        write(model, network_file(what, model, told), "--model")
        print_json({"file": str(model)}) if as_json else print_plain(str(model), sys.stdout)
        return
    found = find_recipe(what, parse_assignments(settings or []), told)
    start_tensorflow(1)
    from lstm_bench.export import script

    number = found.best_seed if seed is None else seed
    text = script(found.recipe, number)
    if output is not None:
        write(output, text)
    if as_json:
        where = {"file": None if output is None else str(output)}
        facts = {"recipe": found.recipe.settings, "id": found.recipe.digest, "seed": number}
        print_json(facts | where | {"script": text})
    elif output is None:
        print(text, end="")
    else:
        print_plain(str(output), sys.stdout)


@app.command()
@interruptible
def predict(
    run: Annotated[str, typer.Argument(help="A finished run: SWEEP:ID, or a digest.")],
    symbols: Annotated[
        str | None, typer.Argument(help='The sequence, e.g. "3 0 1 2" or "ABC".')
    ] = None,
    generate: Annotated[int, typer.Option(min=0, help="Feed back so many answers to symbols.")] = 0,
    csv: Annotated[Path | None, typer.Option(help="A file like the one trained on.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write what is forecast here.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it is there.")] = False,
    files: TaskFiles = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Ask a finished run's network, e.g. `predict published:A1 "3 0 1 2"`."""
    if (symbols is None) == (csv is None):
        raise UserError('predict: give either symbols, like "3 0 1 2", or --csv FILE')
    if csv is None and output is not None:
        raise UserError("--output: is for what --csv forecasts; leave it out")
    if csv is not None and generate:
        raise UserError(
            "--generate: feeds answers back to symbols on the command line, but with --csv every "
            f"row is answered one horizon ahead, and {generate} was given; leave it out, and for "
            "more rows ahead train with a larger horizon: `lstm-bench sweep --csv FILE --horizon N`"
        )
    unclaimed(output, force)
    from lstm_bench.tracking import Store, finished_outcome
    from lstm_bench.training import start_tensorflow

    where = where_to(profile, store, files)
    outcome = finished_outcome(run, Store(where.store, where.artifacts, create=False))
    facts: dict[str, Any] = {"run": run, "id": outcome.digest, "recipe": dict(outcome.settings)}
    facts["seed"] = outcome.best_seed
    start_tensorflow(1)
    if csv is not None:
        from lstm_bench.safety import as_csv
        from lstm_bench.training import forecast_file

        table = forecast_file(outcome, str(csv))
        text = as_csv(table)
        if output is not None:
            write(output, text)
        if as_json:
            told = {"data": dict(outcome.data), "predictions": table.to_dict("records")}
            print_json(facts | told)
        elif output is not None:
            print_plain(str(output), sys.stdout)
        else:
            print(printable_text(text) if sys.stdout.isatty() else text, end="")
        return
    from lstm_bench.cli._show import prediction_page
    from lstm_bench.training import predict_symbols as ask

    steps = ask(outcome, str(symbols), generate)
    if as_json:
        answered = {"steps": [vars(step) for step in steps], "answer": steps[-1].predicted}
        print_json(facts | answered)
    else:
        terminal_console().print(prediction_page(steps, str(outcome.settings.get("output", ""))))


@app.command()
@interruptible
def speed(
    seconds: Annotated[float, typer.Option(min=0.1, help="Time for each engine and problem.")] = 5,
    as_json: Json = False,
) -> None:
    """Measure both engines side by side on this machine."""
    from lstm_bench.cli._show import speed_table
    from lstm_bench.cli._speed import measure

    console = terminal_console(stderr=True)
    with console.status("measuring") as status:
        rows = measure(seconds, lambda name: status.update(f"measuring {name}"))
    if as_json:
        print_json({"speed": rows})
    else:
        terminal_console().print(speed_table(rows))


@app.command()
@interruptible
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")],
    as_json: Json = False,
) -> None:
    """Make a working folder: a task of your own, its test, a sweep, settings."""
    from lstm_bench.cli._init import scaffold

    made = scaffold(folder)
    if as_json:
        print_json({"folder": str(folder), "files": [str(path) for path in made]})
        return
    print_plain("\n".join(map(str, made)), sys.stdout)
    print_plain(f"Next: {shell_line('cd', str(folder))} && lstm-bench sweep highest", sys.stdout)
