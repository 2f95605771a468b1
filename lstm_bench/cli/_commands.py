"""The commands `tasks`, `run`, `sweep`, `report`, `status`, `speed` and `init`.

Heavy packages are imported by the commands that need them.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from lstm_bench.cli._options import (
    Aggregation,
    Assignments,
    ClusterAddress,
    Columns,
    CsvFile,
    DataOptions,
    DateFormat,
    DayFirst,
    DecimalMark,
    EngineName,
    ForecastHorizon,
    Gaps,
    Group,
    Json,
    Known,
    LabelPerSequence,
    Missing,
    Origins,
    Overrides,
    Profile,
    Sheet,
    Shortest,
    StoreUri,
    Target,
    TargetKind,
    TaskFiles,
    TextFile,
    ThousandsMark,
    Time,
    Wide,
    browse_command,
    check_engine,
    load_context,
    print_json,
    relative_path,
)
from lstm_bench.errors import RecipeError, StoreError, SweepError, UserError
from lstm_bench.safety import (
    print_plain,
    printable_text,
    shell_line,
    terminal_console,
)

if TYPE_CHECKING:
    from lstm_bench.config import Settings
    from lstm_bench.recipes import TaskRegistry
    from lstm_bench.sweeps import Sweep


SEEDS = 10
"""The number of seeds of `run`, unless another one is given."""


def tasks(
    name: Annotated[str | None, typer.Argument(help="Show this task in full.")] = None,
    files: TaskFiles = None,
    as_json: Json = False,
) -> None:
    """List the sequence problems, or show one."""
    from lstm_bench.cli._show import task_page, task_table
    from lstm_bench.sweeps import task_documents

    _, known = load_context(files=files)
    if as_json:
        print_json({"tasks": task_documents(known, name)})
    else:
        terminal_console().print(task_page(known, name) if name else task_table(known))


def run(
    task: Annotated[str, typer.Argument(help="A task: see `lstm-bench tasks`.")],
    settings: Assignments = None,
    seeds: Annotated[int, typer.Option(min=1, help="The number of seeds, from 0 on.")] = SEEDS,
    engine: EngineName = "compiled",
    threads: Annotated[int, typer.Option(min=0, help="Seeds at a time; 0: one per core.")] = 0,
    predictions: Annotated[bool, typer.Option(help="Print the prediction for each step.")] = False,
    metrics: Annotated[str, typer.Option(help="More metrics: names, or all.")] = "",
    log: Annotated[bool, typer.Option(help="Log to the MLflow experiment `runs`.")] = True,
    files: TaskFiles = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Train one recipe on several seeds, e.g. `run memory units=20 stateful=true`."""
    from lstm_bench import _api as api
    from lstm_bench.recipes import recipe_from_settings
    from lstm_bench.statistics import select_metrics
    from lstm_bench.sweeps import parse_assignments
    from lstm_bench.training import run as train

    check_engine(engine)
    changes = parse_assignments(settings or [])
    if "task" in changes:
        raise UserError(f"task: is given by the first word, {task!r}; leave out task=")
    wrong = next((key for key in ("seeds", "seed") if key in changes), None)
    if wrong:
        raise UserError(
            f"{wrong}: is no setting of a recipe; give --seeds N, which runs seeds 0 to N-1"
        )
    context, known = load_context(profile, store, files)
    chosen = recipe_from_settings({"task": task, **changes}, known)
    further = select_metrics(metrics, chosen.task.kind)
    console = terminal_console(stderr=True)
    with console.status(Text(printable_text(f"{chosen.name}, {seeds} seeds"))):
        outcome = train(chosen, range(seeds), engine, threads or None)
        if log:
            api.log_outcome(outcome, context)
    if as_json:
        rows = {"predictions": outcome.predictions.to_dict("records")} if predictions else {}
        print_json(outcome.document() | rows)
        return
    from lstm_bench.cli._show import after_run, outcome_page

    terminal_console().print(outcome_page(outcome, predictions, further))
    if log:
        terminal_console().print(f"Runs:   {browse_command(context.store)}", soft_wrap=True)
    own = [word for file in files or [] for word in ("--tasks", str(file))]
    number = ["--seeds", str(seeds)] if seeds != SEEDS else []
    terminal_console().print(after_run(outcome, log, settings or [], own, number), soft_wrap=True)


def sweep(
    name: Annotated[
        str | None, typer.Argument(help="A sweep in sweeps/, or a YAML file.", show_default=False)
    ] = None,
    settings: Overrides = None,
    csv: CsvFile = None,
    text: TextFile = None,
    target: Target = None,
    time: Time = None,
    group: Group = None,
    columns: Columns = None,
    known: Known = None,
    kind: TargetKind = None,
    horizon: ForecastHorizon = None,
    missing: Missing = None,
    date_format: DateFormat = None,
    day_first: DayFirst = None,
    aggregate: Aggregation = None,
    na: Gaps = None,
    decimal: DecimalMark = None,
    thousands: ThousandsMark = None,
    wide: Wide = False,
    sheet: Sheet = None,
    shortest: Shortest = None,
    origins: Origins = None,
    label_per_sequence: LabelPerSequence = False,
    engine: EngineName = "compiled",
    again: Annotated[bool, typer.Option(help="Run again what the store has.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Also run recipes marked as full, which take long.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Estimate the cost without running.")] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first recipe that fails: exit 1.")
    ] = False,
    cluster: ClusterAddress = None,
    files: TaskFiles = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Run the recipes and the search of a sweep, log them, and write a report.

    Give the name of a sweep, `sweep published`, or a file of your own,
    `sweep --csv sales.csv --target units search.trials=20`.
    """
    context, registry = load_context(profile, store, files)
    check_engine(engine)
    starting: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if dry_run and cluster is None and context.cluster is None:
        from lstm_bench.execution import starting_workers

        starting = starting_workers()  # while the sweep is read, which takes seconds as well
    data = DataOptions(
        target, time, group, columns, kind, horizon, missing, known, date_format, day_first,
        aggregate, na, decimal, thousands, "auto" if wide else None, sheet, shortest,
        origins, label_per_sequence or None,
    )  # fmt: skip
    file = csv or text
    if csv is not None and text is not None:
        raise UserError("--text: is a file to search over, as --csv is; give one of them")
    words = settings or []
    with starting:
        path, read = _read_sweep(name, words, file, text is not None, data, context, registry)
    chosen = read.with_full(full)
    if file is not None and not as_json:
        terminal_console(stderr=True).print(chosen.about, highlight=False)
    from lstm_bench import _api as api
    from lstm_bench.cli._sweep_output import print_sweep, sweep_document, warn
    from lstm_bench.execution import estimate_sweep, estimate_table

    try:
        if dry_run:
            estimate = estimate_sweep(chosen, context, engine, cluster)
            if as_json:
                print_json({"sweep": chosen.name, **estimate.document()})
            else:
                terminal_console().print(estimate_table(chosen.name, estimate))
            return
        result, progress = api.run_sweep(
            chosen, context, engine, again, not as_json, cluster, fail_fast
        )
    except RecipeError as error:
        raise SweepError(f"{path}:\n  {error}") from error
    if as_json:
        print_json(sweep_document(result, progress))
    else:
        print_sweep(result, progress, context, relative_path(file) if file else "")
    if warn(result, progress):
        raise typer.Exit(1)


def _read_sweep(
    name: str | None,
    overrides: list[str],
    file: Path | None,
    is_text: bool,
    data: DataOptions,
    context: Settings,
    known: TaskRegistry,
) -> tuple[Path, Sweep]:
    """Returns the file that messages are about, and the sweep that the command line names."""
    from lstm_bench.sweeps import find_sweep, load_sweep, sweep_over_file

    if file is not None:
        words = [*([name] if name else []), *overrides]
        settings = {"file": relative_path(file), **({"text": True} if is_text else {})}
        return file, sweep_over_file({**settings, **data.settings()}, words)
    data.refuse_without_file()
    if name is None:
        raise UserError("sweep: give the name of a sweep, a YAML file, or --csv FILE")
    path = find_sweep(name, context.sweeps)
    return path, load_sweep(path, overrides, known)


def report(
    names: Annotated[list[str] | None, typer.Argument(help="Sweeps; by default all.")] = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Rebuild reports from the run store, without training."""
    from lstm_bench.cli._sweep_output import write_reports
    from lstm_bench.tracking import Store

    context, known = load_context(profile, store, strict=False)
    runs = Store(context.store, context.artifacts, create=False)
    pages, faults = write_reports(runs, names or [], context.reports, known)
    if not pages and not faults:
        raise UserError(f"report: there are no sweeps in {runs.uri}; run `lstm-bench sweep` first")
    if pages and as_json:
        print_json({"reports": {name: str(page) for name, page in pages.items()}})
    elif pages:
        print_plain("\n".join(map(str, pages.values())), sys.stdout)
    if faults:
        raise StoreError("\n".join(faults))


def status(
    name: Annotated[str | None, typer.Argument(help="The name of a sweep; by default all.")] = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Show the progress of sweeps, including those on other terminals or hosts."""
    from lstm_bench.cli._status import status_page
    from lstm_bench.config import settings_for
    from lstm_bench.tracking import Store, sweep_states

    context = settings_for(profile, store)
    states = sweep_states(Store(context.store, context.artifacts, create=False), name)
    if as_json:
        print_json({"sweeps": [state.document() for state in states]})
    else:
        terminal_console().print(status_page(states), soft_wrap=True)


def speed(
    seconds: Annotated[float, typer.Option(min=0.1, help="Seconds per engine and problem.")] = 5,
    as_json: Json = False,
) -> None:
    """Measure the speed of both engines on this machine."""
    from lstm_bench.cli._show import speed_table
    from lstm_bench.cli._speed import measure

    console = terminal_console(stderr=True)
    with console.status("measuring") as status:
        rows = measure(seconds, lambda name: status.update(f"measuring {name}"))
    if as_json:
        print_json({"speed": rows})
    else:
        terminal_console().print(speed_table(rows))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    as_json: Json = False,
) -> None:
    """Make a working folder with a task of your own, its test, sweeps and settings."""
    from lstm_bench.cli._init import scaffold

    made = scaffold(folder)
    if as_json:
        print_json({"folder": str(folder), "files": [str(path) for path in made]})
        return
    print_plain("\n".join(map(str, made)), sys.stdout)
    print_plain(f"Next: {shell_line('cd', str(folder))} && lstm-bench sweep highest", sys.stdout)
