"""The output of `sweep` when it is done, and of `report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_bench.cli._options import browse_command, dashboard_command
from lstm_bench.cli._show import next_step
from lstm_bench.errors import StoreError
from lstm_bench.report import SweepResult, terminal_table, write_report
from lstm_bench.safety import print_plain, report_folder_name, terminal_console

if TYPE_CHECKING:
    from lstm_bench.config import Settings
    from lstm_bench.execution import SweepProgress
    from lstm_bench.recipes import TaskRegistry
    from lstm_bench.tracking import Store


def sweep_document(result: SweepResult, progress: SweepProgress) -> dict[str, Any]:
    """Returns the document of `sweep --json`: the recipes, the search, and the findings."""
    return result.document() | {"unsaved": progress.unsaved}


def print_sweep(
    result: SweepResult, progress: SweepProgress, place: Settings, data: str = ""
) -> None:
    """Prints the table and the places of report, runs and study; `data` is the user's file."""
    console = terminal_console()
    console.print(terminal_table(result.data, findings=result.findings, width=console.width))
    if progress.reused:
        console.print(f"{progress.reused} of {progress.done} recipes needed no new run.")
    if result.data.rows or result.data.failed or result.data.not_run:
        console.print(f"Report: {result.page}", soft_wrap=True)
    if result.data.overrides:
        changes = f"with {result.data.overrides}"
        console.print(f"        ({changes}; that of the whole sweep is unchanged)", soft_wrap=True)
    console.print(f"Runs:   {browse_command(place.store, progress.runs_page)}", soft_wrap=True)
    if result.data.search is not None and place.optuna is not None:
        console.print(f"Study:  {dashboard_command(place.optuna)}", soft_wrap=True)
    step = next_step(result.data, data, result.findings.baselines) if data else ""
    if step:
        console.print(f"Next:   {step}", soft_wrap=True)


def write_reports(
    store: Store, names: Sequence[str], folder: Path, tasks: TaskRegistry
) -> tuple[dict[str, Path], list[str]]:
    """Writes the reports of sweeps into `folder`: of each by name, or of all if none is named.

    A sweep that was run with overrides has a report of its own. Returns the pages by name, and
    messages about those that could not be written.
    """
    pages, faults, known = {}, [], store.reports()
    wanted = [report for report in known if not names or report[0] in names]
    wanted += [(name, "") for name in names if name not in {name for name, _ in known}]
    for name, overrides in wanted:
        shown = f"{name} {overrides}".rstrip()
        try:
            place = folder / report_folder_name(name, overrides)
            pages[shown] = write_report(store.load(name, overrides, tasks), place)
        except StoreError as error:  # the others can be written all the same
            faults.append(str(error) if name in str(error) else f"{shown}: {error}")
    return pages, faults


def warn(result: SweepResult, progress: SweepProgress) -> bool:
    """Prints what a sweep did not achieve to standard error; returns whether there is any."""
    for id_, reason in progress.unsaved.items():
        print_plain(
            f"{id_}: is left unfinished, for its network could not be saved ({reason}); run the "
            "same command again, which goes on from the trained weights"
        )
    if progress.unsaved:
        return True
    data = result.data
    only_left_out = bool(data.not_run) and not data.rows and not data.failed
    if {row.id for row in data.rows} <= {failed.id for failed in data.failed} and not only_left_out:
        print_plain(f"{result.name}: every recipe has failed; the reasons are above")
        return True
    return False
