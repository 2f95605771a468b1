"""Whether repeated seeds reproduce the published results of a recipe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_bench.analysis._published_trials import PublishedTrials, published_trials
from lstm_bench.results import Row, SweepData
from lstm_bench.statistics import (
    REJECTION_LEVEL,
    FigureRank,
    Verdict,
    chance_of_as_many,
    figure_rank,
    holm_correction,
    printed_tolerance,
    reproduction_verdict,
)


@dataclass(frozen=True)
class Reproduction:
    """A row with a published result: the rank of its figure among our seeds, and the verdict."""

    row: Row
    rank: FigureRank | None  # None without a figure, or where every seed diverged
    verdict: Verdict | None  # None where only words were published that cannot be judged
    trials: PublishedTrials | None = None  # None where no success rate of trials was published
    p_holm: float = math.nan  # of the figure, after Holm's correction for all figures of the page

    @property
    def is_figure(self) -> bool:
        """Whether the verdict is on the figure, and not on a claim."""
        return self.rank is not None and self.row.claim is None

    @property
    def familywise(self) -> str:
        """The verdict on the figure as one of all figures of the page; empty without one.

        `not reproduced` if its corrected p value is small: at most 1 page in 10 has any such
        figure by chance. `cannot tell` where it is so only for the figure alone.
        """
        if not self.is_figure or self.verdict is None:
            return ""
        if self.p_holm <= REJECTION_LEVEL:
            return "not reproduced"
        return "cannot tell" if self.verdict.word == "not reproduced" else self.verdict.word

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
            "further_low": rank.further_low if rank else None,
            "further_high": rank.further_high if rank else None,
            "rank_p_holm": self.p_holm if self.is_figure else None,
            "familywise_verdict": self.familywise or None,
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
            "further_run": [rank.further_low, rank.further_high] if rank else None,
            "p_holm": record["rank_p_holm"],
            "familywise_verdict": record["familywise_verdict"],
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
            rank = figure_rank(figure, values, printed_tolerance(row.published, figure))
        solved = seeds["solved"].to_numpy(bool)
        tolerance = printed_tolerance(row.published, figure or 0.0)
        verdict = reproduction_verdict(row.claim, figure, values, solved, tolerance)
        judged.append(Reproduction(row, rank, verdict, trials))
    p_values = [item.rank.p if item.rank and item.is_figure else math.nan for item in judged]
    corrected = holm_correction(p_values)
    return [replace(item, p_holm=p) for item, p in zip(judged, corrected, strict=True)]


def figures_by_chance(reproductions: Sequence[Reproduction]) -> str:
    """Returns how many published figures would not be reproduced by chance, and how many are.

    Empty where fewer than two figures have enough seeds for that verdict.
    """
    ranks = [item.rank for item in reproductions if item.rank and item.is_figure]
    chances = [rank.chance for rank in ranks if rank.chance]
    if len(chances) < 2:
        return ""
    words = [item.verdict.word for item in reproductions if item.is_figure and item.verdict]
    count, expected = words.count("not reproduced"), sum(chances)
    alone = sum(item.familywise == "not reproduced" for item in reproductions)
    needed = math.ceil(2 * len(ranks) / REJECTION_LEVEL) - 1
    text = (
        f"{len(chances)} of the published results are figures with enough seeds to be rejected. "
        "If each came from a run like ours, "
        f"chance alone would make {expected:.1f} of them “not reproduced”; "
        f"{count or 'none'} {'is' if count < 2 else 'are'}"
    )
    if count:
        share = 100 * chance_of_as_many(chances, count)
        text += f" ({share:.2g} % of such pages have as many or more, if they are independent)"
        text += f"; as one of {len(ranks)} figures, {alone or 'none'} of these still "
        text += "is" if alone <= 1 else "are"
        text += f", which takes {needed} seeds" * (not alone)
    return f"{text}."
