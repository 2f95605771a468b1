"""What `sweep` prints when it is done, and what `report` writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_bench.analysis import (
    baselines_document,
    comparisons_document,
    search_document,
    search_findings,
)
from lstm_bench.cli._options import browsed
from lstm_bench.cli._show import next_step
from lstm_bench.errors import StoreError
from lstm_bench.results import SweepResult, sweep_document
from lstm_bench.safety import path_component, print_plain, terminal_console

if TYPE_CHECKING:
    from lstm_bench.execution import SweepProgress
    from lstm_bench.tracking import Store


def sweep_json(result: SweepResult, page: Path, progress: SweepProgress) -> dict[str, Any]:
    """Returns the document of `sweep --json`: the recipes, the search, and what they come to."""
    found = search_findings(result)
    told = comparisons_document(result, found.comparisons) | search_document(result, found)
    told |= baselines_document(result) | {"unsaved": progress.unsaved}
    return sweep_document(result, page) | told


def print_sweep(
    result: SweepResult, page: Path, progress: SweepProgress, store: str, data: str = ""
) -> None:
    """Prints the table, and where report and runs are; `data` is the file of the user's own."""
    from lstm_bench.report import console_table

    console = terminal_console()
    console.print(console_table(result))
    if progress.reused:
        console.print(f"{progress.reused} of {progress.done} recipes needed no new run.")
    if result.rows or result.failed:
        console.print(f"Report: {page}", soft_wrap=True)
    console.print(f"Runs:   {browsed(store)}", soft_wrap=True)
    step = next_step(result, data) if data else ""
    if step:
        console.print(f"Next:   {step}", soft_wrap=True)


def write_reports(
    store: Store, names: Iterable[str], folder: Path
) -> tuple[dict[str, Path], list[str]]:
    """Writes the reports of sweeps into `folder`.

    Returns their pages by name, and what is wrong with those that have none.
    """
    from lstm_bench.report import write_report

    pages, faults = {}, []
    for name in names:
        try:
            pages[name] = write_report(store.load(name), folder / path_component(name))
        except StoreError as error:  # the others can be had all the same
            faults.append(str(error) if name in str(error) else f"{name}: {error}")
    return pages, faults


def warn(result: SweepResult, progress: SweepProgress) -> bool:
    """Says what a sweep has not come to, on standard error; returns whether there is any."""
    for id_, reason in progress.unsaved.items():
        print_plain(
            f"{id_}: is left unfinished, for its network could not be kept ({reason}); run the "
            "same command again, which goes on from the trained weights"
        )
    if progress.unsaved:
        return True
    if {row.id for row in result.rows} <= {each.id for each in result.failed}:
        print_plain(f"{result.name}: every recipe has failed; the reasons are above")
        return True
    return False
