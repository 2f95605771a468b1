"""What the rows of a sweep say: verdicts, comparisons, ablations, finalists and baselines."""

from lstm_bench.analysis._ablation import Effect, PutBack, plain
from lstm_bench.analysis._baselines import (
    Beside,
    amount,
    baselines_document,
    headline,
    signed_amount,
)
from lstm_bench.analysis._facts import Found, gather
from lstm_bench.analysis._finalists import Confirmations, confirmations, simplest
from lstm_bench.analysis._findings import Compared, Family, Judged, comparisons_document, words_of
from lstm_bench.analysis._history import asked, bounds, is_stopped, objective, score, scores
from lstm_bench.analysis._search import search_document, search_findings
from lstm_bench.analysis._variance import Importance, Split

__all__ = [
    "Beside",
    "Compared",
    "Confirmations",
    "Effect",
    "Family",
    "Found",
    "Importance",
    "Judged",
    "PutBack",
    "Split",
    "amount",
    "asked",
    "baselines_document",
    "bounds",
    "comparisons_document",
    "confirmations",
    "gather",
    "headline",
    "is_stopped",
    "objective",
    "plain",
    "score",
    "scores",
    "search_document",
    "search_findings",
    "signed_amount",
    "simplest",
    "words_of",
]
