"""Whether repeated seeds reproduce what was published about a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.analysis._published_trials import PublishedTrials, published_trials
from lstm_bench.results import Row, SweepData
from lstm_bench.statistics import FigureRank, Verdict, figure_rank, reproduction_verdict


@dataclass(frozen=True)
class Reproduction:
    """A row with a published result: the rank of its figure among our seeds, and the verdict."""

    row: Row
    rank: FigureRank | None  # None without a figure, or where every seed diverged
    verdict: Verdict | None  # None where only words were published that cannot be judged
    trials: PublishedTrials | None = None  # None where no success rate of trials was published

    @property
    def has_result(self) -> bool:
        """Whether a figure, a claim or words were published, beside what `trials` has."""
        row = self.row
        return bool(row.claim or row.published_accuracy is not None) or self.trials is None

    def record(self) -> dict[str, Any]:
        """Returns the published figure, ours, and the verdict as one flat row."""
        outcome, rank, verdict = self.row.outcome, self.rank, self.verdict
        accuracy, solved = outcome.accuracy, outcome.solve_rate
        return {
            "id": self.row.id,
            "published": self.row.published,
            "claim": self.row.claim,
            "published_accuracy": self.row.published_accuracy,
            "seeds": accuracy.n,
            "accuracy_mean": accuracy.mean,
            "accuracy_std": accuracy.std,
            "accuracy_low": accuracy.low,
            "accuracy_high": accuracy.high,
            "smallest": rank.low if rank else None,
            "largest": rank.high if rank else None,
            "place": rank.position if rank else None,
            "rank_p": rank.p if rank else None,
            "solved": solved.k,
            "solve_rate": solved.rate,
            "solve_rate_low": solved.low,
            "solve_rate_high": solved.high,
            "verdict": verdict.word if verdict else None,
            "why": verdict.reason if verdict else None,
            **(self.trials.record() if self.trials else {}),
        }

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        record, rank = self.record(), self.rank
        return {
            "published": record["published"],
            "claim": record["claim"],
            "accuracy": record["published_accuracy"],
            "spread": [rank.low, rank.high] if rank else None,
            "inside": rank.position == "inside" if rank else None,
            "p": record["rank_p"],
            "verdict": record["verdict"],
            "why": record["why"],
            **(self.trials.document() if self.trials else {}),
        }


def reproductions(result: SweepData) -> list[Reproduction]:
    """Returns a verdict for every fixed row with a published result, in order."""
    judged = []
    for row in result.fixed:
        trials = published_trials(row)
        if not (row.published or row.claim or row.published_accuracy is not None or trials):
            continue
        seeds, figure = row.outcome.seeds, row.published_accuracy
        # A network that diverged has no accuracy: its NaN outputs are not predictions.
        values = seeds["accuracy"].where(np.isfinite(seeds["loss"])).to_numpy(float)
        rank = None
        if figure is not None and np.isfinite(values).any():
            rank = figure_rank(figure, values)
        solved = seeds["solved"].to_numpy(bool)
        verdict = reproduction_verdict(row.claim, figure, values, solved)
        judged.append(Reproduction(row, rank, verdict, trials))
    return judged
