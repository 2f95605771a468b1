"""The result of a sweep, for Python users."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lstm_bench.analysis import Comparison, Findings, Ranking, sweep_findings
from lstm_bench.errors import UserError, unknown
from lstm_bench.report import _tables as tables
from lstm_bench.report._write import write_report
from lstm_bench.results import Outcome, Row, SweepData, counted
from lstm_bench.safety import check_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS_SHOWN = 20
COLUMNS_SHOWN = ("id", "name", "seeds", "accuracy_mean", "accuracy_low", "accuracy_high", "solved")


class SweepResult(Mapping[str, Outcome]):
    """The outcomes of a sweep by recipe id, with verdicts, tables and figures.

    `result["A1"]` is the outcome of one recipe, and `list(result)` gives all ids. Two results are
    equal if their data are equal. `lstm_bench.sweep` returns a result, and shows an example.
    """

    def __init__(
        self, data: SweepData, page: Path | None = None, study: Callable[[], Any] | None = None
    ) -> None:
        """`page` is the path of the report, if it was written; `study` returns the Optuna study."""
        self.data = data
        self.page = page
        self._make_study = study

    @property
    def name(self) -> str:
        """The name of the sweep."""
        return self.data.name

    @cached_property
    def findings(self) -> Findings:
        """Verdicts, comparisons, ablations, finalists and baselines, as in the report."""
        return sweep_findings(self.data)

    @property
    def best(self) -> Row | None:
        """The best recipe, with its `id` and `outcome`; None if the sweep has several tasks."""
        return self.data.best

    def comparisons(self) -> tuple[Comparison, ...]:
        """Returns the comparisons of the sweep file, with their verdicts."""
        return self.findings.comparisons

    @property
    def ranking(self) -> Ranking | None:
        """The ranks of the recipes across tasks; None without several `tasks` in the sweep."""
        return self.findings.ranking

    @cached_property
    def study(self) -> Any:
        """The search as an `optuna.Study` in memory, made from the results.

        Stopped trials are `PRUNED`. Their intermediate values are the mean scores after each rung.
        Raises `UserError` if the sweep has no search.
        """
        if self._make_study is None:
            raise UserError(f"study: {self.name} was not returned by sweep, search or load")
        return self._make_study()

    def to_frame(self) -> pd.DataFrame:
        """Returns a table with one row per recipe: estimates, intervals, cost and settings."""
        return tables.comparison(self.data)

    @property
    def plots(self) -> tuple[str, ...]:
        """The kinds of figure that `plot` can return for this result."""
        return tuple(self._figures)

    def plot(self, kind: str = "accuracy") -> Figure:
        """Returns a figure of the report; `kind` is the name of its file without the suffix.

        `plots` lists the kinds. Raises `UserError` if this result has no such figure.
        """
        if not isinstance(kind, str) or kind not in self._figures:
            raise UserError(f"kind: {unknown('plot', kind, self._figures)}")
        return self._figures[kind]

    @cached_property
    def _figures(self) -> dict[str, Figure]:
        from lstm_bench.report._page import all_pictures

        return {picture.stem: picture.figure for picture in all_pictures(self.findings)}

    def report(self, folder: str | Path) -> Path:
        """Writes the report into `folder` and returns the path of its page.

        Raises `StoreError` if the folder cannot be written, or has files of the same names that no
        report has written.
        """
        check_path("folder", folder)
        return write_report(self.data, Path(folder), self.findings)

    def document(self) -> dict[str, Any]:
        """Returns the result as plain JSON values, as printed by `sweep --json`."""
        page = "" if self.page is None else str(self.page)
        return self.findings.document() | {"report": page}

    def __getitem__(self, id_: str) -> Outcome:
        rows = {row.id: row for row in self.data.rows}
        if not isinstance(id_, str) or id_ not in rows:
            raise KeyError(unknown("recipe", id_, rows))
        return rows[id_].outcome

    def __iter__(self) -> Iterator[str]:
        return iter([row.id for row in self.data.rows])

    def __len__(self) -> int:
        return len(self.data.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SweepResult) and self.data == other.data

    def __repr__(self) -> str:
        best = f", best {self.best.id[:80]!r}" if self.best else ""
        failed = f", {len(self.data.failed)} failed" if self.data.failed else ""
        recipes = counted(len(self), "recipe")
        return f"SweepResult({self.name[:200]!r}, {recipes}{failed}{best})"

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        shown = frame[[column for column in COLUMNS_SHOWN if column in frame]].head(ROWS_SHOWN)
        more = len(frame) - len(shown)
        rest = f"<p>{more} more: <code>to_frame()</code></p>" if more > 0 else ""
        table = shown.to_html(index=False, float_format="{:.3f}".format, na_rep="–")
        return f"<p><b>{html.escape(self.data.title or self.name)}</b></p>{table}{rest}"
