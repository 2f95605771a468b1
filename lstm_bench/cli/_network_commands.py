"""The commands `export` and `predict`, which use recipes and networks of finished runs.

Heavy packages are imported by the commands that need them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lstm_bench.cli._options import (
    Assignments,
    DecimalMark,
    Gaps,
    Json,
    Profile,
    Sheet,
    StoreUri,
    TaskFiles,
    ThousandsMark,
    load_context,
    print_json,
    refuse_existing,
    write_file,
)
from lstm_bench.errors import StoreError, UnknownRecipeError, UserError
from lstm_bench.safety import print_plain, printable_text, shell_line, terminal_console

if TYPE_CHECKING:
    import pandas as pd

    from lstm_bench.recipes import TaskRegistry
    from lstm_bench.results import Outcome

SHOWN_IDS = 20
"""The most recipes of a sweep file that a message lists."""


def export(
    what: Annotated[str, typer.Argument(help="A task, SWEEP:ID, FILE.yaml:ID, or a digest.")],
    settings: Assignments = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="Write the network of a finished run to this .keras file.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="By default, the best seed of a run, or 0.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it is there.")] = False,
    files: TaskFiles = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Write a recipe as a Keras script, e.g. `export memory` or `export published:A1`."""
    refuse_existing(output, force)
    refuse_existing(model, force, "--model")
    context, known = load_context(profile, store, files)
    if model is not None:
        from lstm_bench.tracking import network_file

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
        write_file(model, network_file(what, model, context, known), "--model")
        print_json({"file": str(model)}) if as_json else print_plain(str(model), sys.stdout)
        return
    from lstm_bench import _api as api
    from lstm_bench.sweeps import in_a_file, parse_assignments
    from lstm_bench.tracking import find_recipe

    source = find_recipe(in_a_file(what), parse_assignments(settings or []), context, known)
    number = source.best_seed if seed is None else seed
    text = api.keras_code(source.recipe, number)
    if output is not None:
        write_file(output, text)
    if as_json:
        facts = {"recipe": source.recipe.settings, "id": source.recipe.digest, "seed": number}
        facts |= {"file": None if output is None else str(output), "script": text}
        print_json(facts)
    elif output is None:
        print(text, end="")
    else:
        print_plain(str(output), sys.stdout)


def predict(
    run: Annotated[str, typer.Argument(help="SWEEP:ID, SWEEP:BASELINE, or a digest.")],
    symbols: Annotated[
        str | None, typer.Argument(help='The sequence, e.g. "3 0 1 2" or "ABC".')
    ] = None,
    generate: Annotated[int, typer.Option(min=0, help="Feed back this number of predictions.")] = 0,
    csv: Annotated[Path | None, typer.Option(help="A file like the training file.")] = None,
    na: Gaps = None,
    decimal: DecimalMark = None,
    thousands: ThousandsMark = None,
    sheet: Sheet = None,
    output: Annotated[Path | None, typer.Option(help="Write the forecasts to this file.")] = None,
    force: Annotated[bool, typer.Option(help="Overwrite the file if it is there.")] = False,
    files: TaskFiles = None,
    store: StoreUri = None,
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    """Predict with the network of a finished run, e.g. `predict published:A1 "3 0 1 2"`."""
    if (symbols is None) == (csv is None):
        raise UserError('predict: give either symbols, like "3 0 1 2", or --csv FILE')
    options = {"na": na or None, "decimal": decimal, "thousands": thousands, "sheet": sheet}
    given = {key: value for key, value in options.items() if value is not None}
    if csv is None and given:
        raise UserError(f"--{next(iter(given))}: is for what --csv reads; leave it out")
    if csv is None and output is not None:
        raise UserError("--output: is for what --csv forecasts; leave it out")
    if csv is not None and generate:
        raise UserError(
            "--generate: feeds answers back to symbols on the command line, but with --csv every "
            f"row is answered one horizon ahead, and {generate} was given; leave it out, and for "
            "more rows ahead train with a larger horizon: `lstm-bench sweep --csv FILE --horizon N`"
        )
    refuse_existing(output, force)
    from lstm_bench.tracking import Store, find_baseline, finished_outcome
    from lstm_bench.training import start_tensorflow

    context, known = load_context(profile, store, files)
    sweep, colon, _ = run.rpartition(":")
    try:
        opened = Store(context.store, context.artifacts, create=False)
        task_and_baseline = find_baseline(run, opened, known) if csv is not None else None
        outcome = finished_outcome(run, opened, known) if task_and_baseline is None else None
    except StoreError as error:
        path = Path(context.sweeps) / f"{sweep}.yaml"
        if not colon or not path.is_file():
            raise
        advice = _how_it_is_made(run, path, error, known)
        raise StoreError(f"{error}\n{run}: {advice}" if advice else str(error)) from error
    if csv is not None and task_and_baseline is not None:
        from lstm_bench.data import forecast_with_baseline, reading_settings

        task, baseline = task_and_baseline
        table = forecast_with_baseline(task, baseline, str(csv), reading_settings(given))
        _print_table(table, output, {"run": run, "baseline": baseline} if as_json else None)
        return
    assert outcome is not None
    facts: dict[str, Any] = {"run": run, "id": outcome.digest, "recipe": dict(outcome.settings)}
    facts["seed"] = outcome.best_seed
    start_tensorflow(1)
    if csv is not None:
        _print_forecast(outcome, csv, given, output, facts if as_json else None)
        return
    from lstm_bench.cli._show import prediction_page
    from lstm_bench.training import predict_symbols

    steps = predict_symbols(outcome, str(symbols), generate, known)
    if as_json:
        answers = {"steps": [vars(step) for step in steps], "answer": steps[-1].predicted}
        print_json(facts | answers)
    else:
        terminal_console().print(prediction_page(steps, str(outcome.settings.get("output", ""))))


def _how_it_is_made(run: str, path: Path, missing: StoreError, known: TaskRegistry) -> str:
    """Returns what makes the network that `run` names, or what the file has in its place.

    `path` is the file of its sweep; an empty text if the message `missing` lists what there is.
    """
    from lstm_bench.sweeps import load_sweep

    sweep, _, id_ = run.rpartition(":")
    try:
        read = load_sweep(path, tasks=known)
    except UserError:  # which `sweep` explains
        return ""
    command = shell_line("lstm-bench", "sweep", sweep)
    never_run = not isinstance(missing, UnknownRecipeError)
    trial = re.fullmatch(r"trial-(\d+)", id_)
    may_come = id_ in read.entries
    if read.search is not None:
        may_come |= int(trial[1]) < read.search.trials if trial else "-" in id_
        may_come |= never_run and read.settings.get("task") == "csv"  # a baseline
    if may_come:
        full = " --full" if id_ in read.left_out else ""
        return f"its network is made by `{command}{full}`"
    if not never_run:
        return ""
    ids = ", ".join(f"{sweep}:{other}" for other in list(read.entries)[:SHOWN_IDS])
    more = ", ..." if len(read.entries) > SHOWN_IDS else ""
    finalist = " and those of its search, such as confirm-1" * (read.search is not None)
    return f"{path} has no such recipe; it has {ids}{more}{finalist}, made by `{command}`"


def _print_forecast(
    outcome: Outcome,
    csv: Path,
    reading: dict[str, Any],
    output: Path | None,
    facts: dict[str, Any] | None,
) -> None:
    """Writes or prints the forecasts of a network; as JSON, together with `facts`, if given."""
    from lstm_bench.data import reading_settings
    from lstm_bench.training import forecast_file, missing_intervals

    table = forecast_file(outcome, str(csv), reading_settings(reading))
    missing = missing_intervals(outcome)
    if facts is not None:
        facts |= {"data": dict(outcome.data)} | ({"missing_intervals": missing} if missing else {})
    elif missing:
        print_plain(missing)
    _print_table(table, output, facts)


def _print_table(table: pd.DataFrame, output: Path | None, facts: dict[str, Any] | None) -> None:
    """Writes or prints forecasts; as JSON, together with `facts`, if given."""
    from lstm_bench.safety import as_csv

    text, notes = as_csv(table), [printable_text(note) for note in table.attrs.get("notes", [])]
    for note in notes:
        print_plain(f"note: {note}")
    if output is not None:
        write_file(output, text)
    if facts is not None:
        rows = {"predictions": table.to_dict("records")} | ({"notes": notes} if notes else {})
        print_json(facts | rows)
    elif output is not None:
        print_plain(str(output), sys.stdout)
    else:
        print(printable_text(text) if sys.stdout.isatty() else text, end="")
