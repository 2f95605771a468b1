"""Published trials of a recipe against ours: their success rate and their speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_bench.results import Row
from lstm_bench.statistics import (
    MIN_SUCCESSES,
    SequencesRatio,
    SuccessDifference,
    Verdict,
    few_successes_verdict,
    sequences_ratio,
    sequences_verdict,
    success_difference,
    success_verdict,
)

UNCOUNTED = Verdict(
    "cannot tell",
    "Training sequences are only counted where training ends once the task is solved; set stop or "
    "stop_after_solved.",
)
ALL_TRIALS = "How many trials succeeded was not published; the mean is taken as that of all."
UPPER_LIMIT = "Our numbers are upper limits: they count whole epochs"
STAYED_SOLVED = ", including those in which the task had to stay solved"


@dataclass(frozen=True)
class PublishedTrials:
    """Our success rate and training sequences against those of published trials.

    `success` and its verdict are None if it was not published how many trials succeeded.
    `sequences` is None if no number was published, or none of ours was counted: the verdict is then
    None, or says so.
    """

    published_n: int
    success: SuccessDifference | None
    success_verdict: Verdict | None
    published_sequences: float | None
    sequences: SequencesRatio | None
    sequences_verdict: Verdict | None

    def record(self) -> dict[str, Any]:
        """Returns the figures and both verdicts as one flat row."""
        success, ratio, verdict = self.success, self.sequences, self.sequences_verdict
        rate_verdict = self.success_verdict
        return {
            "published_solved": success.published_k if success else None,
            "published_trials": self.published_n,
            "rate_difference": success.difference if success else None,
            "rate_difference_low": success.low if success else None,
            "rate_difference_high": success.high if success else None,
            "rate_p": success.p if success else None,
            "rate_verdict": rate_verdict.word if rate_verdict else None,
            "rate_why": rate_verdict.reason if rate_verdict else None,
            "published_sequences": self.published_sequences,
            "sequences_mean": ratio.mean if ratio else None,
            "sequences_seeds": ratio.n if ratio else None,
            "sequences_ratio": ratio.ratio if ratio else None,
            "sequences_ratio_low": ratio.low if ratio else None,
            "sequences_ratio_high": ratio.high if ratio else None,
            "sequences_p": ratio.p if ratio else None,
            "sequences_verdict": verdict.word if verdict else None,
            "sequences_why": verdict.reason if verdict else None,
        }

    def document(self) -> dict[str, Any]:
        """Returns what JSON documents say of it."""
        success, ratio, verdict = self.success, self.sequences, self.sequences_verdict
        document: dict[str, Any] = {}
        if success is not None and self.success_verdict is not None:
            document["success"] = {
                "published": [success.published_k, success.published_n],
                "ours": [success.k, success.n],
                "difference": success.difference,
                "ci95": [success.low, success.high],
                "p": success.p,
                "verdict": self.success_verdict.word,
                "why": self.success_verdict.reason,
            }
        if verdict is not None:
            document["sequences"] = {
                "published": self.published_sequences,
                "mean": ratio.mean if ratio else None,
                "n": ratio.n if ratio else 0,
                "ratio": ratio.ratio if ratio else None,
                "ci95": [ratio.low, ratio.high] if ratio else None,
                "p": ratio.p if ratio else None,
                "verdict": verdict.word,
                "why": verdict.reason,
            }
        return document


def published_trials(row: Row) -> PublishedTrials | None:
    """Returns how a row compares with published trials, or None if it has none."""
    if row.published_success is None:
        return None
    seeds, (succeeded, trials) = row.outcome.seeds, row.published_success
    success = rate_verdict = None
    if succeeded is not None:
        success = success_difference(seeds["solved"].to_numpy(bool), succeeded, trials)
        rate_verdict = success_verdict(success)
    published, ratio, verdict = row.published_sequences, None, None
    if published is not None and "sequences" in seeds:
        of_trials = trials if succeeded is None else succeeded
        ratio = sequences_ratio(seeds["sequences"].to_numpy(float), published, of_trials)
        verdict = sequences_verdict(ratio)
        few, allowed = None, _allowed_sequences(row)
        # Where the number of successes was published, their rate has a verdict of its own.
        if succeeded is None and ratio.n < MIN_SUCCESSES and allowed is not None:
            few = few_successes_verdict(ratio, seeds["solved"].to_numpy(bool), allowed)
        verdict, judged = few or verdict, np.isfinite(ratio.ratio) or few is not None
        if succeeded is None and judged:
            verdict = Verdict(verdict.word, f"{verdict.reason} {ALL_TRIALS}")
        patience = row.outcome.settings.get("stop_after_solved")
        if patience is not None and ratio.n >= MIN_SUCCESSES:
            stayed = STAYED_SOLVED if patience else ""
            verdict = Verdict(verdict.word, f"{verdict.reason} {UPPER_LIMIT}{stayed}.")
    elif published is not None:
        verdict = UNCOUNTED
    return PublishedTrials(trials, success, rate_verdict, published, ratio, verdict)


def _allowed_sequences(row: Row) -> float | None:
    """Returns how many sequences each seed of a row could train with; None if it is not known."""
    epochs, train = (row.outcome.settings.get(name) for name in ("epochs", "train"))
    return float(epochs * train) if epochs and train else None
